"""The Pool, its members and their caps: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.records.record import Record
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot


@dataclass(frozen=True, slots=True)
class PoolView(Record):
    """The Pool, without its members."""

    id: ObjectId
    version: U64
    network: Address
    roster: Address
    queue: Address
    manifest: Digest
    tee_mask: U64
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    slots: U64
    next_slot: Slot
    fees_owed: Mist
    treasury: Mist
    audit_fund: Mist
    burnt: Mist


@dataclass(frozen=True, slots=True)
class Attestation(Record):
    """What the committee recorded of a node's evidence; `key_epoch` 0: nothing yet."""

    key_epoch: U64
    tee_kind: TeeKind
    evidence_digest: BlobId
    measurement: bytes
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis


@dataclass(frozen=True, slots=True)
class MemberView(Record):
    """A member of a Pool."""

    node: NodeId
    slot: Slot
    operator: Address
    stake: Mist
    locked: Mist
    fees: Mist
    fees_owed: Mist
    weight: Mist
    leaving_at: Millis
    """0: not leaving."""
    strikes: U64
    challenge: bytes
    challenge_expires: Millis
    key_epoch: U64
    attestation: Attestation


@dataclass(frozen=True, slots=True)
class OwnerCap(Record):
    """NodeOwnerCap or NodeOperatorCap."""

    id: ObjectId
    pool: Address
    node: NodeId
    slot: Slot
