from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import PARAMS, a_round, any_of, node, plain, seat, task

from agent.protocol import records
from agent.protocol.bcs import BadValue, BcsError, TrailingBytes, Truncated
from agent.protocol.records import Attestation, Committee, MemberView, NetworkView, OwnerCap, Params, Pending, PolicyEntry, Record, TaskView
from agent.protocol.units import NONE, Address, Digest, Millis, NodeId

KINDS = [kind for name in records.__all__ if issubclass(kind := getattr(records, name), Record) and kind is not Record]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=20)  # the rules are few, the types are many
def test_records_come_back_as_they_were(kind: type[Record], data: st.DataObject) -> None:
    value = data.draw(any_of(kind))
    assert kind.decode(value.encode()) == value


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=20)  # the rules are few, the types are many
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
    seats_at = 1 + 1 + 8 + 1  # kind, no seed, drawn_at, no slots
    with pytest.raises(BadValue, match="over 65536"):
        records.Round.decode(contents[:seats_at] + b"\xc0\x84\x3d" + contents[seats_at + 1 :])


def test_bytes_longer_than_any_object_are_refused_unread() -> None:
    empty = plain(records.Attestation).encode()
    with pytest.raises(BadValue, match="over 262144"):
        records.Attestation.decode(empty[:9] + b"\x81\x80\x10" + empty[10:])


def test_a_cap_is_read_field_by_field() -> None:
    contents = b"i" * 32 + b"p" * 32 + b"n" * 32 + (5).to_bytes(8, "little")
    assert OwnerCap.decode(contents) == OwnerCap(b"i" * 32, b"p" * 32, b"n" * 32, 5)  # type: ignore[arg-type]


def test_the_longest_task_has_five_rounds_two_rulings_and_a_grace_for_each_window() -> None:
    # 100 + 200 + 4 * 300 + 5 * (400 + 500 + 600 + 700) + 2 * 600 + 28 * 50
    assert PARAMS.span() == 15_100


def test_parameters_go_to_the_contract_in_the_order_of_the_struct() -> None:
    ordered = PARAMS.in_order()
    assert len(ordered) == 33
    assert Params(*ordered) == PARAMS  # type: ignore[arg-type]
    assert ordered[:4] + ordered[9:12] + ordered[-1:] == (10**10, 10**9, 5 * 10**8, 10**9, 3, 1 << 63, 100, 3_000)


def test_a_node_finds_its_seat() -> None:
    both = a_round(1, seat(4), seat(7))
    assert both.seat_of(node(7)) == 1
    assert both.seat_of(NodeId(b"x" * 32)) is None


def test_a_task_is_in_its_last_round() -> None:
    audit, dispute = a_round(1, seat(1)), a_round(2, seat(2))
    under_way = task(rounds=(audit, dispute))
    assert (under_way.round, under_way.current) == (2, dispute)
    assert (task().round, task().current) == (0, None)
    assert task(rounds=(audit, a_round(4, seat(2)))).round == 4


def test_a_round_is_handed_off_once_its_seats_have_wraps() -> None:
    assert a_round(1, seat(1)).handed
    assert not a_round(1, seat(1, handed=False)).handed
    assert not a_round(1).handed


def network(**known: object) -> NetworkView:
    return plain(NetworkView, **known)


def test_protocol_time_stands_still_with_the_chain() -> None:
    assert network(stall_ms=300).protocol_time(Millis(1_000)) == 700


def test_a_short_silence_is_no_halt() -> None:
    quiet = network(heartbeat_at=1_000)
    assert quiet.is_alive(Millis(6_000))
    assert quiet.after_heartbeat(Millis(6_000)) == network(heartbeat_at=6_000)


def test_a_halt_moves_every_deadline_by_all_of_the_silence() -> None:
    halted = network(heartbeat_at=1_000, stall_ms=10)
    assert not halted.is_alive(Millis(6_001))
    assert halted.after_heartbeat(Millis(9_000)) == network(heartbeat_at=9_000, stall_ms=10 + 8_000)


def test_a_dispute_counts_who_was_drawn_and_could_not_be_seated() -> None:
    assert a_round(2, seat(1, votes=2), seat(2), away=2).drawn == 5
    assert replace(a_round(2), slots=(NONE, NONE)).drawn == 0


def test_a_proposal_is_due_from_its_time_on() -> None:
    proposed: Pending[int] = Pending((7,), Millis(100))
    assert (proposed.proposed, proposed.is_due(Millis(99)), proposed.is_due(Millis(100))) == (7, False, True)
    nothing: Pending[int] = Pending((), Millis(100))
    assert (nothing.proposed, nothing.is_due(Millis(100))) == (None, False)


OLD, NEW = Digest(b"o" * 32), Digest(b"n" * 32)
POLICIES = (
    plain(PolicyEntry, digest=OLD, activates_at=Millis(0), sunset_at=Millis(300)),
    plain(PolicyEntry, digest=NEW, activates_at=Millis(200), sunset_at=Millis(2**64 - 1)),
)


def test_a_policy_counts_from_its_activation_to_its_sunset() -> None:
    at = network(policies=POLICIES)
    assert [at.policy_at(Millis(now)) for now in (0, 199, 200, 300)] == [OLD, OLD, NEW, NEW]
    assert [at.is_in_force(OLD, Millis(now)) for now in (0, 299, 300)] == [True, True, False]
    assert network(policies=()).policy_at(Millis(0)) is None


def test_the_committee_before_counts_until_its_rotation_is_over() -> None:
    one, two = plain(Committee, epoch=1, threshold=1), plain(Committee, epoch=2, threshold=2)
    at = network(committee=two, previous=one, previous_until=100)
    assert (at.committee_of(2, Millis(100)), at.committee_of(1, Millis(99)), at.committee_of(1, Millis(100))) == (two, one, None)
    assert at.committee_of(3, Millis(0)) is None


def member(**known: object) -> MemberView:
    first, second = plain(Attestation, key_epoch=4), plain(Attestation, key_epoch=3)
    return plain(MemberView, **{"attestation": first, "previous": second, "previous_until": Millis(100), **known})


def test_the_record_before_is_usable_in_its_grace() -> None:
    at = member()
    assert at.usable(4, Millis(500)) == at.current() == at.attestation
    assert (at.usable(3, Millis(99)), at.usable(3, Millis(100))) == (at.previous, None)
    assert at.usable(2, Millis(0)) is None


def test_a_revoked_record_is_none() -> None:
    assert member(revoked_through=3).usable(3, Millis(0)) is None
    assert member(revoked_through=3).current() is not None
    assert member(revoked_through=4).usable(4, Millis(0)) is None
    assert member(revoked_through=4).current() is None


def test_nothing_attested_is_no_record() -> None:
    bare: MemberView = plain(MemberView)
    assert bare.current() is None
    assert bare.usable(0, Millis(0)) is None


@pytest.mark.parametrize(("tee_mask", "denied", "restricts"), [(6, (), False), (7, (), False), (4, (), True), (6, (Address(bytes(32)),), True)])
def test_a_requester_that_keeps_an_audit_away_restricts(tee_mask: int, denied: tuple[Address, ...], restricts: bool) -> None:
    assert task(pool_mask=6, tee_mask=tee_mask, denied=denied).restricts is restricts
