"""Local dependencies of a Move package, `name = { local = "../other" }`, as the compiler is given them.

A dependency that is not published yet has no address, and two packages cannot both lie at 0x0. So each is compiled against at an
address that merely stands for it, derived from its name; `Publication.linked` puts the real one in its place.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from localnet.toolchain.errors import PackageUnreadable
from localnet.toolchain.package import MovePackage, read_package

_UNPUBLISHED: Final = 0


@dataclass(frozen=True, slots=True)
class LocalDependency:
    """A package that another one names as a local dependency."""

    name: str
    """As the manifests call it."""
    package: MovePackage
    """With a manifest in which addresses 0x0 are replaced by the placeholder."""
    placeholder: str
    """0x and 64 hex digits; of a package that has `published-at`, that."""
    published: bool
    """Whether its manifest says where it is published."""


def local_dependencies(package: MovePackage) -> tuple[LocalDependency, ...]:
    """Return all, those of dependencies too, sorted by name.

    Raises:
        PackageUnreadable: one is not there, or two go by the same name.
    """
    overriding = {name for name, source in _local(package) if source.get("override")}
    found: dict[str, LocalDependency] = {}
    ahead = list(_named(package))
    while ahead:
        name, root = ahead.pop(0)
        if name in found:
            if found[name].package.root != root and name not in overriding:
                raise PackageUnreadable(
                    f"{root} and {found[name].package.root} are both called {name}: rename one, or say `override = true` of the one to use"
                )
            continue
        found[name] = _dependency(name, read_package(root))
        ahead.extend(_named(found[name].package))
    return tuple(found[name] for name in sorted(found))


def placeholder_of(name: str) -> str:
    """Return the address that stands for the unpublished package `name`."""
    return "0x" + hashlib.blake2b(b"enclavia unpublished package " + name.encode(), digest_size=32).hexdigest()


def _local(package: MovePackage) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, source in _manifest(package).get("dependencies", {}).items():
        if isinstance(source, dict) and isinstance(source.get("local"), str):
            yield name, source


def _named(package: MovePackage) -> Iterator[tuple[str, Path]]:
    return ((name, (package.root / source["local"]).resolve()) for name, source in _local(package))


def _dependency(name: str, package: MovePackage) -> LocalDependency:
    manifest = _manifest(package)
    described: Mapping[str, Any] = manifest.get("package", {})
    published = described.get("published-at")
    address = str(published or placeholder_of(name))
    addresses = {
        key: address if int(str(value), 16) == _UNPUBLISHED else value for key, value in manifest.get("addresses", {}).items()
    }
    lines = [
        "[package]",
        f'name = "{described.get("name", name)}"',
        f'edition = "{described.get("edition", "2024")}"',
        f'published-at = "{address}"',
        "[addresses]",
        *(f'{key} = "{value}"' for key, value in addresses.items()),
        "[dependencies]",
        *(f'{key} = {{ local = "{root.as_posix()}" }}' for key, root in _named(package)),
    ]
    texts = {**package.sources, "Move.toml": "\n".join(lines) + "\n"}
    return LocalDependency(name, MovePackage(package.root, texts, {}), address, bool(published))


def _manifest(package: MovePackage) -> dict[str, Any]:
    try:
        return tomllib.loads(package.sources["Move.toml"])
    except tomllib.TOMLDecodeError as broken:
        raise PackageUnreadable(f"{package.root / 'Move.toml'} is no TOML: {broken}") from None
