"""Objects, packages, and who owns them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from localnet.ledger.model.ids import Address, Mist, ObjectDigest, ObjectId, TransactionDigest, Version
from localnet.movevm.types import Struct


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """Only transactions of `address` may use the object."""

    address: Address


@dataclass(frozen=True, slots=True)
class ObjectOwner:
    """A dynamic field: owned by another object."""

    parent: ObjectId


@dataclass(frozen=True, slots=True)
class SharedOwner:
    """Anybody may use the object; `initial_version` is the one at which it was shared."""

    initial_version: Version


@dataclass(frozen=True, slots=True)
class ImmutableOwner:
    """Anybody may read the object, for ever."""


Owner: TypeAlias = AddressOwner | ObjectOwner | SharedOwner | ImmutableOwner
IMMUTABLE: Final = ImmutableOwner()


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One version of one object, as a transaction names it."""

    id: ObjectId
    version: Version
    digest: ObjectDigest


@dataclass(frozen=True, slots=True)
class Object:
    """One version of a Move object."""

    id: ObjectId
    version: Version
    type: Struct
    owner: Owner
    contents: bytes
    """BCS of the struct, of which the first 32 bytes are the id."""
    previous_transaction: TransactionDigest
    storage_rebate: Mist
    """What is given back (less 1 %) when the object is deleted."""
    has_public_transfer: bool
    """Whether the type has `store`, so that TransferObjects may move it."""
    digest: ObjectDigest

    @property
    def ref(self) -> ObjectRef:
        """The reference by which a transaction names this version."""
        return ObjectRef(self.id, self.version, self.digest)


@dataclass(frozen=True, slots=True)
class TypeOrigin:
    """Which version of a package was the first to declare a type, and gave it its name."""

    module: str
    name: str
    package: ObjectId


@dataclass(frozen=True, slots=True)
class Link:
    """The version of a package that another one uses."""

    id: ObjectId
    version: Version


@dataclass(frozen=True, slots=True)
class Package:
    """A published package; always immutable, an upgrade is another one."""

    id: ObjectId
    """Storage id: of this version alone."""
    original_id: ObjectId
    """Storage id of the first version."""
    version: Version
    """1, and one more with every upgrade."""
    modules: Mapping[str, bytes]
    """Bytecode by module name; in published form, that is, it names its own package, and others, by `original_id`."""
    type_origins: tuple[TypeOrigin, ...]
    """Of every type it declares, in the order of the modules."""
    linkage: Mapping[ObjectId, Link]
    """All packages that it needs, directly or not, by their original ids."""
    previous_transaction: TransactionDigest
    storage_rebate: Mist
    digest: ObjectDigest

    @property
    def owner(self) -> ImmutableOwner:
        """Packages never change."""
        return IMMUTABLE

    @property
    def ref(self) -> ObjectRef:
        """The reference by which effects name it."""
        return ObjectRef(self.id, self.version, self.digest)
