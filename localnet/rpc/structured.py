"""Programmable transactions as clients write them in messages: parsed, with holes where the server shall resolve.

Limits are those of the BCS form, so that what is resolved here can also be signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from localnet.ledger.model import (
    GAS_COIN,
    Argument,
    Command,
    Input,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    MoveCall,
    NestedResult,
    ObjectDigest,
    ObjectId,
    ObjectRef,
    OwnedInput,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SplitCoins,
    TransferObjects,
    Upgrade,
    Version,
)
from localnet.rpc.digests import parse_digest
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.stubs import v2
from localnet.rpc.transaction_bcs import (
    MAX_ARGUMENTS,
    MAX_COMMANDS,
    MAX_DEPENDENCIES,
    MAX_GAS_OBJECTS,
    MAX_INPUTS,
    MAX_MODULE,
    MAX_MODULES,
    MAX_PURE,
    MAX_TYPE_ARGUMENTS,
)
from localnet.rpc.type_tags import parse_address, parse_identifier, parse_type

_T = TypeVar("_T")
_R = TypeVar("_R")

U16: Final = 2**16 - 1


@dataclass(frozen=True, slots=True)
class UnresolvedInput:
    """An object of which the client knows the id only; version and digest bind it where they are given."""

    id: ObjectId
    version: Version | None
    digest: ObjectDigest | None


GivenInput: TypeAlias = Input | UnresolvedInput


@dataclass(frozen=True, slots=True)
class Program:
    """Inputs and commands."""

    inputs: tuple[GivenInput, ...]
    commands: tuple[Command, ...]


def parse_program(message: Any) -> Program:
    """The program in a `Transaction` message.

    Raises:
        InvalidArgument: it is no programmable transaction, or breaks a limit.
    """
    program = message.kind.programmable_transaction if message.kind is not None else None
    if program is None:
        raise InvalidArgument("transaction.kind.programmable_transaction is wanted, or transaction.bcs")
    return Program(
        inputs=_each(_input, program.inputs, MAX_INPUTS, "inputs"),
        commands=_each(_command, program.commands, MAX_COMMANDS, "commands"),
    )


def parse_references(messages: Sequence[Any]) -> tuple[ObjectRef, ...]:
    """Gas objects.

    Raises:
        InvalidArgument: a part is missing, or there are too many.
    """
    return _each(_reference, messages, MAX_GAS_OBJECTS, "gas objects")


def _each(parse: Callable[[_T], _R], messages: Sequence[_T], limit: int, what: str) -> tuple[_R, ...]:
    if len(messages) > limit:
        raise InvalidArgument(f"{len(messages)} {what}, at most {limit} are taken")
    return tuple([parse(message) for message in messages])


def _reference(message: Any) -> ObjectRef:
    if message.version is None:
        raise InvalidArgument(f"object {message.object_id} has no version")
    return ObjectRef(
        ObjectId(parse_address(message.object_id)), Version(message.version), ObjectDigest(parse_digest(message.digest))
    )


def _input(message: Any) -> GivenInput:
    kind = v2.InputInputKind
    if message.literal is not None:
        raise InvalidArgument("inputs as JSON literals are not taken by the localnet: send pure BCS")
    if message.kind == kind.PURE or (not message.kind and message.pure is not None):
        value = message.pure or b""
        if len(value) > MAX_PURE:
            raise InvalidArgument(f"a pure input of {len(value)} bytes, at most {MAX_PURE} are taken")
        return PureInput(value)
    if message.kind == kind.FUNDS_WITHDRAWAL:
        raise InvalidArgument("the localnet has no address balances: withdraw from coins instead")
    object_id = ObjectId(parse_address(message.object_id))
    version = None if message.version is None else Version(message.version)
    if message.kind == kind.SHARED:
        mutable = _mutable(message)
        if version is not None and mutable is not None:
            return SharedInput(object_id, version, mutable)
        return UnresolvedInput(object_id, None, None)
    digest = None if message.digest is None else ObjectDigest(parse_digest(message.digest))
    if version is not None and digest is not None and message.kind == kind.IMMUTABLE_OR_OWNED:
        return OwnedInput(ObjectRef(object_id, version, digest))
    if version is not None and digest is not None and message.kind == kind.RECEIVING:
        return ReceivingInput(ObjectRef(object_id, version, digest))
    return UnresolvedInput(object_id, version, digest)


def _mutable(message: Any) -> bool | None:
    mutability = v2.InputMutability
    if message.mutability == mutability.NON_EXCLUSIVE_WRITE:
        raise InvalidArgument("non-exclusive writes are not taken by the localnet: ask for a mutable reference")
    if message.mutability:
        return bool(message.mutability == mutability.MUTABLE)
    return None if message.mutable is None else bool(message.mutable)


def _argument(message: Any) -> Argument:
    kind = v2.ArgumentArgumentKind
    if message is None:
        raise InvalidArgument("a command lacks an argument")
    match message.kind:
        case kind.GAS:
            return GAS_COIN
        case kind.INPUT:
            return InputArgument(_u16(message.input))
        case kind.RESULT if message.subresult is None:
            return ResultArgument(_u16(message.result))
        case kind.RESULT:
            return NestedResult(_u16(message.result), _u16(message.subresult))
        case _:
            raise InvalidArgument("an argument is of unknown kind")


def _u16(index: int | None) -> int:
    if index is None or not 0 <= index <= U16:
        raise InvalidArgument(f"an argument refers to position {index}")
    return index


def _arguments(messages: Sequence[Any]) -> tuple[Argument, ...]:
    return _each(_argument, messages, MAX_ARGUMENTS, "arguments")


def _modules(modules: Sequence[bytes]) -> tuple[bytes, ...]:
    if any(len(module) > MAX_MODULE for module in modules):
        raise InvalidArgument(f"a module of over {MAX_MODULE} bytes")
    return _each(bytes, modules, MAX_MODULES, "modules")


def _dependencies(ids: Sequence[str]) -> tuple[ObjectId, ...]:
    return _each(lambda text: ObjectId(parse_address(text)), ids, MAX_DEPENDENCIES, "dependencies")


def _command(message: Any) -> Command:  # noqa: PLR0911 - one per variant
    if (call := message.move_call) is not None:
        return MoveCall(
            package=ObjectId(parse_address(call.package)),
            module=parse_identifier(call.module),
            function=parse_identifier(call.function),
            type_arguments=_each(parse_type, call.type_arguments, MAX_TYPE_ARGUMENTS, "type arguments"),
            arguments=_arguments(call.arguments),
        )
    if (given := message.transfer_objects) is not None:
        return TransferObjects(_arguments(given.objects), _argument(given.address))
    if (split := message.split_coins) is not None:
        return SplitCoins(_argument(split.coin), _arguments(split.amounts))
    if (merge := message.merge_coins) is not None:
        return MergeCoins(_argument(merge.coin), _arguments(merge.coins_to_merge))
    if (vector := message.make_move_vector) is not None:
        type_ = None if vector.element_type is None else parse_type(vector.element_type)
        return MakeMoveVec(type_, _arguments(vector.elements))
    if (publish := message.publish) is not None:
        return Publish(_modules(publish.modules), _dependencies(publish.dependencies))
    if (upgrade := message.upgrade) is not None:
        package = ObjectId(parse_address(upgrade.package))
        ticket = _argument(upgrade.ticket)
        return Upgrade(_modules(upgrade.modules), _dependencies(upgrade.dependencies), package, ticket)
    raise InvalidArgument("a command of unknown kind")
