"""A package as it is loaded: its bytecode, where the addresses in it lead, and who defined its types.

Bytecode names packages by their *original* ids: those of their first versions, for ever. An upgrade lies at a *storage id* of its own.
A type is named after the version that first declared it, its *defining id*. Linking replaces the first by the other two, once, when a
package is loaded; from there on all versions live side by side. Source: sui-types `move_package.rs`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from localnet.movevm.bytecode.module import Module
from localnet.movevm.bytecode.parser import Relocation, link_module, parse_module
from localnet.movevm.errors import LinkError
from localnet.movevm.types import ADDRESS_BYTES, short_address

_VARIANT_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class PackageCode:
    """One version of a package."""

    id: bytes
    """Storage id."""
    original: bytes
    """Storage id of the first version; the address in the modules."""
    modules: Sequence[bytes]
    linkage: Mapping[bytes, bytes]
    """Storage ids of the versions it needs, directly or not, by original id."""
    origins: Mapping[tuple[str, str], bytes]
    """Defining ids of its types, by module and name."""

    @classmethod
    def first_version(cls, modules: Sequence[bytes]) -> "PackageCode":
        """A package that needs first versions only, as its modules say. Raises MalformedModule."""
        parsed = [parse_module(data) for data in modules]
        address = parsed[0].address
        needed = {needed for module in parsed for needed, _ in module.dependencies} - {address}
        origins = {(module.name, name): address for module in parsed for name in module.datatypes}
        return cls(address, address, modules, {each: each for each in needed}, origins)


def package_digest(modules: Iterable[bytes], dependencies: Iterable[bytes]) -> bytes:
    """32 bytes that an UpgradeTicket must name: of the modules as they are given to Upgrade, at 0x0, and of storage ids of dependencies.

    Source: `MovePackage::compute_digest_for_modules_and_deps`.
    """
    parts = [*dependencies, *(blake2b(module, digest_size=32).digest() for module in modules)]
    return blake2b(b"".join(sorted(parts)), digest_size=32).digest()


class Packages:
    """All that are loaded. A package is linked on its own, or as a dependency of another, which decides what it calls in turn."""

    def __init__(self) -> None:
        self._loaded: Final[dict[bytes, PackageCode]] = {}

    def add(self, package: PackageCode) -> None:
        """Make it known to packages that need it."""
        self._loaded[package.id] = package

    def remove(self, storage_id: bytes) -> None:
        """Forget it."""
        self._loaded.pop(storage_id, None)

    def original(self, storage_id: bytes) -> bytes:
        """Storage id of the first version; its own if nobody knows better."""
        package = self._loaded.get(storage_id)
        return storage_id if package is None else package.original

    def link(self, package: PackageCode) -> dict[bytes, list[Module]]:
        """The modules of `package` by the address of their code, and those of dependencies that must be linked otherwise than on their own.

        Raises:
            MalformedModule, LinkError
        """
        linked: dict[bytes, list[Module]] = {}
        self._link(package, package.id, package.linkage, linked)
        return linked

    def _link(
        self, package: PackageCode, address: bytes, linkage: Mapping[bytes, bytes], linked: dict[bytes, list[Module]]
    ) -> None:
        modules = linked[address] = []
        code = {package.original: address}
        origins = {package.original: package.origins}
        for original, storage_id in package.linkage.items():
            chosen = linkage.get(original, storage_id)
            needed = self._loaded.get(chosen)
            if needed is None:
                raise LinkError(f"package {short_address(chosen)} is not there")
            inner = {each: linkage.get(each, usual) for each, usual in needed.linkage.items()}
            code[original] = chosen if inner == needed.linkage else variant(chosen, inner)
            origins[original] = needed.origins
            if len(code[original]) > ADDRESS_BYTES and code[original] not in linked:
                self._link(needed, code[original], inner, linked)
        if _is_plain(code, origins):
            modules.extend(map(parse_module, package.modules))  # which remembers them
        else:
            relocation = Relocation(code, origins)
            modules.extend(link_module(data, relocation) for data in package.modules)


def variant(storage_id: bytes, linkage: Mapping[bytes, bytes]) -> bytes:
    """Address of the code of a package that is linked otherwise than on its own: the storage id and eight bytes."""
    parts = b"".join(original + chosen for original, chosen in sorted(linkage.items()))
    return storage_id + blake2b(parts, digest_size=_VARIANT_BYTES).digest()


def _is_plain(code: Mapping[bytes, bytes], origins: Mapping[bytes, Mapping[tuple[str, str], bytes]]) -> bool:
    """Whether linking would change nothing: first versions throughout."""
    return all(original == address for original, address in code.items()) and all(
        defining == original for original, types in origins.items() for defining in types.values()
    )
