import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from call_examples import DEPLOYMENT, TASK
from fake_full_node import FakeFullNode, Sleeper
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2

from agent.chain.calls import Reap
from agent.chain.errors import Malformed, NotFound, Unreachable
from agent.chain.port import ChainEvent, Cursor
from agent.chain.sui import SuiChain, SuiSettings, WatchPolicy
from agent.chain.sui.names import to_base58, to_hex
from agent.chain.sui.position import Position
from agent.protocol.events import Reaped, UnknownEvent
from agent.protocol.units import TaskId

PACKAGE = to_hex(DEPLOYMENT.package)


def reaped(number: int, package: str = PACKAGE) -> v2.Event:
    # package_id and module name who called, as when a dApp's contract calls ours
    return v2.Event(
        package_id="0xdada",
        module="dapp",
        event_type=f"{package}::task::Reaped",
        contents=v2.Bcs(value=bytes([number]) * 32),
    )


def numbers(events: list[ChainEvent]) -> list[int]:
    return [each.event.task[0] for each in events]


async def take(chain: SuiChain, count: int, after: Cursor | None = None) -> tuple[list[ChainEvent], Cursor]:
    """The next `count` events, and the cursor behind the page with the last of them."""
    found: list[ChainEvent] = []
    async with asyncio.timeout(20), aclosing(chain.events(after)) as pages:
        async for page in pages:
            found += page.events
            if len(found) >= count:
                return found, page.cursor
    raise AssertionError("the stream ended")


@pytest.fixture(params=["listing", "scanning"])
def way(request, node: FakeFullNode) -> str:
    if request.param == "scanning":
        node.unsupported |= {"ListEvents"}
    return request.param


async def test_events_come_in_chain_order_with_their_place(node: FakeFullNode, open_chain, way: str):
    await node.happen([reaped(1), reaped(2)], [reaped(3)])
    await node.happen()
    await node.happen([reaped(4)])
    found, _ = await take(await open_chain(), 4)
    assert numbers(found) == [1, 2, 3, 4]
    assert [(each.checkpoint, each.index) for each in found] == [(0, 0), (0, 1), (0, 0), (2, 0)]
    assert found[0].event == Reaped(TaskId(b"\1" * 32))
    assert {each.module for each in found} == {"task"}
    assert found[0].digest == found[1].digest != found[2].digest


async def test_other_packages_are_left_out(node: FakeFullNode, open_chain, way: str):
    await node.happen([reaped(1, "0x" + "99" * 32), reaped(2)])
    found, _ = await take(await open_chain(), 1)
    assert numbers(found) == [2]
    assert found[0].index == 1


async def test_following_resumes_behind_the_cursor(node: FakeFullNode, open_chain, way: str):
    await node.happen([reaped(1)])
    await node.happen([reaped(2)])
    chain = await open_chain()
    _, cursor = await take(chain, 2)
    await node.happen([reaped(3)])
    found, _ = await take(chain, 1, after=Cursor(bytes(cursor)))
    assert numbers(found) == [3]


async def test_event_that_happens_while_waiting_arrives_at_once(node: FakeFullNode, open_chain, way: str):
    await node.happen([reaped(1)])
    chain = await open_chain()
    waiting = asyncio.create_task(take(chain, 3))
    subscription = "SubscribeEvents" if way == "listing" else "SubscribeCheckpoints"
    while not node.count(subscription):
        await asyncio.sleep(0)
    await node.happen([reaped(2)])
    await node.happen([reaped(3)])
    found, _ = await waiting
    assert numbers(found) == [1, 2, 3]


async def test_event_between_look_and_subscription_is_not_missed(node: FakeFullNode, open_chain):
    await node.happen([reaped(1)])

    def meanwhile(method: str, request: object) -> None:
        if method == "SubscribeEvents" and len(node.checkpoints) == 1:
            digest = to_base58(b"\7" * 32)
            events = v2.TransactionEvents(events=[reaped(2)])
            transaction = v2.ExecutedTransaction(digest=digest, events=events)
            node.checkpoints.append(v2.Checkpoint(sequence_number=1, transactions=[transaction]))

    node.before = meanwhile
    found, _ = await take(await open_chain(), 2)
    assert numbers(found) == [1, 2]


