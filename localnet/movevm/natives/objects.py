"""0x2::object and 0x2::event."""

from typing import Any, Final

from localnet.movevm.natives.registry import Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.types import Type
from localnet.movevm.values import Ref, Value, read

NATIVES: Final = Registry()
native = NATIVES.native


@native("0x2::object::record_new_uid")
def record_new_uid(ctx: Runtime, _: Any, object_id: bytes) -> None:
    ctx.record_new_id(object_id)


@native("0x2::object::delete_impl")
def delete(ctx: Runtime, _: Any, object_id: bytes) -> None:
    ctx.delete_id(object_id)


@native("0x2::object::borrow_uid")
def borrow_uid(_ctx: Runtime, _: Any, owner: Ref) -> Ref:
    return read(owner), 0  # `id: UID` is the first field of every object


@native("0x2::event::emit")
def emit(ctx: Runtime, types: tuple[Type, ...], value: Value) -> None:
    ctx.emit(types[0], value)  # type: ignore[arg-type]  # the verifier lets structs pass only
