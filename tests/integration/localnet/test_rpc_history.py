"""Lists resume where they ended and say why they ended; subscriptions wake up and end with the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from rpc_world import ALICE, BOB, EVERYTHING, Wire, World, argument, call, mask

from localnet.ledger.clock import ManualClock
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.rpc.localnet import Localnet
from localnet.rpc.stubs import v2
from localnet.rpc.transport.limits import Limits

End = v2.QueryEndReason
DESCENDING = v2.Ordering.DESCENDING


class Chain:
    """A Counter that has been bumped to 1, 2, 3 …; its events carry these values."""

    def __init__(self, world: World, wire: Wire, package: str, counter: str) -> None:
        self.world, self.wire, self.package, self.counter = world, wire, package, counter

    async def bump(self, times: int) -> None:
        for _ in range(times):
            assert (await self.wire.bump(ALICE, self.package, self.counter)).effects.status.success

    async def reset(self, type_: str) -> None:
        await self.wire.submit(
            ALICE, [v2.Input(object_id=self.counter)], [call(f"{self.package}::counter::reset", argument(0), types=(type_,))]
        )

    async def frames(self, **request: Any) -> list[Any]:
        options = v2.QueryOptions(**{k: request.pop(k) for k in ("limit", "after", "before", "ordering") if k in request})
        request.setdefault("filter", event_type(f"{self.package}::counter::Bumped"))
        message = v2.ListEventsRequest(read_mask=EVERYTHING, options=options, **request)
        return [frame async for frame in self.wire.ledger.list_events(message)]


@pytest.fixture
async def chain(world: World) -> AsyncIterator[Chain]:
    async with world.wire() as wire:
        yield Chain(world, wire, *await wire.publish(ALICE))


def values(frames: list[Any]) -> list[int]:
    return [int(frame.event.json.to_dict()["value"]) for frame in frames if frame.event is not None]


def literal(*, negated: bool = False, **predicate: Any) -> Any:
    return v2.EventLiteral(negated=negated, **predicate)


def all_of(*literals: Any) -> Any:
    return v2.EventFilter(terms=[v2.EventTerm(literals=list(literals))])


def event_type(text: str) -> Any:
    return all_of(literal(event_type=v2.EventTypeFilter(event_type=text)))


# ---- lists


async def test_events_are_listed_in_order_to_the_tip(chain: Chain) -> None:
    await chain.bump(3)
    frames = await chain.frames()
    assert values(frames) == [1, 2, 3]
    assert [frame.end.reason for frame in frames if frame.end is not None] == [End.LEDGER_TIP]
    assert frames[-1].event is None
    assert frames[-1].watermark.checkpoint == chain.world.localnet.ledger.checkpoint().sequence


async def test_a_list_resumes_after_its_cursor_without_gap_or_repetition(chain: Chain) -> None:
    await chain.bump(5)
    seen, after = [], None
    for _ in range(10):
        frames = await chain.frames(limit=2, after=after)
        seen += values(frames)
        after = frames[-1].watermark.cursor
        if frames[-1].end.reason == End.LEDGER_TIP:
            break
        assert frames[-1].end.reason == End.ITEM_LIMIT
    assert seen == [1, 2, 3, 4, 5]
    await chain.bump(1)
    assert values(await chain.frames(after=after)) == [6]


async def test_every_frame_has_a_cursor_to_resume_from(chain: Chain) -> None:
    await chain.bump(3)
    frames = await chain.frames()
    for index, frame in enumerate(frames[:3]):
        assert values(await chain.frames(after=frame.watermark.cursor)) == [1, 2, 3][index + 1 :]


async def test_a_descending_list_resumes_before_its_cursor(chain: Chain) -> None:
    await chain.bump(3)
    first = await chain.frames(ordering=DESCENDING, limit=2)
    assert values(first) == [3, 2]
    rest = await chain.frames(ordering=DESCENDING, before=first[-1].watermark.cursor)
    assert (values(rest), rest[-1].end.reason) == ([1], End.CHECKPOINT_BOUND)


async def test_a_list_between_two_cursors_ends_at_the_bound(chain: Chain) -> None:
    await chain.bump(4)
    frames = await chain.frames()
    after, before = frames[0].watermark.cursor, frames[3].watermark.cursor
    between = await chain.frames(after=after, before=before)
    assert (values(between), between[-1].end.reason) == ([2, 3], End.CURSOR_BOUND)


async def test_a_list_of_checkpoints_excludes_the_end(chain: Chain) -> None:
    await chain.bump(3)
    frames = await chain.frames()
    checkpoints = [frame.event.checkpoint for frame in frames if frame.event is not None]
    between = await chain.frames(start_checkpoint=checkpoints[1], end_checkpoint=checkpoints[2])
    assert (values(between), between[-1].end.reason) == ([2], End.CHECKPOINT_BOUND)


async def test_a_cursor_of_another_server_is_refused(chain: Chain) -> None:
    with pytest.raises(GRPCError, match="another server") as refused:
        await chain.frames(after=b"42")
    assert refused.value.status is Status.INVALID_ARGUMENT


async def test_a_cursor_into_pruned_history_is_told_so(framework: Framework) -> None:
    async with Localnet(GenesisConfig(history=5), clock=ManualClock(), framework=framework) as localnet, World(localnet).wire() as wire:
        request = v2.ListEventsRequest(options=v2.QueryOptions())
        old = [frame async for frame in wire.ledger.list_events(request)][-1].watermark.cursor
        for _ in range(10):
            localnet.tick()
        with pytest.raises(GRPCError, match="the oldest one kept is 6") as refused:
            request.options.after = old
            [frame async for frame in wire.ledger.list_events(request)]
        info = await wire.ledger.get_service_info(v2.GetServiceInfoRequest())
    assert refused.value.status is Status.NOT_FOUND
    assert info.lowest_available_checkpoint == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{p}", 3), ("{p}::counter", 3), ("{p}::counter::Bumped", 1), ("{p}::counter::Reset", 2), ("{p}::counter::Reset<u8>", 1), ("0x2", 0)],
)
async def test_event_types_match_at_every_level(chain: Chain, text: str, expected: int) -> None:
    await chain.bump(1)
    await chain.reset("u8")
    await chain.reset("0x2::sui::SUI")
    frames = await chain.frames(filter=event_type(text.format(p=chain.package)))
    assert sum(frame.event is not None for frame in frames) == expected


async def test_literals_are_joined_and_negated(chain: Chain) -> None:
    await chain.bump(2)
    module = v2.EmitModuleFilter(module=f"{chain.package}::counter")
    by_alice, by_bob = (literal(sender=v2.SenderFilter(address=player.address)) for player in (ALICE, BOB))
    not_by_alice = literal(sender=v2.SenderFilter(address=ALICE.address), negated=True)
    for literals, expected in (((by_alice,), 2), ((by_bob,), 0), ((not_by_alice,), 0)):
        frames = await chain.frames(filter=all_of(literal(emit_module=module), *literals))
        assert sum(frame.event is not None for frame in frames) == expected


async def test_an_empty_filter_is_refused(chain: Chain) -> None:
    with pytest.raises(GRPCError, match="at least one term"):
        await chain.frames(filter=v2.EventFilter())


async def test_transactions_are_listed_by_what_they_call(chain: Chain) -> None:
    await chain.bump(2)
    target = v2.TransactionLiteral(move_call=v2.MoveCallFilter(function=f"{chain.package}::counter::bump"))
    wanted = v2.TransactionFilter(terms=[v2.TransactionTerm(literals=[target])])
    request = v2.ListTransactionsRequest(read_mask=mask("digest", "events.events.json"), filter=wanted)
    frames = [frame async for frame in chain.wire.ledger.list_transactions(request)]
    found = [frame.transaction for frame in frames if frame.transaction is not None]
    assert [one.events.events[0].json.to_dict()["value"] for one in found] == ["1", "2"]
    affected = v2.TransactionLiteral(affected_object=v2.AffectedObjectFilter(object_id=chain.counter))
    request = v2.ListCheckpointsRequest(filter=v2.TransactionFilter(terms=[v2.TransactionTerm(literals=[affected])]))
    checkpoints = [frame async for frame in chain.wire.ledger.list_checkpoints(request)]
    assert sum(frame.checkpoint is not None for frame in checkpoints) == 3  # published, bumped, bumped


async def test_checkpoints_are_linked_by_their_digests(chain: Chain) -> None:
    await chain.bump(2)
    request = v2.ListCheckpointsRequest(read_mask=EVERYTHING, options=v2.QueryOptions(limit=3, ordering=DESCENDING))
    frames = [frame.checkpoint async for frame in chain.wire.ledger.list_checkpoints(request)]
    assert [one.summary.previous_digest for one in frames[:2]] == [one.digest for one in frames[1:]]
    assert frames[-1].contents.transactions[0].transaction == frames[-1].transactions[0].digest


# ---- subscriptions


async def test_a_subscriber_wakes_up_for_its_event_only(chain: Chain) -> None:
    request = v2.SubscribeEventsRequest(read_mask=EVERYTHING, filter=event_type(f"{chain.package}::counter::Bumped"))
    async with aclosing(chain.wire.subscriptions.subscribe_events(request)) as stream, asyncio.timeout(30):
        first = await anext(stream)
        assert first.event is None
        await chain.reset("u8")
        await chain.bump(1)
        async for frame in stream:
            if frame.event is not None:
                break
    assert frame.event.json.to_dict()["value"] == "1"
    assert values(await chain.frames(after=first.watermark.cursor)) == [1]
    assert values(await chain.frames(after=frame.watermark.cursor)) == []


async def test_checkpoints_arrive_without_gaps(chain: Chain) -> None:
    tip = chain.world.localnet.ledger.checkpoint().sequence
    stream = chain.wire.subscriptions.subscribe_checkpoints(v2.SubscribeCheckpointsRequest())
    async with aclosing(stream), asyncio.timeout(30):
        pending = asyncio.ensure_future(anext(stream))
        while not chain.world.localnet.statistics().open:
            await asyncio.sleep(0)
        await chain.bump(2)
        chain.world.localnet.tick()
        frames = [await pending, await anext(stream), await anext(stream)]
    assert [frame.cursor for frame in frames] == [tip + 1, tip + 2, tip + 3]
    assert [frame.checkpoint.sequence_number for frame in frames] == [tip + 1, tip + 2, tip + 3]


async def test_transactions_of_a_sender_are_streamed(chain: Chain) -> None:
    sender = v2.TransactionLiteral(sender=v2.SenderFilter(address=ALICE.address))
    wanted = v2.TransactionFilter(terms=[v2.TransactionTerm(literals=[sender])])
    stream = chain.wire.subscriptions.subscribe_transactions(v2.SubscribeTransactionsRequest(filter=wanted, read_mask=mask("digest")))
    async with aclosing(stream), asyncio.timeout(30):
        await anext(stream)
        done = await chain.wire.bump(ALICE, chain.package, chain.counter)
        frame = await anext(stream)
    assert frame.transaction.digest == done.digest


async def test_shutdown_ends_a_subscription_with_unavailable(framework: Framework) -> None:
    before = asyncio.all_tasks()
    localnet = Localnet(clock=ManualClock(), framework=framework)
    await localnet.__aenter__()
    async with World(localnet).wire() as wire:
        stream = wire.subscriptions.subscribe_events(v2.SubscribeEventsRequest())
        await anext(stream)
        closing = asyncio.ensure_future(localnet.__aexit__(None, None, None))
        with pytest.raises(GRPCError) as ended:
            await anext(stream)
        await closing
    assert ended.value.status is Status.UNAVAILABLE
    assert asyncio.all_tasks() == before


async def test_a_subscriber_that_does_not_read_is_dropped_and_the_others_go_on(framework: Framework, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        Localnet(clock=ManualClock(), framework=framework, limits=Limits(mailbox=4)) as localnet,
        World(localnet).wire(window=65_535) as slow,
        World(localnet).wire() as quick,
    ):
        World(localnet).fund(ALICE, 50 * 10**9)
        package, counter = await quick.publish(ALICE)
        request = v2.SubscribeCheckpointsRequest(read_mask=EVERYTHING, filter=anything())
        stuck, reading = (wire.subscriptions.subscribe_checkpoints(request) for wire in (slow, quick))
        async with aclosing(stuck), aclosing(reading), asyncio.timeout(30):
            await anext(stuck)
            await anext(reading)
            while not localnet.statistics().dropped:
                done = await quick.bump(ALICE, package, counter)
                frame = await anext(reading)
                assert frame.cursor == done.checkpoint
            with pytest.raises((GRPCError, StreamTerminatedError)):
                async for _ in stuck:
                    pass
        assert localnet.statistics().dropped == 1
    assert "subscriber SubscribeCheckpoints#1 dropped" in caplog.text


def anything() -> Any:
    package = v2.TransactionLiteral(sender=v2.SenderFilter(address=ALICE.address))
    return v2.TransactionFilter(terms=[v2.TransactionTerm(literals=[package])])
