"""Calls of the module `attestation`."""

from dataclasses import dataclass

from agent.protocol.units import BlobId, Digest, Millis, ObjectId, Slot


@dataclass(frozen=True, slots=True)
class RequestChallenge:
    """`attestation::request_challenge`: the next key epoch. Draws."""

    operator_cap: ObjectId


@dataclass(frozen=True, slots=True)
class PostEvidence:
    """`attestation::post_evidence`."""

    operator_cap: ObjectId
    evidence_digest: BlobId
    uri: str


@dataclass(frozen=True, slots=True)
class Attest:
    """`attestation::attest`: carries the committee's verdict."""

    slot: Slot
    evidence_digest: BlobId
    tee_kind: int
    measurement: bytes
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis
    policy: Digest
    committee: int
    """The epoch of the committee that signed."""
    signers: tuple[int, ...]
    """Indices into that committee's verifiers, rising."""
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AttestNitro:
    """`attestation::attest_nitro` of a document that the chain itself verifies in the same transaction."""

    slot: Slot
    document: bytes
    """COSE_Sign1 as the Nitro Security Module gives it; at most 16,000 bytes."""
    evidence_digest: BlobId
    sign_pk: bytes
    not_after: Millis
    policy: Digest


@dataclass(frozen=True, slots=True)
class Revoke:
    """`attestation::revoke`: this key epoch and all before it count no longer."""

    slot: Slot
    key_epoch: int
    reason: int
    """`agent.protocol.statements.RevocationReason`."""
    committee: int
    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]
