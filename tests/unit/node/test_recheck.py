"""What a policy in force rejects falls out, whoever vouched for it before; and nothing else does."""

from dataclasses import replace
from hashlib import sha384

import pytest
from chain_twin import record
from node_world import CODE, FOREVER, POLICY, World, committee

from agent.attestation.errors import PolicyError
from agent.attestation.policy import Allowance, Layer, Policy, Rejection, Rejects
from agent.chain import calls as c
from agent.node.errors import Unmeetable
from agent.node.journal import DutyKey, DutyRow
from agent.node.verifier.endorse import ENDORSE, MAX_POSTS, POSTED, Limits
from agent.node.verifier.orders import RevocationOrder
from agent.node.verifier.rejections import Named, records_that_count, rejection
from agent.protocol.records import Attestation, MemberView, PolicyEntry
from agent.protocol.statements import RevocationReason, TeeKind
from agent.protocol.units import Millis, Slot

OTHER = sha384(b"a mended release").digest()
CHIP, GPU = b"\xc1" * 16, b"\x6e" * 20
NAMED = Named(CODE, frozenset({CHIP, GPU}), frozenset({"INTEL-SA-00001"}))
A_WHILE = 150
"""Seconds: policies are looked at twice a minute."""


def rejecting(*rejections: Rejection, version: int = 2) -> Policy:
    allow = frozenset({Allowance(TeeKind.SIMULATED, CODE), Allowance(TeeKind.SIMULATED, OTHER)})
    return replace(POLICY, version=version, vendor=Layer(allow=allow), community=Layer(reject=frozenset(rejections)))


BROKEN_CODE = rejecting(Rejection(Rejects.MEASUREMENT, CODE.hex(), "leaks its keys"))


def in_force(world: World, *policies: Policy) -> None:
    """As of now, beside those before."""
    entries = (PolicyEntry(policy.digest(), Millis(world.state.now - 1), FOREVER, ()) for policy in policies)
    world.state.policies = (*world.state.policies, *entries)


async def attested_node(world: World, *members: int, reload: tuple[Policy, ...] | None = None) -> None:
    """A node whose record two of three vouched for; `reload`: what the members apply from then on."""
    world.state.committee = committee(2, 3)
    policies = [(POLICY,)]
    for number in members:
        await world.verifier(number, reload=lambda: policies[0])
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: world.state.members[0].attestation.key_epoch == 1)
    if reload is not None:
        policies[0] = reload


async def test_a_measurement_rejected_later_ends_the_record(world: World) -> None:
    await attested_node(world, 0, 1, 2, reload=(POLICY, BROKEN_CODE))
    in_force(world, BROKEN_CODE)
    await world.run_until(lambda: world.state.members[0].is_revoked(1))
    (revoke,) = [call for call in world.state.done if isinstance(call, c.Revoke)]
    assert (revoke.slot, revoke.key_epoch, revoke.reason) == (0, 1, RevocationReason.CODE)
    assert len(revoke.signers) == 2


async def test_the_policy_before_that_still_counts_vouches_for_nothing_rejected(world: World) -> None:
    await attested_node(world, 0, 1, 2, reload=(POLICY, BROKEN_CODE))
    in_force(world, BROKEN_CODE)
    await world.run_until(lambda: world.state.members[0].is_revoked(1))
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + A_WHILE)
    assert world.calls().count("PostEvidence") > 1, "the node tried again, with the same code"
    assert world.calls().count("Attest") == 1
    assert world.state.members[0].attestation.key_epoch == 1


async def test_a_policy_that_is_not_in_force_yet_ends_nothing(world: World) -> None:
    await attested_node(world, 0, 1, 2, reload=(POLICY, BROKEN_CODE))
    world.state.policies = (*world.state.policies, PolicyEntry(BROKEN_CODE.digest(), Millis(world.state.now + 10 * A_WHILE * 1000), FOREVER, ()))
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + A_WHILE)
    assert "Revoke" not in world.calls()


async def test_one_member_alone_ends_nothing(world: World) -> None:
    await attested_node(world, 0, 1)
    in_force(world, BROKEN_CODE)
    await world.verifier(2, policies=(POLICY, BROKEN_CODE))
    await world.run_until(lambda: bool(world.orders(2).revocations()))
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + A_WHILE)
    assert "Revoke" not in world.calls()
    (order,) = world.orders(2).revocations()
    assert "leaks its keys" in order.why
    assert BROKEN_CODE.digest().hex()[:16] in order.why


async def test_a_record_that_no_policy_rejects_stays(world: World) -> None:
    other = rejecting(Rejection(Rejects.MEASUREMENT, OTHER.hex(), "a release before"))
    await attested_node(world, 0, 1, 2, reload=(POLICY, other))
    in_force(world, other)
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + A_WHILE)
    assert "Revoke" not in world.calls()
    assert not any(world.orders(number).revocations() for number in range(3))


async def test_what_the_person_ordered_is_not_overwritten(world: World) -> None:
    await attested_node(world, 0, 1)
    persons = RevocationOrder(world.state.members[0].node, Slot(0), 1, RevocationReason.KEYS)
    in_force(world, BROKEN_CODE)
    world.orders(2).give(persons)
    await world.verifier(2, policies=(POLICY, BROKEN_CODE))
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + A_WHILE)
    assert world.orders(2).revocations() == (persons,)


