"""Events of the module `pool`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.events.event import Event
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Millis, Mist, NodeId, ObjectId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class PoolCreated(Event):
    """A Pool was shared, with its Roster and queue."""

    pool: Address
    network: Address
    roster: ObjectId
    queue: ObjectId
    manifest: bytes


@dataclass(frozen=True, slots=True)
class NodeRegistered(Event):
    """A node staked; it cannot be drawn yet."""

    pool: Address
    node: NodeId
    slot: Slot
    operator: Address
    stake: Mist


@dataclass(frozen=True, slots=True)
class ChallengeIssued(Event):
    """A key epoch was opened; evidence has to contain the challenge."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    challenge: bytes
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class EvidencePosted(Event):
    """A node says where its evidence lies: for the committee to check."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    evidence_digest: BlobId
    uri: bytes


@dataclass(frozen=True, slots=True)
class Attested(Event):
    """The committee's verdict on a node's evidence was recorded."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    tee_kind: TeeKind
    evidence_digest: BlobId
    not_after: Millis


@dataclass(frozen=True, slots=True)
class WeightQueued(Event):
    """From the next period on a node weighs `weight`."""

    pool: Address
    node: NodeId
    slot: Slot
    weight: Mist


@dataclass(frozen=True, slots=True)
class Slashed(Event):
    """A node lost stake; `reason` is the outcome, or 20 auditor absent, 21 withheld, 22 wrong."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    reason: U8


@dataclass(frozen=True, slots=True)
class Paid(Event):
    """A node earned `amount`; `owed` is what the audit fund lacked."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    owed: Mist


@dataclass(frozen=True, slots=True)
class Left(Event):
    """A node took its stake back."""

    pool: Address
    node: NodeId
    slot: Slot
