"""Rounds of a task, and draw tickets: what the committee signs of a round, read back from the Task
(docs/spec/protocol.md §4, scope 6).
"""

from agent.protocol.records import Round, TaskView
from agent.protocol.statements import TicketSeat, TicketStatement
from agent.protocol.units import Millis


def round_of(task: TaskView, kind: int) -> tuple[int, Round] | None:
    """The last round of `kind` and its place among the rounds of `task`; None if there was none."""
    for place in range(len(task.rounds) - 1, -1, -1):
        if task.rounds[place].kind == kind:
            return place, task.rounds[place]
    return None


def issued_ticket(task: TaskView) -> tuple[TicketStatement, tuple[int, ...], tuple[bytes, ...]]:
    """The ticket of the round under way with its signers and their signatures; the task is past state TICKET."""
    round_ = task.rounds[-1]
    statement = TicketStatement(
        network=task.network,
        task=task.id,
        round=round_.kind,
        input_digest=task.input_digest,
        seats=tuple(TicketSeat(seat.node, seat.operator, seat.tee_kind, seat.key_epoch, seat.hpke_pk) for seat in round_.seats),
        issued_at=Millis(round_.issued_at),
    )
    return statement, round_.signers, round_.signatures