async def test_an_order_withdrawn_and_given_again_is_carried_out(world: World) -> None:
    world.state.committee = committee(1, 3)
    await world.verifier(0)
    node = await world.node(0)
    order = RevocationOrder(node.me.node, Slot(0), 1, RevocationReason.HARDWARE)
    key = DutyKey("revoke", order.node, 1)
    await world.journals[0].begin([DutyRow(key, "ordered")], now=0)
    await world.run_until(lambda: world.services[0][1].statistics()[0].steps > 0)
    row = await world.journals[0].duty(key)
    assert row is not None
    assert row.closed
    world.orders(0).give(order)
    await world.run_until(lambda: world.state.members[0].is_revoked(1))


async def test_a_policy_in_force_that_is_not_loaded_is_complained_of(world: World) -> None:
    in_force(world, BROKEN_CODE)
    service = await world.verifier(0)
    await world.run_until(lambda: bool(service.complaints()))
    (complaint,) = service.complaints()
    assert BROKEN_CODE.digest().hex() in complaint
    assert "[committee] policies" in complaint


async def test_policies_that_cannot_be_read_leave_those_before(world: World) -> None:
    def broken() -> tuple[Policy, ...]:
        raise PolicyError("policy.json is half written")

    world.state.committee = committee(1, 1)
    await world.verifier(0, reload=broken)
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: world.state.members[0].attestation.key_epoch == 1)


async def test_evidence_that_is_gone_is_complained_of(world: World) -> None:
    service = await world.verifier(0)
    await world.node(0)  # vouched for by hand: nobody has its evidence
    await world.run_until(lambda: bool(service.complaints()))
    assert any("slot 0" in complaint and "not rechecked" in complaint for complaint in service.complaints())


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        (Rejects.HARDWARE, CHIP.hex(), RevocationReason.HARDWARE),
        (Rejects.HARDWARE, CHIP.hex() + "00" * 48, RevocationReason.HARDWARE),
        (Rejects.HARDWARE, GPU.hex(), RevocationReason.HARDWARE),
        (Rejects.MEASUREMENT, CODE.hex(), RevocationReason.CODE),
        (Rejects.ADVISORY, "INTEL-SA-00001", RevocationReason.HARDWARE),
    ],
)
def test_each_sort_of_rejection_is_found_and_named(what: Rejects, value: str, reason: RevocationReason) -> None:
    found = rejection(NAMED, [POLICY, rejecting(Rejection(what, value, "because"))])
    assert found is not None
    assert found[0] is reason
    assert "because" in found[1]
    assert "community" in found[1]


def test_what_is_not_named_is_not_rejected() -> None:
    others = (
        Rejection(Rejects.HARDWARE, (CHIP + b"\x01").hex(), "another chip"),
        Rejection(Rejects.MEASUREMENT, OTHER.hex(), "another release"),
        Rejection(Rejects.ADVISORY, "INTEL-SA-00002", "another advisory"),
    )
    assert rejection(NAMED, [rejecting(*others)]) is None


def test_members_who_see_several_reasons_say_the_same_one() -> None:
    both = (Rejection(Rejects.MEASUREMENT, CODE.hex(), "code"), Rejection(Rejects.HARDWARE, CHIP.hex(), "chip"))
    one, two = rejecting(both[0], version=3), rejecting(both[1], version=4)
    for policies in ([one, two], [two, one], [rejecting(*both)]):
        found = rejection(NAMED, policies)
        assert found is not None
        assert found[0] is RevocationReason.HARDWARE


def test_only_records_that_count_are_looked_at() -> None:
    def kept(epoch: int, ends: int = 1_000) -> Attestation:
        return record(Attestation, key_epoch=epoch, tee_kind=TeeKind.SIMULATED, not_after=Millis(ends))

    member = record(MemberView, key_epoch=3, revoked_through=0, attestation=kept(3), previous=kept(2), previous_until=Millis(50))
    epochs = lambda changed, now: [each.key_epoch for each in records_that_count(changed, Millis(now), Millis(now))]  # noqa: E731
    assert epochs(member, 10) == [3, 2]
    assert epochs(member, 50) == [3]
    assert epochs(member, 1_000) == []
    assert epochs(replace(member, revoked_through=2), 10) == [3]
    assert epochs(replace(member, revoked_through=3), 10) == []
    assert epochs(replace(member, attestation=kept(0), previous=kept(0)), 10) == []


def row(number: int, epoch: int = 1, node: int = 1) -> DutyRow:
    return DutyRow(DutyKey(ENDORSE, bytes([node]) * 32 + bytes([number]) * 32, epoch), POSTED)


def test_a_node_that_posts_again_and_again_is_not_followed() -> None:
    limits = Limits()
    for number in range(MAX_POSTS):
        limits.count(row(number))
        limits.count(row(number))
    with pytest.raises(Unmeetable, match="new challenge"):
        limits.count(row(MAX_POSTS))
    limits.count(row(0))
    limits.count(row(MAX_POSTS, node=2))
    limits.count(row(MAX_POSTS, epoch=2))
