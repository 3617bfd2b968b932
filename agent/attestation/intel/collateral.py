"""What Intel publishes about a platform, beside its quotes: revocation lists, patch levels, the quoting enclave's
identity.

It travels as deterministic CBOR with just what is signed. The issuer chains of Intel's services are not in it, for the
root is pinned and `pck_crl_issuer_chain` stands in the quote; so no byte of collateral is unsigned.
"""

import json
from dataclasses import dataclass, fields
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import Malformed
from agent.attestation.intel.quote import certificates_in

MAX_COLLATERAL: Final = 128 * 1024
"""Bytes; today about 12 KiB. The list of revoked PCKs grows."""

VERSION: Final = 1
SIGNATURE: Final = 64

_JSON_FIELDS: Final = frozenset(
    {
        "pck_crl_issuer_chain",
        "root_ca_crl",
        "pck_crl",
        "tcb_info_issuer_chain",
        "tcb_info",
        "tcb_info_signature",
        "qe_identity_issuer_chain",
        "qe_identity",
        "qe_identity_signature",
    }
)
_JSON_OPTIONAL: Final = frozenset({"pck_certificate_chain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """Well-formed but not trusted.

    Raises:
        Malformed: a field is empty, or a signature has another length.
    """

    root_crl: bytes
    """DER; what Intel's root has revoked."""
    pck_crl: bytes
    """DER; what the authority of this platform's PCK has revoked."""
    tcb_info: bytes
    """JSON, exactly as signed."""
    tcb_info_signature: bytes
    """r || s."""
    tcb_signer: bytes
    """DER, issued by the root."""
    qe_identity: bytes
    """JSON, exactly as signed."""
    qe_identity_signature: bytes
    """r || s."""
    qe_signer: bytes
    """DER, issued by the root."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not bytes or not value:
                raise Malformed(f"collateral: {field.name} is not bytes")
        if len(self.tcb_info_signature) != SIGNATURE or len(self.qe_identity_signature) != SIGNATURE:
            raise Malformed(f"collateral: a signature is not {SIGNATURE} bytes")

    def encode(self) -> bytes:
        """Deterministic CBOR: a map of the field names and `v`."""
        return cbor.encode({"v": VERSION} | {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def decode(cls, data: bytes) -> "Collateral":
        """The collateral in `data`.

        Raises:
            Malformed: not collateral of this version in its one encoding.
        """
        if len(data) > MAX_COLLATERAL:
            raise Malformed(f"collateral of {len(data)} bytes, at most {MAX_COLLATERAL}")
        entries: Any = cbor.decode(data)
        names = {field.name for field in fields(cls)}
        if type(entries) is not dict or entries.keys() != names | {"v"}:
            raise Malformed("collateral: not exactly the fields of version 1")
        if type(entries["v"]) is not int or entries.pop("v") != VERSION:
            raise Malformed("collateral: a version that this release does not know")
        return cls(**entries)

    @classmethod
    def from_json(cls, text: bytes) -> "Collateral":
        """The collateral in the JSON that PCCS clients and `dcap-qvl` write: PEM chains, hex elsewhere.

        A PCK chain in it is left out: the quote has its own, and only that one is believed.

        Raises:
            Malformed: not that JSON.
        """
        if len(text) > 2 * MAX_COLLATERAL:
            raise Malformed(f"collateral of {len(text)} bytes of JSON, at most {2 * MAX_COLLATERAL}")
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError):
            raise Malformed("the collateral is not JSON") from None
        if type(entries) is not dict or not _JSON_FIELDS <= entries.keys() <= _JSON_FIELDS | _JSON_OPTIONAL:
            raise Malformed(f"collateral in JSON wants the fields {', '.join(sorted(_JSON_FIELDS))}")
        return cls(
            root_crl=_hex(entries, "root_ca_crl"),
            pck_crl=_hex(entries, "pck_crl"),
            tcb_info=_text(entries, "tcb_info"),
            tcb_info_signature=_hex(entries, "tcb_info_signature"),
            tcb_signer=certificates_in(_text(entries, "tcb_info_issuer_chain"))[-1],
            qe_identity=_text(entries, "qe_identity"),
            qe_identity_signature=_hex(entries, "qe_identity_signature"),
            qe_signer=certificates_in(_text(entries, "qe_identity_issuer_chain"))[-1],
        )


def _text(entries: dict[str, Any], name: str) -> bytes:
    value = entries[name]
    if type(value) is not str:
        raise Malformed(f"collateral: {name} is not text")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"collateral: {name} is not Unicode") from None


def _hex(entries: dict[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(_text(entries, name).decode())
    except ValueError:
        raise Malformed(f"collateral: {name} is not hex") from None
