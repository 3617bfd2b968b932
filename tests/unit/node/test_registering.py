from pathlib import Path

import pytest
from chain_twin import PARAMS, record

from agent.chain import calls as c
from agent.chain.errors import Unsettled
from agent.chain.memory import MemoryChain
from agent.chain.port import Created, MemoryTransactionLog, Receipt, TxDigest, TxStatus
from agent.node.errors import IdentityError, RegistrationError, Settled, StillPending
from agent.node.identity import IDENTITY_FILE, NodeIdentity
from agent.node.register import Registrar
from agent.node.submitter import Submitter
from agent.protocol.events import NodeRegistered
from agent.protocol.records import MemberView, NetworkView, PoolView
from agent.protocol.units import Address, Mist, NodeId, ObjectId, Slot

NODE, CAP = NodeId(b"\xb0" * 32), ObjectId(b"\x4f" * 32)
OPERATOR = Address(b"\x0f" * 32)
STAKE = Mist(1_000)


@pytest.fixture
def chain() -> MemoryChain:
    chain = MemoryChain()
    chain.views.network = record(NetworkView, params=PARAMS)
    chain.views.pool = record(PoolView, slots=8)

    def registered(calls: tuple[c.Call, ...]) -> Receipt | None:
        if not isinstance(calls[0], c.RegisterNode):
            return None
        event = record(NodeRegistered, node=NODE, slot=Slot(3), operator=OPERATOR, stake=STAKE)
        created = Created(CAP, "pool::NodeOperatorCap", OPERATOR, 1)
        return Receipt(TxDigest("tx"), None, (event,), (created,), Mist(1))

    chain.on_submit = registered
    return chain


@pytest.fixture
def log() -> MemoryTransactionLog:
    return MemoryTransactionLog()


@pytest.fixture
def registrar(tmp_path: Path, chain: MemoryChain, log: MemoryTransactionLog) -> Registrar:
    return Registrar(tmp_path, chain, log)


async def test_registering_stakes_and_writes_who_the_node_is(registrar: Registrar, chain: MemoryChain, tmp_path: Path) -> None:
    identity = await registrar.register(OPERATOR, STAKE)
    assert chain.calls == [c.RegisterNode(OPERATOR, STAKE)]
    assert NodeIdentity.load(tmp_path) == identity
    assert (identity.node, identity.slot, identity.owner_cap, identity.operator_cap) == (NODE, 3, NODE, CAP)


async def test_registering_again_stakes_nothing(registrar: Registrar, chain: MemoryChain) -> None:
    first = await registrar.register(OPERATOR, STAKE)
    assert await registrar.register(OPERATOR, STAKE) == first
    assert len(chain.calls) == 1


async def test_a_registration_of_unknown_fate_is_not_repeated(
    registrar: Registrar, chain: MemoryChain, log: MemoryTransactionLog
) -> None:
    async def lose(*_: c.Call, purpose: str) -> Receipt:
        await log.record(TxDigest("lost"), b"", [], purpose)
        raise Unsettled("no answer", "lost")

    submit, chain.submit = chain.submit, lose
    with pytest.raises(Unsettled):
        await registrar.register(OPERATOR, STAKE)
    chain.submit = submit
    with pytest.raises(StillPending):
        await registrar.register(OPERATOR, STAKE)
    assert chain.calls == []


async def test_an_operator_that_is_a_member_already_does_not_stake_twice(registrar: Registrar, chain: MemoryChain) -> None:
    chain.views.pool = record(PoolView, slots=8, next_slot=Slot(1))
    chain.views.members[Slot(0)] = record(MemberView, node=NODE, operator=OPERATOR)
    with pytest.raises(RegistrationError, match="enclavia node adopt"):
        await registrar.register(OPERATOR, STAKE)
    assert chain.calls == []


@pytest.mark.parametrize(
    ("pool", "funds", "stake", "says"),
    [
        ({"slots": 8}, 10**9, 99, "wants 100 Mist"),
        ({"slots": 8, "next_slot": Slot(8)}, 10**9, 1_000, "choose another pool"),
        ({"slots": 8}, 1_000, 1_000, "send SUI to"),
    ],
)
async def test_what_cannot_succeed_is_refused_before_anything_is_sent(
    registrar: Registrar, chain: MemoryChain, pool: dict[str, object], funds: int, stake: int, says: str
) -> None:
    chain.views.pool, chain.funds = record(PoolView, **pool), Mist(funds)
    with pytest.raises(RegistrationError, match=says):
        await registrar.register(OPERATOR, Mist(stake))
    assert chain.calls == []


async def test_a_lost_identity_is_adopted_again(registrar: Registrar, chain: MemoryChain, tmp_path: Path) -> None:
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, operator=OPERATOR)
    await registrar.adopt(NODE, CAP, Slot(3))
    assert NodeIdentity.load(tmp_path).slot == 3


async def test_the_slot_of_another_node_is_not_adopted(registrar: Registrar, chain: MemoryChain) -> None:
    chain.views.members[Slot(3)] = record(MemberView, node=NodeId(b"\x01" * 32))
    with pytest.raises(RegistrationError):
        await registrar.adopt(NODE, CAP, Slot(3))


async def test_the_owner_leaves_withdraws_and_claims_with_the_owner_cap(registrar: Registrar, chain: MemoryChain) -> None:
    await registrar.register(OPERATOR, STAKE)
    await registrar.add_stake(Mist(5))
    await registrar.leave()
    await registrar.withdraw()
    await registrar.claim_fees()
    owner = ObjectId(NODE)
    assert chain.calls[1:] == [
        c.Deposit(Slot(3), Mist(5)), c.UpdateWeight(Slot(3)), c.Leave(owner), c.Withdraw(owner), c.ClaimFees(owner)
    ]  # fmt: skip


async def test_without_registration_the_owner_is_told_to_register(registrar: Registrar) -> None:
    with pytest.raises(IdentityError, match="enclavia node register"):
        await registrar.leave()


async def test_a_damaged_identity_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / IDENTITY_FILE).write_text('{"network": "0x12"}')
    with pytest.raises(IdentityError, match="restore it"):
        NodeIdentity.load(tmp_path)


async def test_an_act_whose_first_transaction_settles_meanwhile_is_decided_anew(
    chain: MemoryChain, log: MemoryTransactionLog
) -> None:
    await log.record(TxDigest("old"), b"", [], "execute:commit")

    async def recover() -> list[TxDigest]:
        await log.settle(TxDigest("old"), TxStatus.SUCCEEDED)
        return []

    chain.recover = recover
    with pytest.raises(Settled):
        await Submitter(chain, log).submit(c.Heartbeat(), purpose="execute:commit")
    assert chain.calls == []


async def test_a_pending_transaction_of_another_act_is_in_nobodys_way(chain: MemoryChain, log: MemoryTransactionLog) -> None:
    await log.record(TxDigest("old"), b"", [], "execute:commit")
    await Submitter(chain, log).submit(c.Heartbeat(), purpose="heartbeat")
    assert chain.calls == [c.Heartbeat()]
