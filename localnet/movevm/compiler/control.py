"""Jumps, calls, returns, aborts."""

from collections.abc import Mapping

from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.movevm.compiler.writer import Writer, deref
from localnet.movevm.types import substitute


def branch(writer: Writer, instruction: Instruction, cases: Mapping[int, int]) -> None:
    """BRANCH, BR_TRUE, BR_FALSE; a conditional one falls through to the statements after it."""
    target = f"b = {cases[instruction.operand]}; continue"
    if instruction.op is Op.BRANCH:
        writer.line(target)
    else:
        writer.line(f"if {'' if instruction.op is Op.BR_TRUE else 'not '}{writer.pop().text}: {target}")


def variant_switch(writer: Writer, instruction: Instruction, cases: Mapping[int, int]) -> None:
    """VARIANT_SWITCH."""
    reference, _ = writer.pop_reference()
    table = writer.constant(tuple(cases[target] for target in writer.function.jump_tables[instruction.operand]))
    writer.line(f"b = {table}[{deref(reference)}[0]]; continue")


def give_back(writer: Writer, _: Instruction) -> None:
    """RET: nothing, one value, or a tuple."""
    values = [operand.text for operand in writer.pop_many(len(writer.function.handle.returns))]
    writer.line(f"return {', '.join(values)}" if values else "return None")


def abort(writer: Writer, _: Instruction) -> None:
    """ABORT."""
    writer.line(f"raise abort({writer.pop().text}, {writer.offset})")


def call(writer: Writer, instruction: Instruction) -> None:
    """CALL, CALL_G."""
    if instruction.op is Op.CALL_G:
        target = writer.module.generic_call_targets[instruction.operand]
        handle, given = target.handle, target.type_arguments
    else:
        handle, given = writer.module.call_targets[instruction.operand], ()
    arguments = [operand.text for operand in writer.pop_many(len(handle.parameters))]
    text = f"{writer.callee(handle)}({', '.join(['ctx', writer.type_arguments(given), *arguments])})"
    returns = [substitute(type_, given) if given else type_ for type_ in handle.returns]
    if not returns:
        writer.line(text)
    elif len(returns) == 1:
        writer.push(text, returns[0])
    else:
        names = [writer.temporary() for _ in returns]
        writer.line(f"{', '.join(names)} = {text}")
        for result, type_ in zip(names, returns, strict=True):
            writer.push_plain(result, type_)
