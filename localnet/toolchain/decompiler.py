"""One function of a bytecode module back into Move source that the compiler takes.

Locals stay locals, and control flow becomes loops and labelled blocks. The result is for a compiler to read, not for
people; compiled again it does what the bytecode does.
"""

from localnet.movevm.bytecode.module import Function, Module
from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.toolchain.control_flow import Flow, Jump, flow
from localnet.toolchain.statements import NotExpressible, Statements


def body(module: Module, function: Function) -> list[str]:
    """Return the lines of a function's body, its parameters called l0, l1, ….

    Raises:
        NotExpressible: it takes enums apart.
    """
    parameters = len(function.handle.parameters)
    own = [f"let mut l{index}: {type_};" for index, type_ in enumerate(function.locals) if index >= parameters]
    return own + _Structure(module, function).lines


class _Structure:
    """Blocks nested by dominance."""

    def __init__(self, module: Module, function: Function) -> None:
        self._code = function.code
        self._flow: Flow = flow(len(function.code), _jumps(function.code))
        self._statements = Statements(module)
        self.lines = self._statements.lines
        self._nest(0)

    def _nest(self, block: int) -> None:
        """Write `block` and all that it dominates; what it joins follows the labelled block that ends there."""
        joins = [inner for inner in self._flow.dominated[block] if inner in self._flow.joins]
        joins.sort(key=self._flow.order.__getitem__)
        if block in self._flow.loops:
            self.lines.append(f"'l{block}: loop {{")
        self.lines.extend(f"'b{join}: {{" for join in reversed(joins))
        self._write(block)
        for join in joins:
            self.lines.append("};")
            self._nest(join)
        if block in self._flow.loops:
            self.lines.append("}")

    def _write(self, block: int) -> None:
        span = self._flow.blocks[block]
        *before, last = self._code[span.start : span.end]
        for instruction in before:
            self._statements.write(instruction)
        if last.op not in {Op.BR_TRUE, Op.BR_FALSE}:
            self._statements.write(last)
            for successor in span.successors:
                self._go(block, successor)
            return
        taken, following = span.successors
        self.lines.append(f"if ({self._statements.condition(last.op)}) {{")
        self._go(block, taken)
        self.lines.append("} else {")
        self._go(block, following)
        self.lines.append("}")

    def _go(self, source: int, target: int) -> None:
        if self._flow.order[target] <= self._flow.order[source]:
            self.lines.append(f"continue 'l{target}")
        elif target in self._flow.joins:
            self.lines.append(f"return 'b{target} ()")
        else:
            self._nest(target)


def _jumps(code: tuple[Instruction, ...]) -> list[Jump]:
    jumps = []
    for at, instruction in enumerate(code):
        match instruction.op:
            case Op.BR_TRUE | Op.BR_FALSE:
                jumps.append(Jump(at, instruction.operand, conditional=True))
            case Op.BRANCH:
                jumps.append(Jump(at, instruction.operand, conditional=False))
            case Op.RET | Op.ABORT:
                jumps.append(Jump(at, None, conditional=False))
            case Op.VARIANT_SWITCH:
                raise NotExpressible(instruction.op.name)
            case _:
                pass
    return jumps
