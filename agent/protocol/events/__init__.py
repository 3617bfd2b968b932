"""Events of the contracts, decoded from their BCS: docs/spec/protocol.md §8. One file for each Move module."""

from typing import Final

from agent.protocol.bcs import decode
from agent.protocol.events.event import Event, UnknownEvent
from agent.protocol.events.network import (
    NetworkCreated,
    Stalled,
)
from agent.protocol.events.pool import (
    Attested,
    ChallengeIssued,
    EvidencePosted,
    Left,
    NodeRegistered,
    Paid,
    PoolCreated,
    Slashed,
    WeightQueued,
)
from agent.protocol.events.roster import (
    PeriodRolled,
)
from agent.protocol.events.task import (
    AuditCommitted,
    Committed,
    Decided,
    Disputed,
    DisputeDrawn,
    ExecutorRejected,
    HandedOff,
    InputPosted,
    Reaped,
    Revealed,
    RevealsOpen,
    RoundBegun,
    Settled,
    TaskOpened,
    TicketIssued,
)

__all__ = [
    "KINDS",
    "Attested",
    "AuditCommitted",
    "ChallengeIssued",
    "Committed",
    "Decided",
    "DisputeDrawn",
    "Disputed",
    "Event",
    "EvidencePosted",
    "ExecutorRejected",
    "HandedOff",
    "InputPosted",
    "Left",
    "NetworkCreated",
    "NodeRegistered",
    "Paid",
    "PeriodRolled",
    "PoolCreated",
    "Reaped",
    "Revealed",
    "RevealsOpen",
    "RoundBegun",
    "Settled",
    "Slashed",
    "Stalled",
    "TaskOpened",
    "TicketIssued",
    "UnknownEvent",
    "WeightQueued",
    "decode_event",
]

_MODULES: Final[dict[str, tuple[type[Event], ...]]] = {
    "network": (
        NetworkCreated,
        Stalled,
    ),
    "roster": (PeriodRolled,),
    "pool": (
        PoolCreated,
        NodeRegistered,
        ChallengeIssued,
        EvidencePosted,
        Attested,
        WeightQueued,
        Slashed,
        Paid,
        Left,
    ),
    "task": (
        TaskOpened,
        ExecutorRejected,
        InputPosted,
        Committed,
        RoundBegun,
        TicketIssued,
        HandedOff,
        AuditCommitted,
        RevealsOpen,
        Revealed,
        Disputed,
        DisputeDrawn,
        Decided,
        Settled,
        Reaped,
    ),
}

KINDS: Final[dict[tuple[str, str], type[Event]]] = {
    (module, kind.__name__): kind for module, kinds in _MODULES.items() for kind in kinds
}
"""By Move module and struct name."""


def decode_event(module: str, name: str, contents: bytes) -> Event:
    """The event `module::name` with `contents`; an `UnknownEvent` if this agent does not know it.

    Raises:
        BcsError: it is known, and these are not its contents.
    """
    kind = KINDS.get((module, name))
    return UnknownEvent(module, name, contents) if kind is None else decode(kind, contents)
