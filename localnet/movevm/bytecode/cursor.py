"""Reads a module's bytes front to back and never past the end."""

from typing import Final

from localnet.movevm.errors import MalformedModule

_U32_MAX: Final = 2**32 - 1


class Cursor:
    """A position in `data`, which ends at `end`."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data: Final = data
        self.at = at
        self.end: Final = len(data) if end is None else end
        if not 0 <= at <= self.end <= len(data):
            raise MalformedModule(f"a table at {at}..{self.end} lies outside the module of {len(data)} bytes")

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start, self.at = self.at, self.at + count
        if self.at > self.end:
            raise MalformedModule(f"{count} bytes wanted at {start}, but the table ends at {self.end}")
        return self.data[start : self.at]

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def little_endian(self, count: int) -> int:
        """An unsigned integer of `count` bytes."""
        return int.from_bytes(self.take(count), "little")

    def uleb(self, limit: int = _U32_MAX) -> int:
        """A ULEB128 number, at most `limit`."""
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if value > limit:
                raise MalformedModule(f"number at {self.at} is over {limit}")
            if byte < 0x80:
                return value
            shift += 7
            if shift > 28:
                raise MalformedModule(f"number at {self.at} is too long")

    def exhausted(self) -> bool:
        """Whether all has been read."""
        return self.at == self.end
