"""States of a task, its outcomes, rounds, and how far a seat is: the codes of docs/spec/protocol.md §4, §5 and §6."""

from enum import IntEnum


class TaskState(IntEnum):
    """What a task waits for."""

    OPEN = 0
    RUNNING = 1
    COMMITTED = 2
    TICKET = 3
    HANDOFF = 4
    AUDITING = 5
    REVEALING = 6
    DISPUTED = 7
    DRAWN = 8
    DECIDED = 9
    SETTLED = 10
    EMPTY = 11
    PUBLISHING = 12
    RULING = 13


class Outcome(IntEnum):
    """How a task ended; UPHELD of a task under way: an audit or a dispute upheld it, and its delivery window runs."""

    NONE = 0
    ACCEPTED = 1
    UPHELD = 2
    GUILTY = 3
    REFUSED = 4
    ABSENT = 5
    INVALID_INPUT = 6
    EXPIRED = 7
    VOID = 8
    UNDECIDED = 9
    UNDELIVERED = 10
    REVOKED = 11
    FORGED = 12
    UNAVAILABLE = 13


class SlashReason(IntEnum):
    """Why a member of a panel lost stake; an executor's reason is the outcome."""

    AUDITOR_ABSENT = 20
    WITHHELD = 21
    WRONG = 22
    FALSE_HANDOFF = 23


class RoundKind(IntEnum):
    """What a round judges, and the how-manieth it is; the `round` of statements and events."""

    AUDIT = 1
    DISPUTE = 2
    SECOND_DISPUTE = 3
    DELIVERY = 4
    SECOND_DELIVERY = 5

    @property
    def judges_delivery(self) -> bool:
        """Whether its matter is the delivery; else it is the computation."""
        return self >= RoundKind.DELIVERY

    @property
    def is_second(self) -> bool:
        """Whether the committee rules after it."""
        return self in (RoundKind.SECOND_DISPUTE, RoundKind.SECOND_DELIVERY)


class Mark(IntEnum):
    """How far a seat is."""

    WAITING = 0
    COMMITTED = 1
    AGREES = 2
    DIFFERS = 3
    FALSE_HANDOFF = 4
    """It revealed, and handed off wraps that do not open."""

    @property
    def revealed(self) -> bool:
        """Whether the seat posted all that a round wants of it."""
        return self >= Mark.AGREES
