"""Move types as text and as BCS.

Canonical text is what the API shows: addresses with all 64 digits, no blanks.
Clients also send short addresses, blanks, and, from pysui, primitives in capitals.
"""

import re
from functools import lru_cache
from typing import Final, NoReturn

from localnet.movevm.types import PRIMITIVES, Primitive, Struct, Type, Vector
from localnet.movevm.types import canonical as canonical_text
from localnet.rpc.bcs import Reader, Writer
from localnet.rpc.errors import InvalidArgument

MAX_DEPTH: Final = 16
MAX_TEXT: Final = 4_096
MAX_NAME: Final = 128
MAX_PARAMETERS: Final = 32

VECTOR: Final = 6
STRUCT: Final = 7

_BY_NAME: Final = {primitive.name: primitive for primitive in PRIMITIVES}
_BY_VARIANT: Final = {primitive.tag: primitive for primitive in PRIMITIVES}
_TOKEN: Final = re.compile(r"\s*(0[xX][0-9a-fA-F]{1,64}|[A-Za-z_][A-Za-z0-9_]*|::|[<>,])\s*")
_ADDRESS: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,64})")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_address(text: str | None) -> bytes:
    """32 bytes of a hexadecimal address, which may be short.

    Raises:
        InvalidArgument: it is none.
    """
    match = _ADDRESS.fullmatch(text or "")
    if match is None:
        raise InvalidArgument(f"{(text or '')[:80]!r} is no address: write 0x and up to 64 hex digits")
    return bytes.fromhex(match[1].rjust(64, "0"))


def parse_identifier(text: str | None) -> str:
    """`text`, if it can name something in Move.

    Raises:
        InvalidArgument: it cannot.
    """
    if not text or len(text) > MAX_NAME or _IDENTIFIER.fullmatch(text) is None:
        raise InvalidArgument(f"{(text or '')[:80]!r} is no Move identifier")
    return text


@lru_cache(maxsize=1_024)
def parse_type(text: str) -> Type:
    """The type that `text` names.

    Raises:
        InvalidArgument: it is none, or nested deeper than 16.
    """
    if len(text) > MAX_TEXT:
        raise InvalidArgument(f"a type of {len(text)} characters, at most {MAX_TEXT} are taken")
    parser = _Parser(text)
    tag = parser.type(0)
    parser.end()
    return tag


def canonical(text: str) -> str:
    """`text` as the API shows it.

    Raises:
        InvalidArgument: it is no type.
    """
    return canonical_text(parse_type(text))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._tokens: Final[list[str]] = []
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                self._fail()
            self._tokens.append(token[1])
            at = token.end()
        self._tokens.reverse()

    def _fail(self) -> NoReturn:
        raise InvalidArgument(f"{self._text[:120]!r} is no Move type")

    def _next(self) -> str:
        if not self._tokens:
            self._fail()
        return self._tokens.pop()

    def _expect(self, token: str) -> None:
        if self._next() != token:
            self._fail()

    def end(self) -> None:
        if self._tokens:
            self._fail()

    def type(self, depth: int) -> Type:
        if depth > MAX_DEPTH:
            raise InvalidArgument(f"{self._text[:120]!r} is nested deeper than {MAX_DEPTH}")
        word = self._next()
        if word == "vector":
            self._expect("<")
            element = self.type(depth + 1)
            self._expect(">")
            return Vector(element)
        if word.lower() in _BY_NAME:
            return _BY_NAME[word.lower()]
        address = parse_address(word)
        self._expect("::")
        module = parse_identifier(self._next())
        self._expect("::")
        name = parse_identifier(self._next())
        return Struct(address, module, name, self._parameters(depth))

    def _parameters(self, depth: int) -> tuple[Type, ...]:
        if not self._tokens or self._tokens[-1] != "<":
            return ()
        self._next()
        parameters = [self.type(depth + 1)]
        while (after := self._next()) == ",":
            parameters.append(self.type(depth + 1))
        if after != ">" or len(parameters) > MAX_PARAMETERS:
            self._fail()
        return tuple(parameters)


def read_type(reader: Reader) -> Type:
    """A BCS TypeTag."""
    return _read(reader, 0)


def write_type(writer: Writer, type_: Type) -> None:
    """BCS TypeTag of `type_`, which has neither references nor parameters."""
    match type_:
        case Primitive():
            writer.variant(type_.tag)
        case Vector():
            writer.variant(VECTOR)
            write_type(writer, type_.element)
        case Struct():
            writer.variant(STRUCT)
            writer.fixed(type_.address)
            writer.text(type_.module)
            writer.text(type_.name)
            writer.sequence(type_.arguments, write_type)
        case _:
            raise TypeError(f"{type_} is no type of a value")


def _read(reader: Reader, depth: int) -> Type:
    if depth > MAX_DEPTH:
        raise InvalidArgument(f"a type nested deeper than {MAX_DEPTH}")
    variant = reader.variant()
    if variant in _BY_VARIANT:
        return _BY_VARIANT[variant]
    if variant == VECTOR:
        return Vector(_read(reader, depth + 1))
    if variant == STRUCT:
        address = reader.fixed(32)
        module = parse_identifier(reader.text(MAX_NAME))
        name = parse_identifier(reader.text(MAX_NAME))
        return Struct(
            address, module, name, reader.sequence(lambda r: _read(r, depth + 1), MAX_PARAMETERS, "type parameters")
        )
    raise InvalidArgument(f"TypeTag has no variant {variant}")
