"""Who brings what vendors publish about a platform, for evidence that must be checkable without a network.

A guest asks its endorser while it makes evidence, a verifier never. An endorser need not be trusted: all that it brings is
signed by the vendor, so the worst it can do is to bring nothing.
"""

from abc import ABC, abstractmethod

from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.errors import ProviderError
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.quote import Quote


class Endorser(ABC):
    """Speaks for Intel and AMD."""

    @abstractmethod
    async def intel(self, quote: Quote) -> Collateral | None:
        """The collateral of the platform that made `quote`; None to send the quote without.

        Raises:
            AttestationError: it should be there, and is not to be had now.
        """

    @abstractmethod
    async def amd(self, report: bytes, chain: tuple[bytes, ...]) -> SnpQuote:
        """`report` with its certificates; `chain` is what the host handed out, maybe nothing.

        Raises:
            AttestationError: no certificates are to be had.
        """


class HostEndorser(Endorser):
    """Asks nobody: evidence carries what the host hands out itself."""

    async def intel(self, quote: Quote) -> Collateral | None:  # noqa: ARG002  the seam
        return None

    async def amd(self, report: bytes, chain: tuple[bytes, ...]) -> SnpQuote:
        if not chain:
            raise ProviderError(
                "the host hands out no certificates with its reports: let it load them (snphost import), "
                "or let the enclave reach AMD's key distribution service"
            )
        return SnpQuote(report, chain)