async def test_without_subscriptions_the_chain_is_asked_now_and_then(
    node: FakeFullNode, open_chain, way: str, sleeper: Sleeper
):
    node.unsupported |= {"SubscribeEvents", "SubscribeCheckpoints"}
    await node.happen([reaped(1)])
    chain = await open_chain()
    waiting = asyncio.create_task(take(chain, 2))
    while len(sleeper.slept) < 3:
        await asyncio.sleep(0)
    await node.happen([reaped(2)])
    found, _ = await waiting
    assert numbers(found) == [1, 2]
    assert min(sleeper.slept[1:]) > 0.1


async def test_pages_are_bounded_and_none_is_skipped(node: FakeFullNode, open_chain, settings: SuiSettings):
    for number in range(9):
        await node.happen([reaped(number), reaped(number + 100)])
    node.page = 4
    chain = await open_chain(settings=replace(settings, watch=WatchPolicy(page=5)))
    sizes, found = [], []
    async with aclosing(chain.events(None)) as pages:
        async for page in pages:
            sizes.append(len(page.events))
            found += page.events
            if len(found) == 18:
                break
    assert max(sizes) == 4
    assert numbers(found) == [each for number in range(9) for each in (number, number + 100)]


async def test_every_cursor_between_pages_resumes_exactly(node: FakeFullNode, open_chain, settings: SuiSettings):
    for number in range(4):
        await node.happen([reaped(number), reaped(number + 100)])
    node.page = 3
    chain = await open_chain()
    seen = 0
    async with aclosing(chain.events(None)) as pages:
        async for page in pages:
            seen += len(page.events)
            if seen == 8:
                break
            rest, _ = await take(chain, 8 - seen, after=page.cursor)
            assert len(rest) == 8 - seen


async def test_listing_goes_on_where_scanning_stopped_and_back(node: FakeFullNode, open_chain):
    await node.happen([reaped(1)])
    await node.happen([reaped(2)])
    chain = await open_chain()
    _, listed = await take(chain, 2)
    node.unsupported = {"ListEvents"}
    await node.happen([reaped(3)])
    found, scanned = await take(chain, 1, after=listed)
    assert numbers(found)[-1] == 3
    node.unsupported = set()
    await node.happen([reaped(4)])
    found, _ = await take(chain, 1, after=scanned)
    assert numbers(found) == [4]


async def test_nothing_before_the_deployment_is_read(node: FakeFullNode, endpoint, settings: SuiSettings):
    node.unsupported = {"ListEvents"}
    for number in range(5):
        await node.happen([reaped(number)])
    async with await SuiChain.open(endpoint, replace(DEPLOYMENT, since=3), settings=settings) as chain:
        found, _ = await take(chain, 2)
    assert numbers(found) == [3, 4]


async def test_quiet_chain_moves_the_cursor_now_and_then(node: FakeFullNode, open_chain, way: str, monkeypatch):
    monkeypatch.setattr("agent.chain.sui.listing.QUIET_CHECKPOINTS", 5)
    monkeypatch.setattr("agent.chain.sui.scanning.QUIET_CHECKPOINTS", 5)
    for _ in range(6):
        await node.happen()
    async with asyncio.timeout(20), aclosing((await open_chain()).events(None)) as pages:
        page = await anext(pages)
    assert page.events == ()
    assert Position.read(page.cursor).covered >= 4


async def test_endpoint_that_fails_for_a_moment_is_asked_again(node: FakeFullNode, open_chain, sleeper: Sleeper):
    left = [2]

    def shaky(method: str, request: object) -> None:
        if method == "ListEvents" and left[0]:
            left[0] -= 1
            raise GRPCError(Status.UNAVAILABLE, "restarting")

    node.before = shaky
    await node.happen([reaped(1)])
    found, _ = await take(await open_chain(), 1)
    assert numbers(found) == [1]
    assert len(sleeper.slept) >= 2


async def test_endpoint_that_stays_down_is_the_callers_affair(node: FakeFullNode, open_chain):
    def down(method: str, request: object) -> None:
        if method == "ListEvents":
            raise GRPCError(Status.UNAVAILABLE, "down")

    node.before = down
    with pytest.raises(Unreachable):
        await take(await open_chain(), 1)
    assert node.count("ListEvents") == 3


async def test_pruned_history_is_not_skipped_in_silence(node: FakeFullNode, open_chain):
    node.unsupported = {"ListEvents"}
    for number in range(5):
        await node.happen([reaped(number)])
    node.lowest = 2
    with pytest.raises(NotFound, match="more history"):
        await take(await open_chain(), 1)


