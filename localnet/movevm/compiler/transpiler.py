"""One function, from bytecode to Python."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from localnet.movevm.bytecode.module import Function, Module
from localnet.movevm.bytecode.opcodes import JUMPS, LITERAL_BYTES, Instruction, Op
from localnet.movevm.codecs import Codecs
from localnet.movevm.compiler import control, datatypes, memory, scalars
from localnet.movevm.compiler.template import Template
from localnet.movevm.compiler.writer import Writer
from localnet.movevm.errors import MalformedModule

Emitter: TypeAlias = Callable[[Writer, Instruction], None]

_ENDS: Final = frozenset({Op.RET, Op.ABORT, Op.BRANCH, Op.VARIANT_SWITCH})
_CONDITIONAL: Final = frozenset({Op.BR_TRUE, Op.BR_FALSE})
_LEAF_CASES: Final = 3
"""So many cases are tried one after the other; more are halved first."""

_EMITTERS: Final[dict[Op, Emitter]] = {
    **dict.fromkeys(LITERAL_BYTES, scalars.literal),
    **dict.fromkeys((Op.LD_TRUE, Op.LD_FALSE), scalars.truth),
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MOD), scalars.arithmetic),
    **dict.fromkeys((Op.BIT_OR, Op.BIT_AND, Op.XOR), scalars.bitwise),
    **dict.fromkeys((Op.SHL, Op.SHR), scalars.shift),
    **dict.fromkeys((Op.OR, Op.AND), scalars.logic),
    Op.NOT: scalars.negate,
    **dict.fromkeys((Op.EQ, Op.NEQ), scalars.equality),
    **dict.fromkeys((Op.LT, Op.GT, Op.LE, Op.GE), scalars.order),
    **{op: scalars.cast for op in Op if op.name.startswith("CAST_")},
    Op.POP: memory.discard,
    Op.COPY_LOC: memory.copy_local,
    Op.MOVE_LOC: memory.move_local,
    Op.ST_LOC: memory.store_local,
    **dict.fromkeys((Op.MUT_BORROW_LOC, Op.IMM_BORROW_LOC), memory.borrow_local),
    **{op: memory.borrow_field for op in Op if "BORROW_FIELD" in op.name},
    Op.READ_REF: memory.read_reference,
    Op.WRITE_REF: memory.write_reference,
    Op.FREEZE_REF: memory.freeze,
    **dict.fromkeys((Op.PACK, Op.PACK_G), datatypes.pack),
    **dict.fromkeys((Op.UNPACK, Op.UNPACK_G), datatypes.unpack),
    **dict.fromkeys((Op.PACK_VARIANT, Op.PACK_VARIANT_G), datatypes.pack_variant),
    **{op: datatypes.unpack_variant for op in Op if op.name.startswith("UNPACK_VARIANT")},
    Op.VEC_PACK: datatypes.vector_pack,
    Op.VEC_UNPACK: datatypes.vector_unpack,
    Op.VEC_LEN: datatypes.vector_length,
    **dict.fromkeys((Op.VEC_IMM_BORROW, Op.VEC_MUT_BORROW), datatypes.vector_borrow),
    Op.VEC_PUSH_BACK: datatypes.vector_push,
    Op.VEC_POP_BACK: datatypes.vector_pop,
    Op.VEC_SWAP: datatypes.vector_swap,
    Op.RET: control.give_back,
    Op.ABORT: control.abort,
    Op.NOP: lambda _writer, _instruction: None,
}


def transpile(module: Module, function: Function, codecs: Codecs) -> Template:
    """Return what becomes `f(ctx, ta, *arguments)`, which returns nothing, a value, or a tuple of values.

    It is remembered with the module. `codecs` read constants, whose types are the same for all VMs.

    Raises:
        MalformedModule: the code misuses the stack or its types, which the Move compiler never lets happen.
    """
    made = module.templates.get(function.name)
    if made is None:
        made = module.templates[function.name] = _Transpiler(module, function, codecs).build()
    return made


class _Transpiler:
    """Splits code into cases, writes each, puts the dispatch around them."""

    def __init__(self, module: Module, function: Function, codecs: Codecs) -> None:
        self.writer = Writer(module, function)
        self.function = function
        self.starts = _case_starts(function)
        self.cases = {offset: number for number, offset in enumerate(self.starts)}
        self.emitters = _EMITTERS | {
            Op.LD_CONST: partial(memory.constant, codecs),
            **dict.fromkeys((Op.CALL, Op.CALL_G), control.call),
            **dict.fromkeys(JUMPS, partial(control.branch, cases=self.cases)),
            Op.VARIANT_SWITCH: partial(control.variant_switch, cases=self.cases),
        }

    def build(self) -> Template:
        """Compile."""
        ends = [*self.starts[1:], len(self.function.code)]
        bodies = [self._case(start, end) for start, end in zip(self.starts, ends, strict=True)]
        parameters = "".join(f", l{index}" for index in range(len(self.function.handle.parameters)))
        lines = [f"def f(ctx, ta{parameters}):"]
        lines += [f" l{i} = [l{i}]" for i in range(len(self.function.handle.parameters)) if i in self.writer.boxed]
        if len(bodies) == 1 and not any("continue" in line for line in bodies[0]):
            lines += [f" {line}" for line in bodies[0]]
        else:
            lines += [" b = 0", " while True:", *_dispatch(bodies, 0, "  ")]
        name = f"<move {self.writer.module.name}::{self.function.name}>"
        return Template(compile("\n".join(lines), name, "exec"), self.writer.scope, self.writer.calls)

    def _case(self, start: int, end: int) -> list[str]:
        writer, code = self.writer, self.function.code
        writer.statements = []
        block = start
        while block < end:
            stop = next((at + 1 for at in range(block, end) if code[at].op in _CONDITIONAL or code[at].op in _ENDS), end)
            writer.line(f"ctx.gas -= {stop - block}")
            writer.line(f"if ctx.gas < 0: raise out_of_gas({block})")
            for offset in range(block, stop):
                writer.offset = offset
                self.emitters[code[offset].op](writer, code[offset])
            writer.expect_empty()
            if code[stop - 1].op in _ENDS:
                return writer.statements  # what follows up to `end` can never run
            block = stop
        if end >= len(code):
            raise MalformedModule(f"{self.function.name} runs past its end")
        writer.line(f"b = {self.cases[end]}; continue")
        return writer.statements


def _case_starts(function: Function) -> list[int]:
    """Where jumps go, and the start; after a conditional jump the same case just goes on."""
    targets = {0} | {i.operand for i in function.code if i.op in JUMPS}
    for table in function.jump_tables:
        targets.update(table)
    return sorted(targets)


def _dispatch(bodies: Sequence[list[str]], first: int, indent: str) -> list[str]:
    """Find the case `b` by halving, then by trying the few that are left."""
    if len(bodies) <= _LEAF_CASES:
        lines = []
        for number, body in enumerate(bodies):
            last = number == len(bodies) - 1
            test = "else:" if last else f"{'el' if number else ''}if b == {first + number}:"
            lines += [f"{indent}{'if True:' if last and not number else test}", *(f"{indent} {line}" for line in body)]
        return lines
    half = len(bodies) // 2
    return [
        f"{indent}if b < {first + half}:",
        *_dispatch(bodies[:half], first, indent + " "),
        f"{indent}else:",
        *_dispatch(bodies[half:], first + half, indent + " "),
    ]
