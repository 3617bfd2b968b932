"""What the ledger keeps and answers: plain data, no behaviour.

Names and meaning are Sui's. Addresses, ids and digests are 32 bytes, amounts are Mist, times are milliseconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NewType, TypeAlias

from localnet.movevm.errors import Location
from localnet.movevm.types import Struct, Type

Address = NewType("Address", bytes)
"""An account; 32 bytes."""
ObjectId = NewType("ObjectId", bytes)
"""An object or package; 32 bytes."""
Version = NewType("Version", int)
"""Lamport version of an object (u64)."""
Mist = NewType("Mist", int)
"""10^-9 SUI (u64)."""
Millis = NewType("Millis", int)
"""Milliseconds since 1970."""
ObjectDigest = NewType("ObjectDigest", bytes)
TransactionDigest = NewType("TransactionDigest", bytes)
EffectsDigest = NewType("EffectsDigest", bytes)
EventsDigest = NewType("EventsDigest", bytes)
CheckpointDigest = NewType("CheckpointDigest", bytes)


# ---- owners, objects, packages


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """Only transactions of `address` may use the object."""

    address: Address


@dataclass(frozen=True, slots=True)
class ObjectOwner:
    """A dynamic field: owned by another object."""

    parent: ObjectId


@dataclass(frozen=True, slots=True)
class SharedOwner:
    """Anybody may use the object; `initial_version` is the one at which it was shared."""

    initial_version: Version


@dataclass(frozen=True, slots=True)
class ImmutableOwner:
    """Anybody may read the object, for ever."""


Owner: TypeAlias = AddressOwner | ObjectOwner | SharedOwner | ImmutableOwner
IMMUTABLE: Final = ImmutableOwner()


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One version of one object, as a transaction names it."""

    id: ObjectId
    version: Version
    digest: ObjectDigest


@dataclass(frozen=True, slots=True)
class Object:
    """One version of a Move object."""

    id: ObjectId
    version: Version
    type: Struct
    owner: Owner
    contents: bytes
    """BCS of the struct, of which the first 32 bytes are the id."""
    previous_transaction: TransactionDigest
    storage_rebate: Mist
    """What is given back (less 1 %) when the object is deleted."""
    has_public_transfer: bool
    """Whether the type has `store`, so that TransferObjects may move it."""
    digest: ObjectDigest

    @property
    def ref(self) -> ObjectRef:
        """The reference by which a transaction names this version."""
        return ObjectRef(self.id, self.version, self.digest)


@dataclass(frozen=True, slots=True)
class Package:
    """A published package; always immutable."""

    id: ObjectId
    version: Version
    modules: Mapping[str, bytes]
    """Bytecode by module name; in published form, that is, it names its own package by `id`."""
    linkage: Mapping[ObjectId, Version]
    """Packages that it needs."""
    previous_transaction: TransactionDigest
    storage_rebate: Mist
    digest: ObjectDigest

    @property
    def owner(self) -> ImmutableOwner:
        """Packages never change."""
        return IMMUTABLE

    @property
    def ref(self) -> ObjectRef:
        """The reference by which effects name it."""
        return ObjectRef(self.id, self.version, self.digest)


# ---- transactions


@dataclass(frozen=True, slots=True)
class PureInput:
    """BCS of a value without identity."""

    value: bytes


@dataclass(frozen=True, slots=True)
class OwnedInput:
    """An immutable object, or one owned by the sender, at exactly this version."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class SharedInput:
    """A shared object, at whichever version it has when the transaction runs."""

    id: ObjectId
    initial_version: Version
    mutable: bool


@dataclass(frozen=True, slots=True)
class ReceivingInput:
    """An object owned by the address of another object, to be taken by `transfer::receive`."""

    ref: ObjectRef


Input: TypeAlias = PureInput | OwnedInput | SharedInput | ReceivingInput


@dataclass(frozen=True, slots=True)
class GasCoin:
    """The coin that pays, after smashing."""


@dataclass(frozen=True, slots=True)
class InputArgument:
    """The `index`-th input."""

    index: int


@dataclass(frozen=True, slots=True)
class ResultArgument:
    """The only result of the `command`-th command."""

    command: int


@dataclass(frozen=True, slots=True)
class NestedResult:
    """The `result`-th result of the `command`-th command."""

    command: int
    result: int


Argument: TypeAlias = GasCoin | InputArgument | ResultArgument | NestedResult
GAS_COIN: Final = GasCoin()


@dataclass(frozen=True, slots=True)
class MoveCall:
    """Call an entry or public function; TxContext is appended by the ledger."""

    package: ObjectId
    module: str
    function: str
    type_arguments: tuple[Type, ...] = ()
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferObjects:
    """Give `objects` to the address in `recipient`."""

    objects: tuple[Argument, ...]
    recipient: Argument


@dataclass(frozen=True, slots=True)
class SplitCoins:
    """Split one coin off `coin` for each amount."""

    coin: Argument
    amounts: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class MergeCoins:
    """Merge `sources` into `destination`."""

    destination: Argument
    sources: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class MakeMoveVec:
    """A vector of `elements`; the type may be left out if there is at least one object among them."""

    element_type: Type | None
    elements: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a package; its result is the UpgradeCap."""

    modules: tuple[bytes, ...]
    dependencies: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Upgrade a package: refused, the localnet publishes anew instead."""

    modules: tuple[bytes, ...]
    dependencies: tuple[ObjectId, ...]
    package: ObjectId
    ticket: Argument


Command: TypeAlias = MoveCall | TransferObjects | SplitCoins | MergeCoins | MakeMoveVec | Publish | Upgrade


@dataclass(frozen=True, slots=True)
class Gas:
    """Who pays, and at most how much."""

    owner: Address
    payment: tuple[ObjectRef, ...]
    """Coins of SUI; all are smashed into the first. May be empty in `simulate` only."""
    price: Mist
    """Per unit of computation; at least the reference price."""
    budget: Mist


@dataclass(frozen=True, slots=True)
class Transaction:
    """A programmable transaction; its signatures are the RPC server's business."""

    sender: Address
    inputs: tuple[Input, ...]
    commands: tuple[Command, ...]
    gas: Gas
    expiration: int | None = None
    """Last epoch in which it may run; None for never expiring."""


