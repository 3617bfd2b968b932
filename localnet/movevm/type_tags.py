"""Type tags from and to text and BCS. Source: move-core-types `language_storage.rs`, `parser.rs`."""

import re
from collections.abc import Iterator
from typing import Final

from localnet.movevm.codecs import encode_length
from localnet.movevm.errors import MalformedTypeTag
from localnet.movevm.types import ADDRESS_BYTES, PRIMITIVES, Primitive, Struct, Type, Vector

MAX_TEXT: Final = 4096
MAX_DEPTH: Final = 16
"""Nesting of type arguments that Sui allows in a transaction."""
MAX_ARGUMENTS: Final = 32
MAX_NAME: Final = 128

_TOKEN: Final = re.compile(r"\s*(0x[0-9a-fA-F]+|[A-Za-z_][A-Za-z0-9_]*|::|[<>,])\s*")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BY_NAME: Final = {primitive.name: primitive for primitive in PRIMITIVES}
_BY_TAG: Final = {primitive.tag: primitive for primitive in PRIMITIVES}
_VECTOR, _STRUCT = 6, 7


def parse_type(text: str) -> Type:
    """Read `u64`, `vector<T>`, `0x2::coin::Coin<0x2::sui::SUI>`; addresses short or long, spaces free.

    Raises:
        MalformedTypeTag: it is none, or over a limit.
    """
    if len(text) > MAX_TEXT:
        raise MalformedTypeTag(f"a type of {len(text)} characters, at most {MAX_TEXT}")
    reader = _TextReader(text)
    type_ = reader.type(0)
    reader.expect("")
    return type_


def encode_type(type_: Type) -> bytes:
    """BCS of the TypeTag."""
    if isinstance(type_, Primitive):
        return bytes([type_.tag])
    if isinstance(type_, Vector):
        return bytes([_VECTOR]) + encode_type(type_.element)
    if isinstance(type_, Struct):
        return bytes([_STRUCT]) + encode_struct(type_)
    raise MalformedTypeTag(f"{type_} is no type of a value")


def encode_struct(type_: Struct) -> bytes:
    """BCS of the StructTag."""
    parts = [type_.address, _text(type_.module), _text(type_.name), encode_length(len(type_.arguments))]
    return b"".join([*parts, *map(encode_type, type_.arguments)])


def decode_type(data: bytes) -> Type:
    """The TypeTag in `data`, all of it.

    Raises:
        MalformedTypeTag: it is none.
    """
    type_, at = _decode(data, 0, 0)
    if at != len(data):
        raise MalformedTypeTag(f"{len(data) - at} bytes after the type")
    return type_


class _TextReader:
    """Tokens, one ahead."""

    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._tokens: Final = self._split(text)
        self._next = next(self._tokens)

    def _split(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise MalformedTypeTag(f"{text!r} is no type: {text[at:]!r} is not understood")
            at = match.end()
            yield match[1]
        yield ""

    def _advance(self) -> str:
        token, self._next = self._next, next(self._tokens, "")
        return token

    def expect(self, wanted: str) -> None:
        token = self._advance()
        if token != wanted:
            raise MalformedTypeTag(f"{self._text!r} is no type: {wanted or 'its end'!r} expected, not {token or 'its end'!r}")

    def _name(self) -> str:
        token = self._advance()
        if not _IDENTIFIER.fullmatch(token) or len(token) > MAX_NAME:
            raise MalformedTypeTag(f"{self._text!r} is no type: {token!r} is no name")
        return token

    def type(self, depth: int) -> Type:
        if depth > MAX_DEPTH:
            raise MalformedTypeTag(f"a type nested deeper than {MAX_DEPTH}")
        token = self._advance()
        if token == "vector":  # noqa: S105 - a token of the grammar
            self.expect("<")
            element = self.type(depth + 1)
            self.expect(">")
            return Vector(element)
        if token in _BY_NAME:
            return _BY_NAME[token]
        if not token.startswith("0x") or len(token) > 2 + 2 * ADDRESS_BYTES:
            raise MalformedTypeTag(f"{self._text!r} is no type: {token!r} is neither a primitive nor an address")
        self.expect("::")
        module = self._name()
        self.expect("::")
        name = self._name()
        return Struct(int(token, 16).to_bytes(ADDRESS_BYTES, "big"), module, name, self._arguments(depth))

    def _arguments(self, depth: int) -> list[Type]:
        arguments: list[Type] = []
        if self._next != "<":
            return arguments
        self._advance()
        while True:
            arguments.append(self.type(depth + 1))
            if len(arguments) > MAX_ARGUMENTS:
                raise MalformedTypeTag(f"more than {MAX_ARGUMENTS} type arguments")
            if self._next != ",":
                break
            self._advance()
        self.expect(">")
        return arguments


def _decode(data: bytes, at: int, depth: int) -> tuple[Type, int]:
    if depth > MAX_DEPTH:
        raise MalformedTypeTag(f"a type nested deeper than {MAX_DEPTH}")
    if at >= len(data):
        raise MalformedTypeTag("a type tag cut short")
    tag = data[at]
    at += 1
    if tag in _BY_TAG:
        return _BY_TAG[tag], at
    if tag == _VECTOR:
        element, at = _decode(data, at, depth + 1)
        return Vector(element), at
    if tag != _STRUCT:
        raise MalformedTypeTag(f"{tag} is no type tag")
    address, at = data[at : at + ADDRESS_BYTES], at + ADDRESS_BYTES
    module, at = _decode_name(data, at)
    name, at = _decode_name(data, at)
    if at >= len(data):
        raise MalformedTypeTag("a type tag cut short")
    count, at = data[at], at + 1
    if count > MAX_ARGUMENTS:
        raise MalformedTypeTag(f"more than {MAX_ARGUMENTS} type arguments")
    arguments = []
    for _ in range(count):
        argument, at = _decode(data, at, depth + 1)
        arguments.append(argument)
    return Struct(address, module, name, arguments), at


def _decode_name(data: bytes, at: int) -> tuple[str, int]:
    # at most 128 characters: a longer length would take a second byte, of which the only one allowed is 128 itself
    length = data[at] if at < len(data) else 0
    raw = data[at + 1 : at + 1 + length]
    name = raw.decode("ascii", "replace")
    if len(raw) != length or not _IDENTIFIER.fullmatch(name) or length >= MAX_NAME:
        raise MalformedTypeTag(f"{raw!r} is no name")
    return name, at + 1 + length


def _text(text: str) -> bytes:
    return encode_length(len(text)) + text.encode()
