"""How a quote travels with its collateral: deterministic CBOR `{"v": 1, "quote": bytes, "collateral": bytes}`.

The collateral may be absent, if the verifier has some of its own.
"""

from dataclasses import dataclass
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import Malformed
from agent.attestation.intel.collateral import MAX_COLLATERAL, Collateral
from agent.attestation.intel.quote import MAX_QUOTE, Quote

TDX_TYPE: Final = "application/vnd.enclavia.tdx-quote+cbor"
SGX_TYPE: Final = "application/vnd.enclavia.sgx-quote+cbor"
VERSION: Final = 1
MAX_EVIDENCE: Final = MAX_QUOTE + MAX_COLLATERAL + 1024

_NEEDED: Final = frozenset({"v", "quote"})
_KNOWN: Final = _NEEDED | {"collateral"}


@dataclass(frozen=True, slots=True)
class IntelEvidence:
    """A quote, and what is needed to judge it."""

    quote: Quote
    collateral: Collateral | None

    def encode(self) -> bytes:
        """The bytes that `decode` reads."""
        fields: dict[str, Any] = {"v": VERSION, "quote": self.quote.raw}
        if self.collateral is not None:
            fields["collateral"] = self.collateral.encode()
        return cbor.encode(fields)

    @classmethod
    def decode(cls, data: bytes) -> "IntelEvidence":
        """The evidence in `data`.

        Raises:
            Malformed: anything else.
        """
        if len(data) > MAX_EVIDENCE:
            raise Malformed(f"Intel evidence of {len(data)} bytes, at most {MAX_EVIDENCE}")
        fields: Any = cbor.decode(data)
        if type(fields) is not dict or not _NEEDED <= fields.keys() <= _KNOWN:
            raise Malformed("Intel evidence: not exactly the fields of version 1")
        if type(fields["v"]) is not int or fields["v"] != VERSION:
            raise Malformed("Intel evidence: a version that this release does not know")
        if not all(type(fields[name]) is bytes for name in fields.keys() - {"v"}):
            raise Malformed("Intel evidence: quote and collateral are not bytes")
        collateral = Collateral.decode(fields["collateral"]) if "collateral" in fields else None
        return cls(Quote.decode(fields["quote"]), collateral)
