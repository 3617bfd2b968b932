"""What a package is made of: the packages it is linked to, the origins of its types, the object that it becomes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from localnet.ledger.encoding import encode_package, object_digest
from localnet.ledger.failures import CommandFailed
from localnet.ledger.gas import deposit_of_package
from localnet.ledger.model import FailureKind, Link, ObjectId, Package, TransactionDigest, TypeOrigin, Version
from localnet.movevm.bytecode.module import Module
from localnet.movevm.packages import PackageCode
from localnet.movevm.types import ADDRESS_BYTES, short_address

FIRST: Final = Version(1)
_LINK_BYTES: Final = 2 * ADDRESS_BYTES + 8


def package_size(code: Mapping[str, bytes], origins: Sequence[TypeOrigin], linkage: Mapping[ObjectId, Link]) -> int:
    """Bytes, as Sui counts them for limits and gas."""
    modules = sum(len(name) + len(data) for name, data in code.items())
    types = sum(len(origin.module) + len(origin.name) + ADDRESS_BYTES for origin in origins)
    return 8 + modules + types + len(linkage) * _LINK_BYTES


def own_types(modules: Iterable[Module], package: ObjectId) -> tuple[TypeOrigin, ...]:
    """All types of a first version."""
    return tuple(TypeOrigin(module.name, name, package) for module in modules for name in module.datatypes)


def linkage_of(
    modules: Iterable[Module], own: ObjectId, dependencies: Iterable[Package]
) -> dict[ObjectId, Link]:
    """The versions that a package uses, by original id; `own` is the package's original id.

    Raises:
        CommandFailed: a package that the modules need, or one that a dependency needs, is not among `dependencies`, or too old there.
    """
    chosen = list(dependencies)
    linkage = {package.original_id: Link(package.id, package.version) for package in chosen}
    missing = FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY
    needed = {
        ObjectId(address): f"{module.name} needs {short_address(address)}::{name}"
        for module in modules
        for address, name in module.dependencies
    }
    for original, what in needed.items():
        if original != own and original not in linkage:
            raise CommandFailed(missing, f"{what}, whose package is not among the dependencies: name it, and publish it first")
    for package in chosen:
        if package.original_id not in needed:
            continue
        for original, link in package.linkage.items():
            found = linkage.get(original)
            if found is None:
                message = f"dependency {short_address(package.id)} needs {short_address(original)}: name it among the dependencies too"
                raise CommandFailed(missing, message)
            if found.version < link.version:
                message = (
                    f"dependency {short_address(package.id)} needs version {link.version} of {short_address(original)}, "
                    f"not {found.version}: name {short_address(link.id)}, or a later one"
                )
                raise CommandFailed(FailureKind.PUBLISH_UPGRADE_DEPENDENCY_DOWNGRADE, message)
    return linkage


def make_package(
    package_id: ObjectId,
    code: Mapping[str, bytes],
    origins: tuple[TypeOrigin, ...],
    linkage: Mapping[ObjectId, Link],
    digest: TransactionDigest,
    *,
    predecessor: Package | None = None,
) -> Package:
    """The object that a package is: a first version, or the one after `predecessor`."""
    version = FIRST if predecessor is None else Version(predecessor.version + 1)
    original = package_id if predecessor is None else predecessor.original_id
    rebate = deposit_of_package(package_size(code, origins, linkage))
    encoded = encode_package(package_id, version, code, origins, linkage, digest, rebate)
    return Package(package_id, original, version, code, origins, linkage, digest, rebate, object_digest(encoded))


def code_of(package: Package) -> PackageCode:
    """The package as the VM loads it."""
    return PackageCode(
        package.id,
        package.original_id,
        tuple(package.modules.values()),
        {original: link.id for original, link in package.linkage.items()},
        {(origin.module, origin.name): origin.package for origin in package.type_origins},
    )
