import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import any_of

from agent.protocol import events
from agent.protocol.bcs import BadValue, BcsError, TrailingBytes, encode
from agent.protocol.events import KINDS, Decided, Event, UnknownEvent, decode_event
from agent.protocol.states import Outcome
from agent.protocol.units import Address, TaskId

TASK, POOL = TaskId(b"t" * 32), Address(b"p" * 32)


@pytest.mark.parametrize(("module", "name"), KINDS)
@given(data=st.data())
@settings(max_examples=20)  # the rules are few, the types are many
def test_events_come_back_as_they_were(module: str, name: str, data: st.DataObject) -> None:
    event = data.draw(any_of(KINDS[module, name]))
    assert decode_event(module, name, encode(event)) == event


def test_an_event_is_read_field_by_field() -> None:
    assert decode_event("task", "Decided", TASK + POOL + b"\x03") == Decided(TASK, POOL, Outcome.GUILTY)


@pytest.mark.parametrize(("module", "name"), [("task", "Renamed"), ("oracle", "Decided"), ("pool", "TaskOpened"), ("", "")])
def test_an_event_of_a_newer_package_is_no_error(module: str, name: str) -> None:
    assert decode_event(module, name, b"whatever") == UnknownEvent(module, name, b"whatever")


@pytest.mark.parametrize(("module", "name"), KINDS)
@given(contents=st.binary(max_size=31))
@settings(max_examples=20)
def test_wrong_contents_of_a_known_event_are_an_error(module: str, name: str, contents: bytes) -> None:
    with pytest.raises(BcsError):
        decode_event(module, name, contents)


def test_contents_left_over_are_an_error() -> None:
    with pytest.raises(TrailingBytes):
        decode_event("task", "Decided", TASK + POOL + b"\x03\x00")


def test_an_outcome_of_a_newer_package_is_an_error() -> None:
    with pytest.raises(BadValue, match="newer package"):
        decode_event("task", "Decided", TASK + POOL + b"\x63")


def test_every_event_can_be_decoded() -> None:
    declared = {getattr(events, name) for name in events.__all__ if name[0].isupper() and name != "KINDS"}
    assert set(KINDS.values()) == declared - {Event, UnknownEvent}
    assert len(KINDS) == 64
