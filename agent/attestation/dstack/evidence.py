"""How a dstack guest's evidence travels: deterministic CBOR.

    { "v": 1, "intel": bytes, "boot": [[digest], [digest], [digest]], "runtime": [[name, payload]] }

`intel` is the quote with its collateral, encoded as `IntelEvidence`.
"""

from dataclasses import dataclass
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.dstack.events import MAX_LOG, EventLog, RuntimeEvent
from agent.attestation.errors import Malformed
from agent.attestation.intel.evidence import MAX_EVIDENCE as MAX_INTEL
from agent.attestation.intel.evidence import IntelEvidence

MEDIA_TYPE: Final = "application/vnd.enclavia.dstack-tdx+cbor"
VERSION: Final = 1
MAX_EVIDENCE: Final = MAX_INTEL + MAX_LOG // 2


@dataclass(frozen=True, slots=True)
class DstackEvidence:
    """A quote, and the log that its runtime registers vouch for."""

    intel: IntelEvidence
    log: EventLog

    def encode(self) -> bytes:
        """The bytes that `decode` reads."""
        return cbor.encode(
            {
                "v": VERSION,
                "intel": self.intel.encode(),
                "boot": [list(digests) for digests in self.log.boot],
                "runtime": [[event.name, event.payload] for event in self.log.runtime],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "DstackEvidence":
        """The evidence in `data`.

        Raises:
            Malformed: anything else.
        """
        if len(data) > MAX_EVIDENCE:
            raise Malformed(f"dstack evidence of {len(data)} bytes, at most {MAX_EVIDENCE}")
        fields: Any = cbor.decode(data)
        if type(fields) is not dict or fields.keys() != {"v", "intel", "boot", "runtime"}:
            raise Malformed("dstack evidence: not exactly the fields of version 1")
        if type(fields["v"]) is not int or fields["v"] != VERSION:
            raise Malformed("dstack evidence: a version that this release does not know")
        match fields["intel"], fields["boot"], fields["runtime"]:
            case bytes(intel), [list(zero), list(one), list(two)], list(runtime):
                boot = (_digests(zero), _digests(one), _digests(two))
                return cls(IntelEvidence.decode(intel), EventLog(boot, tuple(map(_event, runtime))))
            case _:
                raise Malformed("dstack evidence: intel, boot or runtime has another type than it should")


def _digests(entries: list[Any]) -> tuple[bytes, ...]:
    if not all(type(entry) is bytes for entry in entries):
        raise Malformed("dstack evidence: a boot event is not a digest")
    return tuple(entries)


def _event(entry: Any) -> RuntimeEvent:
    match entry:
        case [str(name), bytes(payload)]:
            return RuntimeEvent(name, payload)
        case _:
            raise Malformed("dstack evidence: a runtime event is not [name, payload]")
