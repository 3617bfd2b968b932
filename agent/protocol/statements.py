"""What enclaves and the committee sign: docs/spec/protocol.md §4.

`signing_bytes()` is the BCS with the scope in front.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from agent.protocol.bcs import U8, U64, encode
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId


class TeeKind(IntEnum):
    """Kinds of TEE; a `tee_mask` has bit `1 << kind`."""

    SIMULATED = 0
    NITRO = 1
    TDX = 2
    SEV_SNP = 3


class InvalidReason(IntEnum):
    """Why an input cannot be run."""

    DIGEST = 1
    KEY_COMMITMENT = 2
    SEAL = 3
    HEADER = 4
    TOO_LARGE = 5
    UNAVAILABLE = 6


class Statement:
    """Base of what is signed."""

    __slots__ = ()
    SCOPE: ClassVar[int]

    def signing_bytes(self) -> bytes:
        """The bytes under the Ed25519 signature."""
        return bytes([self.SCOPE]) + encode(self)


@dataclass(frozen=True, slots=True)
class CommitStatement(Statement):
    """An executor's commitment; also the requester's receipt."""

    SCOPE: ClassVar[int] = 1
    network: Address
    task: TaskId
    node: NodeId
    key_epoch: U64
    input_digest: BlobId
    commitment: Digest
    sealed_output_digest: BlobId
    units: U64


@dataclass(frozen=True, slots=True)
class InvalidInputStatement(Statement):
    """The input cannot be run."""

    SCOPE: ClassVar[int] = 2
    network: Address
    task: TaskId
    node: NodeId
    key_epoch: U64
    input_digest: BlobId
    reason: InvalidReason


@dataclass(frozen=True, slots=True)
class HandoffStatement(Statement):
    """The data key, wrapped for each seat: 80 bytes a seat, in seat order."""

    SCOPE: ClassVar[int] = 3
    network: Address
    task: TaskId
    node: NodeId
    key_epoch: U64
    round: U8
    wraps: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AuditStatement(Statement):
    """A panel member's blinded commitment."""

    SCOPE: ClassVar[int] = 4
    network: Address
    task: TaskId
    node: NodeId
    key_epoch: U64
    round: U8
    input_digest: BlobId
    commitment: Digest


@dataclass(frozen=True, slots=True)
class VerdictStatement(Statement):
    """The committee accepts a node's evidence."""

    SCOPE: ClassVar[int] = 5
    network: Address
    pool: Address
    node: NodeId
    key_epoch: U64
    challenge: bytes
    evidence_digest: BlobId
    tee_kind: TeeKind
    measurement: bytes
    manifest: Digest
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis
    policy: Digest


@dataclass(frozen=True, slots=True)
class TicketSeat:
    """One recipient of a task's data key."""

    node: NodeId
    tee_kind: TeeKind
    key_epoch: U64
    hpke_pk: bytes


@dataclass(frozen=True, slots=True)
class TicketStatement(Statement):
    """The committee confirms who was drawn."""

    SCOPE: ClassVar[int] = 6
    network: Address
    task: TaskId
    round: U8
    input_digest: BlobId
    seats: tuple[TicketSeat, ...]
    issued_at: Millis
