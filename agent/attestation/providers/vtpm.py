"""Evidence of Azure's confidential machines: the paravisor's report, and a quote of the virtual TPM that it vouches for.

Untested on hardware.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from agent.attestation.amd.report import SnpReport
from agent.attestation.errors import EvidenceError, ProviderError
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, without_padding
from agent.attestation.providers.azure_metadata import AzureMetadata
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.endorser import Endorser, HostEndorser
from agent.attestation.providers.tpm_tools import TpmTools
from agent.attestation.providers.tsm import report_data_of
from agent.attestation.vtpm.evidence import SNP_TYPE, TDX_TYPE, VtpmEvidence, extra_data
from agent.attestation.vtpm.hcl import HclKind, HclReport
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.tpm import TpmQuote, check_signature
from agent.attestation.vtpm.verifier import MEASURED, measurement
from agent.protocol.statements import TeeKind

_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class _Cpu:
    """What the CPU says of the paravisor."""

    evidence: bytes
    """As the verifier of the CPU's kind reads it."""
    measurement: bytes


class VtpmProvider(EvidenceProvider):
    """An Azure machine on SEV-SNP or TDX."""

    def __init__(self, tools: TpmTools, metadata: AzureMetadata, endorser: Endorser, kind: HclKind, measured: bytes) -> None:
        self._tools = tools
        self._metadata = metadata
        self._endorser = endorser
        self._hcl = kind
        self._measurement = measured

    @classmethod
    async def open(cls, tools: TpmTools, metadata: AzureMetadata, endorser: Endorser | None = None) -> Self:
        """The provider of the machine that this runs on; reads its PCRs, to know its measurement.

        Raises:
            ProviderError: this is no such machine.
        """
        endorser = endorser or HostEndorser()
        report = _report(await tools.hcl_report())
        cpu = await _cpu(report, metadata, endorser)
        measured = measurement(cpu.measurement, dict(zip(MEASURED, await tools.registers(MEASURED), strict=True)))
        return cls(tools, metadata, endorser, report.kind, measured)

    @property
    def kind(self) -> TeeKind:
        return TeeKind.SEV_SNP if self._hcl is HclKind.SEV_SNP else TeeKind.TDX

    @property
    def media_type(self) -> str:
        return SNP_TYPE if self._hcl is HclKind.SEV_SNP else TDX_TYPE

    @property
    def measurement(self) -> bytes:
        return self._measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:  # noqa: ARG002  bound by the report data
        report_data = report_data_of(user_data)
        report = _report(await self._tools.hcl_report())
        cpu = await _cpu(report, self._metadata, self._endorser)
        for _ in range(_ATTEMPTS):
            quote, signature = await self._tools.quote(extra_data(report_data), MEASURED)
            signed = _decoded(quote, signature, report, report_data)
            registers = await self._tools.registers(MEASURED)
            # two commands: somebody may have extended a register between them
            if signed.vouches_for(registers):
                break
        else:
            raise ProviderError(f"the PCRs changed in each of {_ATTEMPTS} attempts: what extends them while the enclave runs?")
        if measurement(cpu.measurement, dict(zip(MEASURED, registers, strict=True))) != self._measurement:
            raise ProviderError("a measured PCR was extended since the enclave started: its measurement is another now, start it anew")
        return VtpmEvidence(
            cpu=cpu.evidence, runtime=report.runtime, quote=quote, signature=signature, pcrs=registers, report_data=report_data
        ).encode()

    def sealing_key(self, measurement: bytes) -> bytes:  # noqa: ARG002  the seam
        raise ProviderError("no sealing keys from Azure's vTPM: use Azure's secure key release, or let the enclave make new keys at each start")


async def _cpu(report: HclReport, metadata: AzureMetadata, endorser: Endorser) -> _Cpu:
    try:
        if report.kind is HclKind.SEV_SNP:
            snp = SnpReport.decode(report.hardware)
            _check_bound(snp.report_data, report)
            return _Cpu((await endorser.amd(snp.raw, await metadata.amd_chain())).encode(), snp.measurement)
        quote = Quote.decode(without_padding(await metadata.td_quote(report.hardware)))
        _check_bound(quote.report.report_data, report)
        return _Cpu(IntelEvidence(quote, await endorser.intel(quote)).encode(), quote.report.measurement)
    except EvidenceError as error:
        raise ProviderError(f"what Azure says of this machine's CPU cannot be read: {error}") from error


def _check_bound(report_data: bytes, report: HclReport) -> None:
    if report_data != sha256(report.runtime).digest() + bytes(32):
        raise ProviderError("the CPU's report was made for other runtime data than the paravisor's: restart the machine")


def _report(raw: bytes) -> HclReport:
    try:
        return HclReport.decode(raw)
    except EvidenceError as error:
        raise ProviderError(f"the TPM's NV index holds no report of Azure's paravisor: {error}") from error


def _decoded(raw: bytes, signature: bytes, report: HclReport, report_data: bytes) -> TpmQuote:
    try:
        key = RuntimeData.decode(report.runtime).attestation_key
        quote = TpmQuote.decode(raw)
        check_signature(key, signature, raw)
    except EvidenceError as error:
        raise ProviderError(f"what tpm2_quote wrote cannot be used: {error}") from error
    if quote.extra != extra_data(report_data):
        raise ProviderError("the TPM signed another nonce than the one given: is another program holding the TPM?")
    if quote.selected != MEASURED:
        raise ProviderError(f"the TPM signed the PCRs {list(quote.selected)}, wanted {list(MEASURED)}: has it a bank of SHA-256?")
    return quote
