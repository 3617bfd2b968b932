"""Deadlines of a task: what it waits for, from whom, until when, and what anybody may do after that.

Source: docs/spec/protocol.md §6. All times here are protocol time, `NetworkView.protocol_time(clock)`. An act is
allowed before the deadline; a crank that ends a window, from the deadline and its grace on. Between the two nothing is
allowed, so that nobody is punished for a clock that differs a little [H6].
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from agent.protocol.judging import concluded
from agent.protocol.records import Seat, TaskView
from agent.protocol.states import Mark, Outcome, RoundKind, TaskState
from agent.protocol.units import Millis, NodeId

__all__ = [
    "AT_ONCE", "Act", "Awaited", "Crank", "Mark", "NextCrank", "Outcome", "TaskState", "awaited", "awaits_audit",
    "complaints", "cranks", "holders", "next_crank", "next_step",
]  # fmt: skip

AT_ONCE: Final = Millis(0)
"""A crank that waits for no time."""


class Act(Enum):
    """What somebody in particular does; the value is the function."""

    POST_INPUT = "post_input"
    """By the requester, in one transaction with `assign`."""
    COMMIT = "commit"
    """By the executor; `report_invalid_input` in its place."""
    ISSUE_TICKET = "issue_ticket"
    """By the committee."""
    HANDOFF = "handoff"
    """By the executor; in a dispute of the computation also by an auditor who revealed: `holders`."""
    POST_OUTPUT_KEY = "post_output_key"
    """By the requester, in a dispute of the delivery."""
    AUDIT_COMMIT = "audit_commit"
    """By every seat."""
    REVEAL = "reveal"
    """By every seat that committed."""
    PUBLISH_OUTPUT = "publish_output"
    """By the executor's operator."""
    RULE = "rule"
    """By the committee, of last resort."""
    CHALLENGE = "challenge"
    """By the requester, as are the others below, in a delivery window."""
    CLAIM_UNDELIVERED = "claim_undelivered"
    SUBMIT_OUTPUT = "submit_output"
    DISPUTE_DELIVERY = "dispute_delivery"


class Crank(Enum):
    """What anybody may call; the value is the function."""

    ADVANCE = "advance"
    """Ends a window; may cost stake, hence wants a fresh heartbeat."""
    BEGIN_AUDIT = "begin_audit"
    REDRAW = "redraw"
    DRAW_DISPUTE = "draw_dispute"
    BEGIN_DISPUTE = "begin_dispute"
    SETTLE = "settle"
    REAP = "reap"


@dataclass(frozen=True, slots=True)
class Awaited:
    """An act that a task waits for."""

    act: Act
    until: Millis
    """The deadline, protocol time: the act is too late at it."""
    nodes: tuple[NodeId, ...]
    """The nodes it is awaited from, those who have not acted yet; empty: it is the requester's or the committee's."""

    def is_open(self, now: Millis) -> bool:
        """Whether the act is allowed at `now`."""
        return now < self.until


@dataclass(frozen=True, slots=True)
class NextCrank:
    """A crank that moves a task on."""

    crank: Crank
    since: Millis
    """From when on, protocol time; `AT_ONCE`: already."""
    outcome: Outcome = Outcome.NONE
    """How the task ends by it; NONE where it does not end, or where more than the Task decides."""
    until: Millis | None = None
    """From when on no longer, protocol time; None: always."""

    def is_due(self, now: Millis) -> bool:
        """Whether the crank is allowed at `now`."""
        return now >= self.since and not self.is_over(now)

    def is_over(self, now: Millis) -> bool:
        """Whether it is too late for it."""
        return self.until is not None and now >= self.until


_ACTS: Final = {
    TaskState.OPEN: Act.POST_INPUT,
    TaskState.RUNNING: Act.COMMIT,
    TaskState.TICKET: Act.ISSUE_TICKET,
    TaskState.HANDOFF: Act.HANDOFF,
    TaskState.AUDITING: Act.AUDIT_COMMIT,
    TaskState.REVEALING: Act.REVEAL,
    TaskState.PUBLISHING: Act.PUBLISH_OUTPUT,
    TaskState.RULING: Act.RULE,
}
_AT_DEADLINE: Final = {
    TaskState.OPEN: Outcome.EXPIRED,
    TaskState.RUNNING: Outcome.ABSENT,
    TaskState.PUBLISHING: Outcome.UNDELIVERED,
    TaskState.RULING: Outcome.UNDECIDED,
}


def awaited(task: TaskView) -> Awaited | None:
    """What `task` waits for; None where it waits for a crank, or lets a delivery window pass. In time: `is_open`."""
    act = _ACTS.get(task.state)
    if act is Act.HANDOFF and _is_of_delivery(task):
        act = Act.POST_OUTPUT_KEY
    return None if act is None else Awaited(act, task.deadline, _nodes(task, act))


