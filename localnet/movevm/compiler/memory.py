"""Locals, references, constants."""

from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.movevm.codecs import Codecs
from localnet.movevm.compiler.writer import Writer, deref
from localnet.movevm.errors import MalformedModule
from localnet.movevm.linker import is_scalar
from localnet.movevm.types import BYTES, Reference, Struct, Type, substitute


def copied(text: str, type_: Type) -> str:
    """An expression for a copy of a value of `type_`."""
    if is_scalar(type_):
        return text
    return f"{text}[:]" if type_ is BYTES else f"copy_value({text})"


def copy_local(writer: Writer, instruction: Instruction) -> None:
    """COPY_LOC."""
    type_ = writer.function.locals[instruction.operand]
    writer.push(copied(writer.local(instruction.operand), type_), type_)


def move_local(writer: Writer, instruction: Instruction) -> None:
    """MOVE_LOC: nothing reads the local again, so nothing is cleared."""
    writer.push(writer.local(instruction.operand), writer.function.locals[instruction.operand])


def store_local(writer: Writer, instruction: Instruction) -> None:
    """ST_LOC: a boxed local gets a new box, so that it is a new variable in each turn of a loop."""
    value, index = writer.pop().text, instruction.operand
    writer.line(f"l{index} = [{value}]" if index in writer.boxed else f"l{index} = {value}")


def borrow_local(writer: Writer, instruction: Instruction) -> None:
    """MUT_BORROW_LOC, IMM_BORROW_LOC."""
    type_ = Reference(writer.function.locals[instruction.operand], instruction.op is Op.MUT_BORROW_LOC)
    writer.push(f"(l{instruction.operand}, 0)", type_)


def borrow_field(writer: Writer, instruction: Instruction) -> None:
    """MUT_BORROW_FIELD, IMM_BORROW_FIELD and their generic forms."""
    reference, type_ = writer.pop_reference()
    op, module = instruction.op, writer.module
    generic = op in {Op.MUT_BORROW_FIELD_G, Op.IMM_BORROW_FIELD_G}
    use = (module.generic_fields if generic else module.fields)[instruction.operand]
    if not isinstance(type_.target, Struct):
        raise MalformedModule(f"a field of {type_.target}")
    field = substitute(use.definition.fields[use.index].type, type_.target.arguments)
    mutable = op in {Op.MUT_BORROW_FIELD, Op.MUT_BORROW_FIELD_G}
    writer.push(f"({deref(reference)}, {use.index})", Reference(field, mutable))


def read_reference(writer: Writer, _: Instruction) -> None:
    """READ_REF: a copy."""
    reference, type_ = writer.pop_reference()
    writer.push(copied(deref(reference), type_.target), type_.target)


def write_reference(writer: Writer, _: Instruction) -> None:
    """WRITE_REF."""
    reference, value = writer.pop().text, writer.pop().text
    writer.line(f"{deref(reference)} = {value}")


def freeze(writer: Writer, _: Instruction) -> None:
    """FREEZE_REF."""
    reference, type_ = writer.pop_reference()
    writer.push_plain(reference, Reference(type_.target, mutable=False))


def discard(writer: Writer, _: Instruction) -> None:
    """POP."""
    writer.pop()


def constant(codecs: Codecs, writer: Writer, instruction: Instruction) -> None:
    """LD_CONST."""
    pool = writer.module.constants[instruction.operand]
    name = writer.constant(codecs.decode(pool.type, pool.data))
    writer.push(copied(name, pool.type), pool.type)
