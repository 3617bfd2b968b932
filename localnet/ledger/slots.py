"""Values that commands pass to each other: inputs, the gas coin, results."""

from dataclasses import dataclass, field
from typing import Final

from localnet.ledger.failures import CommandFailed, bad_argument
from localnet.ledger.model import (
    Argument,
    ArgumentErrorKind,
    FailureKind,
    GasCoin,
    InputArgument,
    NestedResult,
    Object,
    ObjectId,
    ResultArgument,
    TypedValue,
)
from localnet.ledger.names import ASCII_STRING, ID, STD_PACKAGE, STRING, is_instance
from localnet.movevm.bytecode.module import Ability
from localnet.movevm.errors import MalformedValue
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import SIGNER, Primitive, Struct, Type, Vector
from localnet.movevm.values import Ref, Value, copy_value

Kind = ArgumentErrorKind


@dataclass(slots=True, eq=False)
class Slot:
    """One value, or the bytes of an input whose type is not known before it is used."""

    type: Type | None
    """None while it is bytes."""
    box: list[Value]
    """The value alone; empty once it was taken."""
    pure: bytes = b""
    object: Object | None = None
    """The input object, if it is one."""
    read_only: bool = False
    """Immutable, or shared and asked for by `&` only."""
    by_value: bool = True
    """False for what is read-only."""
    is_gas: bool = False
    is_receiving: bool = False
    tainted: bool = False
    """Touched by a public function that is not `entry`: no private entry function takes it any more."""
    dirty: bool = False
    """Was borrowed mutably."""


@dataclass(slots=True)
class Slots:
    """All values of one transaction."""

    vm: VirtualMachine
    gas: Slot
    inputs: list[Slot]
    taken: dict[ObjectId, Object]
    """The session's own: input objects that were taken by value."""
    results: list[list[Slot]] = field(default_factory=list)

    def find(self, argument: Argument, index: int) -> Slot:
        """The slot that the `index`-th argument of a command names. Raises CommandFailed."""
        if isinstance(argument, GasCoin):
            return self.gas
        if isinstance(argument, InputArgument):
            if not 0 <= argument.index < len(self.inputs):
                raise bad_argument(index, Kind.INDEX_OUT_OF_BOUNDS, "no such input", (argument.index,))
            return self.inputs[argument.index]
        if not 0 <= argument.command < len(self.results):
            raise bad_argument(index, Kind.INDEX_OUT_OF_BOUNDS, "that command has not run", (argument.command,))
        results = self.results[argument.command]
        if isinstance(argument, ResultArgument):
            if len(results) != 1:
                message = f"command {argument.command} has {len(results)} results, say which"
                raise bad_argument(index, Kind.INVALID_RESULT_ARITY, message, (argument.command,))
            return results[0]
        assert isinstance(argument, NestedResult)
        if not 0 <= argument.result < len(results):
            where = (argument.command, argument.result)
            raise bad_argument(index, Kind.SECONDARY_INDEX_OUT_OF_BOUNDS, "no such result", where)
        return results[argument.result]

    def take(self, slot: Slot, index: int, type_: Type, *, may_take_gas: bool = False) -> Value:
        """The value of `slot` as a `type_`: copied if it can be, otherwise gone from here. Raises CommandFailed."""
        if slot.type is None:
            return self.decode(slot, index, type_)
        self.check_there(slot, index)
        check_type(slot, index, type_)
        if self.vm.abilities(type_) & Ability.COPY:
            return copy_value(slot.box[0])
        if slot.is_gas and not may_take_gas:
            raise bad_argument(index, Kind.INVALID_GAS_COIN_USAGE, "the gas coin can be taken by TransferObjects only")
        if not slot.by_value:
            raise bad_argument(index, Kind.INVALID_OBJECT_BY_VALUE, "a read-only object cannot be taken by value")
        if slot.object is not None:
            self.taken[slot.object.id] = slot.object
        return slot.box.pop()

    def borrow(self, slot: Slot, index: int, type_: Type, *, mutable: bool) -> Ref:
        """A reference to the value of `slot`. Raises CommandFailed."""
        if slot.type is None:
            value = self.decode(slot, index, type_)
            if not mutable:
                return [value], 0
            slot.type, slot.box = type_, [value]
        self.check_there(slot, index)
        check_type(slot, index, type_)
        if mutable:
            if slot.read_only:
                raise bad_argument(index, Kind.INVALID_OBJECT_BY_MUT_REF, "a read-only object cannot be changed")
            slot.dirty = True
        return slot.box, 0

    def decode(self, slot: Slot, index: int, type_: Type) -> Value:
        """The bytes of a pure input as a `type_`. Raises CommandFailed."""
        if slot.is_receiving or not is_pure_type(type_):
            raise bad_argument(index, Kind.INVALID_USAGE_OF_PURE_ARG, f"{type_} cannot be given as bytes")
        try:
            value = self.vm.decode(type_, slot.pure)
        except MalformedValue as malformed:
            raise bad_argument(index, Kind.INVALID_BCS_BYTES, str(malformed)) from malformed
        if not _strings_hold_text(type_, value):
            raise bad_argument(index, Kind.INVALID_BCS_BYTES, f"the string in {type_} is not text")
        return value

    def check_there(self, slot: Slot, index: int) -> None:
        """Raises CommandFailed if the value was taken already."""
        if not slot.box:
            raise bad_argument(index, Kind.INVALID_VALUE_USAGE, "the value was taken before")

    def check_nothing_left(self) -> None:
        """A result that cannot be dropped must be used: the rule that makes hot potatoes hot. Raises CommandFailed."""
        for command, results in enumerate(self.results):
            for index, slot in enumerate(results):
                if slot.box and slot.type is not None and not self.vm.abilities(slot.type) & Ability.DROP:
                    raise CommandFailed(
                        FailureKind.UNUSED_VALUE_WITHOUT_DROP,
                        f"result {index} of command {command}, a {slot.type}, must be used",
                        indices=(command, index),
                    )

    def typed(self, type_: Type, value: Value) -> TypedValue:
        """For people and RPC."""
        return TypedValue(type_, self.vm.encode(type_, value))


def check_type(slot: Slot, index: int, type_: Type) -> None:
    """Raises CommandFailed."""
    if slot.type is not type_:
        raise bad_argument(index, Kind.TYPE_MISMATCH, f"{type_} is wanted, {slot.type} is given")


_TEXT: Final = {STRING: "utf-8", ASCII_STRING: "ascii"}


def is_pure_type(type_: Type) -> bool:
    """Whether values of `type_` may come from outside as bytes: nothing that a module wants to make itself."""
    if isinstance(type_, Primitive):
        return type_ is not SIGNER
    if isinstance(type_, Vector):
        return is_pure_type(type_.element)
    if not isinstance(type_, Struct):
        return False
    return type_ is ID or type_ in _TEXT or (_is_option(type_) and is_pure_type(type_.arguments[0]))


def _is_option(type_: Type) -> bool:
    return is_instance(type_, STD_PACKAGE, "option", "Option")


def _strings_hold_text(type_: Type, value: Value) -> bool:
    if isinstance(type_, Vector) and not isinstance(type_.element, Primitive):
        return all(_strings_hold_text(type_.element, item) for item in value)
    if not isinstance(type_, Struct) or type_ is ID:
        return True
    if type_ in _TEXT:
        try:
            value[0].decode(_TEXT[type_])
        except UnicodeDecodeError:
            return False
        return True
    # an Option is a vector of at most one
    return len(value[0]) <= 1 and all(_strings_hold_text(type_.arguments[0], item) for item in value[0])
