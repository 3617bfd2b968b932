"""What else can be wrong with Intel's evidence.

    EvidenceError
    ├── Malformed
    │   ├── CollateralMissing     neither the evidence nor the verifier has collateral
    │   └── UnsafeAttributes      the guest's attributes let the host interfere with it
    │       └── HostMayInterrupt  SEPT_VE_DISABLE is off; a paravisor's guests may have it so
    └── BadChain
        ├── Revoked               Intel has taken back a certificate
        ├── CollateralMismatch    the collateral is another platform's
        ├── UntrustedModule       the TDX module is not one that Intel names
        └── UntrustedQuotingEnclave   nor is the enclave that made the quote
"""

from agent.attestation.checks import CheckName
from agent.attestation.errors import BadChain, Malformed


class CollateralMissing(Malformed):
    """A quote without collateral cannot be judged."""

    check = CheckName.COLLATERAL

    def __init__(self) -> None:
        super().__init__("the quote has no collateral beside it: fetch it from Intel's PCS and send both")


class UnsafeAttributes(Malformed):
    """The guest was started in a way that no measurement can make good."""

    check = CheckName.ATTRIBUTES


class HostMayInterrupt(UnsafeAttributes):
    """The host can make memory that the guest uses raise exceptions."""


class Revoked(BadChain):
    """Intel has revoked a certificate that vouches for this platform."""

    check = CheckName.REVOKED


class CollateralMismatch(BadChain):
    """The collateral was made for another kind of platform."""

    check = CheckName.COLLATERAL


class UntrustedModule(BadChain):
    """The TDX module is not one that Intel names, or it is too old, or the verifier does not want it."""


class UntrustedQuotingEnclave(BadChain):
    """The quoting enclave is not the one that Intel's identity names, or it is too old."""
