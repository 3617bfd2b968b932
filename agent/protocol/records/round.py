"""Rounds and their seats: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.records.record import Record
from agent.protocol.statements import TeeKind
from agent.protocol.states import Mark, RoundKind
from agent.protocol.units import NONE, Address, Digest, Millis, Mist, NodeId, Slot


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
    """An audit, or a dispute of the computation or of the delivery."""

    kind: RoundKind
    seed: bytes
    drawn_at: Millis
    slots: tuple[Slot, ...]
    """As drawn; in a dispute one may be there several times."""
    seats: tuple[Seat, ...]
    """Those of them who serve."""
    issued_at: Millis
    committee: U64
    """The epoch of the committee that signed the ticket."""
    signers: tuple[U64, ...]
    signatures: tuple[bytes, ...]
    handed_by: Slot
    """Who handed off; NONE: nobody, or the requester."""
    uri: bytes
    """Where the sealed input lies too, says who handed off."""
    committed: U64
    revealed: U64
    cranker: Address
    """Who ended a window that somebody missed; 0x0: nobody."""

    def seat_of(self, node: NodeId) -> int | None:
        """The index of `node`'s seat."""
        return next((index for index, seat in enumerate(self.seats) if seat.node == node), None)

    @property
    def handed(self) -> bool:
        """Whether the wraps were handed over."""
        return bool(self.seats) and bool(self.seats[0].wrap)

    @property
    def drawn(self) -> int:
        """All seats of a dispute: whoever was drawn, whether or not it could be seated."""
        return sum(slot != NONE for slot in self.slots)
