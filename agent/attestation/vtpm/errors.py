"""What else can be wrong with a virtual TPM's evidence.

    EvidenceError
    ├── Malformed
    │   └── UnfitKey              the runtime data name no attestation key that may count
    └── BadSignature
        ├── KeyUnbound            the CPU report does not vouch for the runtime data
        └── RegistersUnbound      the TPM's quote does not vouch for the registers
"""

from agent.attestation.errors import BadSignature, Malformed


class UnfitKey(Malformed):
    """The runtime data name no attestation key, or a weak one."""


class KeyUnbound(BadSignature):
    """The CPU report was made for other runtime data."""


class RegistersUnbound(BadSignature):
    """The registers do not hash to what the TPM signed, or it did not sign those that count."""
