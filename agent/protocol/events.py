"""Events of the contracts: docs/spec/protocol.md §8, decoded from their BCS."""

from dataclasses import dataclass
from typing import Final

from agent.protocol.bcs import U8, U64, decode
from agent.protocol.lifecycle import Outcome
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId


class Event:
    """Base of all events."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a newer package; not an error, and nothing to act on."""

    module: str
    name: str
    contents: bytes


@dataclass(frozen=True, slots=True)
class NetworkCreated(Event):
    """network::NetworkCreated."""

    network: Address
    admin_cap: ObjectId
    allow_simulated: bool


@dataclass(frozen=True, slots=True)
class Stalled(Event):
    """network::Stalled."""

    network: Address
    added_ms: Millis
    stall_ms: Millis


@dataclass(frozen=True, slots=True)
class PeriodRolled(Event):
    """roster::PeriodRolled."""

    roster: ObjectId
    pool: Address
    period: U64
    applied: U64
    positive: U64
    total: Mist


@dataclass(frozen=True, slots=True)
class PoolCreated(Event):
    """pool::PoolCreated."""

    pool: Address
    network: Address
    roster: ObjectId
    queue: ObjectId
    manifest: bytes


@dataclass(frozen=True, slots=True)
class NodeRegistered(Event):
    """pool::NodeRegistered."""

    pool: Address
    node: NodeId
    slot: Slot
    operator: Address
    stake: Mist


@dataclass(frozen=True, slots=True)
class ChallengeIssued(Event):
    """pool::ChallengeIssued."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    challenge: bytes
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class EvidencePosted(Event):
    """pool::EvidencePosted."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    evidence_digest: BlobId
    uri: bytes


@dataclass(frozen=True, slots=True)
class Attested(Event):
    """pool::Attested."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    tee_kind: TeeKind
    evidence_digest: BlobId
    not_after: Millis


@dataclass(frozen=True, slots=True)
class WeightQueued(Event):
    """pool::WeightQueued."""

    pool: Address
    node: NodeId
    slot: Slot
    weight: Mist


@dataclass(frozen=True, slots=True)
class Slashed(Event):
    """pool::Slashed."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    reason: U8


@dataclass(frozen=True, slots=True)
class Paid(Event):
    """pool::Paid."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    owed: Mist


@dataclass(frozen=True, slots=True)
class Left(Event):
    """pool::Left."""

    pool: Address
    node: NodeId
    slot: Slot


@dataclass(frozen=True, slots=True)
class TaskOpened(Event):
    """task::TaskOpened."""

    task: TaskId
    network: Address
    pool: Address
    requester: Address
    candidates: tuple[Slot, ...]
    escrow: Mist
    deadline: Millis


@dataclass(frozen=True, slots=True)
class ExecutorRejected(Event):
    """task::ExecutorRejected."""

    task: TaskId
    pool: Address
    slot: Slot


@dataclass(frozen=True, slots=True)
class InputPosted(Event):
    """task::InputPosted."""

    task: TaskId
    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    input_digest: BlobId
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Committed(Event):
    """task::Committed."""

    task: TaskId
    pool: Address
    node: NodeId
    commitment: Digest
    sealed_output_digest: BlobId
    seed: bytes
    panel: tuple[Slot, ...]
    audited: bool
    deadline: Millis


@dataclass(frozen=True, slots=True)
class RoundBegun(Event):
    """task::RoundBegun."""

    task: TaskId
    pool: Address
    round: U8
    nodes: tuple[NodeId, ...]
    deadline: Millis


@dataclass(frozen=True, slots=True)
class TicketIssued(Event):
    """task::TicketIssued."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class HandedOff(Event):
    """task::HandedOff."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class AuditCommitted(Event):
    """task::AuditCommitted."""

    task: TaskId
    pool: Address
    node: NodeId
    round: U8
    seat: U64


@dataclass(frozen=True, slots=True)
class RevealsOpen(Event):
    """task::RevealsOpen."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Revealed(Event):
    """task::Revealed."""

    task: TaskId
    pool: Address
    node: NodeId
    round: U8
    seat: U64
    agrees: bool


@dataclass(frozen=True, slots=True)
class Disputed(Event):
    """task::Disputed."""

    task: TaskId
    pool: Address


@dataclass(frozen=True, slots=True)
class DisputeDrawn(Event):
    """task::DisputeDrawn."""

    task: TaskId
    pool: Address
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """task::Decided."""

    task: TaskId
    pool: Address
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """task::Settled."""

    task: TaskId
    pool: Address
    requester: Address
    node: NodeId
    outcome: Outcome
    paid: Mist
    refunded: Mist
    slashed: Mist


@dataclass(frozen=True, slots=True)
class Reaped(Event):
    """task::Reaped."""

    task: TaskId


KINDS: Final[dict[tuple[str, str], type[Event]]] = {
    ("network", "NetworkCreated"): NetworkCreated,
    ("network", "Stalled"): Stalled,
    ("roster", "PeriodRolled"): PeriodRolled,
    ("pool", "PoolCreated"): PoolCreated,
    ("pool", "NodeRegistered"): NodeRegistered,
    ("pool", "ChallengeIssued"): ChallengeIssued,
    ("pool", "EvidencePosted"): EvidencePosted,
    ("pool", "Attested"): Attested,
    ("pool", "WeightQueued"): WeightQueued,
    ("pool", "Slashed"): Slashed,
    ("pool", "Paid"): Paid,
    ("pool", "Left"): Left,
    ("task", "TaskOpened"): TaskOpened,
    ("task", "ExecutorRejected"): ExecutorRejected,
    ("task", "InputPosted"): InputPosted,
    ("task", "Committed"): Committed,
    ("task", "RoundBegun"): RoundBegun,
    ("task", "TicketIssued"): TicketIssued,
    ("task", "HandedOff"): HandedOff,
    ("task", "AuditCommitted"): AuditCommitted,
    ("task", "RevealsOpen"): RevealsOpen,
    ("task", "Revealed"): Revealed,
    ("task", "Disputed"): Disputed,
    ("task", "DisputeDrawn"): DisputeDrawn,
    ("task", "Decided"): Decided,
    ("task", "Settled"): Settled,
    ("task", "Reaped"): Reaped,
}


def decode_event(module: str, name: str, contents: bytes) -> Event:
    """The event `module::name` with `contents`; an `UnknownEvent` if this agent does not know it.

    Raises:
        BcsError: it is known, and these are not its contents.
    """
    kind = KINDS.get((module, name))
    return UnknownEvent(module, name, contents) if kind is None else decode(kind, contents)
