"""Draw tickets: what the committee signs of a round, read back from the Task (docs/spec/protocol.md §4, scope 6)."""

from agent.protocol.records import Round, TaskView
from agent.protocol.statements import TicketSeat, TicketStatement
from agent.protocol.units import Millis


def round_of(task: TaskView, number: int) -> Round | None:
    """Round `number` of `task`: 1 the audit, 2 and 3 the disputes; None if there was none."""
    return task.rounds[number - 1] if 1 <= number <= len(task.rounds) else None


def issued_ticket(task: TaskView) -> tuple[TicketStatement, tuple[int, ...], tuple[bytes, ...]]:
    """The ticket of the round under way with its signers and their signatures; the task is past state TICKET."""
    round_ = task.rounds[-1]
    statement = TicketStatement(
        network=task.network,
        task=task.id,
        round=round_.kind,
        input_digest=task.input_digest,
        seats=tuple(TicketSeat(node=seat.node, tee_kind=seat.tee_kind, key_epoch=seat.key_epoch, hpke_pk=seat.hpke_pk) for seat in round_.seats),
        issued_at=Millis(round_.issued_at),
    )
    return statement, round_.signers, round_.signatures
