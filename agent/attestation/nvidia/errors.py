"""Everything that makes a device's evidence, or a reference manifest, no evidence at all.

    EvidenceError
    ├── Malformed
    │   ├── MalformedReport       not an SPDM measurement report, or not the item that carries one
    │   └── MalformedRim          not a signed reference manifest in NVIDIA's one shape
    └── BadChain
        └── Revoked               the issuer's OCSP response says so
"""

from agent.attestation.errors import BadChain, Malformed


class MalformedReport(Malformed):
    """The bytes are not a device's measurement report."""


class MalformedRim(Malformed):
    """The bytes are not a reference integrity manifest."""


class Revoked(BadChain):
    """A certificate of the chain was revoked, or is on hold."""
