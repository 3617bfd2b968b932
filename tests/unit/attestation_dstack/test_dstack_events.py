"""dstack's event log: real ones replay to the registers of their quotes, hostile ones are refused by name."""

import json
from typing import Any

import pytest
from dstack_guest import COMPOSE, EVENTS, Started
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_vectors import content

from agent.attestation.dstack.application import Application, KeyProvider
from agent.attestation.dstack.events import MAX_EVENTS, MAX_LOG, MAX_NAME, MAX_PAYLOAD, EventLog, RuntimeEvent
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.intel.quote import Quote, without_padding
from agent.attestation.intel.report import TdReport

REAL = {
    "dstack/quote-report.json": ("3763bc34552cf3a27ff71ad5f7a90471562a1a2d", "local-sgx"),
    "dstack/tdx-lite-getquote.json": ("86b0e55f2fa8e4fb69d890f14f54d5612707646e", "kms"),
}


def _real(name: str) -> tuple[TdReport, dict[str, Any]]:
    found = json.loads(content(name))
    report = Quote.decode(without_padding(bytes.fromhex(found["quote"]))).report
    assert isinstance(report, TdReport)
    return report, found


@pytest.mark.parametrize("name", REAL)
def test_real_log_replays_to_all_registers_of_its_quote(name: str) -> None:
    report, found = _real(name)
    log = EventLog.from_json(found["event_log"].encode())
    assert log.registers() == report.rtmr
    application = Application.of(log.runtime)
    assert (application.app_id.hex(), application.key_provider.name) == REAL[name]
    assert application.compose_hash[:20] == application.app_id


@pytest.mark.parametrize("name", REAL)
def test_real_log_with_any_event_changed_left_out_or_moved_replays_to_other_registers(name: str) -> None:
    report, found = _real(name)
    events = json.loads(found["event_log"])
    for index, event in enumerate(events):
        without = [*events[:index], *events[index + 1 :]]
        assert _registers(without) != report.rtmr
        if event["imr"] == 3:
            assert _registers([*events[:index], event | {"event_payload": "ff", "digest": ""}, *events[index + 1 :]]) != report.rtmr
    runtime = [event for event in events if event["imr"] == 3]
    boot = [event for event in events if event["imr"] != 3]
    assert _registers([*boot, *reversed(runtime)]) != report.rtmr
    assert _registers([*boot, *runtime]) == report.rtmr


def _registers(events: list[Any]) -> object:
    return EventLog.from_json(json.dumps(events).encode()).registers()


def _entry(**changes: Any) -> bytes:
    event = {"imr": 3, "event_type": 0x08000001, "digest": "", "event": "app-id", "event_payload": "00"}
    return json.dumps([event | changes]).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"imr": 4}, {"imr": -1}, {"imr": True}, {"imr": "3"}, {"event_type": 1}, {"digest": "00"}, {"digest": 5},
        {"digest": "ab" * 48}, {"event": 5}, {"event": ""}, {"event": "a:b"}, {"event": "a\n"}, {"event": "x" * (MAX_NAME + 1)},
        {"event_payload": "xy"}, {"event_payload": None}, {"event_payload": "00" * (MAX_PAYLOAD + 1)}, {"more": 1},
        {"imr": 0, "digest": "00"}, {"imr": 0, "digest": None},
    ],
    ids=str,
)  # fmt: skip
def test_event_of_no_genuine_log_is_malformed(change: dict[str, Any]) -> None:
    EventLog.from_json(_entry())
    with pytest.raises(Malformed):
        EventLog.from_json(_entry(**change))


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[1]", b"[" * 100_000, b"[{}]", b"\xff", b" " * (MAX_LOG + 1), b"[" + b"0," * MAX_EVENTS + b"0]"],
    ids=["empty", "object", "number", "nested", "no fields", "not UTF-8", "oversized", "too many"],
)
def test_hostile_log_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        EventLog.from_json(text)


def test_log_of_too_many_events_cannot_be_made() -> None:
    with pytest.raises(Malformed):
        EventLog(((), (), ()), (RuntimeEvent("x", b""),) * (MAX_EVENTS + 1))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["imr", "digest", "event", "event_type", "event_payload"]), inner),
        max_leaves=12,
    )
)
def test_json_that_is_no_log_gives_typed_errors_only(value: object) -> None:
    try:
        EventLog.from_json(json.dumps(value).encode())
    except EvidenceError:
        pass


def test_one_digest_stands_for_one_event() -> None:
    # without the rule on colons, ("a", "b:c") and ("a:b", "c") would be one digest
    with pytest.raises(Malformed):
        RuntimeEvent("a:b", b"c")
    assert RuntimeEvent("a", b"b:c").digest != RuntimeEvent("a", b"b:d").digest


def _without(name: str) -> tuple[tuple[str, bytes], ...]:
    return tuple(event for event in EVENTS if event[0] != name)


def _late(name: str) -> tuple[tuple[str, bytes], ...]:
    return (*_without(name), next(event for event in EVENTS if event[0] == name))


def _as(name: str, payload: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, payload) if event[0] == name else event for event in EVENTS)


@pytest.mark.parametrize(
    "events",
    [
        *(_without(name) for name in ("app-id", "compose-hash", "key-provider", "system-ready")),
        *(_late(name) for name in ("app-id", "compose-hash", "key-provider")),
        *((*EVENTS, (name, b"\x00" * 20)) for name in ("app-id", "compose-hash", "key-provider", "system-ready")),
        _as("app-id", b""),
        _as("compose-hash", COMPOSE + b"\0"),
        _as("key-provider", b"kms"),
        _as("key-provider", b'{"name": 1, "id": ""}'),
        _as("key-provider", b"[" * 4000),
        _as("key-provider", b'{"name": "kms", "id": "' + b"0" * 3000 + b'"}'),
    ],
)
def test_application_cannot_say_what_it_is_itself(events: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(Malformed):
        Application.of(Started(events=events).log.runtime)


def test_application_is_read_from_the_events_before_it_ran() -> None:
    application = Application.of(Started().log.runtime)
    assert (application.app_id, application.compose_hash) == (COMPOSE[:20], COMPOSE)
    assert application.key_provider == KeyProvider(name="kms", identity="30593013")
