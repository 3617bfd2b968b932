"""Bytecode instructions as Move statements: every value that is pushed gets a name of its own.

The verifier has made sure that the stack never runs dry within a block, so the names on it stand for the values.
"""

from typing import Final

from localnet.movevm.bytecode.module import FunctionHandle, Module, StructDefinition
from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.toolchain.spelling import constant, one_or_tuple, package_name, quoted, type_arguments


class NotExpressible(Exception):
    """An enum is taken apart, which `match` words differently than instructions do; little of the framework does it."""


_VALUES: Final = {
    Op.LD_TRUE: (0, "true"),
    Op.LD_FALSE: (0, "false"),
    **{op: (0, f"{{operand}}{op.name[3:].lower()}") for op in Op if op.name.startswith("LD_U")},
    Op.COPY_LOC: (0, "copy l{operand}"),
    Op.MOVE_LOC: (0, "move l{operand}"),
    Op.MUT_BORROW_LOC: (0, "&mut l{operand}"),
    Op.IMM_BORROW_LOC: (0, "&l{operand}"),
    Op.READ_REF: (1, "*{0}"),
    Op.FREEZE_REF: (1, "freeze({0})"),
    Op.NOT: (1, "!{0}"),
    **{op: (1, f"({{0}} as {op.name[5:].lower()})") for op in Op if op.name.startswith("CAST_")},
    Op.ADD: (2, "{0} + {1}"),
    Op.SUB: (2, "{0} - {1}"),
    Op.MUL: (2, "{0} * {1}"),
    Op.DIV: (2, "{0} / {1}"),
    Op.MOD: (2, "{0} % {1}"),
    Op.BIT_OR: (2, "{0} | {1}"),
    Op.BIT_AND: (2, "{0} & {1}"),
    Op.XOR: (2, "{0} ^ {1}"),
    Op.SHL: (2, "{0} << {1}"),
    Op.SHR: (2, "{0} >> {1}"),
    Op.OR: (2, "{0} || {1}"),
    Op.AND: (2, "{0} && {1}"),
    Op.EQ: (2, "{0} == {1}"),
    Op.NEQ: (2, "{0} != {1}"),
    Op.LT: (2, "{0} < {1}"),
    Op.GT: (2, "{0} > {1}"),
    Op.LE: (2, "{0} <= {1}"),
    Op.GE: (2, "{0} >= {1}"),
    Op.VEC_LEN: (1, "std::vector::length({0})"),
    Op.VEC_IMM_BORROW: (2, "std::vector::borrow({0}, {1})"),
    Op.VEC_MUT_BORROW: (2, "std::vector::borrow_mut({0}, {1})"),
    Op.VEC_POP_BACK: (1, "std::vector::pop_back({0})"),
}
"""Instructions that push one value: how many they pop, and the expression."""
_EFFECTS: Final = {
    Op.POP: (1, "_ = {0};"),
    Op.ST_LOC: (1, "l{operand} = {0};"),
    Op.WRITE_REF: (2, "*{1} = {0};"),
    Op.ABORT: (1, "abort {0}"),
    Op.VEC_PUSH_BACK: (2, "std::vector::push_back({0}, {1});"),
    Op.VEC_SWAP: (3, "std::vector::swap({0}, {1}, {2});"),
}
"""Instructions that push nothing: how many they pop, and the statement."""
_SILENT: Final = frozenset({Op.NOP, Op.BRANCH})


