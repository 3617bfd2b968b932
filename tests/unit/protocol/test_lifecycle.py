"""The table of docs/spec/protocol.md §6: who may do what, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import PARAMS, a_round, any_of, node, person, seat, task

from agent.protocol.lifecycle import (
    AT_ONCE,
    Act,
    Awaited,
    Crank,
    NextCrank,
    awaited,
    complaints,
    cranks,
    holders,
    next_crank,
    next_step,
)
from agent.protocol.records import Delivery, TaskView, Verdict
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import Digest, Millis, Slot

DEADLINE = Millis(10_000)
OVER = Millis(10_000 + PARAMS.grace_ms)
EXECUTOR = node(99)
NO_VERDICT, UPHELD = Verdict(Digest(b""), agrees=False), Verdict(Digest(b"r" * 32), agrees=True)
WITH_ROUND = (
    TaskState.TICKET, TaskState.HANDOFF, TaskState.AUDITING, TaskState.REVEALING, TaskState.DISPUTED, TaskState.DRAWN,
    TaskState.DECIDED, TaskState.SETTLED, TaskState.RULING,
)  # fmt: skip
SEATS = (seat(1, Mark.WAITING), seat(2, Mark.COMMITTED), seat(3, Mark.AGREES), seat(4, Mark.DIFFERS), seat(5, Mark.FALSE_HANDOFF))


def in_state(state: TaskState, *kinds: int, audited: bool = False, **known: object) -> TaskView:
    numbers = kinds or ((1,) if state in WITH_ROUND else ())
    return task(state=state, audited=audited, rounds=tuple(a_round(kind, *SEATS) for kind in numbers), **known)


def delivery(claimed: bool = False, published: bool = False, disputed: bool = False) -> Delivery:
    return Delivery(claimed, published, disputed, 1 if published else 0, (), NO_VERDICT)


@pytest.mark.parametrize(
    ("state", "act", "nodes"),
    [
        (TaskState.OPEN, Act.POST_INPUT, ()),
        (TaskState.RUNNING, Act.COMMIT, (EXECUTOR,)),
        (TaskState.TICKET, Act.ISSUE_TICKET, ()),
        (TaskState.HANDOFF, Act.HANDOFF, (EXECUTOR,)),
        (TaskState.AUDITING, Act.AUDIT_COMMIT, (node(1),)),
        (TaskState.REVEALING, Act.REVEAL, (node(2),)),
        (TaskState.PUBLISHING, Act.PUBLISH_OUTPUT, (EXECUTOR,)),
        (TaskState.RULING, Act.RULE, ()),
    ],
)
def test_an_act_is_awaited_from_those_who_have_not_done_it(state: TaskState, act: Act, nodes: tuple[bytes, ...]) -> None:
    assert awaited(in_state(state)) == Awaited(act, DEADLINE, nodes)


@pytest.mark.parametrize(
    "state", [TaskState.COMMITTED, TaskState.EMPTY, TaskState.DISPUTED, TaskState.DRAWN, TaskState.DECIDED, TaskState.SETTLED]
)
def test_other_states_wait_for_nobody_in_particular(state: TaskState) -> None:
    assert awaited(in_state(state)) is None


def test_every_act_of_the_table_is_awaited_or_a_complaint() -> None:
    found = {act.act for state in TaskState for kinds in ((1,), (1, 4)) if (act := awaited(in_state(state, *kinds)))}
    complained = {Act.CHALLENGE, Act.CLAIM_UNDELIVERED, Act.SUBMIT_OUTPUT, Act.DISPUTE_DELIVERY}
    assert found == set(Act) - complained


@pytest.mark.parametrize("kind", [2, 3])
def test_in_a_dispute_an_auditor_who_revealed_may_hand_off_too(kind: int) -> None:
    disputed = in_state(TaskState.HANDOFF, 1, kind)
    assert awaited(disputed) == Awaited(Act.HANDOFF, DEADLINE, (EXECUTOR, node(3), node(4)))


def test_in_an_audit_only_the_executor_hands_off() -> None:
    assert [each.node for each in holders(in_state(TaskState.HANDOFF))] == [EXECUTOR]


@pytest.mark.parametrize("kind", [4, 5])
def test_in_a_dispute_of_the_delivery_the_requester_gives_the_key(kind: int) -> None:
    disputed = in_state(TaskState.HANDOFF, 1, kind)
    assert awaited(disputed) == Awaited(Act.POST_OUTPUT_KEY, DEADLINE, ())
    assert holders(disputed) == ()


@pytest.mark.parametrize(
    ("state", "kinds", "outcome"),
    [
        (TaskState.OPEN, (), Outcome.EXPIRED),
        (TaskState.RUNNING, (), Outcome.ABSENT),
        (TaskState.COMMITTED, (), Outcome.ACCEPTED),
        (TaskState.TICKET, (1,), Outcome.VOID),
        (TaskState.TICKET, (1, 2), Outcome.NONE),
        (TaskState.HANDOFF, (1,), Outcome.REFUSED),
        (TaskState.HANDOFF, (1, 2), Outcome.REFUSED),
        (TaskState.HANDOFF, (4,), Outcome.ACCEPTED),
        (TaskState.AUDITING, (1,), Outcome.NONE),
        (TaskState.REVEALING, (1,), Outcome.NONE),
        (TaskState.PUBLISHING, (), Outcome.UNDELIVERED),
        (TaskState.RULING, (1, 2, 3), Outcome.UNDECIDED),
    ],
)
def test_a_window_ends_with_its_grace_and_its_outcome(state: TaskState, kinds: tuple[int, ...], outcome: Outcome) -> None:
    assert cranks(in_state(state, *kinds)) == (NextCrank(Crank.ADVANCE, OVER, outcome),)


@pytest.mark.parametrize(("state", "kinds"), [(TaskState.COMMITTED, (1,)), (TaskState.HANDOFF, (1, 4))])
def test_a_task_that_was_upheld_stays_so_where_nothing_is_left_to_complain_of(state: TaskState, kinds: tuple[int, ...]) -> None:
    upheld = in_state(state, *kinds, audited=True, outcome=Outcome.UPHELD, verdict=UPHELD)
    assert cranks(upheld) == (NextCrank(Crank.ADVANCE, OVER, Outcome.UPHELD),)


@pytest.mark.parametrize(("state", "crank"), [(TaskState.DRAWN, Crank.BEGIN_DISPUTE), (TaskState.DECIDED, Crank.SETTLE)])
def test_what_needs_no_window_is_due_at_once_and_for_ever(state: TaskState, crank: Crank) -> None:
    assert cranks(in_state(state)) == (NextCrank(crank, AT_ONCE),)
    assert next_crank(in_state(state), Millis(DEADLINE + 10**9)).is_due(Millis(DEADLINE + 10**9))


def test_an_audited_commitment_waits_for_its_audit_for_ever() -> None:
    crank = next_crank(in_state(TaskState.COMMITTED, audited=True), Millis(DEADLINE + 10**9))
    assert crank == NextCrank(Crank.BEGIN_AUDIT, AT_ONCE)


def test_a_challenged_task_is_an_audited_one() -> None:
    assert next_crank(in_state(TaskState.COMMITTED, challenged=True), AT_ONCE).crank is Crank.BEGIN_AUDIT


def test_a_dispute_can_be_drawn_before_the_deadline_and_the_committee_asked_after_it() -> None:
    disputed = in_state(TaskState.DISPUTED)
    draw, end = cranks(disputed)
    assert (draw, end) == (NextCrank(Crank.DRAW_DISPUTE, AT_ONCE, until=DEADLINE), NextCrank(Crank.ADVANCE, OVER))
    assert [next_crank(disputed, Millis(now)) for now in (0, 9_999, 10_000)] == [draw, draw, end]
    assert [(draw.is_due(Millis(now)), end.is_due(Millis(now))) for now in (9_999, 10_000, OVER)] == [(True, False), (False, False), (False, True)]


def test_a_panel_that_could_not_serve_is_drawn_anew_before_the_deadline() -> None:
    empty = in_state(TaskState.EMPTY, audited=True)
    assert cranks(empty) == (NextCrank(Crank.REDRAW, AT_ONCE, until=DEADLINE), NextCrank(Crank.ADVANCE, OVER, Outcome.VOID))


def test_a_panel_drawn_anew_waits_to_be_seated() -> None:
    redrawn = in_state(TaskState.EMPTY, audited=True, panel=(Slot(1),))
    assert cranks(redrawn) == (NextCrank(Crank.BEGIN_AUDIT, AT_ONCE), NextCrank(Crank.ADVANCE, OVER, Outcome.VOID))


@pytest.mark.parametrize("restricted", [{"pool_mask": 6, "tee_mask": 2}, {"denied": (person(1),)}])
def test_who_forbids_audits_does_not_get_the_result_for_the_reservation_fee(restricted: dict[str, object]) -> None:
    assert cranks(in_state(TaskState.EMPTY, audited=True, **restricted))[-1].outcome is Outcome.ACCEPTED


def test_a_settled_task_is_reaped_from_its_deadline_on() -> None:
    reap = next_crank(in_state(TaskState.SETTLED), AT_ONCE)
    assert reap == NextCrank(Crank.REAP, DEADLINE)
    assert not reap.is_due(Millis(DEADLINE - 1))
    assert reap.is_due(DEADLINE)


def test_an_act_is_too_late_at_the_deadline_and_the_crank_too_early_before_its_grace() -> None:
    running = in_state(TaskState.RUNNING)
    act, crank = awaited(running), next_crank(running, AT_ONCE)
    assert act is not None
    at = {now: (act.is_open(Millis(now)), crank.is_due(Millis(now))) for now in (9_999, 10_000, OVER - 1, OVER)}
    assert at == {9_999: (True, False), 10_000: (False, False), OVER - 1: (False, False), OVER: (False, True)}


def test_the_next_step_is_the_act_while_it_is_in_time_and_the_crank_after_that() -> None:
    running = in_state(TaskState.RUNNING)
    assert next_step(running, Millis(9_999)) == awaited(running)
    assert next_step(running, Millis(10_000)) == next_crank(running, Millis(10_000))


ALL_BUT_DISPUTE = (Act.CHALLENGE, Act.CLAIM_UNDELIVERED, Act.SUBMIT_OUTPUT)


@pytest.mark.parametrize(
    ("known", "allowed"),
    [
        ({}, ALL_BUT_DISPUTE),
        ({"delivery": delivery(claimed=True)}, (Act.SUBMIT_OUTPUT,)),
        ({"delivery": delivery(claimed=True, published=True)}, (Act.DISPUTE_DELIVERY,)),
        ({"delivery": delivery(published=True)}, (Act.CHALLENGE, Act.DISPUTE_DELIVERY)),
        ({"delivery": delivery(claimed=True, published=True, disputed=True)}, ()),
        ({"audited": True}, ()),
        ({"challenged": True}, ()),
        ({"audited": True, "verdict": UPHELD, "outcome": Outcome.UPHELD}, ALL_BUT_DISPUTE[1:]),
    ],
)
def test_the_requester_complains_in_a_delivery_window_of_each_thing_once(known: dict[str, object], allowed: tuple[Act, ...]) -> None:
    committed = task(state=TaskState.COMMITTED, **known)
    assert complaints(committed, Millis(9_999)) == allowed
    assert complaints(committed, DEADLINE) == ()


@pytest.mark.parametrize("state", set(TaskState) - {TaskState.COMMITTED})
def test_nobody_complains_outside_a_delivery_window(state: TaskState) -> None:
    assert complaints(in_state(state), AT_ONCE) == ()


@given(any_of(TaskView), st.integers(0, 2**64 - 1))
def test_an_act_and_a_window_s_end_are_never_allowed_together(any_task: TaskView, now: int) -> None:
    act = awaited(any_task)
    if act is not None:
        assert [each.crank for each in cranks(any_task)] == [Crank.ADVANCE]
        assert not (act.is_open(Millis(now)) and cranks(any_task)[0].is_due(Millis(now)))


@pytest.mark.parametrize("state", TaskState)
@pytest.mark.parametrize("audited", [True, False])
def test_no_task_is_ever_stuck(state: TaskState, audited: bool) -> None:
    assert next_crank(in_state(state, audited=audited), OVER).is_due(OVER)
