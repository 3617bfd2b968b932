"""dstack's event log: what was extended into the runtime registers, in order.

Source: Dstack-TEE/dstack, `cc-eventlog`. Boot events (RTMR0 to 2) count by their digests only, because firmware does not
always hash what it logs. A runtime event (RTMR3) counts by its name and payload, and its digest is computed from them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha384
from typing import Any, Final

from agent.attestation.errors import Malformed

MAX_LOG: Final = 256 * 1024
"""Bytes of the log as JSON; real ones have about 7,000."""

MAX_EVENTS: Final = 512
MAX_NAME: Final = 128
MAX_PAYLOAD: Final = 4096
RUNTIME_REGISTER: Final = 3
RUNTIME_EVENT: Final = 0x08000001

_DIGEST: Final = 48
_FIELDS: Final = frozenset({"imr", "event_type", "digest", "event", "event_payload"})


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """One entry of RTMR3.

    Raises:
        Malformed: a name or payload that no genuine log has.
    """

    name: str
    payload: bytes

    def __post_init__(self) -> None:
        # with a colon in the name, one digest would stand for two events
        if not 0 < len(self.name) <= MAX_NAME or ":" in self.name or not self.name.isprintable():
            raise Malformed(f"event log: a name of 1 to {MAX_NAME} printable characters without colon is wanted")
        if len(self.payload) > MAX_PAYLOAD:
            raise Malformed(f"event log: payload of {len(self.payload)} bytes, at most {MAX_PAYLOAD}")

    @property
    def digest(self) -> bytes:
        """48 bytes: what RTMR3 was extended with."""
        return sha384(RUNTIME_EVENT.to_bytes(4, "little") + b":" + self.name.encode() + b":" + self.payload).digest()


@dataclass(frozen=True, slots=True)
class EventLog:
    """A whole log, well-formed but not trusted.

    Raises:
        Malformed: too many events, or a digest of another length.
    """

    boot: tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]
    """Digests that RTMR0, 1 and 2 were extended with."""
    runtime: tuple[RuntimeEvent, ...]

    def __post_init__(self) -> None:
        if sum(len(digests) for digests in self.boot) + len(self.runtime) > MAX_EVENTS:
            raise Malformed(f"event log: more than {MAX_EVENTS} events")
        if any(len(digest) != _DIGEST for digests in self.boot for digest in digests):
            raise Malformed(f"event log: a digest is not {_DIGEST} bytes")

    def registers(self) -> tuple[bytes, bytes, bytes, bytes]:
        """RTMR0 to RTMR3 as they are after this log."""
        zero, one, two = (_replay(digests) for digests in self.boot)
        return zero, one, two, _replay(event.digest for event in self.runtime)

    @classmethod
    def from_json(cls, text: bytes) -> "EventLog":
        """The log as dstack's guest agent hands it out.

        Raises:
            Malformed: not that JSON, or a runtime event whose digest is not its own.
        """
        if len(text) > MAX_LOG:
            raise Malformed(f"event log of {len(text)} bytes, at most {MAX_LOG}")
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError):
            raise Malformed("the event log is not JSON") from None
        if type(entries) is not list or len(entries) > MAX_EVENTS:
            raise Malformed(f"the event log is not a list of at most {MAX_EVENTS} events")
        boot: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
        runtime = []
        for entry in entries:
            if type(entry) is not dict or entry.keys() != _FIELDS:
                raise Malformed(f"an event wants exactly the fields {', '.join(sorted(_FIELDS))}")
            register = entry["imr"]
            if type(register) is not int or not 0 <= register <= RUNTIME_REGISTER:
                raise Malformed("event log: imr is not 0 to 3")
            if register == RUNTIME_REGISTER:
                runtime.append(_runtime_event(entry))
            else:
                boot[register].append(_hex(entry, "digest"))
        return cls((tuple(boot[0]), tuple(boot[1]), tuple(boot[2])), tuple(runtime))


def _replay(digests: Iterable[bytes]) -> bytes:
    register = bytes(_DIGEST)
    for digest in digests:
        register = sha384(register + digest).digest()
    return register


def _runtime_event(entry: dict[str, Any]) -> RuntimeEvent:
    name, stated = entry["event"], _hex(entry, "digest")
    if type(name) is not str or entry["event_type"] != RUNTIME_EVENT:
        raise Malformed(f"event log: an entry of RTMR3 that is no runtime event ({RUNTIME_EVENT:#x}) of dstack's")
    event = RuntimeEvent(name, _hex(entry, "event_payload"))
    # newer agents leave the digest out, for it follows from the rest
    if stated not in {b"", event.digest}:
        raise Malformed(f"event log: the digest of {name!r} is not that of its name and payload")
    return event


def _hex(entry: dict[str, Any], name: str) -> bytes:
    value = entry[name]
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise Malformed(f"event log: {name} is not hex") from None
