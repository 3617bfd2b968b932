"""Function definitions and their code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from localnet.movevm.bytecode.cursor import Cursor
from localnet.movevm.bytecode.module import Function, Module, Visibility
from localnet.movevm.bytecode.opcodes import JUMPS, LITERAL_BYTES, VECTOR_OF_COUNT, WITHOUT_OPERAND, Instruction, Op
from localnet.movevm.errors import MalformedModule

MAX_CODE: Final = 65_535
"""Instructions in a function; offsets are u16."""
MAX_LOCALS: Final = 255
_MAX_VECTOR_LITERAL: Final = 65_535
_DEPRECATED_SCRIPT: Final = 2
"""Visibility of `public(script)`, which became `entry`."""
_NATIVE, _ENTRY = 0x2, 0x4
_SWITCH_VERSION: Final = 7

_OPS: Final = {int(op): op for op in Op}


@dataclass(frozen=True, slots=True)
class RawFunction:
    """As the table has it."""

    handle: int
    visibility: Visibility
    is_entry: bool
    is_native: bool
    locals: int
    code: tuple[Instruction, ...]
    jump_tables: tuple[tuple[int, ...], ...]


def read_function(cursor: Cursor, version: int) -> RawFunction:
    """Read one definition.

    Raises:
        MalformedModule: an unknown instruction, or too many.
    """
    handle, visibility, flags = cursor.uleb(0xFFFF), cursor.u8(), cursor.u8()
    for _ in range(cursor.uleb(0xFFFF)):  # `acquires`, of no use on Sui
        cursor.uleb(0xFFFF)
    is_native = bool(flags & _NATIVE)
    if visibility not in {0, 1, 2, 3}:
        raise MalformedModule(f"visibility {visibility} is unknown")
    shown = Visibility.PRIVATE if visibility == _DEPRECATED_SCRIPT else Visibility(visibility)
    is_entry = bool(flags & _ENTRY) or visibility == _DEPRECATED_SCRIPT
    if is_native:
        return RawFunction(handle, shown, is_entry, is_native, 0, (), ())
    locals_ = cursor.uleb(0xFFFF)
    code = tuple(_instruction(cursor) for _ in range(cursor.uleb(MAX_CODE)))
    if not code:
        raise MalformedModule("a function without instructions")
    tables: tuple[tuple[int, ...], ...] = ()
    if version >= _SWITCH_VERSION:
        tables = tuple(_jump_table(cursor) for _ in range(cursor.uleb(0xFFFF)))
    return RawFunction(handle, shown, is_entry, is_native, locals_, code, tables)


def _jump_table(cursor: Cursor) -> tuple[int, ...]:
    cursor.uleb(0xFFFF)  # the enum, which the operand's type tells as well
    count = cursor.uleb(255)
    if cursor.u8() != 1:
        raise MalformedModule("a jump table of unknown kind")
    return tuple(cursor.uleb(MAX_CODE) for _ in range(count))


def _instruction(cursor: Cursor) -> Instruction:
    code = cursor.u8()
    op = _OPS.get(code)
    if op is None:
        raise MalformedModule(f"instruction {code:#x} is unknown, or of global storage, which Sui does not have")
    if op in WITHOUT_OPERAND:
        return Instruction(op)
    if op in LITERAL_BYTES:
        return Instruction(op, cursor.little_endian(LITERAL_BYTES[op]))
    operand = cursor.uleb(0xFFFF)
    if op in VECTOR_OF_COUNT:
        count = cursor.little_endian(8)
        if count > _MAX_VECTOR_LITERAL:
            raise MalformedModule(f"a vector literal of {count} elements")
        return Instruction(op, operand, count)
    return Instruction(op, operand)


_POOLS: Final = {
    Op.LD_CONST: "constants",
    Op.CALL: "call_targets",
    Op.CALL_G: "generic_call_targets",
    **dict.fromkeys((Op.PACK, Op.UNPACK), "structs"),
    **dict.fromkeys((Op.PACK_G, Op.UNPACK_G), "generic_structs"),
    **dict.fromkeys((Op.MUT_BORROW_FIELD, Op.IMM_BORROW_FIELD), "fields"),
    **dict.fromkeys((Op.MUT_BORROW_FIELD_G, Op.IMM_BORROW_FIELD_G), "generic_fields"),
    **dict.fromkeys((op for op in Op if op.name.startswith("VEC_")), "signatures"),
    **{
        op: "generic_variants" if "_G" in op.name else "variants"
        for op in Op
        if op.name.startswith(("PACK_VARIANT", "UNPACK_VARIANT"))
    },
}
"""The pool of a Module that an instruction's operand counts in."""


def pool_of(module: Module, op: Op) -> Sequence[object] | None:
    """What the operand of `op` is an index into; None if it is a number, a local or a place to jump to."""
    name = _POOLS.get(op)
    return None if name is None else getattr(module, name)


def check_code(module: Module) -> None:
    """Check that every operand names something that is there.

    Raises:
        MalformedModule: one does not.
    """
    limits = {op: len(getattr(module, name)) for op, name in _POOLS.items()}
    for function in module.functions.values():
        _check_function(function, limits)


def _check_function(function: Function, limits: dict[Op, int]) -> None:
    if len(function.locals) > MAX_LOCALS:
        raise MalformedModule(f"{function.name} has {len(function.locals)} locals, at most {MAX_LOCALS}")
    own = {op: len(function.locals) for op in (Op.COPY_LOC, Op.MOVE_LOC, Op.ST_LOC, Op.MUT_BORROW_LOC, Op.IMM_BORROW_LOC)}
    own |= dict.fromkeys(JUMPS, len(function.code))
    own[Op.VARIANT_SWITCH] = len(function.jump_tables)
    for offset, instruction in enumerate(function.code):
        limit = own.get(instruction.op, limits.get(instruction.op))
        if limit is not None and instruction.operand >= limit:
            raise MalformedModule(
                f"{function.name}: {instruction.op.name} {instruction.operand} at {offset}, but there are {limit}"
            )
    for table in function.jump_tables:
        if any(target >= len(function.code) for target in table):
            raise MalformedModule(f"{function.name} jumps past its end")
    if function.code and function.code[-1].op not in {Op.RET, Op.ABORT, Op.BRANCH, Op.VARIANT_SWITCH}:
        raise MalformedModule(f"{function.name} runs past its end")
