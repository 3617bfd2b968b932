"""Events of the module `attestation`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.events.event import Event
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, Slot


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
    """A node's evidence was accepted: by the committee, or (`by_chain`) by Move itself. What was vouched for, and by whom."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    tee_kind: TeeKind
    policy: Digest
    evidence_digest: BlobId
    measurement: bytes
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis
    by_chain: bool
    committee: U64
    """Epoch of the committee."""
    signers: tuple[U64, ...]
    """Their places in it; empty where the chain itself checked."""


@dataclass(frozen=True, slots=True)
class Revoked(Event):
    """The committee revoked this key epoch of a node, and all before it; `reason` is a `RevocationReason`."""

    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    reason: U8
    committee: U64
    signers: tuple[U64, ...]
