"""The function being written: its operand stack, statements and constants."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from localnet.movevm.bytecode.module import Function, FunctionHandle, Module
from localnet.movevm.bytecode.opcodes import Op
from localnet.movevm.errors import Location, MalformedModule, MoveAbort, OutOfGas, PrimitiveError
from localnet.movevm.types import ADDRESS_BYTES, Reference, Type, is_generic, substitute
from localnet.movevm.values import copy_value, new_vector

_BORROWS: Final = frozenset({Op.MUT_BORROW_LOC, Op.IMM_BORROW_LOC})


class Operand(NamedTuple):
    """An entry of the operand stack: a Python expression without side effects, and its Move type."""

    text: str
    type: Type


class Instantiations(dict[tuple[Type, ...], tuple[Type, ...]]):
    """Type arguments of one call site, by those of the caller."""

    def __init__(self, types: tuple[Type, ...]) -> None:
        super().__init__()
        self._types: Final = types

    def __missing__(self, arguments: tuple[Type, ...]) -> tuple[Type, ...]:
        made = self[arguments] = tuple(substitute(type_, arguments) for type_ in self._types)
        return made


class Writer:
    """What the emitters of instructions write into."""

    def __init__(self, module: Module, function: Function) -> None:
        self.module: Final = module
        self.function: Final = function
        self.boxed: Final = frozenset(i.operand for i in function.code if i.op in _BORROWS)
        """Locals that are borrowed somewhere; each lives in a list of one, which a reference can name."""
        self.offset = 0
        self.statements: list[str] = []
        self.scope: dict[str, Any] = {"copy_value": copy_value, "new_vector": new_vector, **_failures(module, function)}
        self.calls: dict[str, FunctionHandle] = {}
        self._stack: list[Operand] = []
        self._names = 0

    # ---- names and statements

    def line(self, statement: str) -> None:
        """Append a statement."""
        self.statements.append(statement)

    def temporary(self) -> str:
        """A fresh name."""
        self._names += 1
        return f"t{self._names}"

    def constant(self, value: object) -> str:
        """A name for `value`."""
        name = f"K{len(self.scope)}"
        self.scope[name] = value
        return name

    def callee(self, handle: FunctionHandle) -> str:
        """A name for the function `handle`, bound when the code is linked."""
        name = f"F{len(self.calls)}"
        self.calls[name] = handle
        return name

    def local(self, index: int) -> str:
        """The expression of a local's value."""
        return f"l{index}[0]" if index in self.boxed else f"l{index}"

    # ---- the operand stack

    def push(self, text: str, type_: Type) -> None:
        """Compute `text` now, into a temporary."""
        name = self.temporary()
        self.line(f"{name} = {text}")
        self._stack.append(Operand(name, type_))

    def push_plain(self, text: str, type_: Type) -> None:
        """Push an expression that no later statement can change."""
        self._stack.append(Operand(text, type_))

    def pop(self) -> Operand:
        """Raises MalformedModule if there is nothing."""
        if not self._stack:
            raise MalformedModule(f"{self.function.name}: nothing on the stack at {self.offset}")
        return self._stack.pop()

    def pop_reference(self) -> tuple[str, Reference]:
        """An operand that must be a reference."""
        text, type_ = self.pop()
        if not isinstance(type_, Reference):
            raise MalformedModule(f"{self.function.name}: {type_} is no reference at {self.offset}")
        return text, type_

    def pop_many(self, count: int) -> list[Operand]:
        """The last `count`, in the order pushed."""
        popped = [self.pop() for _ in range(count)]
        popped.reverse()
        return popped

    def expect_empty(self) -> None:
        """Blocks leave nothing behind: the bytecode verifier's rule."""
        if self._stack:
            raise MalformedModule(f"{self.function.name}: a block ends with values on the stack at {self.offset}")

    # ---- types

    def type_arguments(self, types: Sequence[Type]) -> str:
        """An expression for the tuple of `types`, in terms of the function's own type arguments."""
        if not types:
            return "()"
        given = tuple(types)
        if not any(is_generic(type_) for type_ in given):
            return self.constant(given)
        return f"{self.constant(Instantiations(given))}[ta]"


def deref(reference: str) -> str:
    """The expression of what a reference points at."""
    return f"{reference}[0][{reference}[1]]"


def _failures(module: Module, function: Function) -> dict[str, Any]:
    def location(offset: int) -> Location:
        return Location(module.address[:ADDRESS_BYTES], module.name, function.name, function.index, offset)

    return {
        "abort": lambda code, offset: MoveAbort(code, location(offset)),
        "arithmetic_error": lambda offset: PrimitiveError("ARITHMETIC_ERROR", location(offset)),
        "vector_error": lambda offset, detail: PrimitiveError("VECTOR_OPERATION_ERROR", location(offset), detail),
        "variant_error": lambda offset: PrimitiveError("VARIANT_TAG_MISMATCH", location(offset)),
        "out_of_gas": lambda offset: OutOfGas(location(offset)),
    }
