from dataclasses import replace

import pytest
from call_examples import CAP, DEPLOYMENT, OPERATOR, PARAMS, REQUEST, TASK
from fake_full_node import KINDS, FakeFullNode
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2

from agent.chain.errors import Malformed, NotFound
from agent.chain.sui.names import CLOCK, TYPE_U64, dynamic_field, struct_tag, to_hex
from agent.protocol.records import Attestation, Committee, MemberView, NetworkView, OwnerCap, Pending, PolicyEntry, RequestView
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot

PACKAGE = to_hex(DEPLOYMENT.package)
NETWORK = NetworkView(
    id=DEPLOYMENT.network.id,
    version=1,
    allow_simulated=True,
    paused=False,
    params=PARAMS,
    policies=(PolicyEntry(Digest(b"p" * 32), Millis(0), Millis(9), (b"0" * 48,)),),
    committee=Committee(1, (b"v" * 32,), 1),
    previous=Committee(0, (), 0),
    previous_until=Millis(0),
    next_params=Pending((replace(PARAMS, bounty=Mist(9)),), Millis(7)),
    next_committee=Pending((), Millis(0)),
    stall_ms=Millis(3),
    heartbeat_at=Millis(4),
)
RECORD = Attestation(1, TeeKind(0), Digest(b"p" * 32), BlobId(b"e" * 32), b"m", b"h" * 32, b"s" * 32, Millis(6))
MEMBER = MemberView(
    node=NodeId(b"n" * 32),
    slot=Slot(300),
    operator=OPERATOR,
    stake=Mist(10),
    unbonding=Mist(0),
    unbonding_at=Millis(0),
    locked=Mist(0),
    backing=Mist(0),
    fees=Mist(1),
    fees_owed=Mist(0),
    weight=Mist(10),
    joined_at=Millis(1),
    leaving_at=Millis(0),
    strikes=0,
    jailed_until=Millis(0),
    challenge=b"c" * 32,
    challenge_expires=Millis(5),
    key_epoch=1,
    revoked_through=0,
    attestation=RECORD,
    previous=replace(RECORD, key_epoch=0),
    previous_until=Millis(0),
)
REQUEST_VIEW = RequestView(
    REQUEST, 1, Address(DEPLOYMENT.network.id), Address(DEPLOYMENT.pool.id), OPERATOR, Address(bytes(32)), Mist(1), Mist(2), Millis(3)
)


def contents(value: bytes) -> v2.Bcs:
    return v2.Bcs(value=value)


def put_field(node: FakeFullNode, key: bytes, key_type: bytes, value: bytes, name: bytes | None = None) -> None:
    field = dynamic_field(DEPLOYMENT.pool.id, key, key_type)
    owner = v2.Owner(kind=KINDS.OBJECT, address=to_hex(DEPLOYMENT.pool.id))
    node.put(to_hex(field), "0x2::dynamic_field::Field", owner, contents=contents(field + (name or key) + value))


def put_member(node: FakeFullNode, name: bytes) -> None:
    put_field(node, (300).to_bytes(8, "little"), TYPE_U64, MEMBER.encode(), name)


async def test_network_is_read(node: FakeFullNode, open_chain):
    node.objects[to_hex(DEPLOYMENT.network.id)].contents = contents(NETWORK.encode())
    assert await (await open_chain()).network() == NETWORK


async def test_member_is_found_by_its_slot(node: FakeFullNode, open_chain):
    put_member(node, (300).to_bytes(8, "little"))
    chain = await open_chain()
    assert await chain.member(Slot(300)) == MEMBER
    assert await chain.member(Slot(301)) is None


async def test_member_of_another_slot_is_malformed(node: FakeFullNode, open_chain):
    put_member(node, (299).to_bytes(8, "little"))
    with pytest.raises(Malformed, match="another key"):
        await (await open_chain()).member(Slot(300))


async def test_replaced_node_is_found_among_the_departed(node: FakeFullNode, open_chain):
    put_field(node, MEMBER.node, struct_tag(DEPLOYMENT.package, "pool", "Departed"), MEMBER.encode())
    chain = await open_chain()
    assert await chain.departed(MEMBER.node) == MEMBER
    assert await chain.departed(NodeId(b"o" * 32)) is None


