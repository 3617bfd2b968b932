from pathlib import Path

import pytest
from chain_twin import PARAMS, record

from agent.chain import calls as c
from agent.chain.errors import Unsettled
from agent.chain.memory import MemoryChain
from agent.chain.port import Created, MemoryTransactionLog, Receipt, TxDigest, TxStatus
from agent.node.errors import IdentityError, OwnerRefused, RegistrationError, Settled, StillPending
from agent.node.identity import IDENTITY_FILE, NodeIdentity
from agent.node.register import Registrar
from agent.node.submitter import Submitter
from agent.protocol.events import NodeRegistered
from agent.protocol.records import MemberView, NetworkView, PoolView
from agent.protocol.units import Address, Millis, Mist, NodeId, ObjectId, Slot

NODE, CAP = NodeId(b"\xb0" * 32), ObjectId(b"\x4f" * 32)
OPERATOR = Address(b"\x0f" * 32)
STAKE = Mist(1_000)


@pytest.fixture
def chain() -> MemoryChain:
    chain = MemoryChain(address=OPERATOR)
    chain.views.network = record(NetworkView, params=PARAMS)
    chain.views.pool = record(PoolView, slots=8)

    def registered(calls: tuple[c.Call, ...]) -> Receipt | None:
        if not isinstance(calls[0], c.RegisterNode):
            return None
        event = record(NodeRegistered, node=NODE, slot=Slot(3), operator=OPERATOR, stake=STAKE)
        created = Created(CAP, "member::NodeOperatorCap", OPERATOR, 1)
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
    identity = await registrar.register(STAKE)
    assert chain.calls == [c.RegisterNode(STAKE)]
    assert NodeIdentity.load(tmp_path) == identity
    assert (identity.node, identity.slot, identity.owner_cap, identity.operator_cap) == (NODE, 3, NODE, CAP)


async def test_registering_again_stakes_nothing(registrar: Registrar, chain: MemoryChain) -> None:
    first = await registrar.register(STAKE)
    assert await registrar.register(STAKE) == first
    assert len(chain.calls) == 1


async def test_a_registration_of_unknown_fate_is_not_repeated(
    registrar: Registrar, chain: MemoryChain, log: MemoryTransactionLog
) -> None:
    async def lose(*_: c.Call, purpose: str) -> Receipt:
        await log.record(TxDigest("lost"), b"", [], purpose)
        raise Unsettled("no answer", "lost")

    submit, chain.submit = chain.submit, lose
    with pytest.raises(Unsettled):
        await registrar.register(STAKE)
    chain.submit = submit
    with pytest.raises(StillPending):
        await registrar.register(STAKE)
    assert chain.calls == []


async def test_an_operator_that_is_a_member_already_does_not_stake_twice(registrar: Registrar, chain: MemoryChain) -> None:
    chain.views.members[Slot(0)] = record(MemberView, node=NODE, operator=OPERATOR)
    with pytest.raises(RegistrationError, match="enclavia node adopt"):
        await registrar.register(STAKE)
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
        await registrar.register(Mist(stake))
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
    await registrar.register(STAKE)
    await registrar.add_stake(Mist(5))
    await registrar.leave()
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, stake=STAKE, leaving_at=Millis(1))
    chain.clock = Millis(PARAMS.unbonding_ms + 1)
    await registrar.withdraw()
    await registrar.claim_fees()
    await registrar.retire()
    owner = ObjectId(NODE)
    assert chain.calls[1:] == [
        c.Deposit(Slot(3), Mist(5)), c.UpdateWeight(Slot(3)), c.Leave(owner), c.Withdraw(owner), c.ClaimFees(owner), c.Retire(owner)
    ]  # fmt: skip


