"""What history keeps: events, results, executed transactions, checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass

from localnet.ledger.model.effects import GasSummary, TransactionEffects
from localnet.ledger.model.ids import Address, CheckpointDigest, EffectsDigest, Millis, ObjectId, TransactionDigest
from localnet.ledger.model.objects import Object, Package
from localnet.ledger.model.transactions import Argument, SystemTransaction, Transaction
from localnet.movevm.types import Struct, Type


@dataclass(frozen=True, slots=True)
class Event:
    """What `event::emit` recorded."""

    transaction: TransactionDigest
    sequence: int
    """Place among the transaction's events."""
    package: ObjectId
    """Of the function that the command called, not necessarily of the emitting one."""
    module: str
    sender: Address
    type: Struct
    contents: bytes
    """BCS."""


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A Move value."""

    type: Type
    bcs: bytes


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What one command gave back."""

    returned: tuple[TypedValue, ...] = ()
    """As they were when the command ended; references are read."""
    mutated: tuple[tuple[Argument, TypedValue], ...] = ()
    """Arguments passed by `&mut`, afterwards."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in history a transaction stands."""

    checkpoint: int
    index: int
    """Place among the checkpoint's transactions."""
    timestamp: Millis


@dataclass(frozen=True, slots=True)
class ExecutedTransaction:
    """All there is to know of a transaction that ran, for good or in simulation."""

    transaction: Transaction | SystemTransaction
    effects: TransactionEffects
    events: tuple[Event, ...]
    results: tuple[CommandResult, ...]
    """One per command; empty if the transaction failed. `mutated` is filled in by `simulate` only."""
    before: Mapping[ObjectId, Object | Package]
    """Every object that was read or overwritten, as it was."""
    after: Mapping[ObjectId, Object | Package]
    """Every object that was written, as it is now."""
    placement: Placement | None
    """None in simulation."""

    @property
    def digest(self) -> TransactionDigest:
        """The digest that the caller gave."""
        return self.effects.transaction


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One commit: a clock step, and at most one transaction of a user after it, before which randomness may be renewed."""

    sequence: int
    epoch: int
    timestamp: Millis
    transactions: tuple[TransactionDigest, ...]
    effects: tuple[EffectsDigest, ...]
    total_transactions: int
    """In the network, up to and with this checkpoint."""
    gas: GasSummary
    """Since the start of the epoch."""
    previous: CheckpointDigest | None
    digest: CheckpointDigest


@dataclass(frozen=True, slots=True, order=True)
class EventCursor:
    """Where an event stands; cursors sort in chain order."""

    checkpoint: int
    transaction: int
    """Place of the transaction in its checkpoint."""
    event: int
    """Place of the event in its transaction."""


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event and its place."""

    cursor: EventCursor
    event: Event
    timestamp: Millis


@dataclass(frozen=True, slots=True)
class DynamicField:
    """A child of an object: the Field wrapper, and for a dynamic *object* field what it points at."""

    field: Object
    name: TypedValue
    value: Object | None
    """The child object of a dynamic object field; None for a plain field."""
