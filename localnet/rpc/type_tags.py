"""Types, addresses and names as clients write them; text of types goes through the VM's own parser.

Clients send short addresses, blanks, and, from pysui, primitives in capitals.
"""

import re
from functools import lru_cache
from typing import Final

from localnet.movevm.errors import MalformedTypeTag
from localnet.movevm.type_tags import MAX_ARGUMENTS, MAX_DEPTH, MAX_NAME, encode_type
from localnet.movevm.type_tags import parse_type as parse_move_type
from localnet.movevm.types import PRIMITIVES, Struct, Type, Vector
from localnet.rpc.bcs import Reader, Writer
from localnet.rpc.errors import InvalidArgument

VECTOR: Final = 6
STRUCT: Final = 7

_BY_VARIANT: Final = {primitive.tag: primitive for primitive in PRIMITIVES}
_CAPITAL: Final = re.compile(r"(?<![:\w])(Bool|Address|U(?:8|16|32|64|128|256))(?!\w)")
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
        InvalidArgument: it is none, or over a limit.
    """
    try:
        return parse_move_type(_CAPITAL.sub(lambda match: match[1].lower(), text))
    except MalformedTypeTag as malformed:
        raise InvalidArgument(str(malformed)[:500]) from None


def read_type(reader: Reader) -> Type:
    """A BCS TypeTag, of which the end is not known beforehand."""
    return _read(reader, 0)


def write_type(writer: Writer, type_: Type) -> None:
    """BCS TypeTag of `type_`."""
    writer.fixed(encode_type(type_))


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
        arguments = reader.sequence(lambda r: _read(r, depth + 1), MAX_ARGUMENTS, "type arguments")
        return Struct(address, module, name, arguments)
    raise InvalidArgument(f"TypeTag has no variant {variant}")
