"""From drafts and a bill to effects and the objects to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localnet.ledger.drafts import Drafts, TypeFacts
from localnet.ledger.encoding import effects_digest, encode_effects, events_digest
from localnet.ledger.model import (
    CommandResult,
    Event,
    ExecutedTransaction,
    Failure,
    GasSummary,
    Object,
    ObjectChange,
    ObjectId,
    ObjectState,
    Operation,
    Package,
    Placement,
    ReadOnlyShared,
    SystemTransaction,
    Transaction,
    TransactionDigest,
    TransactionEffects,
    Version,
)
from localnet.movevm.values import Value


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did, not yet done."""

    transaction: Transaction | SystemTransaction
    effects: TransactionEffects
    events: tuple[Event, ...]
    results: tuple[CommandResult, ...]
    before: Mapping[ObjectId, Object | Package]
    writes: Mapping[ObjectId, Object | Package | None]
    values: Mapping[ObjectId, Value]
    """Decoded contents of what is written."""

    def placed(self, placement: Placement | None) -> ExecutedTransaction:
        """As history keeps it."""
        after = {object_id: new for object_id, new in self.writes.items() if new is not None}
        return ExecutedTransaction(
            self.transaction, self.effects, self.events, self.results, self.before, after, placement
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """All that effects say beside the objects written."""

    transaction: Transaction | SystemTransaction
    digest: TransactionDigest
    version: Version
    epoch: int
    status: Failure | None
    gas: GasSummary
    gas_object: ObjectId | None
    events: tuple[Event, ...] = ()
    results: tuple[CommandResult, ...] = ()
    read_only_shared: Sequence[Object] = ()


def settle(
    ending: Ending, drafts: Drafts, packages: Sequence[Package], read: Mapping[ObjectId, Object | Package], facts: TypeFacts
) -> Outcome:
    """Give everything its version and digest; `read` is all that the transaction saw."""
    writes: dict[ObjectId, Object | Package | None] = {}
    changes: list[ObjectChange] = []
    for draft in drafts.written.values():
        new = writes[draft.id] = facts.finish(draft, ending.version, ending.digest)
        changes.append(ObjectChange(draft.id, _state(draft.original), _state(new), draft.operation))
    for gone in drafts.gone:
        if gone.original is not None:
            writes[gone.id] = None
        changes.append(ObjectChange(gone.id, _state(gone.original), None, gone.operation))
    for package in packages:
        writes[package.id] = package
        changes.append(ObjectChange(package.id, None, _state(package), Operation.CREATED, package=True))
    changes.sort(key=lambda change: change.id)
    dependencies = tuple(sorted({found.previous_transaction for found in read.values()}))
    shared = tuple(ReadOnlyShared(o.id, o.version, o.digest) for o in sorted(ending.read_only_shared, key=lambda o: o.id))
    events = events_digest(ending.events) if ending.events else None
    encoded = encode_effects(
        ending.status, ending.epoch, ending.gas, ending.digest, ending.gas_object, events, dependencies,
        ending.version, changes, shared,
    )  # fmt: skip
    effects = TransactionEffects(
        transaction=ending.digest,
        status=ending.status,
        epoch=ending.epoch,
        gas=ending.gas,
        lamport_version=ending.version,
        changes=tuple(changes),
        gas_object=ending.gas_object,
        dependencies=dependencies,
        read_only_shared=shared,
        events_digest=events,
        digest=effects_digest(encoded),
    )
    values = {draft.id: draft.value for draft in drafts.written.values() if draft.value is not None}
    return Outcome(ending.transaction, effects, ending.events, ending.results, read, writes, values)


def _state(found: Object | Package | None) -> ObjectState | None:
    return None if found is None else ObjectState(found.version, found.digest, found.owner)
