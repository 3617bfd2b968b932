"""The report that Azure's host compatibility layer keeps in the TPM (NV index 0x01400001).

Source: Microsoft, "Azure confidential VM guest attestation", attestation report format. Only its runtime data travel
on: the CPU report inside goes to the verifier of its kind, and header and padding are nobody's word.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from agent.attestation.errors import Malformed
from agent.attestation.intel.cursor import Cursor
from agent.attestation.vtpm.runtime import MAX_RUNTIME

MAX_REPORT: Final = 16 * 1024
"""Bytes; the NV index has 2,600."""

HARDWARE_REPORT: Final = 1184
"""Bytes; of a SEV-SNP report. A TDX report fills 1,024 of them."""

_MAGIC: Final = b"HCLA"
_HEADER_REST: Final = 28
_SHA256: Final = 1


class HclKind(IntEnum):
    """Whose report lies inside."""

    SEV_SNP = 2
    TDX = 4


@dataclass(frozen=True, slots=True)
class HclReport:
    """Well-formed but not trusted."""

    kind: HclKind
    hardware: bytes
    """A SEV-SNP report; or a TDX report, which only the same machine can check: Azure makes a quote of it."""
    runtime: bytes
    """JSON whose SHA-256 begins the CPU report's report data."""

    @classmethod
    def decode(cls, raw: bytes) -> "HclReport":
        """The report that the NV index holds.

        Raises:
            Malformed: not such a report, or its runtime data are hashed otherwise than with SHA-256.
        """
        if len(raw) > MAX_REPORT:
            raise Malformed(f"HCL report of {len(raw)} bytes, at most {MAX_REPORT}")
        cursor = Cursor(raw, "HCL report")
        if cursor.take(len(_MAGIC)) != _MAGIC:
            raise Malformed("not a report of Azure's host compatibility layer: read NV index 0x01400001")
        cursor.take(_HEADER_REST)
        hardware = cursor.take(HARDWARE_REPORT)
        cursor.take(8)  # size of what follows, and its version
        kind, algorithm = cursor.number(4), cursor.number(4)
        if kind not in set(HclKind) or algorithm != _SHA256:
            raise Malformed(f"HCL report of kind {kind} hashed with {algorithm}: wants SEV-SNP or TDX, and SHA-256")
        return cls(HclKind(kind), hardware, cursor.sized(4, MAX_RUNTIME))
