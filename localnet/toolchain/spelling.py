"""How the parts of a bytecode module are spelled as Move source: declarations, signatures, constants.

Types spell themselves, with addresses for packages. What bytecode does not keep is put back from knowledge: the
attributes by which the compiler finds the methods of primitives and what stands behind `x[i]`.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

from localnet.movevm.bytecode.cursor import Cursor
from localnet.movevm.bytecode.module import (
    Ability,
    DatatypeHandle,
    Definition,
    Field,
    Function,
    Module,
    StructDefinition,
    TypeParameter,
    Visibility,
)
from localnet.movevm.types import ADDRESS, ADDRESS_BYTES, BOOL, U8, Primitive, Type, Vector, short_address

PACKAGE_NAMES: Final = {"0x1": "std", "0x2": "sui", "0x3": "sui_system"}
"""The names under which sources know the framework's packages."""

_KEYWORDS: Final = {
    "abort", "acquires", "as", "break", "const", "continue", "copy", "else", "entry", "enum", "false", "for", "friend",
    "fun", "has", "if", "let", "loop", "macro", "match", "module", "move", "mut", "native", "phantom", "public",
    "return", "spec", "struct", "true", "type", "use", "while",
}  # fmt: skip
_PRIMITIVES: Final = {
    **{("std", name): name for name in ("vector", "u8", "u16", "u32", "u64", "u128", "u256", "bool")},
    ("sui", "address"): "address",
}
"""Modules whose functions are methods of a primitive type."""
_COLLECTIONS: Final = ("vector", "table", "bag", "object_table", "object_bag", "linked_table", "table_vec")
_INDEXED: Final = {*product(_COLLECTIONS, ("borrow", "borrow_mut")), ("vec_map", "get"), ("vec_map", "get_mut")}
"""Functions behind `x[i]`."""
_VISIBILITY: Final = {Visibility.PRIVATE: "", Visibility.PUBLIC: "public ", Visibility.FRIEND: "public(package) "}


def package_name(address: bytes) -> str:
    """Return the name of a framework package, or the address of any other."""
    short = short_address(address)
    return PACKAGE_NAMES.get(short, short)


def quoted(name: str) -> str:
    """Return `name` in backquotes if it is a keyword."""
    return f"`{name}`" if name in _KEYWORDS else name


def type_arguments(types: Sequence[Type]) -> str:
    """Return `<T, …>`, or nothing if there are none."""
    return f"<{', '.join(map(str, types))}>" if types else ""


def header(module: Module) -> str:
    """Return the lines that open a module."""
    package = package_name(module.address)
    primitive = _PRIMITIVES.get((package, module.name))
    attribute = f"#[defines_primitive({primitive})]\n" if primitive else ""
    return f"#[allow(unused, lint(all))]\n{attribute}module {package}::{module.name};\n"


def datatype(definition: Definition) -> str:
    """Return the declaration of a struct or an enum."""
    if isinstance(definition, StructDefinition):
        return f"public struct {_declared(definition.handle)} {{ {_fields(definition.fields)} }}"
    variants = [f"{v.name} {{ {_fields(v.fields)} }}" if v.fields else v.name for v in definition.variants]
    return f"public enum {_declared(definition.handle)} {{ {', '.join(variants)} }}"


def signature(module: Module, function: Function, parameter: str) -> str:
    """Return a function up to its body; parameters are called `parameter` and their index."""
    attributes = "#[bytecode_instruction]\n" if function.is_native and module.name == "vector" else ""
    if (module.name, function.name) in _INDEXED:
        attributes += "#[syntax(index)]\n"
    modifiers = _VISIBILITY[function.visibility]
    modifiers += ("entry " if function.is_entry else "") + ("native " if function.is_native else "")
    generics = _type_parameters([TypeParameter(needs, phantom=False) for needs in function.handle.type_parameters])
    taken = ", ".join(f"{parameter}{index}: {type_}" for index, type_ in enumerate(function.handle.parameters))
    result = f": {one_or_tuple([str(type_) for type_ in function.handle.returns])}" if function.handle.returns else ""
    return f"{attributes}{modifiers}fun {quoted(function.name)}{generics}({taken}){result}"


def constant(type_: Type, data: bytes) -> str:
    """Return the literal for a constant of a module's pool, where it is kept as BCS."""
    cursor = Cursor(data)
    literal = _literal(type_, cursor)
    assert cursor.exhausted(), "a constant is one value"
    return literal


def one_or_tuple(parts: Sequence[str]) -> str:
    """Return the only part as it is, more in parentheses."""
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _literal(type_: Type, cursor: Cursor) -> str:
    if type_ is ADDRESS:
        return f"@0x{cursor.take(ADDRESS_BYTES).hex()}"
    if type_ is BOOL:
        return "true" if cursor.u8() else "false"
    if isinstance(type_, Primitive):
        return f"{cursor.little_endian(type_.bits // 8)}{type_}"
    assert isinstance(type_, Vector), "constants are primitives and vectors of them"
    count = cursor.uleb()
    if type_.element is U8:
        return f'x"{cursor.take(count).hex()}"'
    return f"vector[{', '.join(_literal(type_.element, cursor) for _ in range(count))}]"


def _declared(handle: DatatypeHandle) -> str:
    has = _abilities(handle.abilities, ", ")
    return handle.name + _type_parameters(handle.parameters) + (f" has {has}" if has else "")


def _fields(fields: Sequence[Field]) -> str:
    return ", ".join(f"{quoted(field.name)}: {field.type}" for field in fields)


def _type_parameters(parameters: Sequence[TypeParameter]) -> str:
    spelled = []
    for index, parameter in enumerate(parameters):
        needs = _abilities(parameter.constraints, " + ")
        spelled.append(("phantom " if parameter.phantom else "") + f"T{index}" + (f": {needs}" if needs else ""))
    return f"<{', '.join(spelled)}>" if spelled else ""


def _abilities(abilities: Ability, separator: str) -> str:
    known = (Ability.COPY, Ability.DROP, Ability.STORE, Ability.KEY)
    return separator.join(str(ability.name).lower() for ability in known if ability in abilities)
