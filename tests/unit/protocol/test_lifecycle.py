"""The table of docs/spec/protocol.md §6: who may do what, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import PARAMS, a_round, any_of, node, seat, task

from agent.protocol.lifecycle import AT_ONCE, Act, Awaited, Crank, NextCrank, awaited, next_crank, next_step
from agent.protocol.records import TaskView
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import Millis

DEADLINE = Millis(10_000)
OVER = Millis(10_000 + PARAMS.grace_ms)
EXECUTOR = node(99)


def in_state(state: TaskState, *, audited: bool = False) -> TaskView:
    seats = (seat(1, Mark.WAITING), seat(2, Mark.COMMITTED), seat(3, Mark.AGREES), seat(4, Mark.DIFFERS))
    rounds = (a_round(1, *seats),) if state >= TaskState.TICKET else ()
    return task(state=state, audited=audited, rounds=rounds)


@pytest.mark.parametrize(
    ("state", "act", "nodes"),
    [
        (TaskState.OPEN, Act.POST_INPUT, ()),
        (TaskState.RUNNING, Act.COMMIT, (EXECUTOR,)),
        (TaskState.TICKET, Act.ISSUE_TICKET, ()),
        (TaskState.HANDOFF, Act.HANDOFF, (EXECUTOR,)),
        (TaskState.AUDITING, Act.AUDIT_COMMIT, (node(1),)),
        (TaskState.REVEALING, Act.REVEAL, (node(2),)),
    ],
)
def test_an_act_is_awaited_from_those_who_have_not_done_it(state: TaskState, act: Act, nodes: tuple[bytes, ...]) -> None:
    assert awaited(in_state(state)) == Awaited(act, DEADLINE, nodes)


@pytest.mark.parametrize(
    "state", [TaskState.COMMITTED, TaskState.DISPUTED, TaskState.DRAWN, TaskState.DECIDED, TaskState.SETTLED]
)
def test_other_states_wait_for_nobody_in_particular(state: TaskState) -> None:
    assert awaited(in_state(state)) is None


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (TaskState.OPEN, Outcome.EXPIRED),
        (TaskState.RUNNING, Outcome.ABSENT),
        (TaskState.COMMITTED, Outcome.ACCEPTED),
        (TaskState.TICKET, Outcome.VOID),
        (TaskState.HANDOFF, Outcome.REFUSED),
        (TaskState.AUDITING, Outcome.NONE),
        (TaskState.REVEALING, Outcome.NONE),
    ],
)
def test_a_window_ends_with_its_grace_and_its_outcome(state: TaskState, outcome: Outcome) -> None:
    assert next_crank(in_state(state)) == NextCrank(Crank.ADVANCE, OVER, outcome)


@pytest.mark.parametrize(
    ("state", "crank"),
    [
        (TaskState.DISPUTED, Crank.DRAW_DISPUTE),
        (TaskState.DRAWN, Crank.BEGIN_DISPUTE),
        (TaskState.DECIDED, Crank.SETTLE),
    ],
)
def test_what_needs_no_window_is_due_at_once(state: TaskState, crank: Crank) -> None:
    assert next_crank(in_state(state)) == NextCrank(crank, AT_ONCE)


def test_an_audited_commitment_waits_for_its_audit_for_ever() -> None:
    crank = next_crank(in_state(TaskState.COMMITTED, audited=True))
    assert crank == NextCrank(Crank.BEGIN_AUDIT, AT_ONCE)
    assert crank.is_due(Millis(DEADLINE + 10**9))


def test_a_settled_task_is_reaped_from_its_deadline_on() -> None:
    reap = next_crank(in_state(TaskState.SETTLED))
    assert reap == NextCrank(Crank.REAP, DEADLINE)
    assert not reap.is_due(Millis(DEADLINE - 1))
    assert reap.is_due(DEADLINE)


def test_an_act_is_too_late_at_the_deadline_and_the_crank_too_early_before_its_grace() -> None:
    running = in_state(TaskState.RUNNING)
    act, crank = awaited(running), next_crank(running)
    assert act is not None
    at = {now: (act.is_open(Millis(now)), crank.is_due(Millis(now))) for now in (9_999, 10_000, OVER - 1, OVER)}
    assert at == {9_999: (True, False), 10_000: (False, False), OVER - 1: (False, False), OVER: (False, True)}


def test_the_next_step_is_the_act_while_it_is_in_time_and_the_crank_after_that() -> None:
    running = in_state(TaskState.RUNNING)
    assert next_step(running, Millis(9_999)) == awaited(running)
    assert next_step(running, Millis(10_000)) == next_crank(running)


def test_an_unaudited_commitment_waits_for_its_delivery_window() -> None:
    assert next_step(in_state(TaskState.COMMITTED), Millis(0)) == NextCrank(Crank.ADVANCE, OVER, Outcome.ACCEPTED)


@given(any_of(TaskView), st.integers(0, 2**64 - 1))
def test_an_act_and_a_window_s_end_are_never_allowed_together(any_task: TaskView, now: int) -> None:
    act, crank = awaited(any_task), next_crank(any_task)
    if act is not None:
        assert crank.crank is Crank.ADVANCE
        assert not (act.is_open(Millis(now)) and crank.is_due(Millis(now)))


@pytest.mark.parametrize("state", TaskState)
def test_no_task_is_ever_stuck(state: TaskState) -> None:
    assert next_crank(in_state(state, audited=True)).is_due(OVER)
    assert next_crank(in_state(state, audited=False)).is_due(OVER)
