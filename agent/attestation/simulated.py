"""Simulated evidence: a Nitro-shaped document under a root that says what it is. It proves nothing; it exercises
everything.

Three gates stand before it, each enough to refuse: `verify` must be handed a `SimulatedVerifier` with an explicit
root, the policy must have `allow_simulated`, and the chain must not be a public one. The contracts are a fourth:
`Network.allow_simulated`.
"""

from typing import Final

from agent.attestation import certificates, nitro
from agent.attestation.errors import Malformed, UntrustedRoot
from agent.attestation.nitro import SIMULATED_MODULE, SIMULATED_ORGANIZATION
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MEDIA_TYPE: Final = "application/vnd.enclavia.simulated+cose"


class SimulatedVerifier(EvidenceVerifier):
    """Verifies documents under one network's simulated root (DER).

    Raises:
        UntrustedRoot: `root` does not call itself simulated.
    """

    def __init__(self, root: bytes) -> None:
        if certificates.organization(certificates.load(root)) != SIMULATED_ORGANIZATION:
            raise UntrustedRoot(
                f"a simulated root has O={SIMULATED_ORGANIZATION!r}: give the one that the localnet wrote"
            )
        self._root = root

    @property
    def kind(self) -> TeeKind:
        return TeeKind.SIMULATED

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        document = nitro.authenticate(quote, self._root, at)
        if document.module_id != SIMULATED_MODULE:
            raise Malformed(f"a simulated document has the module id {SIMULATED_MODULE!r}")
        return nitro.claims(document, TeeKind.SIMULATED)

    def claimed_time(self, quote: bytes) -> Millis | None:
        return nitro.claimed_time(quote)
