"""Binary Canonical Serialization (BCS), strict, driven by the types of frozen dataclasses.

Wire types: `U8` … `U128` are integers; `Mist`, `Millis`, `Slot` are u64; ids and addresses are 32 bytes without a
length; `bytes`, `Digest` and `BlobId` are `vector<u8>`; `tuple[X, ...]` is `vector<X>`; an `IntEnum` is a u8; a
dataclass is its fields in order, a generic one with its arguments put in (`Pending[Params]`). One value has one
encoding: whatever decodes, encodes to the same bytes again.
Source: BCS specification of the Move ecosystem.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

from agent.protocol.errors import BadValue, BcsError, TrailingBytes, Truncated
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

__all__ = [
    "U8", "U16", "U32", "U64", "U128", "BadValue", "BcsError", "Reader", "TrailingBytes", "Truncated", "decode",
    "encode", "uleb",
]  # fmt: skip

U8 = Annotated[int, 1]
U16 = Annotated[int, 2]
U32 = Annotated[int, 4]
U64 = Annotated[int, 8]
U128 = Annotated[int, 16]

MAX_BYTES: Final = 1 << 18
"""Longest `vector<u8>`, bytes: an object has at most 250 KiB."""
MAX_ITEMS: Final = 1 << 16
"""Longest vector of anything else."""

T = TypeVar("T")
Decoder = Callable[["Reader"], Any]
Encoder = Callable[[Any], bytes]


class Reader:
    """Takes values off the front of `data`."""

    def __init__(self, data: bytes) -> None:
        self._data: Final = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes, or `Truncated`."""
        end = self._at + count
        if end > len(self._data):
            raise Truncated(f"{count} bytes wanted, {len(self._data) - self._at} left")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def integer(self, width: int) -> int:
        """An unsigned integer of `width` bytes."""
        return int.from_bytes(self.take(width), "little")

    def length(self, limit: int) -> int:
        """A ULEB128 length, at most `limit`, in its shortest form; else `BadValue`."""
        value = shift = 0
        while True:
            byte = self.integer(1)
            value |= (byte & 0x7F) << shift
            if value > limit or shift > 28:
                raise BadValue(f"a length over {limit}")
            if not byte & 0x80:
                if byte == 0 and shift:
                    raise BadValue("a length that is not in its shortest form")
                return value
            shift += 7

    def end(self) -> None:
        """Check that nothing is left, or raise `TrailingBytes`."""
        if self._at != len(self._data):
            raise TrailingBytes(f"{len(self._data) - self._at} bytes too many")


def decode(kind: type[T], data: bytes) -> T:
    """The `kind` that `data`, all of it, is.

    Raises:
        BcsError: it is none.
    """
    wire: Any = kind
    reader = Reader(data)
    value: T = _decoder(wire)(reader)
    reader.end()
    return value


def encode(value: Any) -> bytes:
    """The BCS of a dataclass.

    Raises:
        BadValue: a number does not fit its width, or an id is not 32 bytes.
    """
    wire: Any = type(value)
    encoded: bytes = _encoder(wire)(value)
    return encoded


def uleb(value: int) -> bytes:
    """ULEB128, shortest form."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_FIXED: Final = (Address, ObjectId, TaskId, NodeId)
_WORDS: Final = (Mist, Millis, Slot)
_BYTES: Final = (bytes, Digest, BlobId)


def _width(kind: Any) -> int | None:
    if get_origin(kind) is Annotated:
        return int(get_args(kind)[1])
    return 8 if kind in _WORDS else None


@cache
def _decoder(kind: Any) -> Decoder:  # noqa: PLR0911  one line a kind
    width = _width(kind)
    if width is not None:
        return lambda reader: reader.integer(width)
    if kind in _FIXED:
        return lambda reader: reader.take(32)
    if kind in _BYTES:
        return lambda reader: reader.take(reader.length(MAX_BYTES))
    if kind is bool:
        return _bool
    if get_origin(kind) is tuple:
        item = _decoder(get_args(kind)[0])
        return lambda reader: tuple([item(reader) for _ in range(reader.length(MAX_ITEMS))])
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return lambda reader: _member(kind, reader.integer(1))
    struct = get_origin(kind) or kind
    if is_dataclass(struct) and isinstance(struct, type):
        parts = [_decoder(hint) for hint in _hints(kind)]
        return lambda reader: struct(*[part(reader) for part in parts])
    raise TypeError(f"{kind!r} has no BCS form")


@cache
def _encoder(kind: Any) -> Encoder:  # noqa: PLR0911  one line a kind
    width = _width(kind)
    if width is not None:
        return lambda value: _integer(value, width)
    if kind in _FIXED:
        return _identifier
    if kind in _BYTES:
        return lambda value: uleb(len(value)) + value
    if kind is bool:
        return lambda value: b"\1" if value else b"\0"
    if get_origin(kind) is tuple:
        item = _encoder(get_args(kind)[0])
        return lambda values: uleb(len(values)) + b"".join([item(value) for value in values])
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return lambda value: _integer(int(value), 1)
    struct = get_origin(kind) or kind
    if is_dataclass(struct) and isinstance(struct, type):
        names = [each.name for each in fields(struct)]
        parts = [_encoder(hint) for hint in _hints(kind)]
        return lambda value: b"".join([part(getattr(value, name)) for name, part in zip(names, parts, strict=True)])
    raise TypeError(f"{kind!r} has no BCS form")


def _hints(kind: Any) -> list[Any]:
    """The types of a dataclass's fields, in order; a generic one's arguments stand in place of its variables."""
    struct = get_origin(kind) or kind
    hints = get_type_hints(struct, include_extras=True)
    known = dict(zip(getattr(struct, "__parameters__", ()), get_args(kind), strict=True))
    return [_filled(hints[each.name], known) for each in fields(struct)]


def _filled(hint: Any, known: dict[Any, Any]) -> Any:
    wanted = getattr(hint, "__parameters__", ())
    if isinstance(hint, TypeVar):
        return known[hint]
    return hint[tuple(known[variable] for variable in wanted)] if wanted else hint


def _bool(reader: Reader) -> bool:
    byte = reader.integer(1)
    if byte > 1:
        raise BadValue(f"{byte} is no bool")
    return byte == 1


def _member(kind: type[IntEnum], value: int) -> IntEnum:
    try:
        return kind(value)
    except ValueError:
        raise BadValue(f"{value} is no {kind.__name__}: a newer package?") from None


def _integer(value: int, width: int) -> bytes:
    try:
        return value.to_bytes(width, "little")
    except OverflowError:
        raise BadValue(f"{value} does not fit {8 * width} bits") from None


def _identifier(value: bytes) -> bytes:
    if len(value) != 32:
        raise BadValue(f"an id has 32 bytes, not {len(value)}")
    return value
