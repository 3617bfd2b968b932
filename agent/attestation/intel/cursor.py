"""Reading a binary structure from its start to its end, and nothing behind it."""

from typing import Literal

from agent.attestation.errors import Malformed


class Cursor:
    """A place in `data`, which is called `name` in errors."""

    def __init__(self, data: bytes, name: str, order: Literal["little", "big"] = "little") -> None:
        self._data = data
        self._name = name
        self._order = order
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            Malformed: there are not as many.
        """
        taken = self._data[self.at : self.at + count]
        if len(taken) != count:
            raise Malformed(f"{self._name} ends after {len(self._data)} bytes, in the middle of a field")
        self.at += count
        return taken

    def number(self, size: int) -> int:
        """The next `size` bytes as an unsigned integer."""
        return int.from_bytes(self.take(size), self._order)

    def sized(self, size: int, limit: int) -> bytes:
        """What stands behind a length of `size` bytes.

        Raises:
            Malformed: the length exceeds `limit`.
        """
        length = self.number(size)
        if length > limit:
            raise Malformed(f"{self._name}: a field of {length} bytes, at most {limit}")
        return self.take(length)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self.at)

    def end(self) -> None:
        """Return if everything was read.

        Raises:
            Malformed: bytes are left.
        """
        if self.at != len(self._data):
            raise Malformed(f"{self._name}: {len(self._data) - self.at} bytes after its end")
