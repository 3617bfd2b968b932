"""0x1::string."""

from typing import Any, Final

from localnet.movevm.natives.registry import BYTES_PER_UNIT, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Ref, read

NATIVES: Final = Registry()
native = NATIVES.native


@native("0x1::string::internal_check_utf8")
def check_utf8(ctx: Runtime, _: Any, text: Ref) -> bool:
    data = read(text)
    ctx.charge(len(data) // BYTES_PER_UNIT)
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@native("0x1::string::internal_is_char_boundary")
def is_char_boundary(_ctx: Runtime, _: Any, text: Ref, index: int) -> bool:
    data = read(text)
    if index >= len(data):
        return bool(index == len(data))
    return bool(data[index] & 0xC0 != 0x80)


@native("0x1::string::internal_sub_string")
def sub_string(ctx: Runtime, _: Any, text: Ref, start: int, end: int) -> bytearray:
    ctx.charge((end - start) // BYTES_PER_UNIT)
    part: bytearray = read(text)[start:end]
    return part


@native("0x1::string::internal_index_of")
def index_of(ctx: Runtime, _: Any, text: Ref, wanted: Ref) -> int:
    data = read(text)
    ctx.charge(len(data) // BYTES_PER_UNIT)
    found: int = data.find(read(wanted))
    return found if found >= 0 else len(data)