async def test_event_of_a_newer_package_is_passed_on(node: FakeFullNode, open_chain, way: str):
    event = reaped(1)
    event.event_type = f"{PACKAGE}::task::Renamed"
    await node.happen([event])
    found, _ = await take(await open_chain(), 1)
    assert found[0].event == UnknownEvent("task", "Renamed", b"\1" * 32)


@pytest.mark.parametrize("contents", [b"", b"\1" * 31, b"\1" * 33])
async def test_event_that_cannot_be_read_is_malformed(node: FakeFullNode, open_chain, way: str, contents: bytes):
    event = reaped(1)
    event.contents.value = contents
    await node.happen([event])
    with pytest.raises(Malformed, match="another endpoint"):
        await take(await open_chain(), 1)


async def test_endpoint_that_repeats_events_is_malformed(node: FakeFullNode, open_chain):
    await node.happen([reaped(1)])
    once = node.placed
    node.placed = lambda: once() * 2

    async def list_events(request):
        for event in node.placed():
            yield v2.ListEventsResponse(event=event, watermark=v2.Watermark(cursor=b"1"))

    node.list_events = list_events
    with pytest.raises(Malformed, match="out of order"):
        await take(await open_chain(), 1)


async def test_endpoint_that_sends_more_than_asked_for_is_malformed(
    node: FakeFullNode, open_chain, settings: SuiSettings
):
    for number in range(6):
        await node.happen([reaped(number)])

    async def list_events(request):
        for event in node.placed():
            yield v2.ListEventsResponse(event=event, watermark=v2.Watermark(cursor=b"1"))

    node.list_events = list_events
    with pytest.raises(Malformed, match="more than asked for"):
        await take(await open_chain(settings=replace(settings, watch=WatchPolicy(page=5))), 1)


@pytest.mark.parametrize("cursor", [None, b"", b"x" * 1001])
async def test_endpoint_without_a_usable_cursor_is_malformed(node: FakeFullNode, open_chain, cursor: bytes | None):
    async def list_events(request):
        yield v2.ListEventsResponse(watermark=v2.Watermark(cursor=cursor))

    node.list_events = list_events
    with pytest.raises(Malformed, match="cursor"):
        await take(await open_chain(), 1)


async def test_endpoint_that_does_not_get_on_is_left(node: FakeFullNode, open_chain):
    async def list_events(request):
        end = v2.QueryEnd(reason=v2.QueryEndReason.SCAN_LIMIT)
        yield v2.ListEventsResponse(watermark=v2.Watermark(cursor=b"same"), end=end)

    node.list_events = list_events
    with pytest.raises(Unreachable, match="does not get on"):
        await take(await open_chain(), 1)


async def test_wrong_checkpoint_is_malformed(node: FakeFullNode, open_chain):
    node.unsupported = {"ListEvents"}
    node.checkpoints.append(v2.Checkpoint(sequence_number=8))
    with pytest.raises(Malformed, match="asked for checkpoint 0"):
        await take(await open_chain(), 1)


async def test_transaction_without_a_digest_is_malformed(node: FakeFullNode, open_chain):
    node.unsupported = {"ListEvents"}
    await node.commit([v2.ExecutedTransaction(digest="x", events=v2.TransactionEvents(events=[reaped(1)]))])
    with pytest.raises(Malformed, match="no digest"):
        await take(await open_chain(), 1)


@pytest.mark.parametrize("cursor", [b"", b"L1234567", b"X12345678", b"L" + b"1" * 1009])
async def test_cursor_of_another_adapter_is_refused(open_chain, cursor: bytes):
    with pytest.raises(Malformed, match="begin without a cursor"):
        await take(await open_chain(), 1, after=Cursor(cursor))


@pytest.mark.parametrize("position", [Position(-1), Position(7), Position(0, b""), Position(2**40, b"\0" * 1000)])
def test_cursors_survive(position: Position):
    assert Position.read(position.cursor()) == position


async def test_receipt_has_the_events_of_its_transaction(node: FakeFullNode, wallet, open_chain):
    node.fund(wallet.address, 10**9)
    node.share(to_hex(TASK), f"{PACKAGE}::task::Task")
    node.on_call = lambda *_: [reaped(1, "0x" + "99" * 32), reaped(5)]
    receipt = await (await open_chain()).submit(Reap(TASK), purpose="test")
    assert receipt.events == (Reaped(TaskId(b"\5" * 32)),)
    assert receipt.event(Reaped).task == b"\5" * 32
    with pytest.raises(Malformed, match="without UnknownEvent"):
        receipt.event(UnknownEvent)
    assert receipt.digest != to_base58(bytes(32))
