"""Objects, packages, owners and references as messages."""

from typing import Any, Final

from localnet.ledger.encoding import encode_object, encode_object_type, encode_package
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    AddressOwner,
    ImmutableOwner,
    Object,
    ObjectOwner,
    ObjectRef,
    Owner,
    Package,
    SharedOwner,
)
from localnet.movevm.types import Struct, canonical, long_address
from localnet.rpc.digests import base58
from localnet.rpc.masks import Mask
from localnet.rpc.render.packages import package_message
from localnet.rpc.render.values import json_value
from localnet.rpc.stubs import v2

FRAMEWORK: Final = bytes(31) + b"\2"
SUI: Final = Struct(FRAMEWORK, "sui", "SUI")
COIN_ID: Final = 32
"""Bytes of a coin's id in its contents; the balance follows."""


def coin_type(type_: Struct) -> Struct | None:
    """`T` of a `Coin<T>`, else None."""
    if type_.address == FRAMEWORK and type_.module == "coin" and type_.name == "Coin":
        inner = type_.arguments[0]
        return inner if isinstance(inner, Struct) else None
    return None


def coin_balance(coin: Object) -> int:
    """Smallest units in a coin."""
    return int.from_bytes(coin.contents[COIN_ID : COIN_ID + 8], "little")


def owner_message(owner: Owner) -> Any:
    """An owner."""
    kind = v2.OwnerOwnerKind
    match owner:
        case AddressOwner(address):
            return v2.Owner(kind=kind.ADDRESS, address=long_address(address))
        case ObjectOwner(parent):
            return v2.Owner(kind=kind.OBJECT, address=long_address(parent))
        case SharedOwner(version):
            return v2.Owner(kind=kind.SHARED, version=version)
        case ImmutableOwner():
            return v2.Owner(kind=kind.IMMUTABLE)


def reference_message(ref: ObjectRef) -> Any:
    """A reference."""
    return v2.ObjectReference(object_id=long_address(ref.id), version=ref.version, digest=base58(ref.digest))


def object_message(ledger: Ledger, thing: Object | Package, mask: Mask) -> Any:
    """An object or a package, as far as `mask` wants it.

    Raises:
        InvalidArgument: the mask names an unknown field.
    """
    makers = {
        "object_id": lambda: long_address(thing.id),
        "version": lambda: thing.version,
        "digest": lambda: base58(thing.digest),
        "owner": lambda: owner_message(thing.owner),
        "previous_transaction": lambda: base58(thing.previous_transaction),
        "storage_rebate": lambda: thing.storage_rebate,
    }
    if isinstance(thing, Package):
        makers |= {
            "bcs": lambda: v2.Bcs(name="Object", value=_encoded_package(thing)),
            "object_type": lambda: "package",
            "package": lambda: package_message(ledger, thing),
        }
        return mask.build(v2.Object, makers)
    makers |= {
        "bcs": lambda: v2.Bcs(name="Object", value=_encoded(thing)),
        "object_type": lambda: canonical(thing.type),
        "has_public_transfer": lambda: thing.has_public_transfer,
        "contents": lambda: v2.Bcs(name=canonical(thing.type), value=thing.contents),
        "json": lambda: json_value(ledger, thing.type, thing.contents),
    }
    if coin_type(thing.type) is not None:
        makers["balance"] = lambda: coin_balance(thing)
    return mask.build(v2.Object, makers)


def _encoded_package(package: Package) -> bytes:
    return encode_package(
        package.id,
        package.version,
        package.modules,
        package.type_origins,
        package.linkage,
        package.previous_transaction,
        package.storage_rebate,
    )


def _encoded(thing: Object) -> bytes:
    return encode_object(
        encode_object_type(thing.type),
        thing.version,
        thing.owner,
        thing.contents,
        thing.previous_transaction,
        thing.storage_rebate,
        has_public_transfer=thing.has_public_transfer,
    )
