from dataclasses import replace

import pytest
from chain_twin import NETWORK, NOBODY, PARAMS, POOL, START, record
from node_world import World

from agent.chain import calls as c
from agent.node.config import DutySection
from agent.node.duties.crank import CRANK, WATCHING, decide, due, pause
from agent.node.duties.duty import Moved, Wait
from agent.node.duties.sight import Sight
from agent.node.duties.stagger import stagger
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.events import Event, PanelEmpty, TaskOpened
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.records import Draw, NetworkView, TaskView, Verdict
from agent.protocol.units import Digest, Millis, NodeId, Slot, TaskId

TASK = TaskId(b"\x01" * 32)
EXECUTOR, OTHER = NodeId(b"\xb0" * 32), NodeId(b"\xb1" * 32)
GRACE = PARAMS.grace_ms
ROW = DutyRow(DutyKey(CRANK, TASK), WATCHING)


def seen(
    state: TaskState, *, at: int = 0, audited: bool = False, stall: int = 0, silent: int = 0, panel: tuple[Slot, ...] = ()
) -> Sight:
    """A task in `state` whose deadline is at 100 s, looked at `at` ms after the start."""
    task = record(
        TaskView, id=TASK, params=PARAMS, state=state, draw=record(Draw, audited=audited, panel=panel), deadline=Millis(START + 100_000),
        executor=replace(NOBODY, node=EXECUTOR),
    )  # fmt: skip
    clock = Millis(START + at)
    network = record(NetworkView, params=PARAMS, stall_ms=Millis(stall), heartbeat_at=Millis(clock - silent))
    return Sight(task, network, clock)


def told(sight: Sight, me: NodeId = EXECUTOR) -> c.Call | Moved | Wait:
    """What the duty says once it has noted the stage."""
    noted = decide(ROW, sight, me)
    assert isinstance(noted, Moved)
    return decide(noted.row.to(WATCHING, since=START), sight, me)


@pytest.mark.parametrize(
    ("sight", "call"),
    [
        (seen(TaskState.COMMITTED, audited=True), c.BeginAudit),
        (seen(TaskState.EMPTY, audited=True), c.Redraw),
        (seen(TaskState.EMPTY, audited=True, panel=(Slot(3),)), c.BeginAudit),
        (seen(TaskState.DISPUTED, audited=True), c.DrawDispute),
        (seen(TaskState.DRAWN, audited=True), c.BeginDispute),
        (seen(TaskState.DECIDED, audited=True), c.Settle),
    ],
)
def test_what_waits_for_anybody_is_done_at_once(sight: Sight, call: type[c.Call]) -> None:
    assert told(sight) == call(TASK)


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
        TaskState.PUBLISHING,
        TaskState.RULING,
    ],
)
def test_a_deadline_is_cranked_after_its_grace_and_not_before(state: TaskState) -> None:
    assert told(seen(state, at=100_000 + GRACE - 1)) == Wait(Millis(START + 100_000 + GRACE))
    assert told(seen(state, at=100_000 + GRACE)) == c.Advance(TASK)


@pytest.mark.parametrize("state", [TaskState.EMPTY, TaskState.DISPUTED])
def test_what_nobody_drew_in_time_is_cranked_after_its_grace(state: TaskState) -> None:
    assert told(seen(state, at=100_000)) == Wait(Millis(START + 100_000 + GRACE))
    assert told(seen(state, at=100_000 + GRACE)) == c.Advance(TASK)


def test_an_upheld_audit_waits_for_its_delivery_window() -> None:
    sight = seen(TaskState.COMMITTED, audited=True)
    upheld = replace(sight, task=replace(sight.task, verdict=Verdict(Digest(b"\x01" * 32), agrees=True)))
    assert told(upheld) == Wait(Millis(START + 100_000 + GRACE))


def test_draws_that_give_nobody_come_ever_more_seldom() -> None:
    task = seen(TaskState.EMPTY).task
    pauses = [pause(draws, task) for draws in range(1, 30)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == PARAMS.delivery_ms // 8


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
    assert due(settled.task, settled.now).at == settled.task.deadline


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


async def test_who_hunts_bounties_ends_the_absence_of_somebody_else(world: World) -> None:
    hunter = await world.node(1, policy=DutySection(bounties=True))
    world.state.enrol(0, NodeId(b"\x0a" * 32))
    world.state.emit(record(TaskOpened, task=TASK, network=NETWORK, pool=POOL), "opened")
    world.state.tasks[TASK] = seen(TaskState.RUNNING, at=0).task
    await world.run_until(lambda: world.reached(TASK, TaskState.SETTLED))
    assert world.calls() == ["Advance", "Settle"]
    assert world.state.tasks[TASK].outcome is Outcome.ABSENT
    assert hunter.runner.statistics().failures == 0


async def test_who_does_not_hunt_bounties_leaves_other_tasks_alone(world: World) -> None:
    node = await world.node(1)
    world.state.emit(record(TaskOpened, task=TASK, network=NETWORK, pool=POOL), "opened")
    await world.run_until(lambda: node.chain.idle)
    assert await node.row(CRANK, TASK) is None


async def test_a_panel_of_nobody_is_drawn_anew(world: World) -> None:
    await world.verifier()
    await world.node(0)
    await world.node(1)
    world.state.audited, world.state.panel = True, (Slot(7),)
    task = await world.post(0)

    def better(event: Event) -> None:
        if isinstance(event, PanelEmpty):
            world.state.panel = (Slot(1),)

    world.state.watchers.append(better)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert world.calls()[:4] == ["Commit", "BeginAudit", "Redraw", "BeginAudit"]
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_lost_races_are_no_failures(world: World) -> None:
    await world.verifier()
    nodes = [await world.node(slot, policy=DutySection(bounties=True)) for slot in range(4)]
    world.state.audited, world.state.panel = True, (1, 2, 3)
    task = await world.post(0)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED))
    assert [node.runner.statistics().failures for node in nodes] == [0] * 4
