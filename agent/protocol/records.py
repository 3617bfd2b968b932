"""Objects on chain, decoded from their BCS: docs/spec/protocol.md §5. A view is what was read; it does not change."""

from dataclasses import dataclass, fields
from typing import Self

from agent.protocol.bcs import U8, U64, U128, decode, encode
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId


class Record:
    """Base of everything decoded from an object's contents."""

    __slots__ = ()

    @classmethod
    def decode(cls, contents: bytes) -> Self:
        """Read an object's BCS.

        Raises:
            BcsError: it is not such an object of this version.
        """
        return decode(cls, contents)

    def encode(self) -> bytes:
        """The BCS again; for tests and twins."""
        return encode(self)


@dataclass(frozen=True, slots=True)
class Params(Record):
    """Parameters of a Network; a Task keeps its own copy."""

    min_stake: Mist
    executor_lock: Mist
    auditor_lock: Mist
    auditors: U64
    dispute_seats: U64
    audit_probability: U128
    """Q64: 2^64 is one."""
    input_ms: Millis
    commit_ms: Millis
    delivery_ms: Millis
    ticket_ms: Millis
    handoff_ms: Millis
    audit_ms: Millis
    reveal_ms: Millis
    grace_ms: Millis
    period_ms: Millis
    unbonding_ms: Millis
    challenge_ms: Millis
    heartbeat_ms: Millis
    absence_bps: U64
    undecided_bps: U64
    victim_bps: U64
    panel_bps: U64
    treasury_bps: U64

    def in_order(self) -> tuple[int, ...]:
        """The arguments of `params::new`."""
        return tuple(getattr(self, each.name) for each in fields(self))

    def span(self) -> Millis:
        """The longest a task can take from `assign` to its verdict."""
        rounds = self.ticket_ms + self.handoff_ms + self.audit_ms + self.reveal_ms
        return Millis(self.input_ms + self.commit_ms + self.delivery_ms + 2 * rounds + 12 * self.grace_ms)


@dataclass(frozen=True, slots=True)
class NetworkView(Record):
    """The Network."""

    id: ObjectId
    version: U64
    allow_simulated: bool
    paused: bool
    params: Params
    policy: Digest
    verifiers: tuple[bytes, ...]
    threshold: U64
    stall_ms: Millis
    heartbeat_at: Millis

    def protocol_time(self, clock: Millis) -> Millis:
        """Deadlines are compared with this: the chain's clock less the time it stood still."""
        return Millis(clock - self.stall_ms)


@dataclass(frozen=True, slots=True)
class RosterView(Record):
    """The Roster; `period` 0: not launched yet."""

    id: ObjectId
    version: U64
    network: Address
    pool: Address
    depth: U8
    period: U64
    period_ends: Millis
    positive: U64
    total: Mist
    fen: tuple[U64, ...]


@dataclass(frozen=True, slots=True)
class Change(Record):
    """A weight that waits for the period's end."""

    slot: Slot
    weight: Mist


@dataclass(frozen=True, slots=True)
class QueueView(Record):
    """The RosterQueue."""

    id: ObjectId
    version: U64
    roster: Address
    changes: tuple[Change, ...]


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


@dataclass(frozen=True, slots=True)
class Seat(Record):
    """A member in a task, as it was when it was seated."""

    slot: Slot
    node: NodeId
    operator: Address
    tee_kind: TeeKind
    key_epoch: U64
    hpke_pk: bytes
    sign_pk: bytes
    votes: U64
    lock: Mist
    wrap: bytes
    commitment: Digest
    root: Digest
    mark: Mark


@dataclass(frozen=True, slots=True)
class Round(Record):
    """An audit (`kind` 1) or a dispute (2, 3)."""

    kind: U8
    slots: tuple[Slot, ...]
    seats: tuple[Seat, ...]
    issued_at: Millis
    signers: tuple[U64, ...]
    signatures: tuple[bytes, ...]
    committed: U64
    revealed: U64

    def seat_of(self, node: NodeId) -> int | None:
        """The index of `node`'s seat."""
        return next((index for index, seat in enumerate(self.seats) if seat.node == node), None)

    @property
    def handed(self) -> bool:
        """Whether the wraps were handed over."""
        return bool(self.seats) and bool(self.seats[0].wrap)


@dataclass(frozen=True, slots=True)
class TaskView(Record):
    """A Task."""

    id: TaskId
    version: U64
    network: Address
    pool: Address
    roster: Address
    requester: Address
    manifest: Digest
    params: Params
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    escrow: Mist
    state: TaskState
    outcome: Outcome
    opened_at: Millis
    deadline: Millis
    candidates: tuple[Slot, ...]
    candidate: U64
    executor: Seat
    input_uri: bytes
    input_digest: BlobId
    key_commitment: Digest
    output_pk: bytes
    tee_mask: U64
    commitment: Digest
    sealed_output_digest: BlobId
    units: U64
    signature: bytes
    """The executor's, of the CommitStatement; empty before."""
    seed: bytes
    panel: tuple[Slot, ...]
    audited: bool
    rounds: tuple[Round, ...]
    verdict_root: Digest

    @property
    def round(self) -> int:
        """The number of the round under way, or of the last: 0 none, 1 audit, 2 and 3 disputes."""
        return len(self.rounds)

    @property
    def current(self) -> Round | None:
        """The round under way, or the last."""
        return self.rounds[-1] if self.rounds else None
