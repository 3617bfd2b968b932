"""How a SEV-SNP report travels with its certificates: deterministic CBOR `{"report", "chain", "crl"?}`.

The host hands certificates out beside the report, in a table of AMD's own (`certificates_of_table`). That table has
gaps and padding that nobody signs, so the enclave repacks it: here every byte is signed, or decides where signed bytes
lie.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from agent.attestation import cbor
from agent.attestation.amd.errors import MalformedReport
from agent.attestation.amd.report import REPORT_SIZE
from agent.attestation.amd.revocation import MAX_CRL
from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.errors import Malformed

MEDIA_TYPE: Final = "application/vnd.enclavia.amd-sev-snp+cbor"
MAX_CERTIFICATES: Final = 3
"""VCEK or VLEK, ASK or ASVK, ARK."""
MAX_QUOTE: Final = 1024 + REPORT_SIZE + MAX_CERTIFICATES * MAX_CERTIFICATE + MAX_CRL
MAX_TABLE: Final = 64 * 1024

_ENTRY: Final = struct.Struct("<16sII")
_CERTIFICATE_GUIDS: Final = (
    UUID("63da758d-e664-4564-adc5-f4b93be8accd"),  # VCEK
    UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1"),  # VLEK
    UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782"),  # ASK, ASVK
    UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae"),  # ARK
)


@dataclass(frozen=True, slots=True)
class SnpQuote:
    """A report and what is needed to check it without a network."""

    report: bytes
    chain: tuple[bytes, ...]
    """DER, in any order: VCEK or VLEK; ASK or ASVK, which may be missing if it is AMD's own; ARK if at hand."""
    crl: bytes | None = None
    """DER of the product line's revocation list, signed by the ARK."""

    def encode(self) -> bytes:
        """The content of the evidence's `cpu` item."""
        items: dict[str, Any] = {"report": self.report, "chain": list(self.chain)}
        return cbor.encode(items if self.crl is None else items | {"crl": self.crl})

    @classmethod
    def decode(cls, data: bytes) -> "SnpQuote":
        """The quote in `data`.

        Raises:
            Malformed: not this encoding, or larger than any genuine quote.
        """
        if len(data) > MAX_QUOTE:
            raise MalformedReport(f"SEV-SNP quote of {len(data)} bytes, at most {MAX_QUOTE}")
        match cbor.decode(data):
            case {"report": bytes(report), "chain": list(chain), **rest}:
                pass
            case _:
                raise MalformedReport("SEV-SNP quote is not a map of a report and its chain")
        crl = rest.pop("crl", None)
        if rest or not (crl is None or type(crl) is bytes):
            raise MalformedReport("SEV-SNP quote has other fields than report, chain and crl")
        if not 0 < len(chain) <= MAX_CERTIFICATES or not all(type(der) is bytes for der in chain):
            raise MalformedReport(f"SEV-SNP quote: chain is not 1 to {MAX_CERTIFICATES} DER certificates")
        return cls(report, tuple(chain), crl)

    @classmethod
    def from_extended(cls, raw: bytes) -> "SnpQuote":
        """What the kernel hands out: a report followed by AMD's certificate table.

        Raises:
            Malformed: no report, or a table that does not hold together or holds no certificate.
        """
        return cls(raw[:REPORT_SIZE], certificates_of_table(raw[REPORT_SIZE:]))


def certificates_of_table(table: bytes) -> tuple[bytes, ...]:
    """The DER certificates in AMD's certificate table (56421 GHCB, SNP extended guest request; configfs-tsm `auxblob`).

    GUIDs are met in either byte order: firmware and hosts do not agree on it.

    Raises:
        Malformed: an entry points outside the table, there is no certificate in it, or something else than zeros behind it.
    """
    if len(table) > MAX_TABLE:
        raise MalformedReport(f"certificate table of {len(table)} bytes, at most {MAX_TABLE}")
    known = {spelling for guid in _CERTIFICATE_GUIDS for spelling in (guid.bytes, guid.bytes_le)}
    found = []
    end = 0
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        guid, offset, length = _ENTRY.unpack_from(table, at)
        end = max(end, at + _ENTRY.size)
        if not any(guid):
            break
        if offset + length > len(table):
            raise MalformedReport(f"certificate table: entry {at // _ENTRY.size} points behind the table's end")
        end = max(end, offset + length)
        if guid in known:
            found.append(table[offset : offset + length])
    # hosts hand out whole pages
    if any(table[end:]):
        raise MalformedReport(f"{len(table) - end} bytes behind the certificate table that are not padding: cut them off")
    if not 0 < len(found) <= MAX_CERTIFICATES:
        raise Malformed(f"certificate table with {len(found)} certificates, wants 1 to {MAX_CERTIFICATES}")
    return tuple(found)
