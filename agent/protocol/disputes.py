"""Who may sit in the next dispute of a task, and how many of them: docs/spec/protocol.md §6."""

from typing import Final

from agent.protocol.draw import draw_with
from agent.protocol.records import RosterView, TaskView
from agent.protocol.states import RoundKind
from agent.protocol.units import NONE, Slot

MAX_SEATS: Final = 32
"""Of any dispute: bounds the size of a Task."""
MAX_DISPUTES: Final = 2
"""Of a matter; after them the committee rules."""


def disputes(task: TaskView) -> int:
    """How many disputes the matter at hand has had: the delivery's, once it is disputed, else the computation's."""
    matter = task.delivery.disputed
    return sum(each.kind is not RoundKind.AUDIT and each.kind.judges_delivery == matter for each in task.rounds)


def next_kind(task: TaskView) -> RoundKind:
    """Of the dispute that `draw_dispute` would draw; meant for a DISPUTED task."""
    first = RoundKind.DELIVERY if task.delivery.disputed else RoundKind.DISPUTE
    return RoundKind(first + disputes(task))


def seats(task: TaskView) -> int:
    """How many seats `draw_dispute` would draw: the second time twice as many."""
    wanted = task.params.dispute_seats
    return min(2 * wanted, MAX_SEATS) if disputes(task) else wanted


def excluded(task: TaskView) -> tuple[Slot, ...]:
    """Whom `draw_dispute` would not draw, each slot once.

    Of the computation: the executor, the members of the audit, and who fell silent in the dispute before [C2].
    Of the delivery: the executor, and whoever sat in any round of the task.
    """
    found = {task.executor.slot: None}
    for each in task.rounds:
        everybody = task.delivery.disputed or each.kind is RoundKind.AUDIT
        found.update({seat.slot: None for seat in each.seats if everybody or not seat.mark.revealed})
    return tuple(slot for slot in found if slot != NONE)


def drawn(task: TaskView, roster: RosterView, seed: bytes) -> tuple[Slot, ...]:
    """Whom `draw_dispute` draws by `seed`: with replacement, one seat one vote [C3]."""
    return draw_with(roster.fen, seed, seats(task), excluded(task))


def ruling_round(task: TaskView) -> int:
    """The `round` of the RulingStatement: the latest of the matter at hand; where none was begun, its first."""
    return max(task.round, RoundKind.DELIVERY) if task.delivery.disputed else task.round