async def test_operator_is_found_in_its_slot(node: FakeFullNode, open_chain):
    put_field(node, OPERATOR, struct_tag(DEPLOYMENT.package, "pool", "OperatorKey"), (300).to_bytes(8, "little"))
    chain = await open_chain()
    assert await chain.slot_of(OPERATOR) == 300
    assert await chain.slot_of(Address(b"o" * 32)) is None


async def test_slot_of_an_operator_that_is_no_number_is_malformed(node: FakeFullNode, open_chain):
    put_field(node, OPERATOR, struct_tag(DEPLOYMENT.package, "pool", "OperatorKey"), b"123")
    with pytest.raises(Malformed):
        await (await open_chain()).slot_of(OPERATOR)


async def test_request_is_read(node: FakeFullNode, open_chain):
    node.share(to_hex(REQUEST), f"{PACKAGE}::request::Request", contents=REQUEST_VIEW.encode())
    assert await (await open_chain()).request(REQUEST) == REQUEST_VIEW


async def test_request_that_was_opened_is_not_found(open_chain):
    with pytest.raises(NotFound):
        await (await open_chain()).request(REQUEST)


async def test_clock_is_the_chains(node: FakeFullNode, open_chain):
    node.objects[to_hex(CLOCK)].contents = contents(CLOCK + (1_700_000_000_123).to_bytes(8, "little"))
    assert await (await open_chain()).now() == 1_700_000_000_123


async def test_missing_task_is_not_found(open_chain):
    with pytest.raises(NotFound):
        await (await open_chain()).task(TASK)


async def test_object_of_another_type_is_no_task(node: FakeFullNode, open_chain):
    node.share(to_hex(TASK), f"{PACKAGE}::pool::Pool")
    with pytest.raises(NotFound, match=r"no task::Task"):
        await (await open_chain()).task(TASK)


async def test_task_of_another_package_is_none_of_ours(node: FakeFullNode, open_chain):
    node.share(to_hex(TASK), "0x99::task::Task")
    with pytest.raises(NotFound, match="of this deployment"):
        await (await open_chain()).task(TASK)


@pytest.mark.parametrize("junk", [b"", b"\0" * 10, NETWORK.encode() + b"\0", b"\0" * 256_001])
async def test_contents_that_cannot_be_read_are_malformed(node: FakeFullNode, open_chain, junk: bytes):
    node.objects[to_hex(DEPLOYMENT.network.id)].contents = contents(junk)
    with pytest.raises(Malformed):
        await (await open_chain()).network()


async def test_another_object_than_asked_for_is_malformed(node: FakeFullNode, open_chain):
    node.objects[to_hex(DEPLOYMENT.network.id)] = node.objects[to_hex(DEPLOYMENT.pool.id)]
    with pytest.raises(Malformed, match="got another object"):
        await (await open_chain()).network()


async def test_coins_of_all_pages_are_counted(node: FakeFullNode, wallet, open_chain):
    node.fund(wallet.address, *range(1, 31))
    assert await (await open_chain()).balance() == sum(range(1, 31))


async def test_endpoint_whose_pages_never_end_is_left(node: FakeFullNode, wallet, open_chain):
    node.fund(wallet.address, 5)
    listed = node.list_owned_objects

    async def endless(request):
        answer = await listed(v2.ListOwnedObjectsRequest(owner=request.owner, object_type=request.object_type, page_size=9))
        answer.next_page_token = b"same"
        return answer

    node.list_owned_objects = endless
    assert await (await open_chain()).balance() == 10


async def test_caps_of_the_wallet_are_found(node: FakeFullNode, wallet, open_chain):
    cap = OwnerCap(ObjectId(CAP), DEPLOYMENT.pool.id, NodeId(b"n" * 32), Slot(4))
    node.own(to_hex(CAP), f"{PACKAGE}::member::NodeOwnerCap", wallet.address, contents=contents(cap.encode()))
    chain = await open_chain()
    assert await chain.caps("NodeOwnerCap") == [cap]
    assert await chain.caps("NodeOperatorCap") == []
