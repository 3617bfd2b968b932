"""Requests and answers on the channel.

They are `{v, id, op, body}` in deterministic CBOR. What is not in these tables does not exist.
"""

from dataclasses import dataclass
from typing import Any, Final, get_args

from agent.enclave import cbor
from agent.enclave.codec import from_value, to_value
from agent.enclave.errors import REFUSALS, MalformedMessage, Refusal
from agent.enclave.identity import Isolation
from agent.enclave.orders import (
    Audited,
    AuditOrder,
    BindingRequest,
    Bound,
    DeliveryOrder,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    Refused,
)
from agent.protocol.units import TaskId

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Open:
    """First request: the platform's sealing key, which on hardware the enclave would fetch itself."""

    sealing_key: bytes


@dataclass(frozen=True, slots=True)
class Restore:
    """Take over a sealed state; only before anything else."""

    state: bytes


@dataclass(frozen=True, slots=True)
class Identify:
    """Say again what was said at the opening, and for which key epoch."""


@dataclass(frozen=True, slots=True)
class Bind:
    request: BindingRequest


@dataclass(frozen=True, slots=True)
class Execute:
    order: ExecuteOrder
    sealed_input: bytes


@dataclass(frozen=True, slots=True)
class ReportUnavailable:
    """The host could not fetch the blob: its word alone, signed so that the contract can count it."""

    order: ExecuteOrder


@dataclass(frozen=True, slots=True)
class Handoff:
    handoff: HandoffOrder


@dataclass(frozen=True, slots=True)
class Audit:
    order: AuditOrder
    sealed_input: bytes


@dataclass(frozen=True, slots=True)
class ReportNoInput:
    """The host could not fetch what is to be audited: its word alone, as a vote."""

    order: AuditOrder


@dataclass(frozen=True, slots=True)
class Arbitrate:
    order: DeliveryOrder
    sealed_output: bytes


@dataclass(frozen=True, slots=True)
class SealState:
    pass


@dataclass(frozen=True, slots=True)
class Forget:
    """The task is settled: its data key is wiped, and it is never served again."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Opened:
    hpke_pk: bytes
    sign_pk: bytes
    manifest: bytes
    isolation: Isolation
    key_epoch: int | None
    """None before `Bind`."""


@dataclass(frozen=True, slots=True)
class SealedState:
    state: bytes


@dataclass(frozen=True, slots=True)
class Forgotten:
    pass


@dataclass(frozen=True, slots=True)
class Declined:
    """A `Refusal`, by its class name."""

    refusal: str
    text: str


Request = (
    Open | Restore | Identify | Bind | Execute | ReportUnavailable | Handoff | Audit | ReportNoInput | Arbitrate | SealState | Forget
)
Answer = Opened | Bound | Executed | Refused | HandedOff | Audited | SealedState | Forgotten | Declined

REQUESTS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Request)}
ANSWERS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Answer)}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around every message; an answer carries the id of its request."""

    v: int
    id: int
    op: str
    body: Any


def pack(ident: int, message: Request | Answer) -> bytes:
    """The bytes of one message."""
    envelope = {"v": VERSION, "id": ident, "op": type(message).__name__, "body": to_value(message)}
    return cbor.encode(envelope)


def open_envelope(data: bytes) -> Envelope:
    """The envelope of a message, its body unread.

    Raises:
        MalformedMessage: not deterministic CBOR of this shape and version.
    """
    value = cbor.decode(data)
    if type(value) is not dict or value.keys() != {"v", "id", "op", "body"}:
        raise MalformedMessage("a message is a map of v, id, op and body")
    ident, op = value["id"], value["op"]
    if value["v"] != VERSION or type(ident) is not int or not 0 <= ident < 1 << 64 or type(op) is not str:
        raise MalformedMessage(f"a message has v = {VERSION}, an unsigned id and the name of its kind")
    return Envelope(VERSION, ident, op, value["body"])


def request_in(envelope: Envelope) -> Request:
    """The request in `envelope`.

    Raises:
        MalformedMessage: its fields are wrong, or there is no such request; the text names it.
    """
    request: Request = _body(REQUESTS, "request", envelope)
    return request


def answer_in(envelope: Envelope) -> Answer:
    """The answer in `envelope`.

    Raises:
        MalformedMessage: its fields are wrong, or there is no such answer.
    """
    answer: Answer = _body(ANSWERS, "answer", envelope)
    return answer


def refusal_in(declined: Declined) -> Refusal:
    """The error that `declined` stands for.

    Raises:
        MalformedMessage: no refusal has this name.
    """
    refusal = REFUSALS.get(declined.refusal)
    if refusal is None:
        raise MalformedMessage(f"the enclave declined with the unknown refusal {declined.refusal[:40]!r}")
    return refusal(declined.text)


def _body(table: dict[str, type[Any]], what: str, envelope: Envelope) -> Any:
    kind = table.get(envelope.op)
    if kind is None:
        raise MalformedMessage(f"unknown {what} {envelope.op[:40]!r}: known are {', '.join(table)}")
    return from_value(kind, envelope.body)
