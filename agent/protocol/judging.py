"""How votes are judged: docs/spec/protocol.md §6, the same rules as the contract's `audit::judge`."""

from collections import Counter
from dataclasses import dataclass

from agent.protocol.disputes import MAX_DISPUTES, disputes
from agent.protocol.records import Round, TaskView, Verdict
from agent.protocol.statements import BAD_KEY, BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome, RoundKind, TaskState
from agent.protocol.units import NONE, Digest, NodeId

VOTED = (Mark.AGREES, Mark.DIFFERS)
"""Marks of a seat whose vote counts."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the votes of a round, or the committee's word, make of a task."""

    state: TaskState
    """DECIDED, COMMITTED for another delivery window, DISPUTED, or RULING."""
    outcome: Outcome
    """Of the task from now on; UPHELD while COMMITTED."""
    verdict: Verdict | None
    """On the matter of the round; None: none was reached."""
    false_handoff: NodeId | None = None
    """The auditor whose wraps kept the round from judging."""


def judge(task: TaskView) -> Judgement:
    """What becomes of `task` once its current round has said all that it will say; meant for a task that has one."""
    current = task.rounds[-1]
    if current.kind is RoundKind.AUDIT:
        verdict = unanimous(current)
        return _undecided(task) if verdict is None else _computed(verdict)
    verdict = two_thirds(current)
    if verdict is None:
        return _undecided(task)
    if current.kind.judges_delivery:
        counts = verdict.agrees or verdict.root in (FORGED, BAD_KEY)
        return _delivered(task, verdict, forged=verdict.root == FORGED) if counts else _undecided(task)
    if not verdict.agrees and verdict.root in (BAD_WRAP, NO_INPUT) and current.handed_by != task.executor.slot:
        return _undecided(task, _handed_by(task, current))
    return _computed(verdict)


def rule(task: TaskView, root: Digest, *, agrees: bool) -> Judgement:
    """What becomes of a RULING `task` by the committee's word on the matter at hand."""
    verdict = Verdict(root, agrees)
    return _delivered(task, verdict, forged=True) if task.delivery.disputed else _computed(verdict)


def unanimous(audit: Round) -> Verdict | None:
    """The verdict of an audit: all who revealed, but for those without an input, agree, and one did. Else none."""
    agreed = [seat.root for seat in audit.seats if seat.mark is Mark.AGREES]
    against = any(seat.mark is Mark.DIFFERS and seat.root != NO_INPUT for seat in audit.seats)
    return Verdict(agreed[0], agrees=True) if agreed and not against else None


def two_thirds(dispute: Round) -> Verdict | None:
    """What at least two thirds of all drawn seats, seated or not, say with one voice. Else none."""
    votes: Counter[Verdict] = Counter()
    for seat in dispute.seats:
        if seat.mark in VOTED:
            # the same root beside a salt that does not open the executor's commitment is another vote
            votes[Verdict(seat.root, seat.mark is Mark.AGREES)] += seat.votes
    return next((verdict for verdict, count in votes.items() if 3 * count >= 2 * dispute.drawn), None)


def _computed(verdict: Verdict) -> Judgement:
    if verdict.agrees:
        return Judgement(TaskState.COMMITTED, Outcome.UPHELD, verdict)
    return Judgement(TaskState.DECIDED, Outcome.GUILTY, verdict)


def _delivered(task: TaskView, verdict: Verdict, *, forged: bool) -> Judgement:
    if forged and not verdict.agrees:
        return Judgement(TaskState.DECIDED, Outcome.FORGED, verdict)
    return Judgement(TaskState.DECIDED, concluded(task), verdict)


def _undecided(task: TaskView, false_handoff: NodeId | None = None) -> Judgement:
    state = TaskState.RULING if disputes(task) >= MAX_DISPUTES else TaskState.DISPUTED
    return Judgement(state, task.outcome, None, false_handoff)


def concluded(task: TaskView) -> Outcome:
    """How a task ends when nothing is left to complain of."""
    return Outcome.UPHELD if task.outcome is Outcome.UPHELD else Outcome.ACCEPTED


def _handed_by(task: TaskView, dispute: Round) -> NodeId | None:
    if dispute.handed_by == NONE:
        return None
    return next((seat.node for seat in task.rounds[0].seats if seat.slot == dispute.handed_by), None)
