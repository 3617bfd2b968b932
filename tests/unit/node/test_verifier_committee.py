"""k of n: what one member signs counts for nothing, what enough of them sign goes on chain once."""

from dataclasses import replace

import pytest
from chain_twin import NETWORK, NOBODY, PARAMS, POOL, record
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from node_world import AUTHORITY, POLICY, World, committee

from agent.attestation.binding import Committee
from agent.attestation.errors import FactsRefused
from agent.attestation.policy import Allowance, Layer
from agent.attestation.simulated import SimulatedVerifier
from agent.chain import calls as c
from agent.node.journal import DutyKey
from agent.node.verifier import Member
from agent.node.verifier.agreement import TURN_MS, pause, rank
from agent.node.verifier.board import name_of
from agent.node.verifier.member import policies_in_force
from agent.node.verifier.orders import RevocationOrder, RulingOrder
from agent.node.verifier.revoking import REVOKE
from agent.node.verifier.signatures import Bench
from agent.protocol.events import RulingAwaited
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.records import PolicyEntry, Round, TaskView
from agent.protocol.statements import RevocationReason, RulingStatement, TeeKind
from agent.protocol.states import RoundKind
from agent.protocol.units import Digest, Millis, Slot, TaskId

OTHER_CODE = b"\x31" * 48
ROOT = Digest(b"\x11" * 32)


async def committee_of_three(world: World, *present: int) -> None:
    """Two of three have to sign; only `present` run."""
    world.state.committee = committee(2, 3)
    for number in present:
        await world.verifier(number)


def attested(world: World) -> bool:
    return world.state.members[0].attestation.key_epoch > 0


async def test_two_of_three_vouch_and_one_of_them_pays(world: World) -> None:
    await committee_of_three(world, 0, 1, 2)
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    (attest,) = [call for call in world.state.done if isinstance(call, c.Attest)]
    assert len(attest.signers) == len(attest.signatures) == 2


@pytest.mark.parametrize("absent", [0, 1, 2])
async def test_a_member_may_be_away(world: World, absent: int) -> None:
    await committee_of_three(world, *(number for number in range(3) if number != absent))
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    (attest,) = [call for call in world.state.done if isinstance(call, c.Attest)]
    assert absent not in attest.signers


async def test_one_member_alone_vouches_for_nobody(world: World) -> None:
    await committee_of_three(world, 0)
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: world.clock.seconds() > 3 * world.state.params.challenge_ms / 1000)
    assert "Attest" not in world.calls()
    assert world.state.members[0].attestation.key_epoch == 0


async def test_a_member_that_comes_back_in_time_completes_the_verdict(world: World) -> None:
    await committee_of_three(world, 0)
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: "PostEvidence" in world.calls())
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + 20)
    assert not attested(world)
    await world.verifier(1)
    await world.run_until(lambda: attested(world))
    assert world.calls().count("RequestChallenge") == 1


async def test_what_two_members_refuse_the_third_cannot_vouch_for(world: World) -> None:
    strict = replace(POLICY, vendor=Layer(allow=frozenset({Allowance(TeeKind.SIMULATED, OTHER_CODE)})))
    world.state.committee = committee(2, 3)
    world.state.policies = (*world.state.policies, PolicyEntry(strict.digest(), Millis(0), Millis(2**64 - 1), ()))
    await world.verifier(0)
    for number in (1, 2):
        await world.verifier(number, policies=(strict,))
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: world.clock.seconds() > world.state.params.challenge_ms / 1000)
    assert "Attest" not in world.calls()
    assert [service.statistics()[0].abandoned > 0 for _, service in world.services[1:]] == [True, True]


async def test_a_task_is_audited_with_tickets_that_two_of_three_signed(world: World) -> None:
    await committee_of_three(world, 0, 2)
    world.state.committee = committee(1, 1)
    for slot in range(2):
        await world.node(slot, attested=False, own=True)
    await world.run_until(lambda: all(member.weight for member in world.state.members.values()))
    world.state.appoint(committee(2, 3, epoch=2))
    await world.run_until(lambda: all(member.attestation.key_epoch == 2 for member in world.state.members.values()))
    world.state.audited, world.state.panel = True, (Slot(1),)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    (ticket,) = [call for call in world.state.done if isinstance(call, c.IssueTicket)]
    assert (ticket.committee, ticket.signers) == (2, (0, 2))
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_an_enclave_bound_to_the_committee_before_gets_its_ticket_from_that_one(world: World) -> None:
    await world.verifier(0)
    for slot in range(2):
        await world.node(slot, attested=False, own=True)
    await world.run_until(lambda: all(member.weight for member in world.state.members.values()))
    world.state.audited, world.state.panel = True, (Slot(1),)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED), at_once=True)
    world.state.appoint(committee(1, 2, epoch=2))
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    (ticket,) = [call for call in world.state.done if isinstance(call, c.IssueTicket)]
    assert ticket.committee == 1
    assert world.state.tasks[task].outcome is Outcome.UPHELD


def ruling_wanted(world: World) -> TaskView:
    """A task that two rounds could not decide."""
    seat = replace(NOBODY, slot=Slot(1), votes=3, root=ROOT, mark=Mark.AGREES)
    kinds = (RoundKind.AUDIT, RoundKind.DISPUTE, RoundKind.SECOND_DISPUTE)
    view = record(
        TaskView, id=TaskId(b"\x07" * 32), network=NETWORK, pool=POOL, params=PARAMS, state=TaskState.RULING,
        rounds=tuple(record(Round, kind=kind, seats=(seat,), slots=(Slot(1),)) for kind in kinds),
        deadline=Millis(world.state.now + PARAMS.audit_ms),
    )  # fmt: skip
    world.state.tasks[view.id] = view
    world.state.emit(RulingAwaited(view.id, POOL, RoundKind.SECOND_DISPUTE, view.deadline), "undecided")
    return view


