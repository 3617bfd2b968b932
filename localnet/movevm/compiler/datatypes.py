"""Structs, enums and vectors: made, taken apart, looked into."""

from localnet.movevm.bytecode.module import StructDefinition, VariantUse
from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.movevm.compiler.writer import Operand, Writer, deref
from localnet.movevm.errors import MalformedModule
from localnet.movevm.types import U8, U64, Parameter, Reference, Struct, Type, Vector, substitute

_VARIANT_BY_REFERENCE = {
    Op.UNPACK_VARIANT_IMM_REF: False,
    Op.UNPACK_VARIANT_G_IMM_REF: False,
    Op.UNPACK_VARIANT_MUT_REF: True,
    Op.UNPACK_VARIANT_G_MUT_REF: True,
}

_OUT_OF_BOUNDS, _EMPTY, _WRONG_LENGTH = 1, 2, 3
"""Sub-statuses of VECTOR_OPERATION_ERROR."""


def pack(writer: Writer, instruction: Instruction) -> None:
    """PACK, PACK_G."""
    definition, type_ = _struct(writer, instruction, generic=Op.PACK_G)
    writer.push(f"[{_list(writer.pop_many(len(definition.fields)))}]", type_)


def unpack(writer: Writer, instruction: Instruction) -> None:
    """UNPACK, UNPACK_G."""
    definition, _ = _struct(writer, instruction, generic=Op.UNPACK_G)
    value, type_ = writer.pop()
    if not isinstance(type_, Struct):
        raise MalformedModule(f"{type_} is taken apart as {definition.handle.name}")
    names = [writer.temporary() for _ in definition.fields]
    if names:
        writer.line(f"{', '.join(names)}, = {value}")
    for name, field in zip(names, definition.fields, strict=True):
        writer.push_plain(name, substitute(field.type, type_.arguments))


def pack_variant(writer: Writer, instruction: Instruction) -> None:
    """PACK_VARIANT, PACK_VARIANT_G."""
    use = _variant(writer, instruction, generic=instruction.op is Op.PACK_VARIANT_G)
    fields = writer.pop_many(len(use.definition.variants[use.tag].fields))
    writer.push(f"[{', '.join([str(use.tag), *(field.text for field in fields)])}]", use.type)


def unpack_variant(writer: Writer, instruction: Instruction) -> None:
    """UNPACK_VARIANT in its six forms; another variant than expected fails."""
    use = _variant(writer, instruction, generic="_G" in instruction.op.name)
    mutable = _VARIANT_BY_REFERENCE.get(instruction.op)
    by_reference = mutable is not None
    value, type_ = writer.pop()
    target = type_.target if isinstance(type_, Reference) else type_
    if not isinstance(target, Struct) or by_reference != isinstance(type_, Reference):
        raise MalformedModule(f"{type_} is taken apart as {use.definition.handle.name}")
    name = writer.temporary()
    writer.line(f"{name} = {deref(value) if by_reference else value}")
    writer.line(f"if {name}[0] != {use.tag}: raise variant_error({writer.offset})")
    for index, field in enumerate(use.definition.variants[use.tag].fields, 1):
        field_type = substitute(field.type, target.arguments)
        if mutable is None:
            writer.push(f"{name}[{index}]", field_type)
        else:
            writer.push(f"({name}, {index})", Reference(field_type, mutable))


def vector_pack(writer: Writer, instruction: Instruction) -> None:
    """VEC_PACK: a bytearray if the elements are bytes, which in generic code only the type argument tells."""
    element = _element(writer, instruction)
    items = _list(writer.pop_many(instruction.count))
    if element is U8:
        text = f"bytearray(({items}))" if items else "bytearray()"
    elif isinstance(element, Parameter):
        text = f"new_vector(ta[{element.index}], [{items}])"
    else:
        text = f"[{items}]"
    writer.push(text, Vector(element))


def vector_unpack(writer: Writer, instruction: Instruction) -> None:
    """VEC_UNPACK: the length must be as said."""
    value = writer.pop().text
    element = _element(writer, instruction)
    writer.line(f"if len({value}) != {instruction.count}: raise vector_error({writer.offset}, {_WRONG_LENGTH})")
    for index in range(instruction.count):
        writer.push(f"{value}[{index}]", element)


def vector_length(writer: Writer, _: Instruction) -> None:
    """VEC_LEN."""
    writer.push(f"len({deref(writer.pop().text)})", U64)


def vector_borrow(writer: Writer, instruction: Instruction) -> None:
    """VEC_IMM_BORROW, VEC_MUT_BORROW."""
    index, vector, name = writer.pop().text, writer.pop().text, writer.temporary()
    writer.line(f"{name} = {deref(vector)}")
    writer.line(f"if {index} >= len({name}): raise vector_error({writer.offset}, {_OUT_OF_BOUNDS})")
    mutable = instruction.op is Op.VEC_MUT_BORROW
    writer.push_plain(f"({name}, {index})", Reference(_element(writer, instruction), mutable))


def vector_push(writer: Writer, _: Instruction) -> None:
    """VEC_PUSH_BACK."""
    value, vector = writer.pop().text, writer.pop().text
    writer.line(f"{deref(vector)}.append({value})")


def vector_pop(writer: Writer, instruction: Instruction) -> None:
    """VEC_POP_BACK: an empty vector fails."""
    vector, name = writer.pop().text, writer.temporary()
    writer.line(f"{name} = {deref(vector)}")
    writer.line(f"if not {name}: raise vector_error({writer.offset}, {_EMPTY})")
    writer.push(f"{name}.pop()", _element(writer, instruction))


def vector_swap(writer: Writer, _: Instruction) -> None:
    """VEC_SWAP."""
    second, first, vector = writer.pop().text, writer.pop().text, writer.pop().text
    name = writer.temporary()
    writer.line(f"{name} = {deref(vector)}")
    writer.line(f"if {first} >= len({name}) or {second} >= len({name}): raise vector_error({writer.offset}, {_OUT_OF_BOUNDS})")
    writer.line(f"{name}[{first}], {name}[{second}] = {name}[{second}], {name}[{first}]")


def _list(operands: list[Operand]) -> str:
    text = ", ".join(operand.text for operand in operands)
    return text + "," if len(operands) == 1 else text


def _struct(writer: Writer, instruction: Instruction, *, generic: Op) -> tuple[StructDefinition, Struct]:
    if instruction.op is generic:
        use = writer.module.generic_structs[instruction.operand]
        return use.definition, use.type
    definition = writer.module.structs[instruction.operand]
    return definition, Struct(definition.handle.address, definition.handle.module, definition.handle.name)


def _variant(writer: Writer, instruction: Instruction, *, generic: bool) -> VariantUse:
    pool = writer.module.generic_variants if generic else writer.module.variants
    return pool[instruction.operand]


def _element(writer: Writer, instruction: Instruction) -> Type:
    signature = writer.module.signatures[instruction.operand]
    if len(signature) != 1:
        raise MalformedModule(f"a vector of {len(signature)} element types")
    return signature[0]
