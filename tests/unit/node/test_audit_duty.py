from dataclasses import replace

import pytest
from node_world import NodeHarness, World, crash_anywhere

from agent.chain import calls as c
from agent.node.duties.audit import AUDIT
from agent.protocol.commitment import commitment
from agent.protocol.events import Event, HandedOff, RevealsOpen
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.units import Digest, Millis, Slot, TaskId


async def audited(world: World, panel: tuple[int, ...] = (1,)) -> TaskId:
    """A task for slot 0 that will be audited by `panel`."""
    world.state.audited, world.state.panel = True, tuple(Slot(slot) for slot in panel)
    return await world.post(0)


def decided(world: World, task: TaskId) -> bool:
    return world.reached(task, TaskState.SETTLED)


async def nodes(world: World, count: int) -> list[NodeHarness]:
    await world.verifier()
    return [await world.node(slot) for slot in range(count)]


async def closed(world: World, node: NodeHarness, task: TaskId) -> tuple[str, str]:
    """How the audit of `node` ended: state and reason."""
    await world.run_until(lambda: node.runner.statistics().queue.later <= 1 and node.runner.statistics().steps > 1)
    row = await node.row(AUDIT, task, 1)
    assert row is not None
    assert row.closed
    return row.state, row.reason or ""


def disagree_in_the_audit(world: World) -> None:
    """Exchange the auditor's vote, once posted, for one with another root: what a broken enclave would have posted."""

    def spoil(event: Event) -> None:
        if not isinstance(event, RevealsOpen) or event.round != 1:
            return
        view = world.state.tasks[event.task]
        drawn = view.rounds[0]
        root, salt = Digest(b"\x66" * 32), b"\x77" * 32
        lie = commitment(view.id, drawn.seats[0].node, root, salt + salt)
        seats = (replace(drawn.seats[0], commitment=lie),)
        world.state.tasks[view.id] = replace(view, rounds=(replace(drawn, seats=seats),))
        world.clock.call_later(1, lambda: world.state.apply(c.Reveal(view.id, 0, root, salt, salt)))

    world.state.watchers.append(spoil)


async def test_an_honest_task_is_audited_and_upheld(world: World) -> None:
    await nodes(world, 2)
    task = await audited(world)
    await world.run_until(lambda: decided(world, task))
    expected = ["Commit", "BeginAudit", "IssueTicket", "Handoff", "AuditCommit", "Reveal", "Advance", "Settle"]
    assert world.calls() == expected
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_several_auditors_reveal_once_all_have_committed(world: World) -> None:
    await nodes(world, 4)
    task = await audited(world, (1, 2, 3))
    await world.run_until(lambda: decided(world, task))
    assert world.calls(c.AuditCommit | c.Reveal) == ["AuditCommit"] * 3 + ["Reveal"] * 3
    assert world.state.tasks[task].outcome is Outcome.UPHELD


@pytest.mark.parametrize("at", range(1, 180, 14))
async def test_an_auditor_that_crashes_anywhere_votes_once(world: World, at: int) -> None:
    _, auditor = await nodes(world, 2)
    task = await audited(world)
    await crash_anywhere(world, auditor, lambda: decided(world, task), at)
    assert world.calls(c.AuditCommit | c.Reveal) == ["AuditCommit", "Reveal"]
    assert world.state.tasks[task].outcome is Outcome.UPHELD


@pytest.mark.parametrize("at", range(2, 180, 14))
async def test_an_executor_that_crashes_anywhere_hands_off_once(world: World, at: int) -> None:
    executor, _ = await nodes(world, 2)
    task = await audited(world)
    await crash_anywhere(world, executor, lambda: decided(world, task), at)
    assert world.calls(c.Commit | c.Handoff) == ["Commit", "Handoff"]
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_an_auditor_whose_journal_is_lost_computes_its_vote_again_and_opens_it(world: World) -> None:
    _, auditor = await nodes(world, 2)
    task = await audited(world)
    await world.run_until(lambda: world.reached(task, TaskState.REVEALING), at_once=True)
    await auditor.enclaves.close()
    auditor.journal = await world.journal()
    auditor.restart()
    await world.run_until(lambda: decided(world, task))
    assert world.calls(c.AuditCommit | c.Reveal) == ["AuditCommit", "Reveal"]
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_a_disagreement_is_decided_by_drawn_arbiters(world: World) -> None:
    await nodes(world, 5)
    world.state.dispute = (Slot(2), Slot(3), Slot(3))
    task = await audited(world)
    disagree_in_the_audit(world)
    await world.run_until(lambda: decided(world, task))
    view = world.state.tasks[task]
    assert [round_.kind for round_ in view.rounds] == [1, 2]
    assert [(seat.votes, seat.mark) for seat in view.rounds[1].seats] == [(1, Mark.AGREES), (2, Mark.AGREES)]
    assert view.outcome is Outcome.UPHELD


async def test_each_round_of_a_task_is_a_duty_of_its_own(world: World) -> None:
    members = await nodes(world, 4)
    world.state.dispute = (Slot(2), Slot(3), Slot(3))
    task = await audited(world)
    disagree_in_the_audit(world)
    await world.run_until(lambda: decided(world, task))
    known = {(node.slot, at) for node in members for at in (1, 2) if await node.row(AUDIT, task, at)}
    assert known == {(1, 1), (2, 2), (3, 2)}


async def test_an_executor_that_does_not_hand_off_ends_the_audit_without_blame_for_the_auditor(world: World) -> None:
    executor, auditor = await nodes(world, 2)
    task = await audited(world)
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED), at_once=True)
    await executor.enclaves.retire(1)
    await world.run_until(lambda: decided(world, task))
    assert world.state.tasks[task].outcome is Outcome.REFUSED
    assert await closed(world, auditor, task) == ("done", "REFUSED")


async def test_an_auditor_without_its_keys_is_abandoned_with_what_it_missed(world: World) -> None:
    executor, auditor = await nodes(world, 2)
    del executor
    task = await audited(world)
    await world.run_until(lambda: world.reached(task, TaskState.HANDOFF), at_once=True)
    await auditor.enclaves.retire(1)
    await world.run_until(lambda: world.reached(task, TaskState.DISPUTED))
    world.state.tasks[task] = replace(world.state.tasks[task], state=TaskState.SETTLED, outcome=Outcome.VOID)
    state, reason = await closed(world, auditor, task)
    assert state == "abandoned"
    assert "keys of epoch 1 are lost" in reason


async def test_a_vote_is_not_posted_after_its_deadline(world: World) -> None:
    # nobody's heartbeat is missed, else the jump would count as a halt of the chain
    world.state.params = replace(world.state.params, heartbeat_ms=Millis(10**8))
    await nodes(world, 2)
    task = await audited(world)

    def sleep_through(event: Event) -> None:
        if isinstance(event, HandedOff):
            world.clock.advance(world.state.params.audit_ms / 1000)

    world.state.watchers.append(sleep_through)
    await world.run_until(lambda: world.reached(task, TaskState.DISPUTED))
    assert world.calls(c.AuditCommit) == []
