"""States of a task, its outcomes, and how far a seat is: the codes of docs/spec/protocol.md §5 and §6."""

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


class Outcome(IntEnum):
    """How a task ended."""

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


class Mark(IntEnum):
    """How far a seat is."""

    WAITING = 0
    COMMITTED = 1
    AGREES = 2
    DIFFERS = 3
