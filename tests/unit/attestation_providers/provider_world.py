"""A node that asks a provider for evidence, and whoever judges it under the roots of the test PKIs."""

from dataclasses import replace

from amd_pki import LEVELS
from intel_pki import ROOT, collateral
from simulated_world import BINDING, COMMITTEE, POLICY, POOL, expected
from synthetic_world import AT, MILAN, verifiers

from agent.attestation.amd import Product, SnpQuote
from agent.attestation.binding import native_of, user_data
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.quote import Quote as IntelQuote
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier
from agent.attestation.policy import Allowance, Layer, SnpFloor
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.endorser import Endorser
from agent.attestation.verdict import Verdict
from agent.attestation.verify import verify
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.attestation.vtpm.verifier import VtpmVerifier

USER_DATA = user_data(BINDING.encode(), native_of(BINDING, POOL, COMMITTEE))
REPORT_DATA = USER_DATA[:64]
ASKED = (USER_DATA, BINDING.challenge, BINDING.hpke_pk)
VERIFIERS = (*verifiers()[:-1], VtpmVerifier(TdxVerifier(IntelTrust(root=ROOT, paravisor=True)), VTPM_TDX_TYPE))
"""Those of the test PKIs, none of them for simulated evidence."""


class TestEndorser(Endorser):
    """Has the test PKI's collateral, and Milan's chain for hosts that hand out none."""

    __test__ = False

    async def intel(self, quote: IntelQuote) -> Collateral | None:
        return collateral()

    async def amd(self, report: bytes, chain: tuple[bytes, ...]) -> SnpQuote:
        return SnpQuote(report, chain or MILAN.chain())


async def judged(provider: EvidenceProvider) -> Verdict:
    """The verdict on the evidence that `provider` makes for a node's binding, under a policy for its measurement only."""
    quote = await provider.attest(*ASKED)
    whole = Evidence(BINDING.encode(), Quote(provider.media_type, quote)).encode()
    policy = replace(
        POLICY,
        allow_simulated=False,
        vendor=Layer(allow=frozenset({Allowance(provider.kind, provider.measurement)})),
        snp_floors=frozenset({SnpFloor(Product.MILAN, LEVELS)}),
    )
    return verify(whole, policy, AT, expected(), VERIFIERS)
