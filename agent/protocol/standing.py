"""How a panel member's vote stands to what was found: docs/spec/protocol.md §6, "Settlement", rules 1 to 5."""

from enum import Enum

from agent.protocol.judging import VOTED, two_thirds
from agent.protocol.records import Round, Seat, TaskView, Verdict
from agent.protocol.statements import BAD_KEY, BAD_WRAP, EARLIER_WRAP, NO_INPUT
from agent.protocol.states import Mark, RoundKind


class Standing(Enum):
    """How a member's vote stands to the verdict of its matter."""

    RIGHT = "right"
    """It is paid."""
    NEUTRAL = "neutral"
    """It loses nothing and gets nothing."""
    EXCUSED = "excused"
    """Neutral, with a strike: others may have kept it from judging."""
    WRONG = "wrong"
    """It loses its lock."""


def standing(task: TaskView, each: Round, seat: Seat) -> Standing:
    """How the vote of `seat`, of the round `each`, stands; NEUTRAL where there is no vote, no verdict, or no handoff."""
    verdict = matter(task, each)
    if not (each.handed and seat.mark in VOTED and verdict.reached):
        return Standing.NEUTRAL
    if _is_misled(task, each):
        return Standing.RIGHT if _blames_handoff(seat) else Standing.NEUTRAL
    if (seat.root, seat.mark is Mark.AGREES) == (verdict.root, verdict.agrees):
        return Standing.RIGHT
    if verdict.root in (BAD_WRAP, EARLIER_WRAP, NO_INPUT, BAD_KEY):
        return Standing.NEUTRAL
    by_executor = each.handed_by == task.executor.slot
    if seat.root in (NO_INPUT, BAD_KEY) or (seat.root == BAD_WRAP and not by_executor):
        return Standing.EXCUSED
    return Standing.WRONG


def matter(task: TaskView, each: Round) -> Verdict:
    """The verdict on what `each` judges: the delivery in rounds 4 and 5, else the computation."""
    return task.delivery.verdict if each.kind.judges_delivery else task.verdict


def _is_misled(task: TaskView, each: Round) -> bool:
    """Whether an auditor handed `each` off, and its arbiters found that it did so falsely."""
    if each.kind not in (RoundKind.DISPUTE, RoundKind.SECOND_DISPUTE):
        return False
    found = two_thirds(each)
    by_auditor = each.handed_by != task.executor.slot
    return by_auditor and found is not None and not found.agrees and found.root in (BAD_WRAP, NO_INPUT)


def _blames_handoff(seat: Seat) -> bool:
    return seat.root in (BAD_WRAP, NO_INPUT)
