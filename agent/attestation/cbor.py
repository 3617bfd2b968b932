"""Strict reading of the little CBOR (RFC 8949) that evidence is made of.

Written out rather than left to a general decoder: evidence is hostile, and a general one turns tags into dates,
decimals and regular expressions before anybody can say no. Here there are unsigned and negative integers, byte and
text strings, arrays, maps, false, true and null; nothing else, nothing twice, nothing after the end.

Our own items are deterministic (§4.2.1: shortest integers, sorted keys, definite lengths). Documents of the Nitro
security module are not: their maps are unsorted and, since 2025, of indefinite length; `strict=False` admits just
that.
"""

from typing import Any, Final

import cbor2

from agent.attestation.errors import Malformed

MAX_DEPTH: Final = 8
"""Deepest nesting of any document read here, with room to spare."""

MAX_ITEMS: Final = 4096
"""Values in one document; a real Nitro document has about 60."""

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_BREAK: Final = 0xFF
_INDEFINITE: Final = 31
_SIMPLE_VALUES: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None}


def encode(value: Any) -> bytes:
    """The deterministic encoding of `value`."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, strict: bool = True, items: int = MAX_ITEMS) -> Any:
    """The one value in `data`, of at most `items` values; the caller bounds its length.

    Raises:
        Malformed: anything else than the CBOR described above.
    """
    reader = _Reader(data, strict=strict, items=items)
    value = reader.value(MAX_DEPTH)
    if reader.at != len(data):
        raise Malformed(f"{len(data) - reader.at} bytes after the end of the CBOR value")
    return value


class _Reader:
    def __init__(self, data: bytes, *, strict: bool, items: int) -> None:
        self._data = data
        self._strict = strict
        self._left = items
        self.at = 0

    def value(self, depth: int) -> Any:  # noqa: PLR0911 - one return for each type there is
        self._left -= 1
        if depth == 0 or self._left < 0:
            raise Malformed(f"CBOR with more than {MAX_DEPTH} levels, or more values than any such document has")
        major, argument = self._head()
        match major:
            case 0:
                return self._definite(argument)
            case 1:
                return -1 - self._definite(argument)
            case 2:
                return self._take(self._definite(argument))
            case 3:
                return self._text(self._take(self._definite(argument)))
            case 4:
                return self._array(argument, depth - 1)
            case 5:
                return self._map(argument, depth - 1)
            case 7 if argument in _SIMPLE_VALUES:
                return _SIMPLE_VALUES[argument]
            case _:
                raise Malformed(f"CBOR major type {major} at byte {self.at - 1} has no place in evidence")

    def _head(self) -> tuple[int, int | None]:
        """Major type and argument; None for an indefinite length."""
        initial = self._take(1)[0]
        major, info = initial >> 5, initial & 31
        if info < 24 or major == _SIMPLE:
            return major, info
        if info == _INDEFINITE and major in {_ARRAY, _MAP} and not self._strict:
            return major, None
        if info > 27:
            raise Malformed(f"CBOR length of kind {info} at byte {self.at - 1}")
        argument = int.from_bytes(self._take(1 << (info - 24)), "big")
        shortest = 24 if info == 24 else 1 << 8 * (1 << (info - 25))
        if argument < shortest and self._strict:
            raise Malformed(f"CBOR integer {argument} not in its shortest form")
        return major, argument

    def _array(self, length: int | None, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._done(length, len(items)):
            items.append(self.value(depth))
        return items

    def _map(self, length: int | None, depth: int) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        last = b""
        while not self._done(length, len(entries)):
            start = self.at
            key = self.value(depth)
            if type(key) not in {int, str}:
                raise Malformed(f"CBOR map key of type {type(key).__name__}, keys are integers or text")
            spelling = self._data[start : self.at]
            if key in entries or (self._strict and spelling <= last):
                raise Malformed(f"CBOR map key {key!r} is doubled or out of order")
            last = spelling
            entries[key] = self.value(depth)
        return entries

    def _done(self, length: int | None, count: int) -> bool:
        if length is not None:
            return count == length
        if self._data[self.at : self.at + 1] == bytes([_BREAK]):
            self.at += 1
            return True
        return False

    def _take(self, count: int) -> bytes:
        taken = self._data[self.at : self.at + count]
        if len(taken) != count:
            raise Malformed("CBOR ends in the middle of a value")
        self.at += count
        return taken

    @staticmethod
    def _definite(argument: int | None) -> int:
        assert argument is not None, "only arrays and maps come without a length"
        return argument

    @staticmethod
    def _text(raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Malformed("CBOR text that is not UTF-8") from None
