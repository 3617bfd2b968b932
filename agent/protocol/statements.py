"""What enclaves and the committee sign: docs/spec/protocol.md §4.

`signing_bytes()` is the BCS with the scope in front.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b, sha256
from typing import ClassVar, Final

from agent.protocol.bcs import U8, U64, encode
from agent.protocol.tags import NATIVE
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId

BAD_WRAP: Final = Digest(b"\xff" * 32)
"""Vote on the computation: this wrap, or another of its round, is not the one that the data key gives; or it opens an
input that no honest executor could have run."""
EARLIER_WRAP: Final = Digest(b"\xfb" * 32)
"""Vote on the computation: the wraps of this round are good, but one that the executor handed off in an earlier round is
not the one that the data key gives."""
NO_INPUT: Final = Digest(b"\xfc" * 32)
"""Vote on the computation, the host's word: the sealed input is neither at the Task's nor at the round's URI."""
FORGED: Final = Digest(b"\xfe" * 32)
"""Vote on the delivery: the published output is not what the executor committed to."""
BAD_KEY: Final = Digest(b"\xfd" * 32)
"""Vote on the delivery: the requester's wrap, or another of his, is not the one that the secret of `output_pk` gives."""
SPECIAL_ROOTS: Final = (BAD_WRAP, EARLIER_WRAP, NO_INPUT, FORGED, BAD_KEY)
NO_SALT: Final = bytes(32)
"""The executor's salt beside a special root, whose voter has none."""


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


class RevocationReason(IntEnum):
    """Why a node's keys are trusted no longer."""

    HARDWARE = 1
    CODE = 2
    KEYS = 3
    POLICY = 4
    OTHER = 5


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
    """The input cannot be run, given these facts of its task."""

    SCOPE: ClassVar[int] = 2
    network: Address
    task: TaskId
    node: NodeId
    key_epoch: U64
    input_digest: BlobId
    facts: Digest
    """`InputFacts.digest()`: an enclave cannot see the chain, and a host that lies to it gets a refusal of other facts."""
    reason: InvalidReason


@dataclass(frozen=True, slots=True)
class InputFacts:
    """What the chain says of a sealed input, beside its digest."""

    key_commitment: Digest
    output_pk: bytes
    tee_mask: U64
    denied: tuple[Address, ...]
    opened_at: Millis

    def digest(self) -> Digest:
        """BLAKE2b-256 of the BCS."""
        return Digest(blake2b(encode(self), digest_size=32).digest())


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
    operator: Address
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


@dataclass(frozen=True, slots=True)
class RevocationStatement(Statement):
    """The committee revokes a node's key epoch, and all before it."""

    SCOPE: ClassVar[int] = 7
    network: Address
    pool: Address
    node: NodeId
    key_epoch: U64
    reason: RevocationReason


@dataclass(frozen=True, slots=True)
class RulingStatement(Statement):
    """The committee rules, of last resort, on the matter that two rounds could not decide."""

    SCOPE: ClassVar[int] = 8
    network: Address
    task: TaskId
    round: U8
    root: Digest
    agrees: bool


@dataclass(frozen=True, slots=True)
class _NativeBinding:
    network: Address
    pool: Address
    node: NodeId
    key_epoch: U64
    challenge: bytes
    hpke_pk: bytes
    sign_pk: bytes
    manifest: Digest
    verifiers: tuple[bytes, ...]
    threshold: U64
    not_after: Millis


def native_digest(
    network: Address,
    pool: Address,
    node: NodeId,
    key_epoch: int,
    challenge: bytes,
    hpke_pk: bytes,
    sign_pk: bytes,
    manifest: Digest,
    verifiers: tuple[bytes, ...],
    threshold: int,
    not_after: Millis,
) -> bytes:
    """SHA-256 of a binding in the form that Move recomputes: the last 32 bytes of a Nitro document's user_data (§4.1)."""
    binding = _NativeBinding(
        network, pool, node, key_epoch, challenge, hpke_pk, sign_pk, manifest, verifiers, threshold, not_after
    )
    return sha256(NATIVE + encode(binding)).digest()
