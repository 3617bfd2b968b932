"""What a transaction did."""

from dataclasses import dataclass, field
from enum import Enum

from localnet.ledger.model.ids import EffectsDigest, EventsDigest, Mist, ObjectDigest, ObjectId, TransactionDigest, Version
from localnet.ledger.model.objects import Owner
from localnet.ledger.model.status import Failure


class Operation(Enum):
    """What became of an id; the value is the BCS variant of Sui's IDOperation."""

    NONE = 0
    CREATED = 1
    DELETED = 2


@dataclass(frozen=True, slots=True)
class ObjectState:
    """One side of a change."""

    version: Version
    digest: ObjectDigest
    owner: Owner


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What a transaction did to one object.

    before → after: absent → present with CREATED is created, with NONE is unwrapped; present → absent with DELETED is
    deleted, with NONE is wrapped; absent → absent is unwrapped and deleted at once. What is created and wrapped at once
    leaves no trace.
    """

    id: ObjectId
    before: ObjectState | None
    after: ObjectState | None
    operation: Operation
    package: bool = False


@dataclass(frozen=True, slots=True)
class ReadOnlyShared:
    """A shared object that the transaction could only read."""

    id: ObjectId
    version: Version
    digest: ObjectDigest


@dataclass(frozen=True, slots=True)
class GasSummary:
    """What a transaction cost. Net cost: computation + storage - rebate; may be negative."""

    computation: Mist
    storage: Mist
    """Paid in for all objects written."""
    rebate: Mist
    """99 % of what had been paid in for all objects overwritten or deleted."""
    non_refundable: Mist
    """The other 1 %."""

    @property
    def net(self) -> int:
        """Mist that the gas coin loses; negative if it gains."""
        return self.computation + self.storage - self.rebate


@dataclass(frozen=True, slots=True)
class TransactionEffects:
    """What a transaction did."""

    transaction: TransactionDigest
    status: Failure | None
    """None is success."""
    epoch: int
    gas: GasSummary
    lamport_version: Version
    """Version of all that was written."""
    changes: tuple[ObjectChange, ...]
    """Sorted by id."""
    gas_object: ObjectId | None
    """The coin that paid; None in system transactions."""
    dependencies: tuple[TransactionDigest, ...]
    """Transactions that wrote what this one read; sorted."""
    read_only_shared: tuple[ReadOnlyShared, ...]
    events_digest: EventsDigest | None
    digest: EffectsDigest = field(compare=False)
    """blake2b-256 of "TransactionEffects::" and the BCS that `encoding.encode_effects` gives."""

    @property
    def succeeded(self) -> bool:
        """Whether everything happened."""
        return self.status is None

    def created(self) -> tuple[ObjectChange, ...]:
        """New objects and packages."""
        return tuple(c for c in self.changes if c.operation is Operation.CREATED and c.after)

    def mutated(self) -> tuple[ObjectChange, ...]:
        """Objects that were and are, at a new version."""
        return tuple(c for c in self.changes if c.before and c.after)

    def deleted(self) -> tuple[ObjectChange, ...]:
        """Objects that are no more."""
        return tuple(c for c in self.changes if c.before and c.operation is Operation.DELETED)

    def wrapped(self) -> tuple[ObjectChange, ...]:
        """Objects that went into other objects."""
        return tuple(c for c in self.changes if c.before and not c.after and c.operation is Operation.NONE)

    def unwrapped(self) -> tuple[ObjectChange, ...]:
        """Objects that came out of other objects."""
        return tuple(c for c in self.changes if not c.before and c.after and c.operation is Operation.NONE)
