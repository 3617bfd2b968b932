"""0x2::transfer, but for party objects."""

from typing import Any, Final

from localnet.movevm.natives.registry import Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Value

NATIVES: Final = Registry()
native = NATIVES.native


@native("0x2::transfer::transfer_impl")
def transfer(ctx: Runtime, types: Any, value: Value, recipient: bytes) -> None:
    ctx.transfer(types[0], value, recipient)


@native("0x2::transfer::share_object_impl")
def share(ctx: Runtime, types: Any, value: Value) -> None:
    ctx.share(types[0], value)


@native("0x2::transfer::freeze_object_impl")
def freeze(ctx: Runtime, types: Any, value: Value) -> None:
    ctx.freeze(types[0], value)


@native("0x2::transfer::receive_impl")
def receive(ctx: Runtime, types: Any, parent: bytes, object_id: list[bytes], version: int) -> Value:
    return ctx.receive(types[0], parent, object_id[0], version)
