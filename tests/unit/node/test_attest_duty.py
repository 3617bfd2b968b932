from dataclasses import replace
from itertools import pairwise

import pytest
from chain_twin import NETWORK, POOL
from node_world import POLICY, NodeHarness, World, committee, crash_anywhere

from agent.node.config import DutySection
from agent.node.duties.attest import ATTEST, ATTESTED
from agent.node.duties.join import DRAWN, JOIN
from agent.node.journal import DutyRow
from agent.protocol.draw import weight_of
from agent.protocol.events import Attested, EvidencePosted, Jailed, PolicySunset, Replaced, Revoked
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.records import PolicyEntry
from agent.protocol.statements import RevocationReason
from agent.protocol.units import BlobId, Millis, Mist, NodeId, Slot


async def row(node: NodeHarness, kind: str) -> DutyRow:
    found = await node.row(kind, node.me.node)
    assert found is not None
    return found


def attested(world: World, epoch: int = 1) -> bool:
    return world.state.members[0].attestation.key_epoch >= epoch


def drawn(world: World) -> bool:
    return weight_of(world.state.roster.fen, Slot(0)) > 0


async def test_a_new_node_is_attested_by_the_committee_and_drawn(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    assert world.calls() == ["RequestChallenge", "PostEvidence", "Attest", "UpdateWeight", "RollPeriod"]
    assert (await row(node, ATTEST)).state == ATTESTED
    assert (await row(node, JOIN)).state == DRAWN


@pytest.mark.parametrize("at", range(1, 100, 8))
async def test_a_node_that_crashes_anywhere_is_attested_with_one_challenge(world: World, at: int) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await crash_anywhere(world, node, lambda: drawn(world), at)
    names = world.calls()
    assert [names.count(name) for name in ("RequestChallenge", "Attest")] == [1, 1]
    record = world.state.members[0].attestation
    assert (await node.enclaves.identity(record.key_epoch)).sign_pk == record.sign_pk


async def test_a_freshly_attested_node_can_execute(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED))
    assert world.calls()[-1] == "Commit"


def quiet(world: World) -> None:
    """Few heartbeats, for tests that last hours."""
    world.state.params = replace(world.state.params, heartbeat_ms=Millis(10**8))


async def test_an_attestation_is_renewed_before_tasks_stop_coming(world: World) -> None:
    quiet(world)
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    first = world.state.members[0].attestation
    await world.run_until(lambda: attested(world, 2), hours=10)
    assert world.state.at < first.not_after - world.state.params.span()


async def test_the_enclave_of_an_old_epoch_is_retired_once_no_task_can_need_it(world: World) -> None:
    quiet(world)
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world, 2), hours=10)
    assert node.enclaves.kept() == (1, 2)
    renewed = world.clock.seconds()
    await world.run_until(lambda: node.enclaves.kept() == (2,), hours=10)
    assert world.clock.seconds() - renewed >= world.state.params.span() / 1000


async def test_a_task_of_the_old_epoch_is_still_executed_after_a_renewal(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    task = await world.post(0)
    digest = world.state.tasks[task].input_digest
    blob = world.blobs.content.pop(digest)
    world.state.watchers.append(
        lambda event: world.blobs.content.update({digest: blob}) if isinstance(event, Attested) else None
    )
    world.state.appoint(committee(1, 2, epoch=2))
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED))
    assert attested(world, 2)
    assert world.calls()[-1] == "Commit"
    assert world.state.tasks[task].executor.key_epoch == 1


async def test_an_enclave_serves_until_its_record_has_lost_its_grace_and_its_tasks_have_ended(world: World) -> None:
    quiet(world)
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    world.state.appoint(committee(1, 2, epoch=2))
    await world.run_until(lambda: attested(world, 2))
    graced = world.state.members[0].previous_until
    await world.run_until(lambda: node.enclaves.kept() == (2,), hours=10)
    assert world.state.now >= graced + world.state.params.span()


async def test_a_policy_that_ends_is_left_as_soon_as_another_is_in_force(world: World) -> None:
    newer = replace(POLICY, version=2)
    await world.verifier(policies=(POLICY, newer))
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    state = world.state
    assert state.members[0].attestation.policy == POLICY.digest()
    ends, starts = Millis(state.now + 400_000), Millis(state.now + 100_000)
    state.policies = (
        replace(state.policies[0], sunset_at=ends), PolicyEntry(newer.digest(), starts, Millis(2**64 - 1), ()),
    )  # fmt: skip
    state.emit(PolicySunset(NETWORK, POLICY.digest(), ends), "sunset")
    await world.run_until(lambda: attested(world, 2))
    assert state.members[0].attestation.policy == newer.digest()
    assert starts <= state.now < ends


