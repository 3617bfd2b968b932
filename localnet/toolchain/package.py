"""A Move package on disk: what goes into the compiler, and the bytecode kept beside the sources."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from localnet.toolchain.errors import PackageUnreadable


@dataclass(frozen=True, slots=True)
class MovePackage:
    """The texts of a package, by path relative to its root.

    `sources` holds Move.toml and sources/; `tests` holds tests/.
    """

    root: Path
    sources: dict[str, str]
    tests: dict[str, str]

    def source_hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file that decides the bytecode, in hex, by path."""
        return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.sources.items()}


def read_package(root: Path) -> MovePackage:
    """Return the package under `root`.

    Raises:
        PackageUnreadable: no Move.toml, or no sources.
    """
    manifest = root / "Move.toml"
    if not manifest.is_file():
        raise PackageUnreadable(f"{manifest} does not exist: name the directory of a Move package")
    sources = _texts(root, "sources")
    if not sources:
        raise PackageUnreadable(f"{root / 'sources'} has no .move file")
    return MovePackage(root, {"Move.toml": manifest.read_text(), **sources}, _texts(root, "tests"))


def _texts(root: Path, directory: str) -> dict[str, str]:
    files = sorted((root / directory).rglob("*.move"))
    return {file.relative_to(root).as_posix(): file.read_text() for file in files}
