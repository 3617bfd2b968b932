"""Move sources to bytecode, and the check that the bytecode kept beside them is theirs.

`bytecode/` of a package holds one `<module>.mv` per module, and `package.json`: what a transaction that publishes it
needs (modules in the compiler's order, dependencies, digest), and what it was made from (compiler, hashes of the
sources). Local dependencies stand in it under placeholders, also named there: `publication.py` replaces them.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from localnet.movevm.bytecode.parser import parse_module
from localnet.toolchain.builder import builder_version, run_builder
from localnet.toolchain.dependencies import local_dependencies
from localnet.toolchain.errors import BytecodeStale, CompileFailed
from localnet.toolchain.framework_sources import interface_sources
from localnet.toolchain.package import MovePackage
from localnet.toolchain.publication import Publication

MANIFEST: Final = "package.json"


@dataclass(frozen=True, slots=True)
class CompiledModule:
    """One module as the compiler and Sui's verifiers let it pass."""

    name: str
    bytecode: bytes


@dataclass(frozen=True, slots=True)
class CompiledPackage:
    """What the compiler made of a package."""

    modules: tuple[CompiledModule, ...]
    dependencies: tuple[str, ...]
    """Package ids, 0x and 64 hex digits, in the compiler's order; of a local dependency its placeholder."""
    digest: bytes
    """BLAKE2b-256 over modules and dependencies, as Sui's upgrade ticket has it."""
    compiler: dict[str, str]
    sources: dict[str, str]
    """SHA-256 in hex by path."""
    warnings: str
    placeholders: dict[str, str]
    """Addresses that stand for local dependencies, by name."""

    def publication(self) -> Publication:
        """Return what a transaction carries of it."""
        return Publication(
            tuple(module.bytecode for module in self.modules),
            tuple(map(_address, self.dependencies)),
            {name: _address(placeholder) for name, placeholder in self.placeholders.items()},
        )

    def files(self) -> dict[str, bytes]:
        """Return the content of `bytecode/` by file name."""
        manifest = {
            "modules": [module.name for module in self.modules],
            "dependencies": list(self.dependencies),
            "digest": self.digest.hex(),
            "compiler": self.compiler,
            "sources": self.sources,
            **({"placeholders": self.placeholders} if self.placeholders else {}),
        }
        files = {f"{module.name}.mv": module.bytecode for module in self.modules}
        return {**files, MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()}


def compile_package(package: MovePackage) -> CompiledPackage:
    """Compile against the framework's interface and local dependencies; the result passed the bytecode verifiers of Move and Sui.

    Raises:
        CompileFailed: with the compiler's own text.
        ToolMissing, FrameworkMismatch, BuilderFailed
    """
    dependencies = local_dependencies(package)
    sources = {each.name: each.package.sources for each in dependencies}
    answer = run_builder("compile", package.sources, interface_sources(), sources)
    result: dict[str, Any] = answer["result"]
    if "error" in result:
        raise CompileFailed(package.root, result["error"])
    modules = [base64.b64decode(module) for module in result["modules"]]
    return CompiledPackage(
        modules=tuple(CompiledModule(parse_module(module).name, module) for module in modules),
        dependencies=tuple(result["dependencies"]),
        digest=bytes(result["digest"]),
        compiler={"builder": builder_version(), **answer["versions"]},
        sources=package.source_hashes(),
        warnings=result.get("warnings") or "",
        placeholders={each.name: each.placeholder for each in dependencies if not each.published},
    )


def write_bytecode(package: MovePackage, compiled: CompiledPackage) -> Path:
    """Make `bytecode/` hold exactly what was compiled; return its path."""
    directory = package.root / "bytecode"
    directory.mkdir(exist_ok=True)
    files = compiled.files()
    for stale in _kept(directory).keys() - files.keys():
        (directory / stale).unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


def check_bytecode(package: MovePackage, compiled: CompiledPackage) -> None:
    """Compare `bytecode/` with what was compiled, byte by byte.

    Raises:
        BytecodeStale: naming every file that differs.
    """
    kept, made = _kept(package.root / "bytecode"), compiled.files()
    differences = [
        f"{name}: {_difference(kept.get(name), made.get(name))}"
        for name in sorted(kept | made)
        if kept.get(name) != made.get(name)
    ]
    if differences:
        raise BytecodeStale(package.root, differences)


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _kept(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in [*directory.glob("*.mv"), *directory.glob(MANIFEST)]}


def _difference(kept: bytes | None, made: bytes | None) -> str:
    if kept is None:
        return "missing"
    if made is None:
        return "belongs to no source"
    return "differs"