class SystemKind(Enum):
    """Why the ledger itself changed state."""

    GENESIS = "genesis"
    CLOCK = "clock"
    """Sui's ConsensusCommitPrologue."""
    RANDOMNESS = "randomness"
    """Sui's RandomnessStateUpdate."""
    FAUCET = "faucet"
    """Minting, which no Sui network has; recorded so that history is complete."""


@dataclass(frozen=True, slots=True)
class SystemTransaction:
    """A step of the ledger itself; free of gas, sent by 0x0, never fails."""

    kind: SystemKind
    timestamp: Millis


# ---- effects


class FailureKind(Enum):
    """Sui's ExecutionFailureStatus, of which the value is the BCS variant."""

    INSUFFICIENT_GAS = 0
    INVALID_GAS_OBJECT = 1
    INVARIANT_VIOLATION = 2
    FEATURE_NOT_YET_SUPPORTED = 3
    MOVE_OBJECT_TOO_BIG = 4
    MOVE_PACKAGE_TOO_BIG = 5
    CIRCULAR_OBJECT_OWNERSHIP = 6
    INSUFFICIENT_COIN_BALANCE = 7
    COIN_BALANCE_OVERFLOW = 8
    PUBLISH_ERROR_NON_ZERO_ADDRESS = 9
    SUI_MOVE_VERIFICATION_ERROR = 10
    MOVE_PRIMITIVE_RUNTIME_ERROR = 11
    MOVE_ABORT = 12
    VM_VERIFICATION_OR_DESERIALIZATION_ERROR = 13
    VM_INVARIANT_VIOLATION = 14
    FUNCTION_NOT_FOUND = 15
    ARITY_MISMATCH = 16
    TYPE_ARITY_MISMATCH = 17
    NON_ENTRY_FUNCTION_INVOKED = 18
    COMMAND_ARGUMENT_ERROR = 19
    TYPE_ARGUMENT_ERROR = 20
    UNUSED_VALUE_WITHOUT_DROP = 21
    INVALID_PUBLIC_FUNCTION_RETURN_TYPE = 22
    INVALID_TRANSFER_OBJECT = 23
    EFFECTS_TOO_LARGE = 24
    PUBLISH_UPGRADE_MISSING_DEPENDENCY = 25
    PUBLISH_UPGRADE_DEPENDENCY_DOWNGRADE = 26
    PACKAGE_UPGRADE_ERROR = 27
    WRITTEN_OBJECTS_TOO_LARGE = 28
    SHARED_OBJECT_OPERATION_NOT_ALLOWED = 31


class ArgumentErrorKind(Enum):
    """Sui's CommandArgumentError, of which the value is the BCS variant."""

    TYPE_MISMATCH = 0
    INVALID_BCS_BYTES = 1
    INVALID_USAGE_OF_PURE_ARG = 2
    INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION = 3
    INDEX_OUT_OF_BOUNDS = 4
    SECONDARY_INDEX_OUT_OF_BOUNDS = 5
    INVALID_RESULT_ARITY = 6
    INVALID_GAS_COIN_USAGE = 7
    INVALID_VALUE_USAGE = 8
    INVALID_OBJECT_BY_VALUE = 9
    INVALID_OBJECT_BY_MUT_REF = 10
    SHARED_OBJECT_OPERATION_NOT_ALLOWED = 11


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a transaction failed. Nothing but gas changed."""

    kind: FailureKind
    command: int | None
    """Index of the command that failed; None if none did (gas, sizes, leftover values)."""
    message: str
    """For people."""
    abort_code: int | None = None
    """With MOVE_ABORT only."""
    location: Location | None = None
    """With MOVE_ABORT, and MOVE_PRIMITIVE_RUNTIME_ERROR where known."""
    argument: int | None = None
    """With COMMAND_ARGUMENT_ERROR and TYPE_ARGUMENT_ERROR: which one."""
    argument_error: ArgumentErrorKind | None = None
    """With COMMAND_ARGUMENT_ERROR only."""
    indices: tuple[int, ...] = ()
    """What else Sui's status carries: command and result of an unused or missing value; size and limit of what is too big."""


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