class Statements:
    """The statements of one function as they are written; the stack is empty between blocks."""

    def __init__(self, module: Module) -> None:
        self.lines: Final[list[str]] = []
        self._module = module
        self._stack: list[str] = []
        self._named = 0

    def condition(self, op: Op) -> str:
        """Return the condition under which a conditional branch, the last of its block, is taken."""
        (value,) = self._pop(1)
        assert not self._stack, "the compiler leaves no value on the stack between blocks"
        return value if op is Op.BR_TRUE else f"!{value}"

    def write(self, instruction: Instruction) -> None:
        """Write what `instruction`, any but a conditional branch, does.

        Raises:
            NotExpressible: it is one of those for enums.
        """
        op, operand = instruction.op, instruction.operand
        if op in _VALUES:
            count, expression = _VALUES[op]
            self._push(expression.format(*self._pop(count), operand=operand))
        elif op in _EFFECTS:
            count, statement = _EFFECTS[op]
            self.lines.append(statement.format(*self._pop(count), operand=operand))
        elif op is Op.RET:
            given = self._pop(len(self._stack))
            self.lines.append(f"return {one_or_tuple(given)}" if given else "return")
        elif op is Op.LD_CONST:
            literal = self._module.constants[operand]
            self._push(constant(literal.type, literal.data))
        elif op in {Op.VEC_PACK, Op.VEC_UNPACK}:
            self._vector(instruction)
        elif op not in _SILENT:
            self._named_thing(op, operand)

    def _named_thing(self, op: Op, operand: int) -> None:
        module = self._module
        match op:
            case Op.MUT_BORROW_FIELD | Op.IMM_BORROW_FIELD:
                self._borrow(op, module.fields[operand].definition, module.fields[operand].index)
            case Op.MUT_BORROW_FIELD_G | Op.IMM_BORROW_FIELD_G:
                self._borrow(op, module.generic_fields[operand].definition, module.generic_fields[operand].index)
            case Op.CALL:
                self._call(module.call_targets[operand], "")
            case Op.CALL_G:
                target = module.generic_call_targets[operand]
                self._call(target.handle, type_arguments(target.type_arguments))
            case Op.PACK | Op.UNPACK:
                self._struct(op, module.structs[operand], "")
            case Op.PACK_G | Op.UNPACK_G:
                use = module.generic_structs[operand]
                self._struct(op, use.definition, type_arguments(use.type.arguments))
            case _:
                raise NotExpressible(op.name)

    def _borrow(self, op: Op, definition: StructDefinition, index: int) -> None:
        reference = "&mut " if op in {Op.MUT_BORROW_FIELD, Op.MUT_BORROW_FIELD_G} else "&"
        (target,) = self._pop(1)
        self._push(f"{reference}{target}.{quoted(definition.fields[index].name)}")

    def _call(self, handle: FunctionHandle, types: str) -> None:
        path = f"{package_name(handle.address)}::{quoted(handle.module)}::{quoted(handle.name)}"
        call = f"{path}{types}({', '.join(self._pop(len(handle.parameters)))})"
        given = [self._name() for _ in handle.returns]
        self.lines.append(f"let {one_or_tuple(given)} = {call};" if given else f"{call};")
        self._stack.extend(given)

    def _struct(self, op: Op, definition: StructDefinition, types: str) -> None:
        name, fields = definition.handle.name + types, [quoted(field.name) for field in definition.fields]
        if op in {Op.PACK, Op.PACK_G}:
            self._push(f"{name} {{ {_paired(fields, self._pop(len(fields)))} }}")
        else:
            (packed,), values = self._pop(1), [self._name() for _ in fields]
            self.lines.append(f"let {name} {{ {_paired(fields, values)} }} = {packed};")
            self._stack.extend(values)

    def _vector(self, instruction: Instruction) -> None:
        if instruction.op is Op.VEC_PACK:
            (element,) = self._module.signatures[instruction.operand]
            self._push(f"vector<{element}>[{', '.join(self._pop(instruction.count))}]")
            return
        (packed,), vector = self._pop(1), self._name()
        elements = [self._name() for _ in range(instruction.count)]
        self.lines.append(f"let mut {vector} = {packed};")
        self.lines.extend(f"let {element} = std::vector::pop_back(&mut {vector});" for element in reversed(elements))
        self.lines.append(f"std::vector::destroy_empty({vector});")
        self._stack.extend(elements)

    def _push(self, expression: str) -> None:
        name = self._name()
        self.lines.append(f"let {name} = {expression};")
        self._stack.append(name)

    def _pop(self, count: int) -> list[str]:
        keep = len(self._stack) - count
        popped = self._stack[keep:]
        del self._stack[keep:]
        return popped

    def _name(self) -> str:
        self._named += 1
        return f"t{self._named}"


def _paired(fields: list[str], values: list[str]) -> str:
    return ", ".join(f"{field}: {value}" for field, value in zip(fields, values, strict=True))
