import asyncio
from dataclasses import replace

import pytest
from chain_twin import REQUESTER
from node_world import Crash, World, crash_anywhere

from agent.chain import calls as c
from agent.node.config import AdmissionSection
from agent.node.duties.audit import AUDIT
from agent.node.duties.crank import CRANK
from agent.node.duties.execute import EXECUTE
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.statements import InvalidReason
from agent.protocol.units import Millis

STEPS_OF_AN_EXECUTION = 114
"""More than one takes; `test_the_crash_tests_reach_the_end` says so."""


async def test_an_unaudited_task_is_executed_and_settled_by_its_executor(world: World) -> None:
    await world.node(0)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.calls() == ["Commit", "Advance", "Settle"]
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED
    assert world.state.tasks[task].sealed_output_digest in world.blobs.content


async def test_a_settled_task_is_reaped_and_leaves_nothing_open(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    await world.run_until(lambda: task not in world.state.tasks)
    await world.run_until(lambda: node.runner.statistics().queue.later == 0)
    assert await node.journal.open_duties() == ()


@pytest.mark.parametrize("at", range(1, STEPS_OF_AN_EXECUTION, 3))
async def test_a_node_that_crashes_anywhere_commits_once(world: World, at: int) -> None:
    node = await world.node(0)
    task = await world.post(0)
    await crash_anywhere(world, node, lambda: world.reached(task, TaskState.SETTLED), at)
    assert world.calls() == ["Commit", "Advance", "Settle"]
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED


async def test_the_crash_tests_reach_the_end(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    trip = await crash_anywhere(world, node, lambda: world.reached(task, TaskState.SETTLED), 10**6)
    assert 90 < trip.passed < STEPS_OF_AN_EXECUTION


async def test_a_task_whose_deadline_has_passed_is_not_committed(world: World) -> None:
    # the chain lives meanwhile: only this node was away
    world.state.params = replace(world.state.params, heartbeat_ms=Millis(10**8))
    node = await world.node(0)
    task = await world.post(0)
    world.clock.advance(world.state.params.commit_ms / 1000)
    await world.run_until(lambda: world.reached(task, TaskState.DECIDED))
    row = await node.row(EXECUTE, task)
    assert "Commit" not in world.calls()
    assert row is not None
    assert (row.state, row.closed) == ("abandoned", True)
    assert "not committed in time" in (row.reason or "")


async def test_a_stalled_chain_does_not_make_a_commit_late(world: World) -> None:
    await world.node(0)
    task = await world.post(0)
    world.clock.advance(3_600)
    world.state.stall_ms, world.state.heartbeat_at = 3_600_000, world.state.at
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED))
    assert world.calls() == ["Commit"]


async def test_an_input_that_the_enclave_refuses_is_reported(world: World) -> None:
    await world.node(0)
    task = await world.post(0)
    view = world.state.tasks[task]
    world.change(task, input=replace(view.input, key_commitment=b"\x13" * 32))
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.state.tasks[task].outcome is Outcome.INVALID_INPUT
    (report,) = [call for call in world.state.done if isinstance(call, c.ReportInvalidInput)]
    assert report.reason == InvalidReason.KEY_COMMITMENT


async def test_a_missing_blob_is_waited_for(world: World) -> None:
    await world.node(0)
    task = await world.post(0)
    digest = world.state.tasks[task].input_digest
    content = world.blobs.content.pop(digest)
    world.clock.call_later(20, lambda: world.blobs.content.update({digest: content}))
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.calls()[0] == "Commit"


async def test_a_blob_that_never_comes_is_reported_before_the_deadline(world: World) -> None:
    await world.node(0)
    task = await world.post(0)
    world.blobs.content.clear()
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    (report,) = [call for call in world.state.done if isinstance(call, c.ReportInvalidInput)]
    assert report.reason == InvalidReason.UNAVAILABLE
    assert world.state.tasks[task].outcome is Outcome.INVALID_INPUT


async def test_a_blob_over_the_operators_limit_is_not_kept_in_memory(world: World) -> None:
    await world.node(0, admission=AdmissionSection(max_input_bytes=10))
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.state.tasks[task].outcome is Outcome.INVALID_INPUT


async def test_a_task_of_a_denied_requester_is_not_executed(world: World) -> None:
    denied = AdmissionSection(requesters_deny=(f"0x{REQUESTER.hex()}",))
    node = await world.node(0, admission=denied)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    row = await node.row(EXECUTE, task)
    assert world.state.tasks[task].outcome is Outcome.ABSENT
    assert "not admitted" in (row.reason or "" if row else "")


async def test_a_failing_task_does_not_stop_another(world: World) -> None:
    await world.node(0)
    broken, good = await world.post(0, number=1), await world.post(0, number=2)
    world.blobs.content.pop(world.state.tasks[broken].input_digest)
    await world.run_until(lambda: world.reached(good, TaskState.COMMITTED))
    assert world.state.tasks[broken].state is TaskState.RUNNING


async def test_no_more_computations_run_at_a_time_than_the_operator_allows(world: World) -> None:
    node = await world.node(0, concurrent=1)
    tasks = [await world.post(0, number=number) for number in range(1, 5)]
    most = 0

    async def count(where: str) -> None:
        nonlocal most
        if where == "fetch":
            most = max(most, node.station.computing.running)

    world.blobs.trip = count
    await world.run_until(lambda: all(world.reached(task, TaskState.COMMITTED) for task in tasks))
    assert most == 1


async def test_an_event_that_comes_twice_opens_one_duty(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    world.state.log.append(world.state.log[-1])
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.calls() == ["Commit", "Advance", "Settle"]
    assert (await node.journal.statistics()).closed_duties == 1


async def test_an_event_of_another_node_opens_nothing(world: World) -> None:
    node = await world.node(0)
    await world.node(1)
    task = await world.post(1)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert [await node.row(kind, task, at) for kind, at in ((EXECUTE, 0), (CRANK, 0), (AUDIT, 1))] == [None] * 3


async def test_an_enclave_that_dies_is_restarted_with_its_keys(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    await node.enclaves.ask(1, lambda client: client.seal_state())
    await node.launcher.launched[0].stop()
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED))
    assert len(node.launcher.launched) == 2


async def test_a_task_for_lost_keys_is_abandoned_with_the_reason(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    await node.enclaves.retire(1)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    row = await node.row(EXECUTE, task)
    assert row is not None
    assert "keys of epoch 1 are lost" in (row.reason or "")


async def test_a_cancelled_node_leaves_no_task_and_no_timer_behind(world: World) -> None:
    node = await world.node(0)
    await world.post(0)
    before = asyncio.all_tasks()
    running = asyncio.ensure_future(node.jobs()[0])
    while not node.runner.statistics().steps:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before
    assert world.clock.pending == 0


async def test_a_crash_ends_the_whole_node(world: World) -> None:
    node = await world.node(0)
    await world.post(0)
    trip = await crash_anywhere(world, node, lambda: bool(world.calls()), 5)
    assert trip.where
    assert issubclass(Crash, BaseException)
