"""Effects, failures and balance changes as messages."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from localnet.ledger.encoding import encode_effects
from localnet.ledger.model import (
    AddressOwner,
    ArgumentErrorKind,
    ExecutedTransaction,
    Failure,
    FailureKind,
    GasSummary,
    Object,
    ObjectChange,
    ObjectId,
    ObjectOwner,
    Operation,
    Package,
    TransactionEffects,
    UpgradeError,
)
from localnet.movevm.types import Struct, canonical, long_address
from localnet.rpc.digests import base58
from localnet.rpc.masks import Mask
from localnet.rpc.render.objects import coin_balance, coin_type, owner_message
from localnet.rpc.stubs import v2

EFFECTS_VERSION: Final = 2

_RENAMED: Final = {
    "MOVE_OBJECT_TOO_BIG": "OBJECT_TOO_BIG",
    "MOVE_PACKAGE_TOO_BIG": "PACKAGE_TOO_BIG",
    "SHARED_OBJECT_OPERATION_NOT_ALLOWED": "CONSENSUS_OBJECT_OPERATION_NOT_ALLOWED",
    "INVALID_USAGE_OF_PURE_ARG": "INVALID_USAGE_OF_PURE_ARGUMENT",
}
"""Failures that the API calls otherwise than the BCS does."""

_OPERATIONS: Final = {
    Operation.NONE: v2.ChangedObjectIdOperation.NONE,
    Operation.CREATED: v2.ChangedObjectIdOperation.CREATED,
    Operation.DELETED: v2.ChangedObjectIdOperation.DELETED,
}


def gas_message(gas: GasSummary) -> Any:
    """What a transaction cost."""
    return v2.GasCostSummary(
        computation_cost=gas.computation,
        storage_cost=gas.storage,
        storage_rebate=gas.rebate,
        non_refundable_storage_fee=gas.non_refundable,
    )


def effects_message(executed: ExecutedTransaction, mask: Mask) -> Any:
    """Effects, as far as `mask` wants them.

    Raises:
        InvalidArgument: the mask names an unknown field.
    """
    effects = executed.effects
    makers = {
        "bcs": lambda: v2.Bcs(name="TransactionEffects", value=_encoded(effects)),
        "digest": lambda: base58(effects.digest),
        "version": lambda: EFFECTS_VERSION,
        "status": lambda: status_message(effects.status),
        "epoch": lambda: effects.epoch,
        "gas_used": lambda: gas_message(effects.gas),
        "transaction_digest": lambda: base58(effects.transaction),
        "dependencies": lambda: [base58(digest) for digest in effects.dependencies],
        "lamport_version": lambda: effects.lamport_version,
        "changed_objects": lambda: [_change(change, executed) for change in effects.changes],
        "unchanged_consensus_objects": lambda: _read_only(executed),
    }
    if effects.events_digest is not None:
        digest = effects.events_digest
        makers["events_digest"] = lambda: base58(digest)
    paying = next((change for change in effects.changes if change.id == effects.gas_object), None)
    if paying is not None:
        makers["gas_object"] = lambda: _change(paying, executed)
    return mask.build(v2.TransactionEffects, makers)


def _encoded(effects: TransactionEffects) -> bytes:
    return encode_effects(
        effects.status,
        effects.epoch,
        effects.gas,
        effects.transaction,
        effects.gas_object,
        effects.events_digest,
        effects.dependencies,
        effects.lamport_version,
        effects.changes,
        effects.read_only_shared,
    )


def status_message(failure: Failure | None) -> Any:
    """Success, or why not."""
    if failure is None:
        return v2.ExecutionStatus(success=True)
    error = v2.ExecutionError(
        description=failure.message,
        command=failure.command,
        kind=v2.ExecutionErrorExecutionErrorKind[_name(failure.kind)],
    )
    if failure.kind is FailureKind.MOVE_ABORT:
        error.abort = v2.MoveAbort(abort_code=failure.abort_code, location=_location(failure))
    elif failure.kind is FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR and failure.location is not None:
        error.abort = v2.MoveAbort(location=_location(failure))
    elif failure.upgrade is not None:
        error.package_upgrade_error = _upgrade_error(failure.upgrade)
    elif failure.argument_error is not None:
        error.command_argument_error = v2.CommandArgumentError(
            argument=failure.argument,
            kind=v2.CommandArgumentErrorCommandArgumentErrorKind[_name(failure.argument_error)],
        )
    return v2.ExecutionStatus(success=False, error=error)


def balance_changes(executed: ExecutedTransaction) -> list[Any]:
    """What every address gained or lost of every coin, gas included; sorted by address and type."""
    changed: Counter[tuple[bytes, Struct]] = Counter()
    for change in executed.effects.changes:
        _count(changed, executed.before, change.id, -1)
        if change.after is not None:
            _count(changed, executed.after, change.id, 1)
    return [
        v2.BalanceChange(address=long_address(address), coin_type=canonical(type_), amount=str(amount))
        for (address, type_), amount in sorted(changed.items(), key=lambda item: (item[0][0], str(item[0][1])))
        if amount
    ]


def _count(
    changed: Counter[tuple[bytes, Struct]], objects: Mapping[ObjectId, Object | Package], object_id: ObjectId, sign: int
) -> None:
    thing = objects.get(object_id)
    if not isinstance(thing, Object):
        return
    type_ = coin_type(thing.type)
    if type_ is None:
        return
    match thing.owner:
        case AddressOwner(address):
            changed[address, type_] += sign * coin_balance(thing)
        case ObjectOwner(parent):
            changed[parent, type_] += sign * coin_balance(thing)


def _name(member: FailureKind | ArgumentErrorKind) -> str:
    return _RENAMED.get(member.name, member.name)


def _upgrade_error(error: UpgradeError) -> Any:
    return v2.PackageUpgradeError(
        kind=v2.PackageUpgradeErrorPackageUpgradeErrorKind[error.kind.name],
        package_id=None if error.package is None else long_address(error.package),
        ticket_id=None if error.ticket is None else long_address(error.ticket),
        digest=base58(error.digest) if error.digest else None,
        policy=error.policy,
    )


def _location(failure: Failure) -> Any:
    place = failure.location
    if place is None:
        return None
    return v2.MoveLocation(
        package=long_address(place.address),
        module=place.module,
        function=place.function_index,
        instruction=place.offset,
        function_name=place.function,
    )


def _change(change: ObjectChange, executed: ExecutedTransaction) -> Any:
    before, after = v2.ChangedObjectInputObjectState, v2.ChangedObjectOutputObjectState
    written = after.PACKAGE_WRITE if change.package else after.OBJECT_WRITE
    message = v2.ChangedObject(
        object_id=long_address(change.id),
        input_state=before.EXISTS if change.before else before.DOES_NOT_EXIST,
        output_state=written if change.after else after.DOES_NOT_EXIST,
        id_operation=_OPERATIONS[change.operation],
    )
    if change.before:
        message.input_version = change.before.version
        message.input_digest = base58(change.before.digest)
        message.input_owner = owner_message(change.before.owner)
    if change.after:
        message.output_version = change.after.version
        message.output_digest = base58(change.after.digest)
        message.output_owner = owner_message(change.after.owner)
    thing = executed.after.get(change.id) or executed.before.get(change.id)
    if thing is not None:
        message.object_type = canonical(thing.type) if isinstance(thing, Object) else "package"
    return message


def _read_only(executed: ExecutedTransaction) -> list[Any]:
    kind = v2.UnchangedConsensusObjectUnchangedConsensusObjectKind.READ_ONLY_ROOT
    messages = []
    for read in executed.effects.read_only_shared:
        thing = executed.before.get(read.id)
        messages.append(
            v2.UnchangedConsensusObject(
                kind=kind,
                object_id=long_address(read.id),
                version=read.version,
                digest=base58(read.digest),
                object_type=canonical(thing.type) if isinstance(thing, Object) else None,
            )
        )
    return messages

