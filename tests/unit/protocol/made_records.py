"""Records for these tests: any of a type, by hypothesis, and plain ones with only the fields that matter."""

from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from agent.protocol.records import Params, Record, Round, Seat, TaskView
from agent.protocol.states import Mark
from agent.protocol.units import Digest, Millis, Mist, NodeId, Slot

_IDS = ("Address", "ObjectId", "TaskId", "NodeId")

PARAMS = Params(
    min_stake=Mist(10**10), executor_lock=Mist(10**9), auditor_lock=Mist(5 * 10**8), auditors=2, dispute_seats=5,
    audit_probability=1 << 63, input_ms=Millis(100), commit_ms=Millis(200), delivery_ms=Millis(300),
    ticket_ms=Millis(400), handoff_ms=Millis(500), audit_ms=Millis(600), reveal_ms=Millis(700), grace_ms=Millis(50),
    period_ms=Millis(1_000), unbonding_ms=Millis(20_000), challenge_ms=Millis(900), heartbeat_ms=Millis(5_000),
    absence_bps=2_000, undecided_bps=1_000, victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000,
)  # fmt: skip


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that `kind` can have on the wire."""
    if get_origin(kind) is Annotated:
        return st.integers(0, 256 ** get_args(kind)[1] - 1)
    if get_origin(kind) is tuple:
        return st.lists(any_of(get_args(kind)[0]), max_size=2).map(tuple)
    if hasattr(kind, "__supertype__"):
        words, width = kind.__supertype__ is int, 32 if kind.__name__ in _IDS else None
        return st.integers(0, 2**64 - 1) if words else st.binary(min_size=width or 0, max_size=width or 40)
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return st.builds(kind, *[any_of(hints[each.name]) for each in fields(kind)])
    if issubclass(kind, IntEnum):
        return st.sampled_from(kind)
    return st.booleans() if kind is bool else st.binary(max_size=40)


def plain(kind: Any, /, **known: Any) -> Any:
    """A record with `known` fields; the others are zero, empty, or nobody."""
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{name: known[name] if name in known else _zero(hint) for name, hint in hints.items()})


def _zero(kind: Any) -> Any:
    if kind is Params:
        return PARAMS
    if get_origin(kind) is tuple:
        return ()
    if get_origin(kind) is Annotated:
        return 0
    if hasattr(kind, "__supertype__"):
        return 0 if kind.__supertype__ is int else bytes(32) if kind.__name__ in _IDS else b""
    if isinstance(kind, type) and issubclass(kind, Record):
        return plain(kind)
    return kind(0) if issubclass(kind, int) else b""


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


def seat(number: int, mark: Mark = Mark.WAITING, root: bytes = b"", *, lock: int = 500, handed: bool = True) -> Seat:
    return plain(
        Seat, slot=Slot(number), node=node(number), lock=Mist(lock), mark=mark, root=Digest(root), votes=1,
        wrap=b"w" * 80 if handed else b"",
    )  # fmt: skip


def a_round(kind: int, *seats: Seat) -> Round:
    return plain(Round, kind=kind, seats=seats, slots=tuple(each.slot for each in seats))


def task(**known: Any) -> TaskView:
    return plain(TaskView, **{"executor": seat(99, lock=10**9), "deadline": Millis(10_000), **known})
