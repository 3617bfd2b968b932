"""The MoveCall command: who may call what with which values."""

from dataclasses import dataclass
from typing import Final

from localnet.ledger.failures import CommandFailed, bad_argument
from localnet.ledger.model import Argument, ArgumentErrorKind, CommandResult, FailureKind, MoveCall, TypedValue
from localnet.ledger.names import TX_CONTEXT, is_receiving
from localnet.ledger.session import Session
from localnet.ledger.slots import Slot, Slots
from localnet.movevm.bytecode.module import Function, Visibility
from localnet.movevm.errors import LinkError
from localnet.movevm.types import Reference, Struct, Type, short_address, substitute
from localnet.movevm.values import Ref, Value

INIT: Final = "init"


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls Move functions on behalf of a transaction."""

    session: Session
    slots: Slots
    context: Ref
    """The TxContext."""
    checked: bool
    """False in simulations that may call anything."""
    traced: bool
    """Whether to tell what became of arguments passed by `&mut`."""

    def call(self, command: MoveCall) -> tuple[list[Slot], CommandResult]:
        """Run one command.

        Raises:
            CommandFailed, MoveError
        """
        function, type_arguments = self._find(command)
        handle = function.handle
        parameters = [substitute(type_, type_arguments) for type_ in handle.parameters]
        wanted = len(parameters) - (1 if parameters and is_context(parameters[-1]) else 0)
        if len(command.arguments) != wanted:
            message = f"{handle.name} takes {wanted} arguments, {len(command.arguments)} are given"
            raise CommandFailed(FailureKind.ARITY_MISMATCH, message)
        for index, type_ in enumerate(handle.returns):
            if isinstance(type_, Reference):
                message = f"{handle.name} returns a reference, which no command can take"
                raise CommandFailed(FailureKind.INVALID_PUBLIC_FUNCTION_RETURN_TYPE, message, argument=index)
        private_entry = function.visibility is not Visibility.PUBLIC
        taints = function.visibility is Visibility.PUBLIC and not function.is_entry
        values, mutable = self._arguments(command.arguments, parameters, private_entry=private_entry and self.checked)
        if wanted < len(parameters):
            values.append(self.context)
        self.session.caller = (command.package, command.module)
        results = self.session.vm.call(self.session, function, type_arguments, values)
        for _, slot in mutable:
            slot.tainted |= taints
        types = [substitute(type_, type_arguments) for type_ in handle.returns]
        returned = tuple(self.slots.typed(type_, value) for type_, value in zip(types, results, strict=True))
        slots = [Slot(type_, [value], tainted=taints) for type_, value in zip(types, results, strict=True)]
        return slots, CommandResult(returned, self._after(mutable) if self.traced else ())

    def _find(self, command: MoveCall) -> tuple[Function, tuple[Type, ...]]:
        """The function, and its type arguments under their defining ids."""
        linker = self.session.vm.linker
        name = f"{short_address(command.package)}::{command.module}::{command.function}"
        try:
            function = linker.function(command.package, command.module, command.function)
        except LinkError as missing:
            raise CommandFailed(FailureKind.FUNCTION_NOT_FOUND, str(missing)) from missing
        if self.checked and (
            command.function == INIT or not (function.visibility is Visibility.PUBLIC or function.is_entry)
        ):
            raise CommandFailed(FailureKind.NON_ENTRY_FUNCTION_INVOKED, f"{name} is neither public nor entry")
        constraints = function.handle.type_parameters
        if len(constraints) != len(command.type_arguments):
            message = f"{name} takes {len(constraints)} type arguments, {len(command.type_arguments)} are given"
            raise CommandFailed(FailureKind.TYPE_ARITY_MISMATCH, message)
        for index, (argument, constraint) in enumerate(zip(command.type_arguments, constraints, strict=True)):
            try:
                linker.check_arguments([argument], [constraint], name)
            except LinkError as unfit:
                raise CommandFailed(FailureKind.TYPE_ARGUMENT_ERROR, str(unfit), argument=index) from unfit
        return function, tuple(map(linker.canonical, command.type_arguments))

    def _arguments(
        self, arguments: tuple[Argument, ...], parameters: list[Type], *, private_entry: bool
    ) -> tuple[list[Value], list[tuple[Argument, Slot]]]:
        values: list[Value] = []
        mutable: list[tuple[Argument, Slot]] = []
        borrowed: dict[int, bool] = {}
        for index, (argument, type_) in enumerate(zip(arguments, parameters, strict=False)):
            slot = self.slots.find(argument, index)
            if private_entry and slot.tainted:
                raise bad_argument(
                    index,
                    ArgumentErrorKind.INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION,
                    "a private entry function takes no value that a public function has touched",
                )
            if isinstance(type_, Reference):
                exclusive = type_.mutable and slot.type is not None
                if id(slot) in borrowed and (exclusive or borrowed[id(slot)]):
                    kind = ArgumentErrorKind.INVALID_VALUE_USAGE
                    raise bad_argument(index, kind, "the value is borrowed by an earlier argument")
                values.append(self.slots.borrow(slot, index, type_.target, mutable=type_.mutable))
                borrowed[id(slot)] = type_.mutable
                if type_.mutable:
                    mutable.append((argument, slot))
            elif slot.is_receiving:
                values.append(_receive(slot, index, type_))
            else:
                if id(slot) in borrowed and slot.type is not None:
                    kind = ArgumentErrorKind.INVALID_VALUE_USAGE
                    raise bad_argument(index, kind, "the value is borrowed by an earlier argument")
                values.append(self.slots.take(slot, index, type_))
        return values, mutable

    def _after(self, mutable: list[tuple[Argument, Slot]]) -> tuple[tuple[Argument, TypedValue], ...]:
        return tuple(
            (argument, self.slots.typed(slot.type, slot.box[0]))
            for argument, slot in mutable
            if slot.type is not None and slot.box
        )


def _receive(slot: Slot, index: int, type_: Type) -> Value:
    """`Receiving<T>`: which T, the native checks when it opens the ticket."""
    if not is_receiving(type_):
        raise bad_argument(index, ArgumentErrorKind.TYPE_MISMATCH, f"{type_} is wanted, an object to receive is given")
    if not slot.box:
        raise bad_argument(index, ArgumentErrorKind.INVALID_VALUE_USAGE, "the value was taken before")
    return slot.box.pop()


def is_context(type_: Type) -> bool:
    """Whether a parameter is `&TxContext` or `&mut TxContext`, which the ledger fills in."""
    return isinstance(type_, Reference) and type_.target is TX_CONTEXT


def one_time_witness(function: Function) -> Struct | None:
    """The witness that an `init` asks for, if it does."""
    first = function.handle.parameters[0]
    return first if isinstance(first, Struct) else None


