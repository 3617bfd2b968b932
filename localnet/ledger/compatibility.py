"""What an upgrade may change of a package, by the policy of its ticket.

Both versions are compared as bytecode, in which packages go by their original ids. Source: move-binary-format `compatibility.rs`
(`Compatibility::upgrade_check`) and `inclusion_mode.rs`.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum

from localnet.movevm.bytecode.functions import pool_of
from localnet.movevm.bytecode.module import Definition, Function, FunctionHandle, Module, Visibility


class UpgradePolicy(IntEnum):
    """`sui::package`'s constants; the greater allows less."""

    COMPATIBLE = 0
    """Public functions keep their signatures, types stay as they are; bodies, and all else, may change."""
    ADDITIVE = 128
    """Nothing changes, but things may be added."""
    DEP_ONLY = 192
    """Nothing changes but the dependencies."""



def differences(old: Mapping[str, Module], new: Mapping[str, Module], policy: UpgradePolicy) -> Iterator[str]:
    """What is wrong with `new` as an upgrade of `old`, modules by name; nothing if the policy allows it."""
    for name, module in old.items():
        successor = new.get(name)
        if successor is None:
            yield f"module {name} is missing"
        elif policy is UpgradePolicy.COMPATIBLE:
            yield from _incompatible(module, successor)
        else:
            yield from _changed(module, successor)
            if policy is UpgradePolicy.DEP_ONLY:
                yield from _added(module, successor)
    if policy is UpgradePolicy.DEP_ONLY:
        yield from (f"module {name} is new" for name in new if name not in old)


def same_signature(wanted: FunctionHandle, offered: FunctionHandle) -> bool:
    """Whether who was compiled against `wanted` can call `offered`, which may ask less of its type arguments."""
    return (
        (wanted.parameters, wanted.returns) == (offered.parameters, offered.returns)
        and len(wanted.type_parameters) == len(offered.type_parameters)
        and all(not has & ~had for had, has in zip(wanted.type_parameters, offered.type_parameters, strict=True))
    )


def _incompatible(old: Module, new: Module) -> Iterator[str]:
    yield from _changed_types(old.datatypes, new.datatypes, old.name)
    for name, function in old.functions.items():
        if function.visibility is not Visibility.PUBLIC:
            continue
        successor = new.functions.get(name)
        if successor is None or successor.visibility is not Visibility.PUBLIC:
            yield f"public function {old.name}::{name} is missing or not public any more"
        elif not same_signature(function.handle, successor.handle):
            yield f"public function {old.name}::{name} has another signature"


def _changed_types(old: Mapping[str, Definition], new: Mapping[str, Definition], module: str) -> Iterator[str]:
    for name, definition in old.items():
        if name not in new:
            yield f"type {module}::{name} is missing"
        elif new[name] != definition:
            yield f"type {module}::{name} has other abilities, type parameters, fields or variants"


def _changed(old: Module, new: Module) -> Iterator[str]:
    yield from _changed_types(old.datatypes, new.datatypes, old.name)
    for name, function in old.functions.items():
        successor = new.functions.get(name)
        if successor is None:
            yield f"function {old.name}::{name} is missing"
        elif _spelled_out(old, function) != _spelled_out(new, successor):
            yield f"function {old.name}::{name} has changed"


def _added(old: Module, new: Module) -> Iterator[str]:
    yield from (f"type {old.name}::{name} is new" for name in new.datatypes if name not in old.datatypes)
    yield from (f"function {old.name}::{name} is new" for name in new.functions if name not in old.functions)


def _spelled_out(module: Module, function: Function) -> tuple[object, ...]:
    """A function with everything that its instructions name by number, which differs between builds of the same source."""
    code = []
    for instruction in function.code:
        pool = pool_of(module, instruction.op)
        operand: object = instruction.operand if pool is None else pool[instruction.operand]
        code.append((instruction.op, operand, instruction.count))
    shown = (function.visibility, function.is_entry, function.is_native)
    return (function.handle, shown, function.locals, tuple(code), function.jump_tables)
