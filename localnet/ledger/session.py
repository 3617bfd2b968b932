"""One transaction's view of the objects: what natives did, over a store that stays as it is."""

from dataclasses import dataclass, field
from typing import Final

from localnet.ledger.model import IMMUTABLE, Address, AddressOwner, Object, ObjectId, ObjectOwner, Owner, SharedOwner, Version
from localnet.ledger.store import ObjectStore
from localnet.movevm.errors import PrimitiveError
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.natives import NativeAbort
from localnet.movevm.natives.tx_context import derive_id
from localnet.movevm.runtime import Runtime, TransactionFacts
from localnet.movevm.types import Struct, Type
from localnet.movevm.values import Ref, Value

MAX_EVENTS: Final = 1024
MAX_EVENT_BYTES: Final = 250 * 1024
MAX_NEW_IDS: Final = 2048

_SHARED_NON_NEW: Final = 0
"""transfer::ESharedNonNewObject."""
_RECEIVED_OTHER_TYPE: Final = 2
"""transfer::EReceivingObjectTypeMismatch."""
_CANNOT_RECEIVE: Final = 3
"""transfer::EUnableToReceiveObject."""
_FIELD_EXISTS, _NO_FIELD, _FIELD_OTHER_TYPE = 0, 1, 2
"""dynamic_field: EFieldAlreadyExists, EFieldDoesNotExist, EFieldTypeMismatch."""

TO_BE_SHARED: Final = SharedOwner(Version(0))
"""Stands for an owner whose initial version is this transaction's, not known before it ends."""


def id_of(value: Value) -> ObjectId:
    """The id of an object: `UID { id: ID { bytes } }` is its first field."""
    return ObjectId(value[0][0][0])


@dataclass(slots=True)
class Child:
    """A dynamic field that the transaction touched."""

    box: list[Value]
    """The value alone; empty once it was taken away."""
    type: Struct
    parent: ObjectId
    original: Object | None
    """None if it was not there before."""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An object that was given to somebody."""

    type: Struct
    value: Value
    owner: Owner


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event; `package` and `module` are those of the command under way."""

    package: ObjectId
    module: str
    type: Struct
    contents: bytes


@dataclass(slots=True)
class Session(Runtime):
    """Collects what happens; `outcome.py` turns it into effects."""

    vm: VirtualMachine
    store: ObjectStore
    facts: TransactionFacts
    gas: int
    caller: tuple[ObjectId, str] = (ObjectId(bytes(32)), "")
    """Package and module of the command under way."""
    ids_created: int = 0
    new: set[ObjectId] = field(default_factory=set)
    deleted: set[ObjectId] = field(default_factory=set)
    placed: dict[ObjectId, Placed] = field(default_factory=dict)
    children: dict[ObjectId, Child] = field(default_factory=dict)
    taken: dict[ObjectId, Object] = field(default_factory=dict)
    """Live objects that were taken by value: inputs, children, received."""
    events: list[Emitted] = field(default_factory=list)

    # ---- ids

    def fresh_id(self) -> bytes:
        object_id = ObjectId(derive_id(self.facts.digest, self.ids_created))
        self.ids_created += 1
        self.record_new_id(object_id)
        return object_id

    def record_new_id(self, object_id: bytes) -> None:
        known = ObjectId(object_id)
        if known in self.deleted:
            self.deleted.discard(known)  # a derived id that was deleted a moment ago lives on
        else:
            self.new.add(known)
        if len(self.new) > MAX_NEW_IDS:
            raise PrimitiveError("MEMORY_LIMIT_EXCEEDED", None)

    def delete_id(self, object_id: bytes) -> None:
        known = ObjectId(object_id)
        if known in self.new:
            self.new.discard(known)
        else:
            self.deleted.add(known)

    # ---- ownership

    def transfer(self, type_: Struct, value: Value, recipient: bytes) -> None:
        self.place(type_, value, AddressOwner(Address(recipient)))

    def share(self, type_: Struct, value: Value) -> None:
        object_id = id_of(value)
        before = self.taken.get(object_id)
        if before is not None and isinstance(before.owner, SharedOwner):
            self.place(type_, value, before.owner)
        elif object_id in self.new:
            self.place(type_, value, TO_BE_SHARED)
        else:
            raise NativeAbort(_SHARED_NON_NEW)

    def freeze(self, type_: Struct, value: Value) -> None:
        self.place(type_, value, IMMUTABLE)

    def place(self, type_: Struct, value: Value, owner: Owner) -> None:
        """Give an object to `owner`."""
        self.placed[id_of(value)] = Placed(type_, value, owner)

    def receive(self, type_: Type, parent: bytes, object_id: bytes, version: int) -> Value:
        known = ObjectId(object_id)
        found = self.store.get(known)
        if (
            not isinstance(found, Object)
            or found.owner != AddressOwner(Address(parent))
            or found.version != version
            or known in self.taken
        ):
            raise NativeAbort(_CANNOT_RECEIVE)
        if found.type is not type_:
            raise NativeAbort(_RECEIVED_OTHER_TYPE)
        self.taken[known] = found
        return self.store.take_value(found)

    # ---- events

    def emit(self, type_: Struct, value: Value) -> None:
        contents = self.vm.encode(type_, value)
        if len(contents) > MAX_EVENT_BYTES or len(self.events) >= MAX_EVENTS:
            raise PrimitiveError("MEMORY_LIMIT_EXCEEDED", None)
        self.events.append(Emitted(*self.caller, type_, contents))

    # ---- dynamic fields

    def add_child(self, parent: bytes, type_: Struct, value: Value) -> None:
        object_id, owner = id_of(value), ObjectId(parent)
        child = self._child(owner, object_id)
        if child is not None:
            raise NativeAbort(_FIELD_EXISTS)
        before = self.children.get(object_id)
        original = before.original if before else self.taken.get(object_id)
        self.placed.pop(object_id, None)
        self.children[object_id] = Child([value], type_, owner, original, dirty=True)

    def borrow_child(self, parent: bytes, object_id: bytes, type_: Type, *, mutable: bool) -> Ref:
        child = self._existing(parent, object_id, type_)
        if mutable and not child.dirty:
            self._own(child)
        return child.box, 0

    def remove_child(self, parent: bytes, object_id: bytes, type_: Type) -> Value:
        child = self._existing(parent, object_id, type_)
        if not child.dirty:
            self._own(child)
        if child.original is not None:
            self.taken[child.original.id] = child.original
        return child.box.pop()

    def has_child(self, parent: bytes, object_id: bytes, type_: Type | None) -> bool:
        child = self._child(ObjectId(parent), ObjectId(object_id))
        return child is not None and type_ in {None, child.type}

    def _own(self, child: Child) -> None:
        child.dirty = True
        if child.original is not None:
            self.store.forget_value(child.original.id)

    def _existing(self, parent: bytes, object_id: bytes, type_: Type) -> Child:
        child = self._child(ObjectId(parent), ObjectId(object_id))
        if child is None:
            raise NativeAbort(_NO_FIELD)
        if child.type is not type_:
            raise NativeAbort(_FIELD_OTHER_TYPE)
        return child

    def _child(self, parent: ObjectId, object_id: ObjectId) -> Child | None:
        child = self.children.get(object_id)
        if child is None:
            found = self.store.get(object_id)
            if not isinstance(found, Object) or found.owner != ObjectOwner(parent) or object_id in self.taken:
                return None
            child = self.children[object_id] = Child([self.store.value(found)], found.type, parent, found)
        return child if child.box and child.parent == parent else None
