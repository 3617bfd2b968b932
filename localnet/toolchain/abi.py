"""What a package offers to transactions, and its structs, from its bytecode: to hold against a specification."""

from collections.abc import Iterator
from dataclasses import dataclass

from localnet.movevm.bytecode.module import Module, StructDefinition, Visibility
from localnet.movevm.bytecode.parser import parse_module
from localnet.toolchain.package import MovePackage


@dataclass(frozen=True, slots=True)
class MoveFunction:
    """A function that a transaction may call: public, or a private entry."""

    module: str
    name: str
    public: bool
    entry: bool
    parameters: tuple[str, ...]
    """Types as Move spells them, with full paths; a trailing `&mut TxContext` is among them."""
    returns: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line of Move."""
        modifiers = ("public " if self.public else "") + ("entry " if self.entry else "")
        returns = f": ({', '.join(self.returns)})" if self.returns else ""
        return f"{modifiers}fun {self.module}::{self.name}({', '.join(self.parameters)}){returns}"


@dataclass(frozen=True, slots=True)
class MoveStruct:
    """A struct; the order of its fields is the order of its BCS."""

    module: str
    name: str
    fields: tuple[tuple[str, str], ...]
    """Name and type of each."""

    def __str__(self) -> str:
        """Return one line of Move."""
        return f"struct {self.module}::{self.name} {{ {', '.join(f'{name}: {type_}' for name, type_ in self.fields)} }}"


def functions(package: MovePackage) -> Iterator[MoveFunction]:
    """Yield what transactions may call, module by module, in the order of the source."""
    for module in _modules(package):
        for function in module.functions.values():
            public = function.visibility is Visibility.PUBLIC
            if public or function.is_entry:
                yield MoveFunction(
                    module.name,
                    function.name,
                    public=public,
                    entry=function.is_entry,
                    parameters=tuple(map(str, function.handle.parameters)),
                    returns=tuple(map(str, function.handle.returns)),
                )


def structs(package: MovePackage) -> Iterator[MoveStruct]:
    """Yield every struct, module by module, in the order of the source."""
    for module in _modules(package):
        for definition in module.datatypes.values():
            if isinstance(definition, StructDefinition):
                fields = tuple((field.name, str(field.type)) for field in definition.fields)
                yield MoveStruct(module.name, definition.handle.name, fields)


def _modules(package: MovePackage) -> Iterator[Module]:
    for file in sorted((package.root / "bytecode").glob("*.mv")):
        yield parse_module(file.read_bytes())
