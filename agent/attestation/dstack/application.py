"""Which application a dstack guest runs, as its runtime events say."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Any, Final

from agent.attestation.dstack.events import RuntimeEvent
from agent.attestation.errors import Malformed
from agent.attestation.intel.report import TdReport

TAG: Final = b"enclavia-dstack/1:"
READY: Final = "system-ready"
"""The last event before the application's own."""

_APP_ID, _COMPOSE_HASH, _KEY_PROVIDER = "app-id", "compose-hash", "key-provider"
_SYSTEM: Final = (_APP_ID, _COMPOSE_HASH, _KEY_PROVIDER)
_APP_ID_SIZE: Final = 20
_COMPOSE_HASH_SIZE: Final = 32
_MAX_FIELD: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyProvider:
    """Who hands the guest its keys, and so can make them too."""

    name: str
    """As "kms", "local-sgx", "none"."""
    identity: str
    """Hex, of that provider; its meaning depends on the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What dstack measured before it let the application run."""

    app_id: bytes
    """20 bytes."""
    compose_hash: bytes
    """32 bytes: SHA-256 of the application's definition."""
    key_provider: KeyProvider
    key_provider_event: bytes
    """As measured, JSON."""

    @classmethod
    def of(cls, events: Sequence[RuntimeEvent]) -> "Application":
        """The application that `events`, a whole RTMR3, tell of.

        Raises:
            Malformed: an event is missing, stands there twice, or comes only once the application could write it.
        """
        names = [event.name for event in events]
        for wanted in (*_SYSTEM, READY):
            if names.count(wanted) != 1:
                raise Malformed(f"event log: {names.count(wanted)} events {wanted!r} in RTMR3, wants one")
        payloads = {event.name: event.payload for event in events[: names.index(READY)]}
        if not payloads.keys() >= set(_SYSTEM):
            raise Malformed(f"event log: {', '.join(sorted(set(_SYSTEM) - payloads.keys()))} only after {READY!r}")
        app_id, compose_hash = payloads[_APP_ID], payloads[_COMPOSE_HASH]
        if len(app_id) != _APP_ID_SIZE or len(compose_hash) != _COMPOSE_HASH_SIZE:
            raise Malformed(f"event log: app-id wants {_APP_ID_SIZE} bytes, compose-hash {_COMPOSE_HASH_SIZE}")
        return cls(
            app_id=app_id,
            compose_hash=compose_hash,
            key_provider=_key_provider(payloads[_KEY_PROVIDER]),
            key_provider_event=payloads[_KEY_PROVIDER],
        )

    def measurement(self, report: TdReport) -> bytes:
        """48 bytes: SHA-384 over the tag, `TdReport.identity`, RTMR0 to RTMR2, app-id, compose-hash and the SHA-256 of
        the key-provider event.

        RTMR3 itself is left out, since it holds the instance's own id and what the application adds.
        """
        image = report.identity + b"".join(report.rtmr[:3])
        return sha384(
            TAG + image + self.app_id + self.compose_hash + sha256(self.key_provider_event).digest()
        ).digest()


def _key_provider(payload: bytes) -> KeyProvider:
    try:
        fields: Any = json.loads(payload)
    except (ValueError, RecursionError):
        raise Malformed("event log: key-provider is not JSON") from None
    match fields:
        case {"name": str(name), "id": str(identity)} if len(name) + len(identity) <= _MAX_FIELD:
            return KeyProvider(name=name, identity=identity)
        case _:
            raise Malformed('event log: key-provider is not {"name", "id"}')
