"""Views with only the fields that matter to a test."""

from enum import IntEnum
from typing import Annotated, Any, get_origin, get_type_hints

from call_examples import PARAMS

from agent.protocol.records import Params, Pending, Record
from agent.protocol.units import Millis

_IDS = ("Address", "ObjectId", "TaskId", "NodeId")


def plain(kind: Any, /, **known: Any) -> Any:
    """A record with `known` fields; the others are zero, empty, or nobody."""
    hints = get_type_hints(kind, include_extras=True)
    assert set(known) <= set(hints)
    return kind(**{name: known[name] if name in known else _zero(hint) for name, hint in hints.items()})


def _zero(kind: Any) -> Any:  # noqa: PLR0911  one line a kind
    if kind is Params:
        return PARAMS
    if get_origin(kind) is Pending:
        return Pending((), Millis(0))
    if get_origin(kind) is tuple:
        return ()
    if get_origin(kind) is Annotated:
        return 0
    if hasattr(kind, "__supertype__"):
        return 0 if kind.__supertype__ is int else bytes(32) if kind.__name__ in _IDS else b""
    if isinstance(kind, type) and issubclass(kind, Record):
        return plain(kind)
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return next(iter(kind))
    return kind(0) if issubclass(kind, int) else b""
