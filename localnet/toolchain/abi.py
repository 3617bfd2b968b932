"""What a package offers to transactions, and the structs it writes, read from its bytecode: to hold against a specification."""

from collections.abc import Iterator
from dataclasses import dataclass

from localnet.toolchain.package import MovePackage
from localnet.toolchain.parser import Module, parse
from localnet.toolchain.spelling import module_name, type_text


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
        for function in module.fd:
            _, name, parameters, returns, _ = module.fh[function.handle]
            if function.vis == 1 or function.entry:
                yield MoveFunction(
                    module_name(module),
                    module.ids[name],
                    public=function.vis == 1,
                    entry=function.entry,
                    parameters=tuple(type_text(module, type_) for type_ in module.sigs[parameters]),
                    returns=tuple(type_text(module, type_) for type_ in module.sigs[returns]),
                )


def structs(package: MovePackage) -> Iterator[MoveStruct]:
    """Yield every struct, module by module, in the order of the source."""
    for module in _modules(package):
        for struct in module.sd:
            name = module.ids[module.dh[struct.handle][1]]
            yield MoveStruct(
                module_name(module), name, tuple((field, type_text(module, type_)) for field, type_ in struct.fields)
            )


def _modules(package: MovePackage) -> Iterator[Module]:
    for file in sorted((package.root / "bytecode").glob("*.mv")):
        yield parse(file.read_bytes())
