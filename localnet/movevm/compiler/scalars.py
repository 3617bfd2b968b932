"""Literals, arithmetic, comparison, casts."""

from localnet.movevm.bytecode.opcodes import LITERAL_BYTES, Instruction, Op
from localnet.movevm.compiler.writer import Writer, deref
from localnet.movevm.errors import MalformedModule
from localnet.movevm.types import BOOL, U8, U16, U32, U64, U128, U256, Primitive, Reference, Type

_BY_BYTES = {1: U8, 2: U16, 4: U32, 8: U64, 16: U128, 32: U256}
_CASTS = {
    Op.CAST_U8: U8,
    Op.CAST_U16: U16,
    Op.CAST_U32: U32,
    Op.CAST_U64: U64,
    Op.CAST_U128: U128,
    Op.CAST_U256: U256,
}
_SYMBOLS = {
    Op.ADD: "+", Op.SUB: "-", Op.MUL: "*", Op.DIV: "//", Op.MOD: "%",
    Op.BIT_OR: "|", Op.BIT_AND: "&", Op.XOR: "^", Op.OR: "or", Op.AND: "and",
    Op.EQ: "==", Op.NEQ: "!=", Op.LT: "<", Op.GT: ">", Op.LE: "<=", Op.GE: ">=",
}  # fmt: skip


def literal(writer: Writer, instruction: Instruction) -> None:
    """LD_U8 … LD_U256."""
    writer.push_plain(str(instruction.operand), _BY_BYTES[LITERAL_BYTES[instruction.op]])


def truth(writer: Writer, instruction: Instruction) -> None:
    """LD_TRUE, LD_FALSE."""
    writer.push_plain(str(instruction.op is Op.LD_TRUE), BOOL)


def arithmetic(writer: Writer, instruction: Instruction) -> None:
    """ADD, SUB, MUL, DIV, MOD; overflow and division by zero fail."""
    right, (left, type_) = writer.pop().text, writer.pop()
    op, offset = instruction.op, writer.offset
    if op in {Op.DIV, Op.MOD}:
        writer.line(f"if {right} == 0: raise arithmetic_error({offset})")
    result = writer.temporary()
    writer.line(f"{result} = {left} {_SYMBOLS[op]} {right}")
    if op is Op.SUB:
        writer.line(f"if {result} < 0: raise arithmetic_error({offset})")
    elif op in {Op.ADD, Op.MUL}:
        writer.line(f"if {result} > {_largest(type_)}: raise arithmetic_error({offset})")
    writer.push_plain(result, type_)


def bitwise(writer: Writer, instruction: Instruction) -> None:
    """BIT_OR, BIT_AND, XOR."""
    right, (left, type_) = writer.pop().text, writer.pop()
    writer.push(f"{left} {_SYMBOLS[instruction.op]} {right}", type_)


def shift(writer: Writer, instruction: Instruction) -> None:
    """SHL drops what leaves on the left; a distance of the width or more fails."""
    right, (left, type_) = writer.pop().text, writer.pop()
    writer.line(f"if {right} >= {_bits(type_)}: raise arithmetic_error({writer.offset})")
    if instruction.op is Op.SHL:
        writer.push(f"({left} << {right}) & {_largest(type_)}", type_)
    else:
        writer.push(f"{left} >> {right}", type_)


def logic(writer: Writer, instruction: Instruction) -> None:
    """OR, AND: both sides are computed already."""
    right, left = writer.pop().text, writer.pop().text
    writer.push(f"{left} {_SYMBOLS[instruction.op]} {right}", BOOL)


def negate(writer: Writer, _: Instruction) -> None:
    """NOT."""
    writer.push(f"not {writer.pop().text}", BOOL)


def equality(writer: Writer, instruction: Instruction) -> None:
    """EQ, NEQ; references are compared by what they point at."""
    right, (left, type_) = writer.pop().text, writer.pop()
    if isinstance(type_, Reference):
        left, right = deref(left), deref(right)
    writer.push(f"{left} {_SYMBOLS[instruction.op]} {right}", BOOL)


def order(writer: Writer, instruction: Instruction) -> None:
    """LT, GT, LE, GE."""
    right, left = writer.pop().text, writer.pop().text
    writer.push(f"{left} {_SYMBOLS[instruction.op]} {right}", BOOL)


def cast(writer: Writer, instruction: Instruction) -> None:
    """CAST_U8 … CAST_U256; what does not fit fails."""
    value, target = writer.pop().text, _CASTS[instruction.op]
    writer.line(f"if {value} > {_largest(target)}: raise arithmetic_error({writer.offset})")
    writer.push_plain(value, target)


def _bits(type_: Type) -> int:
    if not isinstance(type_, Primitive) or not type_.bits:
        raise MalformedModule(f"arithmetic on {type_}")
    return type_.bits


def _largest(type_: Type) -> int:
    return int((1 << _bits(type_)) - 1)
