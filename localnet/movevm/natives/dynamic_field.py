"""0x2::dynamic_field."""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from localnet.movevm.natives.registry import BYTES_PER_UNIT, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.type_tags import encode_type
from localnet.movevm.types import Type
from localnet.movevm.values import Ref, Value, read

if TYPE_CHECKING:
    from localnet.movevm.machine import VirtualMachine

NATIVES: Final = Registry()
native = NATIVES.native

_CHILD_ID: Final = b"\xf0"
"""HashingIntentScope::ChildObjectId."""
_COST: Final = 50


def child_id(parent: bytes, key_type: Type, key: bytes) -> bytes:
    """The id of the Field object that `key`, in BCS, has under `parent`."""
    return blake2b(
        _CHILD_ID + parent + len(key).to_bytes(8, "little") + key + encode_type(key_type), digest_size=32
    ).digest()


@native("0x2::dynamic_field::hash_type_and_key", needs_vm=True)
def hash_type_and_key(vm: "VirtualMachine", ctx: Runtime, types: Any, parent: bytes, key: Value) -> bytes:
    encoded = vm.encode(types[0], key)
    ctx.charge(len(encoded) // BYTES_PER_UNIT)
    return child_id(parent, types[0], encoded)


@native("0x2::dynamic_field::add_child_object", cost=_COST)
def add(ctx: Runtime, types: Any, parent: bytes, child: Value) -> None:
    ctx.add_child(parent, types[0], child)


@native("0x2::dynamic_field::borrow_child_object", cost=_COST)
def borrow(ctx: Runtime, types: Any, uid: Ref, object_id: bytes) -> Ref:
    return ctx.borrow_child(read(uid)[0][0], object_id, types[0], mutable=False)


@native("0x2::dynamic_field::borrow_child_object_mut", cost=_COST)
def borrow_mut(ctx: Runtime, types: Any, uid: Ref, object_id: bytes) -> Ref:
    return ctx.borrow_child(read(uid)[0][0], object_id, types[0], mutable=True)


@native("0x2::dynamic_field::remove_child_object", cost=_COST)
def remove(ctx: Runtime, types: Any, parent: bytes, object_id: bytes) -> Value:
    return ctx.remove_child(parent, object_id, types[0])


@native("0x2::dynamic_field::has_child_object", cost=_COST)
def has(ctx: Runtime, _: Any, parent: bytes, object_id: bytes) -> bool:
    return ctx.has_child(parent, object_id, None)


@native("0x2::dynamic_field::has_child_object_with_ty", cost=_COST)
def has_with_type(ctx: Runtime, types: Any, parent: bytes, object_id: bytes) -> bool:
    return ctx.has_child(parent, object_id, types[0])
