"""BCS of a Move value as JSON, as Sui's API renders it.

Integers over 32 bits are strings, `vector<u8>` is base64, ids and addresses are hexadecimal; strings, options, UIDs and
balances are what they hold; a case of an enum has its name under `@variant`.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from localnet.ledger.ledger import Ledger
from localnet.movevm.bytecode.module import EnumDefinition, Field, StructDefinition
from localnet.movevm.types import (
    ADDRESS,
    BOOL,
    SIGNER,
    U8,
    Primitive,
    Struct,
    Type,
    Vector,
    canonical,
    long_address,
    substitute,
)
from localnet.rpc.bcs import Reader
from localnet.rpc.errors import InvalidArgument, NotFound
from localnet.rpc.modules import definition_of
from localnet.rpc.stubs import Value

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

MAX_BYTES: Final = 256 * 1024
MAX_LENGTH: Final = MAX_BYTES
NUMBER_BITS: Final = 32
"""Wider integers do not fit a double and are strings."""

_STD: Final = bytes(31) + b"\1"
_SUI: Final = bytes(31) + b"\2"
_STRINGS: Final = frozenset({(_STD, "string", "String"), (_STD, "ascii", "String")})
_SINGLE: Final = frozenset(
    {
        (_STD, "type_name", "TypeName"),
        (_SUI, "object", "ID"),
        (_SUI, "object", "UID"),
        (_SUI, "balance", "Balance"),
        (_SUI, "url", "Url"),
    }
)
"""Structs of one field that are shown as that field."""
_OPTION: Final = (_STD, "option", "Option")


def json_value(ledger: Ledger, type_: Type, contents: bytes) -> Any:
    """A `google.protobuf.Value`; None where the layout is unknown or the value too large to render."""
    if len(contents) > MAX_BYTES:
        return None
    try:
        return Value.from_dict(read_json(ledger, type_, contents))
    except (NotFound, InvalidArgument):
        return None


def read_json(ledger: Ledger, type_: Type, contents: bytes) -> Json:
    """The value of `type_` in `contents`.

    Raises:
        InvalidArgument: the bytes are no such value.
        NotFound: a type is not defined in the ledger.
    """
    reader = Reader(contents)
    value = _read(ledger, reader, type_)
    reader.end()
    return value


def _read(ledger: Ledger, reader: Reader, type_: Type) -> Json:
    match type_:
        case Vector():
            if type_.element is U8:
                return b64encode(reader.vector(MAX_LENGTH)).decode("ascii")
            element = type_.element
            return list(reader.sequence(lambda r: _read(ledger, r, element), MAX_LENGTH, "elements"))
        case Struct():
            return _read_datatype(ledger, reader, type_)
        case Primitive():
            if type_ is BOOL:
                return reader.flag()
            if type_ is ADDRESS or type_ is SIGNER:
                return long_address(reader.fixed(32))
            number = int.from_bytes(reader.fixed(type_.bits // 8), "little")
            return number if type_.bits <= NUMBER_BITS else str(number)
    raise NotFound(f"{type_} has no value")


def _read_datatype(ledger: Ledger, reader: Reader, type_: Struct) -> Json:
    key = (type_.address, type_.module, type_.name)
    if key in _STRINGS:
        return reader.text(MAX_LENGTH)
    if key == _OPTION:
        element = type_.arguments[0]
        found = reader.sequence(lambda r: _read(ledger, r, element), 1, "values in an option")
        return found[0] if found else None
    definition = definition_of(ledger, type_)
    match definition:
        case StructDefinition():
            fields = _read_fields(ledger, reader, type_, definition.fields)
            return next(iter(fields.values())) if key in _SINGLE else fields
        case EnumDefinition():
            tag = reader.variant()
            if tag >= len(definition.variants):
                raise InvalidArgument(f"{canonical(type_)} has no variant {tag}")
            variant = definition.variants[tag]
            return {"@variant": variant.name, **_read_fields(ledger, reader, type_, variant.fields)}


def _read_fields(ledger: Ledger, reader: Reader, type_: Struct, fields: Sequence[Field]) -> dict[str, Json]:
    return {field.name: _read(ledger, reader, substitute(field.type, type_.arguments)) for field in fields}
