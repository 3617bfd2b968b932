"""The Task, its rounds and their seats: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.records.params import Params
from agent.protocol.records.record import Record
from agent.protocol.statements import TeeKind
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId


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
