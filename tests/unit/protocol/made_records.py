"""Records for these tests: any of a type, by hypothesis, and plain ones with only the fields that matter."""

from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from agent.protocol.bcs import _hints
from agent.protocol.records import Draw, Input, Output, Params, Pending, Record, Round, Seat, TaskView, Terms
from agent.protocol.states import Mark, RoundKind
from agent.protocol.units import Address, Digest, Millis, Mist, NodeId, Slot

_IDS = ("Address", "ObjectId", "TaskId", "NodeId")
_GROUPS = {"terms": Terms, "input": Input, "output": Output, "draw": Draw}
EXECUTOR = 99
"""The executor's slot in `task`."""
NOBODY = Address(bytes(32))

PARAMS = Params(
    min_stake=Mist(10**10), executor_lock=Mist(10**9), auditor_lock=Mist(5 * 10**8), audit_reserve=Mist(10**9),
    bounty=Mist(10**6), delivery_bond=Mist(3 * 10**6), max_price=Mist(10**7), auditors=2, dispute_seats=5, jail_strikes=3,
    audit_probability=1 << 63, input_ms=Millis(100), commit_ms=Millis(200), delivery_ms=Millis(300),
    ticket_ms=Millis(400), handoff_ms=Millis(500), audit_ms=Millis(600), reveal_ms=Millis(700), grace_ms=Millis(50),
    period_ms=Millis(1_000), unbonding_ms=Millis(20_000), challenge_ms=Millis(900), heartbeat_ms=Millis(5_000),
    jail_ms=Millis(3_000), rotation_ms=Millis(4_000), timelock_ms=Millis(6_000), absence_bps=2_000, undecided_bps=1_000,
    victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000, cost_bps=8_000, controlled_bps=3_000,
)  # fmt: skip


def any_of(kind: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one line a kind
    """Any value that `kind` can have on the wire."""
    if get_origin(kind) is Annotated:
        return st.integers(0, 256 ** get_args(kind)[1] - 1)
    if get_origin(kind) is Pending:
        return st.builds(Pending, st.lists(any_of(get_args(kind)[0]), max_size=1).map(tuple), any_of(Millis))
    if get_origin(kind) is tuple:
        return st.lists(any_of(get_args(kind)[0]), max_size=2).map(tuple)
    if hasattr(kind, "__supertype__"):
        words, width = kind.__supertype__ is int, 32 if kind.__name__ in _IDS else None
        return st.integers(0, 2**64 - 1) if words else st.binary(min_size=width or 0, max_size=width or 40)
    if is_dataclass(kind):
        return st.builds(kind, *map(any_of, _hints(kind)))
    if issubclass(kind, IntEnum):
        return st.sampled_from(kind)
    return st.booleans() if kind is bool else st.binary(max_size=40)


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


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


def person(number: int) -> Address:
    return Address(bytes(31) + bytes([number]))


def seat(
    number: int, mark: Mark = Mark.WAITING, root: bytes = b"", *, lock: int = 500, votes: int = 1, handed: bool = True
) -> Seat:
    return plain(
        Seat, slot=Slot(number), node=node(number), lock=Mist(lock), mark=mark, root=Digest(root), votes=votes,
        wrap=b"w" * 80 if handed else b"",
    )  # fmt: skip


def a_round(kind: int, *seats: Seat, by: int = EXECUTOR, cranker: Address = NOBODY, away: int = 0) -> Round:
    """A round that drew these seats, and `away` members more who could not be seated; `by` handed it off."""
    slots = tuple(each.slot for each in seats for _ in range(each.votes)) + tuple(Slot(500 + i) for i in range(away))
    return plain(Round, kind=RoundKind(kind), seats=seats, slots=slots, handed_by=Slot(by), cranker=cranker)


def task(**known: Any) -> TaskView:
    """A task; fields of its groups may be named as if it were flat. `tee_mask` is the input's, `pool_mask` the Pool's."""
    if "pool_mask" in known:
        known["terms"] = plain(Terms, tee_mask=known.pop("pool_mask"))
    for group, kind in _GROUPS.items():
        flat = {each.name for each in fields(kind)} & set(known) - ({"tee_mask"} if kind is Terms else set())
        if flat:
            known[group] = plain(kind, **{name: known.pop(name) for name in sorted(flat)})
    return plain(TaskView, **{"executor": seat(EXECUTOR, lock=10**9), "deadline": Millis(10_000), **known})