async def test_part_of_the_stake_is_unbonded_and_taken(registrar: Registrar, chain: MemoryChain) -> None:
    await registrar.register(STAKE)
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, stake=STAKE)
    await registrar.unbond(Mist(900))
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, stake=Mist(100), unbonding=Mist(900), unbonding_at=chain.clock)
    await registrar.withdraw_unbonded()
    assert chain.calls[1:] == [c.Unbond(ObjectId(NODE), Mist(900)), c.WithdrawUnbonded(ObjectId(NODE))]


async def test_a_node_gets_out_of_jail_and_back_into_the_draws(registrar: Registrar, chain: MemoryChain) -> None:
    await registrar.register(STAKE)
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, jailed_until=chain.clock)
    await registrar.unjail()
    assert chain.calls[1:] == [c.Unjail(CAP), c.UpdateWeight(Slot(3))]


@pytest.mark.parametrize(
    ("act", "member", "says"),
    [
        ("unbond", {"stake": STAKE, "unbonding": Mist(5)}, "withdraw-unbonded"),
        ("unbond", {"stake": Mist(1_000)}, "unbond at most 900"),
        ("withdraw_unbonded", {"stake": STAKE}, "comes first"),
        ("withdraw_unbonded", {"unbonding": Mist(5), "unbonding_at": Millis(1_000_000 + 90 * 60_000)}, "free in 90 min"),
        ("withdraw", {"stake": STAKE}, "`enclavia node leave` comes first"),
        ("withdraw", {"leaving_at": Millis(1), "locked": Mist(50)}, "keep the node running"),
        ("withdraw", {"leaving_at": Millis(1_000_000)}, "free in 25 min"),
        ("unjail", {"stake": STAKE}, "not in jail"),
        ("unjail", {"jailed_until": Millis(1_000_000 + 30_000)}, "free in 30 s"),
    ],
)
async def test_what_the_contract_would_refuse_is_said_before_anything_is_sent(
    registrar: Registrar, chain: MemoryChain, act: str, member: dict[str, object], says: str
) -> None:
    await registrar.register(STAKE)
    chain.views.members[Slot(3)] = record(MemberView, node=NODE, **member)
    with pytest.raises(OwnerRefused, match=says):
        await getattr(registrar, act)(*([Mist(950)] if act == "unbond" else []))
    assert len(chain.calls) == 1


async def test_who_was_replaced_is_told_how_the_stake_comes_back(registrar: Registrar, chain: MemoryChain) -> None:
    await registrar.register(STAKE)
    chain.views.members[Slot(3)] = record(MemberView, node=NodeId(b"\x01" * 32))
    chain.views.departed[NODE] = record(MemberView, node=NODE, stake=STAKE, leaving_at=Millis(1))
    with pytest.raises(OwnerRefused, match="enclavia node withdraw"):
        await registrar.unjail()
    chain.clock = Millis(PARAMS.unbonding_ms + 1)
    await registrar.withdraw()
    assert chain.calls[1:] == [c.Withdraw(ObjectId(NODE))]


async def test_in_a_full_pool_the_slot_that_weighs_least_is_taken(registrar: Registrar, chain: MemoryChain) -> None:
    chain.views.pool = record(PoolView, slots=8, next_slot=Slot(8))
    replaced = chain.on_submit

    def register(calls: tuple[c.Call, ...]) -> Receipt | None:
        return replaced((c.RegisterNode(STAKE),)) if isinstance(calls[0], c.ReplaceNode) else None

    chain.on_submit = register
    await registrar.register(STAKE, replace=Slot(3))
    assert chain.calls == [c.ReplaceNode(Slot(3), STAKE)]


async def test_a_slot_given_back_makes_room(registrar: Registrar, chain: MemoryChain) -> None:
    chain.views.pool = record(PoolView, slots=8, next_slot=Slot(8), free=(Slot(3),))
    await registrar.register(STAKE)
    with pytest.raises(RegistrationError, match="without --replace"):
        await Registrar(registrar._directory / "other", chain, registrar._submitter._log).register(STAKE, replace=Slot(3))


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