def complaints(task: TaskView, now: Millis) -> tuple[Act, ...]:
    """What the requester may do at `now` in a delivery window, each once; nothing where none is open."""
    if task.state is not TaskState.COMMITTED or awaits_audit(task) or now >= task.deadline:
        return ()
    delivery = task.delivery
    allowed = {
        Act.CHALLENGE: not (task.audited or delivery.claimed or delivery.disputed),
        Act.CLAIM_UNDELIVERED: not (delivery.claimed or delivery.published),
        Act.SUBMIT_OUTPUT: not delivery.published,
        Act.DISPUTE_DELIVERY: delivery.published and not delivery.disputed,
    }
    return tuple(act for act, allow in allowed.items() if allow)


def holders(task: TaskView) -> tuple[Seat, ...]:
    """Whose enclave may hand off the data key in the round under way: the executor; in a dispute auditors who revealed too."""
    if _is_of_delivery(task):
        return ()
    if task.round == RoundKind.AUDIT:
        return (task.executor,)
    audit = task.rounds[0].seats if task.rounds else ()
    return (task.executor, *(seat for seat in audit if seat.mark in (Mark.AGREES, Mark.DIFFERS)))


def awaits_audit(task: TaskView) -> bool:
    """Whether the next thing is to seat the panel of a committed task."""
    return task.state is TaskState.COMMITTED and task.audited and not task.verdict.reached


def cranks(task: TaskView) -> tuple[NextCrank, ...]:  # noqa: PLR0911  one line a state
    """All that anybody may do for `task` in its state, now or later, if nobody acts before; in the order of time."""
    if awaits_audit(task):
        return (NextCrank(Crank.BEGIN_AUDIT, AT_ONCE),)
    end = NextCrank(Crank.ADVANCE, Millis(task.deadline + task.params.grace_ms), _at_deadline(task))
    match task.state:
        case TaskState.DRAWN:
            return (NextCrank(Crank.BEGIN_DISPUTE, AT_ONCE),)
        case TaskState.DECIDED:
            return (NextCrank(Crank.SETTLE, AT_ONCE),)
        case TaskState.SETTLED:
            return (NextCrank(Crank.REAP, task.deadline),)
        case TaskState.DISPUTED:
            return (NextCrank(Crank.DRAW_DISPUTE, AT_ONCE, until=task.deadline), end)
        case TaskState.EMPTY if task.panel:
            return (NextCrank(Crank.BEGIN_AUDIT, AT_ONCE), end)
        case TaskState.EMPTY:
            return (NextCrank(Crank.REDRAW, AT_ONCE, until=task.deadline), end)
        case _:
            return (end,)


def next_crank(task: TaskView, now: Millis) -> NextCrank:
    """The next thing that anybody may do for `task`, at `now` or later, if nobody acts before."""
    return next(each for each in cranks(task) if not each.is_over(now))


def next_step(task: TaskView, now: Millis) -> Awaited | NextCrank:
    """What moves `task` on next, seen at `now`: the act while it is in time, else the crank, perhaps only later."""
    act = awaited(task)
    return act if act is not None and act.is_open(now) else next_crank(task, now)


def _at_deadline(task: TaskView) -> Outcome:
    match task.state:
        case TaskState.COMMITTED:
            return concluded(task)
        case TaskState.EMPTY:
            # else a requester could forbid audits, and have every audited result for the reservation fee
            return Outcome.ACCEPTED if task.restricts else Outcome.VOID
        case TaskState.TICKET if task.round == RoundKind.AUDIT:
            return Outcome.VOID
        case TaskState.HANDOFF:
            # without the key nobody can look at the delivery: the dispute is dropped
            return concluded(task) if _is_of_delivery(task) else Outcome.REFUSED
        case _:
            return _AT_DEADLINE.get(task.state, Outcome.NONE)


def _is_of_delivery(task: TaskView) -> bool:
    return task.current is not None and task.current.kind.judges_delivery


def _nodes(task: TaskView, act: Act) -> tuple[NodeId, ...]:
    match act:
        case Act.COMMIT | Act.PUBLISH_OUTPUT:
            return (task.executor.node,)
        case Act.HANDOFF:
            return tuple(seat.node for seat in holders(task))
        case Act.AUDIT_COMMIT:
            return _seated(task, Mark.WAITING)
        case Act.REVEAL:
            return _seated(task, Mark.COMMITTED)
        case _:
            return ()


def _seated(task: TaskView, mark: Mark) -> tuple[NodeId, ...]:
    seats = task.current.seats if task.current else ()
    return tuple(seat.node for seat in seats if seat.mark is mark)
