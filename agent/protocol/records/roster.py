"""The Roster and its queue: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.records.record import Record
from agent.protocol.units import Address, Millis, Mist, ObjectId, Slot


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
