"""What a transaction leaves behind, before it has a price: new versions of objects, and objects that are gone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from localnet.ledger.encoding import encode_object, encode_object_type, object_digest
from localnet.ledger.failures import CommandFailed
from localnet.ledger.gas import deposit
from localnet.ledger.model import (
    FailureKind,
    Mist,
    Object,
    ObjectId,
    ObjectOwner,
    Operation,
    Owner,
    SharedOwner,
    TransactionDigest,
    Version,
)
from localnet.ledger.session import TO_BE_SHARED, Session
from localnet.ledger.slots import Slot
from localnet.movevm.bytecode.module import Ability
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import Struct, short_address
from localnet.movevm.values import Value

NO_DEPOSIT: Final = Mist(0)
MAX_OBJECT: Final = 250 * 1024
"""Bytes of contents."""


@dataclass(slots=True)
class Draft:
    """One object as it will be."""

    id: ObjectId
    type: Struct
    owner: Owner
    contents: bytes
    value: Value
    original: Object | None
    """None if the id was not live before."""
    operation: Operation
    rebate: Mist = NO_DEPOSIT
    """Deposit, filled in by `price`."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An object that is no more, or lies inside another one now."""

    id: ObjectId
    original: Object | None
    """None if it came out of another object just to be deleted."""
    operation: Operation


@dataclass(slots=True)
class Drafts:
    """All of a transaction."""

    written: dict[ObjectId, Draft] = field(default_factory=dict)
    gone: list[Gone] = field(default_factory=list)

    def released(self) -> Iterator[Mist]:
        """Deposits that old versions leave free."""
        for draft in self.written.values():
            if draft.original is not None:
                yield draft.original.storage_rebate
        for gone in self.gone:
            if gone.original is not None:
                yield gone.original.storage_rebate


class TypeFacts:
    """What is asked of a type for every object written, remembered."""

    def __init__(self, vm: VirtualMachine) -> None:
        self._vm: Final = vm
        self._codes: dict[Struct, bytes] = {}

    def code(self, type_: Struct) -> bytes:
        """BCS of the type as objects carry it."""
        code = self._codes.get(type_)
        if code is None:
            code = self._codes[type_] = encode_object_type(type_)
        return code

    def price(self, drafts: Iterable[Draft]) -> Iterator[Mist]:
        """Fill in the deposits and tell them."""
        for draft in drafts:
            draft.rebate = deposit(len(self.code(draft.type)), len(draft.contents))
            yield draft.rebate

    def finish(self, draft: Draft, version: Version, digest: TransactionDigest) -> Object:
        """The object."""
        owner = SharedOwner(version) if draft.owner is TO_BE_SHARED else draft.owner
        public = bool(self._vm.abilities(draft.type) & Ability.STORE)
        encoded = encode_object(
            self.code(draft.type), version, owner, draft.contents, digest, draft.rebate, has_public_transfer=public
        )
        return Object(
            draft.id, version, draft.type, owner, draft.contents, digest, draft.rebate, public, object_digest(encoded)
        )


def collect(session: Session, slots: Iterable[Slot]) -> Drafts:
    """What a transaction that succeeded leaves behind; `slots` are its object inputs and the gas coin.

    Raises:
        CommandFailed: a shared object went where it may not go, or an object is too big.
    """
    drafts = Drafts()
    for slot in slots:
        found = slot.object
        if found is None or slot.is_receiving or slot.read_only or not slot.box:
            continue
        value = slot.box[0]
        contents = session.vm.encode(found.type, value) if slot.dirty else found.contents
        drafts.written[found.id] = Draft(found.id, found.type, found.owner, contents, value, found, Operation.NONE)
    for object_id, placed in session.placed.items():
        contents = session.vm.encode(placed.type, placed.value)
        drafts.written[object_id] = Draft(
            object_id, placed.type, placed.owner, contents, placed.value, session.taken.get(object_id),
            _operation(session, object_id),
        )  # fmt: skip
    unchanged = _collect_children(session, drafts)
    _collect_gone(session, drafts, unchanged)
    for draft in drafts.written.values():
        if len(draft.contents) > MAX_OBJECT:
            message = f"object {short_address(draft.id)}, a {draft.type}, has {len(draft.contents)} bytes, at most {MAX_OBJECT}"
            raise CommandFailed(FailureKind.MOVE_OBJECT_TOO_BIG, message, indices=(len(draft.contents), MAX_OBJECT))
    return drafts


def _operation(session: Session, object_id: ObjectId) -> Operation:
    return Operation.CREATED if object_id in session.new else Operation.NONE


def _collect_children(session: Session, drafts: Drafts) -> set[ObjectId]:
    """Add children that are new or changed; returns the ids of those that came back as they were."""
    unchanged = set()
    for object_id, child in session.children.items():
        if not child.box or not child.dirty:
            continue
        value, owner, before = child.box[0], ObjectOwner(child.parent), child.original
        contents = session.vm.encode(child.type, value)
        if before is not None and (before.contents, before.owner, before.type) == (contents, owner, child.type):
            unchanged.add(object_id)
            continue
        operation = _operation(session, object_id)
        drafts.written[object_id] = Draft(object_id, child.type, owner, contents, value, before, operation)
    return unchanged


def _collect_gone(session: Session, drafts: Drafts, unchanged: set[ObjectId]) -> None:
    for object_id, original in session.taken.items():
        draft = drafts.written.get(object_id)
        deleted = object_id in session.deleted
        if isinstance(original.owner, SharedOwner) and (draft.owner != original.owner if draft else not deleted):
            raise CommandFailed(
                FailureKind.SHARED_OBJECT_OPERATION_NOT_ALLOWED,
                f"shared object {short_address(object_id)} was taken by value: share it again or delete it",
            )
        if draft is None and object_id not in unchanged:
            operation = Operation.DELETED if deleted else Operation.NONE
            drafts.gone.append(Gone(object_id, original, operation))
    for object_id in session.deleted:
        if object_id not in session.taken and session.store.get(object_id) is None:
            drafts.gone.append(Gone(object_id, None, Operation.DELETED))
