"""The framework as sources, made from its bytecode: what the compiler of Sui wants instead of bytecode.

Two renderings. *Interface*: types and public signatures, every body `abort 0`; enough to compile a package against,
for nothing of a dependency ends up in the package's bytecode. *Decompiled*: everything with bodies, to run unit
tests; functions that take enums apart abort there (22 of 1,224: `coin_registry` and the like). Both get what lies in
`supplements/`: macros and method aliases, which bytecode does not keep, and test-only functions, which are never
published.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localnet.movevm.bytecode.module import Module, Visibility
from localnet.movevm.bytecode.parser import parse_module
from localnet.toolchain.builder import Framework
from localnet.toolchain.decompiler import body
from localnet.toolchain.framework import load_framework
from localnet.toolchain.spelling import PACKAGE_NAMES, datatype, header, package_name, signature
from localnet.toolchain.statements import NotExpressible

SUPPLEMENTS: Final = Path(__file__).parent / "supplements"

_UNREACHABLE: Final = "abort 0xdead"
"""Body of a function that cannot be decompiled."""
_ALWAYS: Final = ("object", "transfer", "tx_context")
"""Modules of `sui` whose types every source knows without a `use`."""


@dataclass(frozen=True, slots=True)
class _Package:
    """A package as its manifest names it."""

    name: str
    address: str
    depends_on: tuple[tuple[str, str], ...]
    """Name and directory of each dependency, as in Sui's repository."""

    @property
    def manifest(self) -> str:
        number = next(number for number, name in PACKAGE_NAMES.items() if name == self.address)
        dependencies = "".join(f'{name} = {{ local = "../{directory}" }}\n' for name, directory in self.depends_on)
        return (
            f'[package]\nname = "{self.name}"\nedition = "2024"\npublished-at = "{number}"\n\n'
            f'[addresses]\n{self.address} = "{number}"\n\n[dependencies]\n{dependencies}'
        )


_STDLIB: Final = ("MoveStdlib", "move-stdlib")
_PACKAGES: Final = (
    _Package("MoveStdlib", "std", ()),
    _Package("Sui", "sui", (_STDLIB,)),
    _Package("SuiSystem", "sui_system", (_STDLIB, ("Sui", "sui-framework"))),
)

_Key = tuple[str, str]
"""Named address and module."""


def interface_sources() -> Framework:
    """Return types and public signatures of the whole framework."""
    return _packaged({key: _source(key, module, bodies=False) for key, module in _modules().items()})


def decompiled_sources(dependents: Iterable[str] = ()) -> Framework:
    """Return everything, with bodies, of the modules that the sources `dependents` can reach; without any, all modules.

    Fewer modules compile faster.
    """
    modules = _modules()
    words = {word for text in dependents for word in re.findall(r"\w+", text)}
    kept = _reachable(modules, words) if words else set(modules)
    return _packaged({key: _source(key, module, bodies=True) for key, module in modules.items() if key in kept})


def write_sources(framework: Framework, directory: Path) -> None:
    """Write every file under `directory`, where diagnostics that point into the framework can be looked up."""
    for package, files in framework.items():
        for path, text in files.items():
            file = directory / package / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def _modules() -> dict[_Key, Module | None]:
    """Every module by name; None where only a supplement makes it."""
    parsed = (parse_module(bytecode) for modules in load_framework().values() for bytecode in modules)
    modules: dict[_Key, Module | None] = {(package_name(module.address), module.name): module for module in parsed}
    for file in sorted(SUPPLEMENTS.rglob("*.move")):
        modules.setdefault((file.parent.name, file.stem), None)
    return modules


def _source(key: _Key, module: Module | None, *, bodies: bool) -> str:
    supplement = _supplement(key)
    if module is None:
        return supplement
    # the supplement's own first line declares the module again
    supplement = supplement.partition(f"module {key[0]}::{key[1]};")[2]
    functions = _decompiled(module) if bodies else _interface(module)
    return "\n".join([header(module), *map(datatype, module.datatypes.values()), *functions, supplement])


def _interface(module: Module) -> Iterator[str]:
    for function in module.functions.values():
        if function.visibility is Visibility.PUBLIC:
            yield signature(module, function, "p") + (";" if function.is_native else " { abort 0 }")


def _decompiled(module: Module) -> Iterator[str]:
    for function in module.functions.values():
        if function.is_native:
            yield signature(module, function, "p") + ";"
            continue
        try:
            lines = body(module, function)
        except NotExpressible:
            lines = [_UNREACHABLE]
        yield "\n".join([signature(module, function, "mut l") + " {", *lines, "}"])


def _packaged(sources: Mapping[_Key, str]) -> Framework:
    return {
        package.name: {
            "Move.toml": package.manifest,
            **{f"sources/{name}.move": text for (address, name), text in sources.items() if address == package.address},
        }
        for package in _PACKAGES
    }


def _reachable(modules: Mapping[_Key, Module | None], words: set[str]) -> set[_Key]:
    """Follow references from every module whose name is among `words`: more than needed, never less."""
    reached: set[_Key] = set()
    ahead = [key for key in modules if key[0] == "std" or key[1] in words] + [("sui", name) for name in _ALWAYS]
    while ahead:
        key = ahead.pop()
        if key not in reached:
            reached.add(key)
            ahead.extend(_references(key, modules.get(key)))
    return reached


def _references(key: _Key, module: Module | None) -> Iterator[_Key]:
    if module is not None:
        yield from ((package_name(address), name) for address, name in module.dependencies)
    yield from re.findall(r"\b(std|sui)::(\w+)", _supplement(key))


def _supplement(key: _Key) -> str:
    file = SUPPLEMENTS / key[0] / f"{key[1]}.move"
    return file.read_text() if file.exists() else ""
