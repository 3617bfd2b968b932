"""Objects: the live ones by id and owner, and their past versions as long as history reaches.

Beside an object's bytes lies its decoded value, so that an object which is used in every transaction is not decoded in every one.
Who is about to change the value takes it away first; the next commit puts it back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from localnet.ledger.errors import NotFound, Pruned
from localnet.ledger.model import Address, AddressOwner, Object, ObjectId, ObjectOwner, Package, Version
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import short_address
from localnet.movevm.values import Value

_K = TypeVar("_K")

MAX_VALUES: Final = 4096
"""Decoded values kept."""


class ObjectStore:
    """Changed by `apply` only, a transaction at a time."""

    def __init__(self, vm: VirtualMachine) -> None:
        self._vm: Final = vm
        self._live: dict[ObjectId, Object | Package] = {}
        self._past: dict[tuple[ObjectId, Version], Object | Package] = {}
        self._pruned_below: dict[ObjectId, Version] = {}
        self._of_address: dict[Address, set[ObjectId]] = {}
        self._of_object: dict[ObjectId, set[ObjectId]] = {}
        self._versions: dict[ObjectId, list[Package]] = {}
        self._values: dict[ObjectId, Value] = {}

    # ---- reading

    def get(self, object_id: ObjectId) -> Object | Package | None:
        """The live version."""
        return self._live.get(object_id)

    def live(self) -> Iterator[Object | Package]:
        """All there is."""
        return iter(self._live.values())

    def at(self, object_id: ObjectId, version: Version | None = None) -> Object | Package:
        """One version, or the live one.

        Raises:
            NotFound: never was, or (without `version`) is no more. Pruned: dropped from history.
        """
        live = self._live.get(object_id)
        if live is not None and version in {None, live.version}:
            return live
        if version is None:
            raise NotFound(f"object {short_address(object_id)} does not exist")
        past = self._past.get((object_id, version))
        if past is not None:
            return past
        if version < self._pruned_below.get(object_id, 0):
            raise Pruned(f"object {short_address(object_id)} version {version} is older than the history kept")
        raise NotFound(f"object {short_address(object_id)} has no version {version}")

    def owned_by(self, owner: Address) -> Iterator[Object]:
        """Objects of an address, sorted by id."""
        return self._objects(self._of_address.get(owner, ()))

    def children_of(self, parent: ObjectId) -> Iterator[Object]:
        """Objects that another object owns, sorted by id."""
        return self._objects(self._of_object.get(parent, ()))

    def versions_of(self, original_id: ObjectId) -> Sequence[Package]:
        """All versions of a package, the first one first."""
        return self._versions.get(original_id, ())

    def _objects(self, ids: Iterable[ObjectId]) -> Iterator[Object]:
        for object_id in sorted(ids):
            found = self._live[object_id]
            assert isinstance(found, Object)
            yield found

    # ---- values

    def value(self, object_: Object) -> Value:
        """The decoded contents of a live object, which the caller only reads."""
        value = self._values.get(object_.id)
        if value is None:
            value = self._vm.decode(object_.type, object_.contents)
            self.keep_value(object_.id, value)
        return value

    def take_value(self, object_: Object) -> Value:
        """The decoded contents of a live object, which are the caller's to change."""
        value = self._values.pop(object_.id, None)
        return self._vm.decode(object_.type, object_.contents) if value is None else value

    def forget_value(self, object_id: ObjectId) -> None:
        """Somebody is about to change it."""
        self._values.pop(object_id, None)

    def keep_value(self, object_id: ObjectId, value: Value) -> None:
        """Remember the contents of the live version."""
        self._values[object_id] = value
        if len(self._values) > MAX_VALUES:
            del self._values[next(iter(self._values))]

    # ---- writing

    def apply(self, writes: Mapping[ObjectId, Object | Package | None]) -> list[Object | Package]:
        """Write new versions, None for what is gone. Returns the versions superseded, which history drops some day."""
        superseded = []
        for object_id, new in writes.items():
            old = self._live.pop(object_id, None)
            self.forget_value(object_id)
            if old is not None:
                self._unlist(old)
                self._past[object_id, old.version] = old
                superseded.append(old)
            if new is not None:
                self._live[object_id] = new
                self._list(new)
        return superseded

    def prune(self, superseded: Iterable[Object | Package]) -> None:
        """Drop past versions for good."""
        for old in superseded:
            self._past.pop((old.id, old.version), None)
            self._pruned_below[old.id] = Version(old.version + 1)

    def _list(self, new: Object | Package) -> None:
        if isinstance(new, Package):
            self._versions.setdefault(new.original_id, []).append(new)
        elif isinstance(new.owner, AddressOwner):
            self._of_address.setdefault(new.owner.address, set()).add(new.id)
        elif isinstance(new.owner, ObjectOwner):
            self._of_object.setdefault(new.owner.parent, set()).add(new.id)

    def _unlist(self, old: Object | Package) -> None:
        if isinstance(old.owner, AddressOwner):
            _discard(self._of_address, old.owner.address, old.id)
        elif isinstance(old.owner, ObjectOwner):
            _discard(self._of_object, old.owner.parent, old.id)


def _discard(index: dict[_K, set[ObjectId]], owner: _K, object_id: ObjectId) -> None:
    ids = index[owner]
    ids.discard(object_id)
    if not ids:
        del index[owner]
