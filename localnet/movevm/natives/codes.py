"""0x2::address and 0x1::bcs."""

from typing import TYPE_CHECKING, Any, Final

from localnet.movevm.natives.registry import BYTES_PER_UNIT, NativeAbort, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.types import ADDRESS_BYTES
from localnet.movevm.values import Ref, read

if TYPE_CHECKING:
    from localnet.movevm.machine import VirtualMachine

NATIVES: Final = Registry()
native = NATIVES.native

_BAD_ADDRESS: Final = 0
"""address::EAddressParseError."""


@native("0x2::address::to_u256")
def to_u256(_ctx: Runtime, _: Any, address: bytes) -> int:
    return int.from_bytes(address, "big")


@native("0x2::address::from_u256")
def from_u256(_ctx: Runtime, _: Any, number: int) -> bytes:
    return number.to_bytes(ADDRESS_BYTES, "big")


@native("0x2::address::from_bytes")
def from_bytes(_ctx: Runtime, _: Any, data: bytearray) -> bytes:
    if len(data) != ADDRESS_BYTES:
        raise NativeAbort(_BAD_ADDRESS)
    return bytes(data)


@native("0x1::bcs::to_bytes", needs_vm=True)
def to_bytes(vm: "VirtualMachine", ctx: Runtime, types: Any, value: Ref) -> bytearray:
    data = vm.encode(types[0], read(value))
    ctx.charge(len(data) // BYTES_PER_UNIT)
    return bytearray(data)
