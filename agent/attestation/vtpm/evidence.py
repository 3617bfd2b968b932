"""How a virtual TPM's evidence travels: deterministic CBOR, every byte of it signed or hashed by what is signed.

    { "v": 1, "cpu": bytes, "runtime": bytes, "quote": bytes, "signature": bytes, "pcrs": [bytes],
      "report_data": bytes }

`cpu` is what the verifier of the CPU's kind reads: an SNP report with its certificates, a TDX quote with collateral.
"""

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import Malformed
from agent.attestation.vtpm.tpm import PCR_COUNT, PCR_SIZE

SNP_TYPE: Final = "application/vnd.enclavia.azure-vtpm-snp+cbor"
TDX_TYPE: Final = "application/vnd.enclavia.azure-vtpm-tdx+cbor"
VERSION: Final = 1
MAX_EVIDENCE: Final = 200 * 1024
REPORT_DATA: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class VtpmEvidence:
    """Well-formed but not trusted.

    Raises:
        Malformed: a field has another type or length than given here.
    """

    cpu: bytes
    runtime: bytes
    """JSON, exactly as the CPU's report data hash it."""
    quote: bytes
    """TPMS_ATTEST."""
    signature: bytes
    """TPMT_SIGNATURE."""
    pcrs: tuple[bytes, ...]
    """32 bytes each: the values of the selected PCRs, in their order."""
    report_data: bytes = b""
    """64 bytes, of which `extraData` is the digest: a TPM's nonce is too short for them. Empty in foreign evidence."""

    def __post_init__(self) -> None:
        for name in ("cpu", "runtime", "quote", "signature", "report_data"):
            if type(getattr(self, name)) is not bytes:
                raise Malformed(f"vTPM evidence: {name} is not bytes")
        if len(self.pcrs) > PCR_COUNT or not all(type(pcr) is bytes and len(pcr) == PCR_SIZE for pcr in self.pcrs):
            raise Malformed(f"vTPM evidence: pcrs are not at most {PCR_COUNT} of {PCR_SIZE} bytes")
        if len(self.report_data) not in {0, REPORT_DATA}:
            raise Malformed(f"vTPM evidence: report_data is neither {REPORT_DATA} bytes nor empty")

    def encode(self) -> bytes:
        """The bytes that `decode` reads."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return cbor.encode(values | {"v": VERSION, "pcrs": list(self.pcrs)})

    @classmethod
    def decode(cls, data: bytes) -> "VtpmEvidence":
        """The evidence in `data`.

        Raises:
            Malformed: anything else.
        """
        if len(data) > MAX_EVIDENCE:
            raise Malformed(f"vTPM evidence of {len(data)} bytes, at most {MAX_EVIDENCE}")
        entries: Any = cbor.decode(data)
        if type(entries) is not dict or entries.keys() != {field.name for field in fields(cls)} | {"v"}:
            raise Malformed("vTPM evidence: not exactly the fields of version 1")
        if type(entries["v"]) is not int or entries.pop("v") != VERSION:
            raise Malformed("vTPM evidence: a version that this release does not know")
        if type(entries["pcrs"]) is not list:
            raise Malformed("vTPM evidence: pcrs is not a list")
        return cls(**entries | {"pcrs": tuple(entries["pcrs"])})


def extra_data(report_data: bytes) -> bytes:
    """32 bytes that the TPM signs for `report_data`."""
    return sha256(report_data).digest()
