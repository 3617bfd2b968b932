"""What a transaction that publishes or upgrades a package carries: modules and dependencies, from a `bytecode/` directory.

    enclavia = Published(original_id, storage_id)           # of the package that this one calls; equal until it is upgraded
    publication = Publication.read(Path("contracts/examples/dapp/bytecode")).linked({"enclavia": enclavia})
    Publish(publication.modules, publication.dependencies)  # or Upgrade, with `publication.digest` in the ticket
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from localnet.movevm.bytecode.parser import with_addresses
from localnet.movevm.packages import package_digest
from localnet.toolchain.errors import PackageUnreadable


@dataclass(frozen=True, slots=True)
class Published:
    """Where a dependency is."""

    original_id: bytes
    """Of its first version: what bytecode names it by, for ever."""
    storage_id: bytes
    """Of the version to be used."""

    @classmethod
    def first_version(cls, package_id: bytes) -> "Published":
        """A package that was never upgraded."""
        return cls(package_id, package_id)


@dataclass(frozen=True, slots=True)
class Publication:
    """Modules, and storage ids of all packages that they need."""

    modules: tuple[bytes, ...]
    """At 0x0."""
    dependencies: tuple[bytes, ...]
    placeholders: Mapping[str, bytes] = field(default_factory=dict)
    """Addresses that stand for dependencies whose own is not known, by name."""

    @classmethod
    def read(cls, directory: Path) -> "Publication":
        """Return what `python -m localnet.toolchain compile` wrote into `directory`.

        Raises:
            PackageUnreadable: it is not there, or something else is.
        """
        try:
            manifest = json.loads((directory / "package.json").read_text())
            return cls(
                tuple((directory / f"{name}.mv").read_bytes() for name in manifest["modules"]),
                tuple(bytes.fromhex(address.removeprefix("0x")) for address in manifest["dependencies"]),
                {name: bytes.fromhex(address.removeprefix("0x")) for name, address in manifest.get("placeholders", {}).items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
            raise PackageUnreadable(f"{directory} holds no compiled package ({broken}): compile it first") from None

    @property
    def digest(self) -> bytes:
        """What an UpgradeTicket for it must name; 32 bytes."""
        return package_digest(self.modules, self.dependencies)

    def linked(self, published: Mapping[str, Published]) -> "Publication":
        """Return the same with the real addresses of dependencies, by name, in place of those that stood for them.

        Raises:
            KeyError: a name that is none of this package's dependencies.
        """
        chosen = {self.placeholders[name]: place for name, place in published.items()}
        originals = {placeholder: place.original_id for placeholder, place in chosen.items()}
        return replace(
            self,
            modules=tuple(with_addresses(module, originals) for module in self.modules),
            dependencies=tuple(chosen[each].storage_id if each in chosen else each for each in self.dependencies),
            placeholders={name: address for name, address in self.placeholders.items() if address not in chosen},
        )
