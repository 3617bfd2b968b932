"""Binary Canonical Serialisation: a reader that takes one encoding per value, and its writer.

Source: the BCS specification (diem/bcs). Integers are little endian; lengths and variants are ULEB128 of a u32.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from localnet.rpc.errors import InvalidArgument

DIGEST: Final = 32

_T = TypeVar("_T")


class Reader:
    """Reads values one after the other; each method raises InvalidArgument on bytes that are not canonical."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data: Final = data
        self._at = 0

    def fixed(self, length: int) -> bytes:
        """`length` bytes."""
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise InvalidArgument(f"BCS ends at byte {len(self._data)}, {length} bytes are wanted at {start}")
        return self._data[start : self._at]

    def u8(self) -> int:
        """One byte."""
        return self.fixed(1)[0]

    def u16(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.fixed(2), "little")

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.fixed(4), "little")

    def u64(self) -> int:
        """Eight bytes."""
        return int.from_bytes(self.fixed(8), "little")

    def flag(self) -> bool:
        """0 or 1."""
        value = self.u8()
        if value > 1:
            raise InvalidArgument(f"BCS boolean {value} at byte {self._at - 1}")
        return value == 1

    def length(self) -> int:
        """A ULEB128 u32 in its shortest form."""
        start, value = self._at, 0
        for shift in range(0, 35, 7):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 32 or (byte == 0 and shift):
                    break
                return value
        raise InvalidArgument(f"BCS length at byte {start} is not canonical")

    variant = length
    """The number of an enum's variant."""

    def vector(self, limit: int) -> bytes:
        """`vector<u8>` of at most `limit` bytes."""
        length = self.length()
        if length > limit:
            raise InvalidArgument(f"{length} bytes at byte {self._at}, at most {limit} are taken")
        return self.fixed(length)

    def digest(self) -> bytes:
        """`vector<u8>` of exactly 32 bytes."""
        digest = self.vector(DIGEST)
        if len(digest) != DIGEST:
            raise InvalidArgument(f"a digest of {len(digest)} bytes, not {DIGEST}")
        return digest

    def text(self, limit: int) -> str:
        """A string of at most `limit` bytes in UTF-8."""
        raw = self.vector(limit)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise InvalidArgument(f"{raw.hex()} is not UTF-8") from None

    def sequence(self, element: Callable[["Reader"], _T], limit: int, what: str) -> tuple[_T, ...]:
        """A vector of at most `limit` elements."""
        count = self.length()
        if count > limit:
            raise InvalidArgument(f"{count} {what}, at most {limit} are taken")
        return tuple([element(self) for _ in range(count)])

    def option(self, element: Callable[["Reader"], _T]) -> _T | None:
        """None or a value."""
        return element(self) if self.flag() else None

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            raise InvalidArgument(f"{len(self._data) - self._at} bytes follow the end of the BCS value")


class Writer:
    """Writes values one after the other."""

    __slots__ = ("_out",)

    def __init__(self) -> None:
        self._out = bytearray()

    def done(self) -> bytes:
        """All that was written."""
        return bytes(self._out)

    def fixed(self, value: bytes) -> None:
        """Bytes without a length."""
        self._out += value

    def u8(self, value: int) -> None:
        """One byte."""
        self._out.append(value)

    def u16(self, value: int) -> None:
        """Two bytes."""
        self._out += value.to_bytes(2, "little")

    def u32(self, value: int) -> None:
        """Four bytes."""
        self._out += value.to_bytes(4, "little")

    def u64(self, value: int) -> None:
        """Eight bytes."""
        self._out += value.to_bytes(8, "little")

    def flag(self, value: bool) -> None:
        """0 or 1."""
        self._out.append(value)

    def length(self, value: int) -> None:
        """ULEB128."""
        while value >= 0x80:
            self._out.append(value & 0x7F | 0x80)
            value >>= 7
        self._out.append(value)

    variant = length
    """The number of an enum's variant."""

    def vector(self, value: bytes) -> None:
        """`vector<u8>`."""
        self.length(len(value))
        self._out += value

    def text(self, value: str) -> None:
        """A string."""
        self.vector(value.encode())

    def sequence(self, values: Iterable[_T], element: Callable[["Writer", _T], None]) -> None:
        """A vector."""
        values = tuple(values)
        self.length(len(values))
        for value in values:
            element(self, value)

    def option(self, value: _T | None, element: Callable[["Writer", _T], None]) -> None:
        """None or a value."""
        self.flag(value is not None)
        if value is not None:
            element(self, value)
