"""A guest that dstack started, on the test PKI's processor."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha384

from intel_pki import Guest, collateral, tdx_quote

from agent.attestation.dstack.events import EventLog, RuntimeEvent
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote

COMPOSE = b"\xc0" * 32
PROVIDER = json.dumps({"name": "kms", "id": "30593013"}).encode()
BOOT = tuple(tuple(sha384(bytes([register, step])).digest() for step in range(3)) for register in range(3))
EVENTS = (
    ("system-preparing", b""),
    ("app-id", COMPOSE[:20]),
    ("compose-hash", COMPOSE),
    ("instance-id", b"\x11" * 20),
    ("boot-mr-done", b""),
    ("key-provider", PROVIDER),
    ("system-ready", b""),
    ("ours", b"added by the application"),
)


@dataclass(frozen=True, kw_only=True)
class Started:
    """What was started; `replace` a part to spoil it."""

    events: tuple[tuple[str, bytes], ...] = EVENTS
    boot: tuple[tuple[bytes, ...], ...] = BOOT
    guest: Guest = field(default_factory=Guest)

    @property
    def log(self) -> EventLog:
        zero, one, two = self.boot
        return EventLog((zero, one, two), tuple(RuntimeEvent(*event) for event in self.events))

    def quote(self) -> bytes:
        return tdx_quote(replace(self.guest, rtmr=self.log.registers()))

    def evidence(self, *, log: EventLog | None = None) -> bytes:
        """Evidence of this guest; with another `log`, if given."""
        return DstackEvidence(IntelEvidence(Quote.decode(self.quote()), collateral()), log or self.log).encode()
