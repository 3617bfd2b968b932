"""Transactions as messages: what was signed, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Argument,
    Command,
    ExecutedTransaction,
    Gas,
    GasCoin,
    Input,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    Millis,
    MoveCall,
    NestedResult,
    Object,
    ObjectId,
    OwnedInput,
    Package,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SplitCoins,
    SystemKind,
    SystemTransaction,
    Transaction,
    TransferObjects,
    Upgrade,
)
from localnet.movevm.types import canonical, long_address
from localnet.rpc.digests import base58
from localnet.rpc.masks import Mask
from localnet.rpc.render.effects import balance_changes, effects_message
from localnet.rpc.render.events import event_message
from localnet.rpc.render.objects import object_message, reference_message
from localnet.rpc.signatures import SIGNATURE, parse_signature
from localnet.rpc.stubs import v2
from localnet.rpc.transaction_bcs import encode_transaction

VERSION: Final = 1

_SYSTEM_KINDS: Final = {
    SystemKind.GENESIS: v2.TransactionKindKind.GENESIS,
    SystemKind.CLOCK: v2.TransactionKindKind.CONSENSUS_COMMIT_PROLOGUE_V4,
    SystemKind.RANDOMNESS: v2.TransactionKindKind.RANDOMNESS_STATE_UPDATE,
    SystemKind.FAUCET: v2.TransactionKindKind.PROGRAMMABLE_SYSTEM_TRANSACTION,
}


def timestamp(milliseconds: Millis) -> datetime:
    """A time of the ledger, as the messages hold it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def executed_message(
    ledger: Ledger, executed: ExecutedTransaction, signatures: Sequence[bytes], mask: Mask
) -> Any:
    """A transaction that ran, for good or in simulation, as far as `mask` wants it.

    Raises:
        InvalidArgument: the mask names an unknown field.
    """
    digest = executed.digest
    makers: dict[str, Callable[[], Any]] = {
        "digest": lambda: base58(digest),
        "transaction": lambda: transaction_message(executed.transaction, digest, mask.below("transaction")),
        "signatures": lambda: [signature_message(raw) for raw in signatures],
        "effects": lambda: effects_message(executed, mask.below("effects")),
        "balance_changes": lambda: balance_changes(executed),
        "objects": lambda: _objects(ledger, executed, mask.below("objects")),
    }
    if executed.events:
        makers["events"] = lambda: _events(ledger, executed, mask.below("events"))
    placement = executed.placement
    if placement is not None:
        makers |= {
            "checkpoint": lambda: placement.checkpoint,
            "transaction_index": lambda: placement.index,
            "timestamp": lambda: timestamp(placement.timestamp),
        }
    return mask.build(v2.ExecutedTransaction, makers)


def transaction_message(transaction: Transaction | SystemTransaction, digest: bytes, mask: Mask) -> Any:
    """What was signed, as structure and, for users' transactions, as BCS."""
    makers: dict[str, Callable[[], Any]] = {
        "digest": lambda: base58(digest),
        "version": lambda: VERSION,
        "kind": lambda: _kind(transaction),
        "sender": lambda: long_address(bytes(32)),
    }
    if isinstance(transaction, Transaction):
        makers |= {
            "bcs": lambda: v2.Bcs(name="TransactionData", value=encode_transaction(transaction)),
            "sender": lambda: long_address(transaction.sender),
            "gas_payment": lambda: _gas(transaction.gas),
            "expiration": lambda: _expiration(transaction.expiration),
        }
    return mask.build(v2.Transaction, makers)


def signature_message(raw: bytes) -> Any:
    """A signature that was verified."""
    signature = parse_signature(raw)
    scheme = v2.SignatureScheme(int(signature.scheme))
    return v2.UserSignature(
        bcs=v2.Bcs(name="UserSignature", value=raw),
        scheme=scheme,
        simple=v2.SimpleSignature(
            scheme=scheme, signature=raw[1 : 1 + SIGNATURE], public_key=signature.public_key
        ),
    )


def _kind(transaction: Transaction | SystemTransaction) -> Any:
    if isinstance(transaction, SystemTransaction):
        message = v2.TransactionKind(kind=_SYSTEM_KINDS[transaction.kind])
        if transaction.kind is SystemKind.CLOCK:
            message.consensus_commit_prologue = v2.ConsensusCommitPrologue(
                commit_timestamp=timestamp(transaction.timestamp)
            )
        return message
    return v2.TransactionKind(
        kind=v2.TransactionKindKind.PROGRAMMABLE_TRANSACTION,
        programmable_transaction=v2.ProgrammableTransaction(
            inputs=[_input(given) for given in transaction.inputs],
            commands=[_command(command) for command in transaction.commands],
        ),
    )


