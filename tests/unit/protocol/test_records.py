import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import PARAMS, a_round, any_of, node, plain, seat, task

from agent.protocol import records
from agent.protocol.bcs import BadValue, BcsError, TrailingBytes, Truncated
from agent.protocol.records import NetworkView, OwnerCap, Params, Record, TaskView
from agent.protocol.units import Millis, NodeId

KINDS = [kind for name in records.__all__ if (kind := getattr(records, name)) is not Record]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_records_come_back_as_they_were(kind: type[Record], data: st.DataObject) -> None:
    value = data.draw(any_of(kind))
    assert kind.decode(value.encode()) == value


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_no_byte_may_be_missing_or_left_over(kind: type[Record], data: st.DataObject) -> None:
    contents = data.draw(any_of(kind)).encode()
    with pytest.raises(Truncated):
        kind.decode(contents[:-1])
    with pytest.raises(TrailingBytes):
        kind.decode(contents + b"\0")


@given(st.binary(max_size=400))
def test_hostile_contents_give_a_bcs_error(contents: bytes) -> None:
    with pytest.raises(BcsError):  # a task has more than 400 bytes
        TaskView.decode(contents)


def test_a_vector_of_a_million_seats_is_refused_unread() -> None:
    contents = plain(records.Round).encode()
    with pytest.raises(BadValue, match="over 65536"):
        records.Round.decode(contents[:2] + b"\xc0\x84\x3d" + contents[3:])


def test_bytes_longer_than_any_object_are_refused_unread() -> None:
    empty = plain(records.Attestation).encode()
    with pytest.raises(BadValue, match="over 262144"):
        records.Attestation.decode(empty[:9] + b"\x81\x80\x10" + empty[10:])


def test_a_cap_is_read_field_by_field() -> None:
    contents = b"i" * 32 + b"p" * 32 + b"n" * 32 + (5).to_bytes(8, "little")
    assert OwnerCap.decode(contents) == OwnerCap(b"i" * 32, b"p" * 32, b"n" * 32, 5)  # type: ignore[arg-type]


def test_the_longest_task_has_two_rounds_and_a_grace_for_each_window() -> None:
    # 100 + 200 + 300 + 2 * (400 + 500 + 600 + 700) + 12 * 50
    assert PARAMS.span() == 5_600


def test_parameters_go_to_the_contract_in_the_order_of_the_struct() -> None:
    ordered = PARAMS.in_order()
    assert len(ordered) == 23
    assert Params(*ordered) == PARAMS  # type: ignore[arg-type]
    assert ordered[:6] == (10**10, 10**9, 5 * 10**8, 2, 5, 1 << 63)


def test_a_node_finds_its_seat() -> None:
    both = a_round(1, seat(4), seat(7))
    assert both.seat_of(node(7)) == 1
    assert both.seat_of(NodeId(b"x" * 32)) is None


def test_a_task_is_in_its_last_round() -> None:
    audit, dispute = a_round(1, seat(1)), a_round(2, seat(2))
    under_way = task(rounds=(audit, dispute))
    assert (under_way.round, under_way.current) == (2, dispute)
    assert (task().round, task().current) == (0, None)


def test_a_round_is_handed_off_once_its_seats_have_wraps() -> None:
    assert a_round(1, seat(1)).handed
    assert not a_round(1, seat(1, handed=False)).handed
    assert not a_round(1).handed


def network(**known: int) -> NetworkView:
    return plain(NetworkView, **known)


def test_protocol_time_stands_still_with_the_chain() -> None:
    assert network(stall_ms=300).protocol_time(Millis(1_000)) == 700


def test_a_short_silence_is_no_halt() -> None:
    quiet = network(heartbeat_at=1_000)
    assert quiet.is_alive(Millis(6_000))
    assert quiet.after_heartbeat(Millis(6_000)) == network(heartbeat_at=6_000)


def test_a_halt_moves_every_deadline_by_what_exceeds_the_allowed_silence() -> None:
    halted = network(heartbeat_at=1_000, stall_ms=10)
    assert not halted.is_alive(Millis(6_001))
    assert halted.after_heartbeat(Millis(9_000)) == network(heartbeat_at=9_000, stall_ms=10 + 3_000)
