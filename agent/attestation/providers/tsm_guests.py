"""Evidence of TDX and SEV-SNP guests, out of the kernel's reports. Untested on hardware."""

from collections.abc import Callable
from typing import Final, Self

from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.report import SnpReport
from agent.attestation.errors import ProviderError
from agent.attestation.intel.evidence import TDX_TYPE, IntelEvidence
from agent.attestation.intel.quote import Quote
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.endorser import Endorser, HostEndorser
from agent.attestation.providers.tsm import Tsm, report_data_of, snp_report, tdx_quote
from agent.protocol.statements import TeeKind

DerivesKey = Callable[[int], bytes]
"""32 bytes that this machine's hardware derives for the code that runs at that privilege level, as `sev_key.SevKey`."""

_NO_DATA: Final = bytes(64)
_OTHER: Final = "the report carries other data than asked for: the kernel's interface was used by others too, or is not the kernel's"


class TdxProvider(EvidenceProvider):
    """A TDX guest."""

    def __init__(self, tsm: Tsm, endorser: Endorser, measurement: bytes) -> None:
        self._tsm = tsm
        self._endorser = endorser
        self._measurement = measurement

    @classmethod
    async def open(cls, tsm: Tsm | None = None, endorser: Endorser | None = None) -> Self:
        """The provider of the guest that this runs in; asks for a first quote, to know its measurement.

        Raises:
            ProviderError: this is no such guest.
        """
        tsm = tsm or Tsm()
        quote = _bound(tdx_quote(await tsm.report(_NO_DATA)), _NO_DATA)
        return cls(tsm, endorser or HostEndorser(), quote.report.measurement)

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return TDX_TYPE

    @property
    def measurement(self) -> bytes:
        return self._measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:  # noqa: ARG002  bound by the report data
        wanted = report_data_of(user_data)
        quote = _bound(tdx_quote(await self._tsm.report(wanted)), wanted)
        if quote.report.measurement != self._measurement:
            raise ProviderError("a runtime register was extended since the enclave started: its measurement is another now, start it anew")
        return IntelEvidence(quote, await self._endorser.intel(quote)).encode()

    def sealing_key(self, measurement: bytes) -> bytes:  # noqa: ARG002  the seam
        raise ProviderError("TDX derives no sealing keys: run under dstack, whose key service does, or let the enclave make new keys at each start")


class SnpProvider(EvidenceProvider):
    """A SEV-SNP guest."""

    def __init__(self, tsm: Tsm, endorser: Endorser, first: SnpReport, key: DerivesKey | None) -> None:
        self._tsm = tsm
        self._endorser = endorser
        self._first = first
        self._key = key

    @classmethod
    async def open(cls, tsm: Tsm | None = None, endorser: Endorser | None = None, key: DerivesKey | None = None) -> Self:
        """As `TdxProvider.open`; sealing keys come from `key`.

        Raises:
            ProviderError: this is no such guest.
        """
        tsm = tsm or Tsm()
        report, _ = await _own_report(tsm, _NO_DATA)
        return cls(tsm, endorser or HostEndorser(), report, key)

    @property
    def kind(self) -> TeeKind:
        return TeeKind.SEV_SNP

    @property
    def media_type(self) -> str:
        return SNP_TYPE

    @property
    def measurement(self) -> bytes:
        return self._first.measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:  # noqa: ARG002  bound by the report data
        wanted = report_data_of(user_data)
        report, chain = await _own_report(self._tsm, wanted)
        if report.measurement != self.measurement:
            raise ProviderError("the report measures another image than when the enclave started: start it anew")
        return (await self._endorser.amd(report.raw, chain)).encode()

    def sealing_key(self, measurement: bytes) -> bytes:
        if measurement != self.measurement:
            raise ProviderError("the chip derives sealing keys for the code that it measured only")
        if self._key is None:
            raise ProviderError("no sealing key: give the enclave /dev/sev-guest")
        return self._key(self._first.vmpl)


async def _own_report(tsm: Tsm, wanted: bytes) -> tuple[SnpReport, tuple[bytes, ...]]:
    report, chain = snp_report(await tsm.report(wanted))
    if report.report_data != wanted:
        raise ProviderError(_OTHER)
    return report, chain


def _bound(quote: Quote, wanted: bytes) -> Quote:
    if quote.report.report_data != wanted:
        raise ProviderError(_OTHER)
    return quote
