"""The endorser that asks the vendors' services, for guests that reach them."""

from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.intel import IntelService
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.quote import Quote
from agent.attestation.providers.endorser import Endorser


class NetworkEndorser(Endorser):
    """Evidence made with it is checkable without a network."""

    def __init__(self, intel: IntelService, amd: AmdService) -> None:
        self._intel = intel
        self._amd = amd

    async def intel(self, quote: Quote) -> Collateral:
        return await self._intel.collateral(quote)

    async def amd(self, report: bytes, chain: tuple[bytes, ...]) -> SnpQuote:
        return await self._amd.quote(report, chain)
