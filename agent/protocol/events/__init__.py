"""Events of the contracts, decoded from their BCS: docs/spec/protocol.md §8. One file for each Move module."""

from typing import Final

from agent.protocol.bcs import decode
from agent.protocol.events.attestation import (
    Attested,
    ChallengeIssued,
    EvidencePosted,
    Revoked,
)
from agent.protocol.events.audit import (
    AuditCommitted,
    Disputed,
    DisputeDrawn,
    FalseHandoff,
    HandedOff,
    PanelEmpty,
    Redrawn,
    Revealed,
    RevealsOpen,
    RoundBegun,
    Ruled,
    RulingAwaited,
    TicketIssued,
    Upheld,
)
from agent.protocol.events.delivery import (
    ChunkPublished,
    DeliveryClaimed,
    DeliveryDisputed,
    OutputPublished,
)
from agent.protocol.events.event import (
    Event,
    UnknownEvent,
)
from agent.protocol.events.member import (
    Deposited,
    FeesClaimed,
    Leaving,
    NodeRegistered,
    Replaced,
    Retired,
    Unbonding,
    Unjailed,
    WeightQueued,
    Withdrawn,
)
from agent.protocol.events.network import (
    CommitteeChanged,
    CommitteeProposed,
    Migrated,
    NetworkCreated,
    ParamsChanged,
    ParamsProposed,
    PauseSet,
    PolicyAdded,
    PolicySunset,
    ProposalsCancelled,
    Stalled,
)
from agent.protocol.events.pool import (
    AuditsFunded,
    Jailed,
    Paid,
    PoolCreated,
    PricesChanged,
    PricesProposed,
    Slashed,
    TreasuryWithdrawn,
    WithdrawalProposed,
)
from agent.protocol.events.request import (
    RequestCancelled,
    RequestCreated,
)
from agent.protocol.events.roster import (
    PeriodRolled,
)
from agent.protocol.events.settlement import (
    BountyPaid,
    Settled,
)
from agent.protocol.events.task import (
    Challenged,
    Committed,
    Decided,
    ExecutorRejected,
    InputPosted,
    Reaped,
    TaskOpened,
)

__all__ = [
    "KINDS",
    "Attested",
    "AuditCommitted",
    "AuditsFunded",
    "BountyPaid",
    "ChallengeIssued",
    "Challenged",
    "ChunkPublished",
    "Committed",
    "CommitteeChanged",
    "CommitteeProposed",
    "Decided",
    "DeliveryClaimed",
    "DeliveryDisputed",
    "Deposited",
    "DisputeDrawn",
    "Disputed",
    "Event",
    "EvidencePosted",
    "ExecutorRejected",
    "FalseHandoff",
    "FeesClaimed",
    "HandedOff",
    "InputPosted",
    "Jailed",
    "Leaving",
    "Migrated",
    "NetworkCreated",
    "NodeRegistered",
    "OutputPublished",
    "Paid",
    "PanelEmpty",
    "ParamsChanged",
    "ParamsProposed",
    "PauseSet",
    "PeriodRolled",
    "PolicyAdded",
    "PolicySunset",
    "PoolCreated",
    "PricesChanged",
    "PricesProposed",
    "ProposalsCancelled",
    "Reaped",
    "Redrawn",
    "Replaced",
    "RequestCancelled",
    "RequestCreated",
    "Retired",
    "Revealed",
    "RevealsOpen",
    "Revoked",
    "RoundBegun",
    "Ruled",
    "RulingAwaited",
    "Settled",
    "Slashed",
    "Stalled",
    "TaskOpened",
    "TicketIssued",
    "TreasuryWithdrawn",
    "Unbonding",
    "Unjailed",
    "UnknownEvent",
    "Upheld",
    "WeightQueued",
    "WithdrawalProposed",
    "Withdrawn",
    "decode_event",
]

KINDS: Final[dict[tuple[str, str], type[Event]]] = {
    (kind.__module__.rpartition(".")[2], name): kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Event) and kind not in (Event, UnknownEvent)
}
"""By Move module and struct name."""


def decode_event(module: str, name: str, contents: bytes) -> Event:
    """The event `module::name` with `contents`; an `UnknownEvent` if this agent does not know it.

    Raises:
        BcsError: it is known, and these are not its contents.
    """
    kind = KINDS.get((module, name))
    return UnknownEvent(module, name, contents) if kind is None else decode(kind, contents)