async def test_revoked_keys_are_replaced(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    member = world.state.members[0]
    world.state.members[0] = replace(member, revoked_through=1)
    world.state.emit(Revoked(POOL, member.node, member.slot, 1, RevocationReason.KEYS, 1, (0,)), "revoked")
    await world.run_until(lambda: attested(world, 2))
    assert world.state.members[0].current() is not None


async def test_a_task_for_revoked_keys_is_cancelled_without_being_run(world: World) -> None:
    node = await world.node(0)
    world.state.members[0] = replace(world.state.members[0], revoked_through=1)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.calls() == ["CancelRevoked", "Settle"]
    assert world.state.tasks[task].outcome is Outcome.REVOKED
    assert node.station.computing.running == 0


async def test_lost_keys_are_replaced_by_a_new_attestation(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    await node.enclaves.retire(1)
    await world.run_until(lambda: attested(world, 2))
    assert "RequestChallenge" in world.calls()


async def test_a_new_committee_is_answered_with_a_new_attestation(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    world.state.appoint(committee(1, 2, epoch=2))
    await world.run_until(lambda: attested(world, 2))


async def test_without_a_committee_challenges_come_ever_more_seldom(world: World) -> None:
    await world.node(0, attested=False, own=True)
    asked: list[float] = []
    world.state.watchers.append(
        lambda event: asked.append(world.clock.seconds()) if type(event).__name__ == "ChallengeIssued" else None
    )
    await world.run_until(lambda: len(asked) == 4)
    waits = [late - early for early, late in pairwise(asked)]
    assert waits[0] < waits[1] < waits[2]


async def test_a_leaving_node_does_not_attest_again(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    world.state.members[0] = replace(world.state.members[0], leaving_at=1)
    await world.run_until(lambda: node.runner.statistics().queue.later >= 3)
    assert world.calls() == []


def jail(world: World, for_ms: int) -> None:
    member = world.state.members[0]
    until = Millis(world.state.now + for_ms)
    world.state.members[0] = replace(member, strikes=3, jailed_until=until)
    world.state.emit(Jailed(POOL, member.node, member.slot, until), "jailed")


async def test_a_jailed_node_leaves_the_draws_and_comes_back_when_its_time_is_over(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    jail(world, 300_000)
    freed = world.state.now + 300_000
    await world.run_until(lambda: not drawn(world))
    assert world.state.now < freed
    await world.run_until(lambda: drawn(world))
    assert world.state.now >= freed
    assert world.state.members[0].strikes == 0
    assert world.calls().count("Unjail") == 1


async def test_an_operator_may_keep_unjailing_to_himself(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True, policy=DutySection(bounties=False, auto_unjail=False))
    await world.run_until(lambda: drawn(world))
    jail(world, 1_000)
    await world.run_until(lambda: not drawn(world))
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + 600)
    assert "Unjail" not in world.calls()
    assert (await row(node, JOIN)).state == "jailed"


async def test_a_node_whose_slot_was_taken_waits_without_failing(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    member = world.state.members[0]
    world.state.members[0] = replace(member, node=NodeId(b"\x0d" * 32))
    world.state.emit(Replaced(POOL, member.node, member.slot, NodeId(b"\x0d" * 32)), "replaced")
    began = world.clock.seconds()
    await world.run_until(lambda: world.clock.seconds() > began + 300)
    assert (await row(node, JOIN)).state == "replaced"
    assert node.runner.statistics().failures == 0


async def test_a_slashed_stake_is_told_to_the_roster(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: drawn(world))
    world.state.members[0] = replace(world.state.members[0], stake=Mist(600))
    await world.run_until(lambda: weight_of(world.state.roster.fen, Slot(0)) == 600)


async def test_a_node_waits_outside_a_pool_that_pays_less_than_its_floor(world: World) -> None:
    from agent.node.config import AdmissionSection

    await world.verifier()
    node = await world.node(0, attested=False, own=True, admission=AdmissionSection(price_floor="2000 Mist"))
    await world.run_until(lambda: attested(world) and node.runner.statistics().queue.later >= 3)
    assert "UpdateWeight" not in world.calls()


async def test_evidence_that_another_node_posted_is_refused_with_the_reason(world: World) -> None:
    await world.verifier()
    await world.node(0, attested=False, own=True)
    await world.run_until(lambda: attested(world))
    thief = await world.node(1, attested=False)
    stolen = world.state.members[0].attestation.evidence_digest
    world.state.members[1] = replace(
        world.state.members[1], key_epoch=1, challenge=b"\x01" * 32, challenge_expires=world.state.at + 10**9
    )
    posted = EvidencePosted(world.state.pool.id, thief.me.node, Slot(1), 1, BlobId(stolen), b"http://blobs")
    world.state.emit(posted, "theft")
    service = world.services[0][1]
    await world.run_until(lambda: service.statistics()[0].abandoned == 1)
    (endorsement,) = [each for each in await world.journals[0].recent_duties(9) if each.state == "abandoned"]
    assert "node" in (endorsement.reason or "")
    assert world.state.members[1].attestation.key_epoch == 0


async def test_evidence_in_an_unknown_store_is_given_up_when_its_challenge_ends(world: World) -> None:
    await world.verifier()
    node = await world.node(0, attested=False)
    world.state.members[0] = replace(
        world.state.members[0], key_epoch=1, challenge=b"\x01" * 32, challenge_expires=world.state.at + 60_000
    )
    posted = EvidencePosted(
        world.state.pool.id, node.me.node, Slot(0), 1, BlobId(b"\x05" * 32), b"http://169.254.169.254/"
    )
    world.state.emit(posted, "strange")
    service = world.services[0][1]
    await world.run_until(lambda: service.statistics()[0].abandoned == 1)
    (endorsement,) = await world.journals[0].recent_duties(9)
    assert "UnknownStore" in (endorsement.reason or "")
