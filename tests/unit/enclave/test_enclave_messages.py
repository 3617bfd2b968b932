"""Everything from outside is hostile: the enclave answers every message, and never with what it knows."""

from typing import Any

import cbor2
import pytest
from enclave_world import Node as BoundNode
from enclave_world import binding_request, node, post
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enclave import cbor
from agent.enclave import messages as m
from agent.enclave.codec import to_value
from agent.enclave.errors import REFUSALS, MalformedMessage, Refusal
from agent.enclave.memory import NO_ISOLATION
from agent.enclave.service import Service
from agent.enclave.workloads.hashing import HashWorkload
from agent.enclave.workloads.workload import Run, Workload


def service(workload: Workload | None = None, opened: bool = True) -> Service:
    made = Service(workload or HashWorkload(), NO_ISOLATION, lambda count: b"\x07" * count)
    if opened:
        made.handle(m.pack(0, m.Open(bytes(32))))
    return made


def declined(answer: bytes) -> m.Declined:
    decoded = m.answer_in(m.open_envelope(answer))
    assert isinstance(decoded, m.Declined), decoded
    return decoded


def raw(op: str, body: Any, ident: int = 1) -> bytes:
    return cbor.encode({"v": 1, "id": ident, "op": op, "body": body})


def test_an_unknown_request_is_refused_by_name() -> None:
    answer = declined(service().handle(raw("ReadMemory", {})))
    assert answer.refusal == "BadRequest"
    assert "ReadMemory" in answer.text


def test_an_answer_carries_the_id_of_its_request() -> None:
    assert m.open_envelope(service().handle(raw("Nonsense", {}, ident=77))).id == 77


ORDER_BODY = to_value(m.Bind(binding_request(node("x"))))


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"request": None},
        {"request": {**ORDER_BODY["request"], "extra": 1}},
        {"request": {**ORDER_BODY["request"], "node": b"short"}},
        {"request": {**ORDER_BODY["request"], "key_epoch": -1}},
        {"request": {**ORDER_BODY["request"], "key_epoch": 1 << 63 << 1}},
        {"request": {**ORDER_BODY["request"], "key_epoch": True}},
        {"request": {**ORDER_BODY["request"], "chain_id": b"bytes"}},
        {"request": {**ORDER_BODY["request"], "committee": {"threshold": 1, "verifiers": {}}}},
    ],
)
def test_wrong_fields_are_refused(body: Any) -> None:
    try:
        message = raw("Bind", body)
    except OverflowError:
        pytest.skip("CBOR here has no such integer")
    assert declined(service().handle(message)).refusal == "BadRequest"


def test_nothing_is_served_before_open_and_open_comes_once() -> None:
    closed = service(opened=False)
    assert declined(closed.handle(m.pack(1, m.SealState()))).refusal == "BadRequest"
    assert declined(service().handle(m.pack(1, m.Open(bytes(32))))).refusal == "BadRequest"
    assert declined(closed.handle(m.pack(1, m.Open(b"short")))).refusal == "BadRequest"


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_garbage_is_answered_not_crashed_on(garbage: bytes) -> None:
    assert declined(service().handle(garbage)).refusal == "BadRequest"


cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(m.REQUESTS)), cbor_values)
@settings(max_examples=300)
def test_any_body_for_any_request_is_answered(op: str, body: Any) -> None:
    answer = m.answer_in(m.open_envelope(service().handle(raw(op, body))))
    assert not isinstance(answer, m.Declined) or answer.refusal != "InternalFailure"


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\xbf\x61\x76\x01\xff",  # indefinite length
        b"\xa2\x61\x76\x01\x61\x76\x01",  # a key twice
        b"\xa1\x61\x76\x18\x01",  # a longer integer than needed
        b"\xa1\x61\x76\x01\x00",  # trailing bytes
        cbor2.dumps({"b": 1, "a": 1}),  # keys out of order
        cbor2.dumps(cbor2.CBORTag(0, "2026-01-01T00:00:00Z")),
        b"\x81" * 100 + b"\x00",  # deep
        b"\xfb\x40\x09\x21\xfb\x54\x44\x2d\x18",  # a float
    ],
)
def test_only_deterministic_cbor_is_read(bytes_: bytes) -> None:
    with pytest.raises(MalformedMessage):
        cbor.decode(bytes_)


class Leaky(HashWorkload):
    """A workload with a bug whose message quotes its input."""

    def run(self, text: str) -> Run:
        raise RuntimeError(f"cannot embed {text}")


async def test_a_fault_inside_tells_its_class_and_not_the_input(executor: BoundNode) -> None:
    inside = service(Leaky())
    opened = m.answer_in(m.open_envelope(inside.handle(m.pack(1, m.Restore(await executor.client.seal_state())))))
    assert isinstance(opened, m.Opened)
    posted = post(executor, "my darkest secret")
    answer = declined(inside.handle(m.pack(2, m.Execute(posted.order, posted.blob))))
    assert answer.refusal == "InternalFailure"
    assert "RuntimeError" in answer.text
    assert "secret" not in answer.text


def test_every_refusal_travels_by_name() -> None:
    for name, kind in REFUSALS.items():
        again = m.refusal_in(m.Declined(name, "why"))
        assert type(again) is kind
        assert isinstance(again, Refusal)


def test_an_unknown_refusal_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        m.refusal_in(m.Declined("Nope", ""))
