"""A node with Intel's hardware, as the test PKI makes it, and the verdict on it."""

from dataclasses import replace
from typing import Any

from intel_pki import NOW, ROOT, Guest, collateral, evidence, tdx_quote
from simulated_world import BINDING, POLICY, expected

from agent.attestation.binding import Binding, report_data
from agent.attestation.evidence import Evidence
from agent.attestation.evidence import Quote as Item
from agent.attestation.intel.evidence import TDX_TYPE
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier
from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.verdict import Verdict
from agent.attestation.verify import HARDWARE, verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

VERIFIERS = (TdxVerifier(IntelTrust(root=ROOT)), *HARDWARE)
MEASUREMENT = Quote.decode(tdx_quote()).report.measurement
TDX_POLICY = replace(POLICY, allow_simulated=False, vendor=Layer(allow=frozenset({Allowance(TeeKind.TDX, MEASUREMENT)})))


def judged(
    *, policy: Policy = TDX_POLICY, binding: Binding = BINDING, at: int = NOW, guest: dict[str, Any] | None = None, **beside: Any
) -> Verdict:
    """The verdict on a guest that vouches for `binding`; `guest` and `beside` differ from a good one's."""
    wanted = {"report_data": report_data(binding.encode())} | (guest or {})
    item = Item(TDX_TYPE, evidence(tdx_quote(Guest(**wanted)), collateral(**beside)))
    return verify(Evidence(binding.encode(), item).encode(), policy, Millis(at), expected(), VERIFIERS)
