"""What the requester moves on by itself, and when."""

from dataclasses import replace

import pytest
from client_world import WINDOW, World
from view_examples import plain

from agent.chain.calls import Advance, BeginAudit, BeginDispute, DrawDispute, Heartbeat, Redraw, Settle
from agent.chain.errors import NotAdmin, TooEarly, WrongState
from agent.client.cranks import Cranks, due
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import Delivery, Draw, Round, TaskView
from agent.protocol.units import Millis, Slot

AUDITED = plain(Draw, audited=True, panel=(Slot(1),))
DISPUTED = plain(Delivery, published=True, disputed=True)


def task(world: World, state: TaskState, **more) -> TaskView:
    return replace(world.view, state=state, **more)


def after(world: World, view: TaskView, ms: int):
    """What is due `ms` after the deadline of `view`."""
    return due(view, world.chain.views.network, Millis(view.deadline + ms))


@pytest.mark.parametrize("state", [TaskState.OPEN, TaskState.RUNNING, TaskState.TICKET, TaskState.PUBLISHING, TaskState.RULING])
def test_missed_window_is_ended_one_grace_after_nodes_could(state: TaskState) -> None:
    world = World(0)
    view = task(world, state, rounds=(plain(Round),))
    grace = view.params.grace_ms
    assert after(world, view, 2 * grace - 1) is None
    assert after(world, view, 2 * grace) == Advance(view.id)


def test_settling_is_the_requesters_own_affair() -> None:
    world = World(0)
    view = task(world, TaskState.DECIDED)
    assert after(world, view, -WINDOW) == Settle(view.id)


def test_nobody_reaps_his_own_record() -> None:
    world = World(0)
    assert after(world, task(world, TaskState.SETTLED), 10**9) is None


@pytest.mark.parametrize(
    ("state", "more", "call"),
    [
        (TaskState.COMMITTED, {"draw": AUDITED}, BeginAudit),
        (TaskState.EMPTY, {"draw": replace(AUDITED, panel=())}, Redraw),
        (TaskState.EMPTY, {"draw": AUDITED}, BeginAudit),
        (TaskState.DISPUTED, {}, DrawDispute),
        (TaskState.DRAWN, {}, BeginDispute),
    ],
)
def test_what_nodes_left_lying_is_taken_up(state: TaskState, more: dict, call: type) -> None:
    world = World(0)
    view = task(world, state, **more)
    grace = view.params.grace_ms
    assert after(world, view, grace - WINDOW - 1) is None
    assert after(world, view, grace - WINDOW) == call(view.id)


@pytest.mark.parametrize(("state", "call"), [(TaskState.DISPUTED, DrawDispute), (TaskState.DRAWN, BeginDispute)])
def test_own_dispute_is_led_at_once(state: TaskState, call: type) -> None:
    world = World(0)
    view = task(world, state, delivery=DISPUTED)
    assert after(world, view, -WINDOW) == call(view.id)


def test_after_a_long_silence_the_heartbeat_goes_alone_first() -> None:
    world = World(0)
    view = task(world, TaskState.RUNNING)
    network = replace(world.chain.views.network, params=replace(view.params, heartbeat_ms=Millis(5)))
    assert due(view, network, Millis(view.deadline + 10_000)) == Heartbeat()


def test_deadlines_are_of_protocol_time() -> None:
    world = World(0)
    view = task(world, TaskState.RUNNING)
    network = replace(world.chain.views.network, stall_ms=Millis(1))
    at = Millis(view.deadline + 2 * view.params.grace_ms)
    assert due(view, network, at) is None
    assert due(view, network, Millis(at + 1)) == Advance(view.id)


@pytest.mark.parametrize("error", [WrongState("task", 2), TooEarly("task", 4), NotAdmin("network", 1)])
async def test_crank_that_fails_disturbs_nobody(error: Exception) -> None:
    world = World(0)
    view = task(world, TaskState.DECIDED)

    def refuse(call) -> None:
        raise error

    world.before = refuse
    await Cranks(world.chain).move(view, world.chain.views.network, view.deadline)
    assert world.sent == ["Settle"]
