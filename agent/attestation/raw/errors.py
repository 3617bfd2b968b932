"""What else can be wrong with a file that somebody wants judged.

    EvidenceError
    ├── UnknownKind
    │   └── UnknownFile     no evidence of any kind that is known here
    ├── WantsBeside         evidence that cannot be judged without what usually lies beside it
    └── UnfitBeside         what was given as lying beside it is nothing of that sort
"""

from agent.attestation.checks import CheckName
from agent.attestation.errors import EvidenceError, UnknownKind


class UnknownFile(UnknownKind):
    """Nothing here knows this kind of file."""


class WantsBeside(EvidenceError):
    """Certificates or collateral are missing."""

    check = CheckName.COLLATERAL


class UnfitBeside(EvidenceError):
    """A file of certificates or collateral is none."""

    check = CheckName.COLLATERAL
