from dataclasses import replace

import pytest
from chain_twin import NOBODY, PARAMS, START, record
from node_world import World

from agent.chain import calls as c
from agent.node.duties.crank import CRANK, WATCHING, decide, due
from agent.node.duties.duty import Moved, Wait
from agent.node.duties.sight import Sight
from agent.node.duties.stagger import stagger
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import NetworkView, TaskView
from agent.protocol.units import Millis, NodeId, TaskId

TASK = TaskId(b"\x01" * 32)
EXECUTOR, OTHER = NodeId(b"\xb0" * 32), NodeId(b"\xb1" * 32)
GRACE = PARAMS.grace_ms
ROW = DutyRow(DutyKey(CRANK, TASK), WATCHING)


def seen(state: TaskState, *, at: int = 0, audited: bool = False, stall: int = 0, silent: int = 0) -> Sight:
    """A task in `state` whose deadline is at 100 s, looked at `at` ms after the start."""
    task = record(
        TaskView, id=TASK, params=PARAMS, state=state, audited=audited, deadline=Millis(START + 100_000),
        executor=replace(NOBODY, node=EXECUTOR),
    )  # fmt: skip
    clock = Millis(START + at)
    network = record(NetworkView, params=PARAMS, stall_ms=Millis(stall), heartbeat_at=Millis(clock - silent))
    return Sight(task, network, clock)


def told(sight: Sight, me: NodeId = EXECUTOR) -> c.Call | Moved | Wait:
    """What the duty says once it has noted the stage."""
    row = ROW.to(WATCHING, stage=f"{sight.task.state.name}/0", since=START)
    return decide(row, sight, me)


@pytest.mark.parametrize(
    ("state", "audited", "call"),
    [
        (TaskState.COMMITTED, True, c.BeginAudit),
        (TaskState.DISPUTED, True, c.DrawDispute),
        (TaskState.DRAWN, True, c.BeginDispute),
        (TaskState.DECIDED, True, c.Settle),
    ],
)
def test_what_waits_for_anybody_is_done_at_once(state: TaskState, audited: bool, call: type[c.Call]) -> None:
    assert told(seen(state, audited=audited)) == call(TASK)


@pytest.mark.parametrize(
    "state",
    [
        TaskState.OPEN,
        TaskState.RUNNING,
        TaskState.COMMITTED,
        TaskState.TICKET,
        TaskState.HANDOFF,
        TaskState.AUDITING,
        TaskState.REVEALING,
    ],
)
def test_a_deadline_is_cranked_after_its_grace_and_not_before(state: TaskState) -> None:
    assert told(seen(state, at=100_000 + GRACE - 1)) == Wait(Millis(START + 100_000 + GRACE))
    assert told(seen(state, at=100_000 + GRACE)) == c.Advance(TASK)


def test_time_that_the_chain_stood_still_does_not_count() -> None:
    late = seen(TaskState.RUNNING, at=100_000 + GRACE, stall=5_000)
    assert told(late) == Wait(Millis(START + 105_000 + GRACE))


def test_after_a_silence_the_heartbeat_goes_alone() -> None:
    silent = seen(TaskState.RUNNING, at=200_000, silent=PARAMS.heartbeat_ms + 1)
    assert told(silent) == c.Heartbeat()


def test_others_go_later_than_the_executor_and_not_together() -> None:
    others = [NodeId(bytes([number]) * 32) for number in range(20)]
    delays = [stagger(TASK, each, GRACE) for each in others]
    assert len(set(delays)) > 15
    assert all(0 <= delay < GRACE for delay in delays)
    wait = told(seen(TaskState.DECIDED), OTHER)
    assert wait == Wait(Millis(START + stagger(TASK, OTHER, GRACE)))


def test_a_node_has_the_same_delay_each_time() -> None:
    assert stagger(TASK, OTHER, GRACE) == stagger(TASK, OTHER, GRACE)


def test_a_new_stage_is_noted_before_anything_is_done() -> None:
    decision = decide(ROW, seen(TaskState.DECIDED), EXECUTOR)
    assert isinstance(decision, Moved)
    assert decision.row.facts["since"] == START


def test_a_reaped_task_closes_the_duty() -> None:
    decision = decide(ROW, None, EXECUTOR)
    assert isinstance(decision, Moved)
    assert decision.row.closed


def test_a_settled_task_is_reaped_after_the_unbonding_time() -> None:
    settled = seen(TaskState.SETTLED)
    assert due(settled.task).at == settled.task.deadline


async def test_of_several_nodes_one_sends_each_crank(world: World) -> None:
    await world.verifier()
    for slot in range(4):
        await world.node(slot)
    world.state.audited, world.state.panel = True, (1, 2, 3)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    names = world.calls()
    assert [names.count(name) for name in ("BeginAudit", "Settle")] == [1, 1]


async def test_somebody_breaks_a_silence_before_it_counts_as_a_halt(world: World) -> None:
    await world.verifier()
    for slot in range(3):
        await world.node(slot, attested=False, own=True)
    await world.run_until(lambda: world.clock.seconds() > 300)
    assert world.state.stall_ms == 0


async def test_nodes_do_not_all_send_every_heartbeat(world: World) -> None:
    await world.verifier()
    for slot in range(4):
        await world.node(slot, attested=False, own=True)
    await world.run_until(lambda: world.clock.seconds() > 300)
    beats = sum(isinstance(call, c.Heartbeat) for call in world.state.done)
    assert beats <= 2 * 300_000 / (PARAMS.heartbeat_ms / 2)