def _gas(gas: Gas) -> Any:
    return v2.GasPayment(
        objects=[reference_message(ref) for ref in gas.payment],
        owner=long_address(gas.owner),
        price=gas.price,
        budget=gas.budget,
    )


def _expiration(epoch: int | None) -> Any:
    kind = v2.TransactionExpirationTransactionExpirationKind
    if epoch is None:
        return v2.TransactionExpiration(kind=kind.NONE)
    return v2.TransactionExpiration(kind=kind.EPOCH, epoch=epoch)


def _input(given: Input) -> Any:
    kind = v2.InputInputKind
    match given:
        case PureInput(value):
            return v2.Input(kind=kind.PURE, pure=value)
        case OwnedInput(ref) | ReceivingInput(ref):
            return v2.Input(
                kind=kind.RECEIVING if isinstance(given, ReceivingInput) else kind.IMMUTABLE_OR_OWNED,
                object_id=long_address(ref.id),
                version=ref.version,
                digest=base58(ref.digest),
            )
        case SharedInput(object_id, version, mutable):
            mutability = v2.InputMutability
            return v2.Input(
                kind=kind.SHARED,
                object_id=long_address(object_id),
                version=version,
                mutable=mutable,
                mutability=mutability.MUTABLE if mutable else mutability.IMMUTABLE,
            )
        case _:
            assert_never(given)


def argument_message(argument: Argument) -> Any:
    """An argument of a command."""
    kind = v2.ArgumentArgumentKind
    match argument:
        case GasCoin():
            return v2.Argument(kind=kind.GAS)
        case InputArgument(index):
            return v2.Argument(kind=kind.INPUT, input=index)
        case ResultArgument(command):
            return v2.Argument(kind=kind.RESULT, result=command)
        case NestedResult(command, result):
            return v2.Argument(kind=kind.RESULT, result=command, subresult=result)
        case _:
            assert_never(argument)


def _arguments(arguments: Sequence[Argument]) -> list[Any]:
    return [argument_message(argument) for argument in arguments]


def _ids(ids: Sequence[ObjectId]) -> list[str]:
    return [long_address(one) for one in ids]


def _command(command: Command) -> Any:  # noqa: PLR0911 - one per variant
    match command:
        case MoveCall():
            call = v2.MoveCall(
                package=long_address(command.package),
                module=command.module,
                function=command.function,
                type_arguments=[canonical(argument) for argument in command.type_arguments],
                arguments=_arguments(command.arguments),
            )
            return v2.Command(move_call=call)
        case TransferObjects(objects, recipient):
            given = v2.TransferObjects(objects=_arguments(objects), address=argument_message(recipient))
            return v2.Command(transfer_objects=given)
        case SplitCoins(coin, amounts):
            return v2.Command(split_coins=v2.SplitCoins(coin=argument_message(coin), amounts=_arguments(amounts)))
        case MergeCoins(coin, sources):
            merge = v2.MergeCoins(coin=argument_message(coin), coins_to_merge=_arguments(sources))
            return v2.Command(merge_coins=merge)
        case MakeMoveVec(type_, elements):
            name = None if type_ is None else canonical(type_)
            return v2.Command(make_move_vector=v2.MakeMoveVector(element_type=name, elements=_arguments(elements)))
        case Publish(modules, dependencies):
            return v2.Command(publish=v2.Publish(modules=list(modules), dependencies=_ids(dependencies)))
        case Upgrade(modules, dependencies, package, ticket):
            upgrade = v2.Upgrade(
                modules=list(modules),
                dependencies=_ids(dependencies),
                package=long_address(package),
                ticket=argument_message(ticket),
            )
            return v2.Command(upgrade=upgrade)
        case _:
            assert_never(command)


def _events(ledger: Ledger, executed: ExecutedTransaction, mask: Mask) -> Any:
    one = mask.below("events") if mask.wants("events") else mask
    makers: dict[str, Callable[[], Any]] = {
        "events": lambda: [event_message(ledger, event, executed.placement, one) for event in executed.events]
    }
    digest = executed.effects.events_digest
    if digest is not None:
        makers["digest"] = lambda: base58(digest)
    return mask.build(v2.TransactionEvents, makers)


def _objects(ledger: Ledger, executed: ExecutedTransaction, mask: Mask) -> Any:
    """Every version that went in or came out."""
    one = mask.below("objects") if mask.wants("objects") else mask
    return mask.build(
        v2.ObjectSet,
        {"objects": lambda: [object_message(ledger, t, one) for t in _versions(executed.before, executed.after)]},
    )


def _versions(
    before: Mapping[ObjectId, Object | Package], after: Mapping[ObjectId, Object | Package]
) -> Sequence[Object | Package]:
    every = {(thing.id, thing.version): thing for side in (before, after) for thing in side.values()}
    return [every[key] for key in sorted(every)]
