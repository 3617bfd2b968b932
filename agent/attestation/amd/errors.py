"""Everything that makes SEV-SNP evidence no evidence; what an authentic report may still say wrong is a finding.

    EvidenceError
    ├── Malformed
    │   └── MalformedReport       not an attestation report of version 2 to 5, or not its certificate table
    ├── UntrustedRoot
    │   └── UnknownProduct        no AMD root was given for the product line that the certificates name
    └── BadChain
        ├── CertificateMismatch   the certificate is of another chip, patch level or kind of key than the report
        └── Revoked               the product line's revocation list names a certificate of the chain
"""

from agent.attestation.checks import CheckName
from agent.attestation.errors import BadChain, Malformed, UntrustedRoot


class MalformedReport(Malformed):
    """The bytes are not a SEV-SNP report, or not the certificates that belong to it."""


class UnknownProduct(UntrustedRoot):
    """No root is trusted for this product line."""


class CertificateMismatch(BadChain):
    """The endorsement certificate is not the one of this report."""


class Revoked(BadChain):
    """A certificate of the chain was revoked."""

    check = CheckName.REVOKED
