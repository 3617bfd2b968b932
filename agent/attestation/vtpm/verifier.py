"""Verifies a virtual TPM on top of a verifier of its CPU.

The CPU's report hashes the runtime data; they name the attestation key; it signs a digest of our report data and the
PCRs. What the CPU measures is the paravisor that plays the TPM, what the PCRs measure is all that it booted: a
measurement here covers both.
"""

from dataclasses import replace
from hashlib import sha256, sha384
from typing import Final

from agent.attestation.errors import Malformed
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.vtpm.errors import KeyUnbound, RegistersUnbound
from agent.attestation.vtpm.evidence import VtpmEvidence, extra_data
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.tpm import TpmQuote, check_signature
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

TAG: Final = b"enclavia-vtpm/1:"
MEASURED: Final = (0, 2, 4, 7, 8, 9, 11, 12, 13, 14)
"""PCRs in the measurement: firmware, option ROMs, boot manager, secure boot, loader's commands and files, unified
kernel image, its command line, its extensions, shim's keys. Left out: 1, 3, 5, 6, which vary with the machine's
configuration; 10, whose order of files varies; and from 15 what a running system may extend or reset."""


class VtpmVerifier(EvidenceVerifier):
    """Verifies `VtpmEvidence` whose CPU report `cpu` understands.

    On SEV-SNP, `cpu` must refuse reports of VMPL 1 and above: the guest itself could have asked for those, with a key of
    its own in them.
    """

    def __init__(self, cpu: EvidenceVerifier, media_type: str) -> None:
        self._cpu: Final = cpu
        self._media_type: Final = media_type

    @property
    def kind(self) -> TeeKind:
        return self._cpu.kind

    @property
    def media_type(self) -> str:
        return self._media_type

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        evidence = VtpmEvidence.decode(quote)
        tpm = TpmQuote.decode(evidence.quote)
        cpu = self._cpu.authenticate(evidence.cpu, at)
        if cpu.report_data != sha256(evidence.runtime).digest() + bytes(32):
            raise KeyUnbound("the CPU's report was made for other runtime data: send the two that belong together")
        runtime = RuntimeData.decode(evidence.runtime)
        check_signature(runtime.attestation_key, evidence.signature, evidence.quote)
        registers = _registers(tpm, evidence.pcrs)
        # a foreign nonce stays what it is, and is then refused for what it is
        bound = evidence.report_data and tpm.extra == extra_data(evidence.report_data)
        return replace(
            cpu,
            measurement=measurement(cpu.measurement, registers),
            report_data=evidence.report_data if bound else tpm.extra,
        )

    def claimed_time(self, quote: bytes) -> Millis | None:
        return self._cpu.claimed_time(VtpmEvidence.decode(quote).cpu)


def measurement(cpu: bytes, registers: dict[int, bytes]) -> bytes:
    """48 bytes: SHA-384 over the tag, the length and bytes of the CPU's measurement, and the PCRs of `MEASURED`."""
    return sha384(TAG + bytes([len(cpu)]) + cpu + b"".join(registers[index] for index in MEASURED)).digest()


def _registers(quote: TpmQuote, values: tuple[bytes, ...]) -> dict[int, bytes]:
    if not quote.vouches_for(values):
        raise RegistersUnbound("the PCRs do not hash to what the TPM signed: send those read with the quote")
    registers = dict(zip(quote.selected, values, strict=True))
    missing = [index for index in MEASURED if index not in registers]
    if missing:
        raise Malformed(f"TPM quote without PCRs {missing}: quote at least {list(MEASURED)}")
    return registers
