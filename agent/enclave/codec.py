"""Frozen dataclasses to and from CBOR values, by their annotations: a map of field names, all present and no other.

    int, and what is named after it      unsigned, below 2^64
    bytes; a NewType of a 32-byte id     bytes; exactly 32 of them
    str, bool, an enum, X | None         as they are; an enum by its value
    tuple[X, ...]                        list of at most `MAX_ITEMS`
    a frozen dataclass                   map
"""

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from agent.enclave.errors import MalformedMessage
from agent.protocol.units import Address, BlobId, Digest, NodeId, ObjectId, TaskId

T = TypeVar("T")

ID_BYTES: Final = 32
MAX_ITEMS: Final = 4096
_IDS: Final[frozenset[Any]] = frozenset({Address, BlobId, Digest, NodeId, ObjectId, TaskId})


def to_value(message: Any) -> Any:
    """What `agent.enclave.cbor.encode` takes, for a dataclass of the kinds above."""
    if is_dataclass(message):
        return {field.name: to_value(getattr(message, field.name)) for field in fields(message) if field.init}
    if isinstance(message, (tuple, list)):
        return [to_value(item) for item in message]
    if isinstance(message, Enum):
        return message.value
    return message


def from_value(cls: type[T], value: Any) -> T:
    """The `cls` that `value` spells.

    Raises:
        MalformedMessage: a field is missing, unknown, or of another type than annotated.
    """
    return cast("T", _read(cls, value, cls.__name__))


def _read(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, NewType):
        if kind in _IDS and not (type(value) is bytes and len(value) == ID_BYTES):
            raise MalformedMessage(f"{where}: wants {ID_BYTES} bytes")
        return _read(kind.__supertype__, value, where)
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _read_optional(kind, value, where)
    if origin is tuple:
        if type(value) is not list or len(value) > MAX_ITEMS:
            raise MalformedMessage(f"{where}: wants a list of at most {MAX_ITEMS}")
        item_kind = get_args(kind)[0]
        return tuple(_read(item_kind, item, f"{where}[{i}]") for i, item in enumerate(value))
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    if issubclass(kind, Enum):
        return _read_enum(kind, value, where)
    return _read_plain(kind, value, where)


def _read_enum(kind: type[Enum], value: Any, where: str) -> Enum:
    known = {member.value: member for member in kind}
    if type(value) not in {int, str} or value not in known:  # True would pass for 1
        raise MalformedMessage(f"{where}: no such {kind.__name__}")
    return known[value]


def _read_plain(kind: type, value: Any, where: str) -> Any:
    if type(value) is not kind:
        raise MalformedMessage(f"{where}: wants {kind.__name__}, got {type(value).__name__}")
    if type(value) is int and not 0 <= value < 1 << 64:
        raise MalformedMessage(f"{where}: wants an unsigned integer of 64 bits")
    return value


def _read_optional(kind: Any, value: Any, where: str) -> Any:
    if value is None:
        return None
    (inner,) = (option for option in get_args(kind) if option is not NoneType)
    return _read(inner, value, where)


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    if type(value) is not dict or value.keys() != hints.keys():
        raise MalformedMessage(f"{where}: wants exactly the fields {', '.join(hints)}")
    made = {name: _read(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
    try:
        return kind(**made)
    except (TypeError, ValueError) as error:
        raise MalformedMessage(f"{where}: {error}") from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}
