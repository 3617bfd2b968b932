"""Native functions, a module each for the Move modules that declare them. What is not here is a MissingNative when called."""

from collections.abc import Mapping
from typing import Final

from localnet.movevm.natives import (
    codes,
    crypto,
    dynamic_field,
    hashing,
    nitro_attestation,
    objects,
    strings,
    transfer,
    tx_context,
    types,
)
from localnet.movevm.natives.registry import Native, NativeAbort

_MODULES: Final = (
    codes, crypto, dynamic_field, hashing, nitro_attestation, objects, strings, transfer, tx_context, types,
)  # fmt: skip

NATIVES: Final[Mapping[str, Native]] = {
    native.name: native
    for module in _MODULES
    for native in module.NATIVES.all
}

__all__ = ["NATIVES", "Native", "NativeAbort"]
