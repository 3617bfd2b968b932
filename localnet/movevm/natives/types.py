"""0x2::types and 0x1::type_name, 0x2::protocol_config, 0x1::debug."""

import logging
from typing import TYPE_CHECKING, Any, Final

from localnet.movevm.natives.registry import NativeAbort, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.types import BOOL, Struct, Type, canonical
from localnet.movevm.values import Ref, Value, read

if TYPE_CHECKING:
    from localnet.movevm.machine import VirtualMachine

log = logging.getLogger(__name__)

NATIVES: Final = Registry()
native = NATIVES.native

_NOT_A_STRUCT: Final = 0
"""type_name::ENonModuleType."""


def is_witness_type(vm: "VirtualMachine", type_: Type) -> bool:
    """Whether a one-time witness may have this type: named as its module, in capitals, with one bool in it."""
    return (
        isinstance(type_, Struct)
        and type_.name == type_.module.upper()
        and not type_.arguments
        and not vm.linker.is_enum(type_)
        and vm.linker.struct_layout(type_) == (BOOL,)
    )


@native("0x2::types::is_one_time_witness", needs_vm=True)
def is_one_time_witness(vm: "VirtualMachine", _ctx: Runtime, types: Any, _value: Ref) -> bool:
    return is_witness_type(vm, types[0])


@native("0x1::type_name::with_defining_ids")
def with_defining_ids(_ctx: Runtime, types: Any) -> Value:
    return _type_name(types[0])


@native("0x1::type_name::with_original_ids", needs_vm=True)
def with_original_ids(vm: "VirtualMachine", _ctx: Runtime, types: Any) -> Value:
    return _type_name(vm.linker.original(types[0]))


@native("0x1::type_name::defining_id")
def defining_id(_ctx: Runtime, types: Any) -> bytes:
    return _package(types[0])


@native("0x1::type_name::original_id", needs_vm=True)
def original_id(vm: "VirtualMachine", _ctx: Runtime, types: Any) -> bytes:
    return _package(vm.linker.original(types[0]))


@native("0x2::protocol_config::is_feature_enabled")
def is_feature_enabled(_ctx: Runtime, _: Any, _feature: bytearray) -> bool:
    return False


@native("0x1::debug::print", needs_vm=True)
def print_value(vm: "VirtualMachine", _ctx: Runtime, types: Any, value: Ref) -> None:
    log.info("debug::print %s: %s", types[0], vm.encode(types[0], read(value)).hex())


@native("0x1::debug::print_stack_trace")
def print_stack_trace(_ctx: Runtime, _: Any) -> None:
    log.info("debug::print_stack_trace: the localnet keeps none")


def _type_name(type_: Type) -> Value:
    return [[bytearray(canonical(type_, prefix="").encode())]]


def _package(type_: Type) -> bytes:
    if not isinstance(type_, Struct):
        raise NativeAbort(_NOT_A_STRUCT)
    return type_.address
