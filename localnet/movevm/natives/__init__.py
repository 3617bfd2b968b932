"""Native functions, a module each for the Move modules that declare them. What is not here is a MissingNative when called."""

from collections.abc import Mapping
from typing import Final

from localnet.movevm.natives import codes, crypto, dynamic_field, hashing, objects, strings, transfer, tx_context, types
from localnet.movevm.natives.registry import Native, NativeAbort

NATIVES: Final[Mapping[str, Native]] = {
    native.name: native
    for module in (codes, crypto, dynamic_field, hashing, objects, strings, transfer, tx_context, types)
    for native in module.NATIVES.all
}

__all__ = ["NATIVES", "Native", "NativeAbort"]