def orders(*numbers: int, world: World, task: TaskId, agrees: bool = True) -> None:
    for number in numbers:
        world.orders(number).give(RulingOrder(task, RoundKind.SECOND_DISPUTE, ROOT, agrees))


async def test_the_committee_rules_as_two_of_its_members_decided(world: World) -> None:
    await committee_of_three(world, 0, 1, 2)
    task = ruling_wanted(world).id
    orders(0, 2, world=world, task=task)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.COMMITTED)
    (ruling,) = [call for call in world.state.done if isinstance(call, c.Rule)]
    assert (ruling.root, ruling.agrees, ruling.signers) == (ROOT, True, (0, 2))


async def test_without_a_persons_decision_nothing_is_ruled(world: World) -> None:
    await committee_of_three(world, 0, 1, 2)
    task = ruling_wanted(world).id
    orders(0, world=world, task=task)
    orders(1, world=world, task=task, agrees=False)
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + PARAMS.audit_ms / 1000)
    assert world.calls() == []


async def test_an_order_is_gone_once_the_chain_has_it(world: World) -> None:
    await committee_of_three(world, 0, 1)
    task = ruling_wanted(world).id
    orders(0, 1, world=world, task=task)
    await world.run_until(lambda: all(world.orders(number).ruling(task, RoundKind.SECOND_DISPUTE) is None for number in (0, 1)))
    assert world.calls() == ["Rule"]


async def revocation(world: World, *numbers: int) -> None:
    await committee_of_three(world, 0, 1, 2)
    node = await world.node(0)
    for number in numbers:
        world.orders(number).give(RevocationOrder(node.me.node, Slot(0), 1, RevocationReason.HARDWARE))


async def test_two_members_revoke_a_node(world: World) -> None:
    await revocation(world, 1, 2)
    await world.run_until(lambda: world.state.members[0].is_revoked(1))
    assert world.calls() == ["Revoke"]
    await world.run_until(lambda: not world.orders(1).revocations() and not world.orders(2).revocations())


async def test_one_member_revokes_nobody(world: World) -> None:
    await revocation(world, 1)
    await world.run_until(lambda: world.clock.seconds() > 600)
    assert world.calls() == []
    assert world.orders(1).revocations()


async def test_an_order_with_the_wrong_slot_says_so_and_can_be_given_again(world: World) -> None:
    await committee_of_three(world, 0, 1)
    node = await world.node(0)
    await world.node(1)
    right = RevocationOrder(node.me.node, Slot(0), 1, RevocationReason.CODE)
    world.orders(0).give(replace(right, slot=Slot(1)))
    world.orders(1).give(right)
    journal = world.journals[0]
    await world.run_until(lambda: world.services[0][1].statistics()[0].failures > 0)
    row = await journal.duty(DutyKey(REVOKE, node.me.node, 1))
    assert row is not None
    assert "with its slot" in (row.reason or "")
    world.orders(0).give(right)
    await world.run_until(lambda: world.state.members[0].is_revoked(1))


def test_turns_differ_between_statements_and_every_member_has_one() -> None:
    three = Committee(verifiers=committee(2, 3).verifiers, threshold=2)
    bench = [Bench(1, three, place) for place in range(3)]
    names = [name_of(RulingStatement(NETWORK, TaskId(bytes([n]) * 32), 3, ROOT, agrees=True)) for n in range(30)]
    assert all(sorted(rank(name, each) for each in bench) == [0, 1, 2] for name in names)
    assert {rank(name, bench[0]) for name in names} == {0, 1, 2}


def test_the_others_are_asked_ever_more_seldom() -> None:
    pauses = [pause(age) for age in range(0, 10**6, 1_000)]
    assert pauses == sorted(pauses)
    assert pauses[0] < TURN_MS < pauses[-1] <= 30_000


def test_a_member_of_no_committee_signs_nothing(world: World) -> None:
    stranger = Member(Ed25519PrivateKey.from_private_bytes(b"\x55" * 32), (POLICY,), (SimulatedVerifier(AUTHORITY.root),))
    with pytest.raises(FactsRefused, match="not in committee 1"):
        stranger.present_bench(world.state.network)


def test_the_newest_policy_in_force_comes_first(world: World) -> None:
    now, forever = world.state.now, Millis(2**64 - 1)
    entries = {b"\x01": (0, now), b"\x02": (0, forever), b"\x03": (now - 5, forever), b"\x04": (now + 5, forever)}
    world.state.policies = tuple(
        PolicyEntry(Digest(name * 32), Millis(since), Millis(until), ()) for name, (since, until) in entries.items()
    )
    assert policies_in_force(world.state.network, world.state.at) == (b"\x03" * 32, b"\x02" * 32)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"kind": "ruling"}', b'{"kind": "revocation", "node": "00", "slot": 0, "key_epoch": 1, "reason": "code"}', b"\xff" * 9_000]
)
async def test_a_spoilt_order_stops_no_other(world: World, content: bytes) -> None:
    await committee_of_three(world, 0, 1)
    task = ruling_wanted(world).id
    orders(0, 1, world=world, task=task)
    (world.folder / "member-0" / "orders" / f"revoke-{'00' * 32}-1.json").write_bytes(content)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.COMMITTED)
