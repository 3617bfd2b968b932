"""Deadlines of a task: what it waits for, from whom, until when, and what anybody may do after that.

Source: docs/spec/protocol.md §6. All times here are protocol time, `NetworkView.protocol_time(clock)`. An act is
allowed before the deadline; a crank that ends a window, from the deadline and its grace on. Between the two nothing is
allowed, so that nobody is punished for a clock that differs a little [H6].
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from agent.protocol.records import TaskView
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import Millis, NodeId

__all__ = [
    "AT_ONCE", "Act", "Awaited", "Crank", "Mark", "NextCrank", "Outcome", "TaskState", "awaited", "next_crank",
    "next_step",
]  # fmt: skip

AT_ONCE: Final = Millis(0)
"""A crank that waits for no time."""


class Act(Enum):
    """What a task waits for, from somebody in particular; the value is the function of `task`."""

    POST_INPUT = "post_input"
    """By the requester, in one transaction with `assign`."""
    COMMIT = "commit"
    """By the executor; `report_invalid_input` in its place."""
    ISSUE_TICKET = "issue_ticket"
    """By the committee."""
    HANDOFF = "handoff"
    """By the executor."""
    AUDIT_COMMIT = "audit_commit"
    """By every seat."""
    REVEAL = "reveal"
    """By every seat that committed."""


class Crank(Enum):
    """What anybody may call; the value is the function of `task`."""

    ADVANCE = "advance"
    """Ends a window; may cost stake, hence wants a fresh heartbeat."""
    BEGIN_AUDIT = "begin_audit"
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
    """How the task ends by it; NONE where it does not end, or where the votes decide."""

    def is_due(self, now: Millis) -> bool:
        """Whether the crank is allowed at `now`."""
        return now >= self.since


_ACTS: Final = {
    TaskState.OPEN: Act.POST_INPUT,
    TaskState.RUNNING: Act.COMMIT,
    TaskState.TICKET: Act.ISSUE_TICKET,
    TaskState.HANDOFF: Act.HANDOFF,
    TaskState.AUDITING: Act.AUDIT_COMMIT,
    TaskState.REVEALING: Act.REVEAL,
}
_OPEN_TO_ALL: Final = {
    TaskState.DISPUTED: Crank.DRAW_DISPUTE,
    TaskState.DRAWN: Crank.BEGIN_DISPUTE,
    TaskState.DECIDED: Crank.SETTLE,
}
_AT_DEADLINE: Final = {
    TaskState.OPEN: Outcome.EXPIRED,
    TaskState.RUNNING: Outcome.ABSENT,
    TaskState.COMMITTED: Outcome.ACCEPTED,
    TaskState.TICKET: Outcome.VOID,
    TaskState.HANDOFF: Outcome.REFUSED,
}


def awaited(task: TaskView) -> Awaited | None:
    """What `task` waits for; None where it waits for a crank only. Whether it is still in time: `is_open`."""
    act = _ACTS.get(task.state)
    return None if act is None else Awaited(act, task.deadline, _nodes(task, act))


def next_crank(task: TaskView) -> NextCrank:
    """The one thing that anybody may do next for `task`, and from when on, if nobody acts before."""
    if task.state is TaskState.SETTLED:
        return NextCrank(Crank.REAP, task.deadline)
    if task.state in _OPEN_TO_ALL:
        return NextCrank(_OPEN_TO_ALL[task.state], AT_ONCE)
    if task.state is TaskState.COMMITTED and task.audited:
        return NextCrank(Crank.BEGIN_AUDIT, AT_ONCE)
    over = Millis(task.deadline + task.params.grace_ms)
    return NextCrank(Crank.ADVANCE, over, _AT_DEADLINE.get(task.state, Outcome.NONE))


def next_step(task: TaskView, now: Millis) -> Awaited | NextCrank:
    """What moves `task` on next, seen at `now`: the act while it is in time, else the crank, perhaps only later."""
    act = awaited(task)
    return act if act is not None and act.is_open(now) else next_crank(task)


def _nodes(task: TaskView, act: Act) -> tuple[NodeId, ...]:
    match act:
        case Act.COMMIT | Act.HANDOFF:
            return (task.executor.node,)
        case Act.AUDIT_COMMIT:
            return _seated(task, Mark.WAITING)
        case Act.REVEAL:
            return _seated(task, Mark.COMMITTED)
        case _:
            return ()


def _seated(task: TaskView, mark: Mark) -> tuple[NodeId, ...]:
    seats = task.current.seats if task.current else ()
    return tuple(seat.node for seat in seats if seat.mark is mark)
