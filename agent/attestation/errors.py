"""Everything that can go wrong with evidence, policies and verdicts.

Evidence from outside never makes `verify` raise: there an `EvidenceError` becomes the failed check of a verdict.

    AttestationError
    ├── EvidenceError             someone's evidence does not hold; `.check` names the check that failed
    │   ├── Oversized             larger than evidence may be
    │   ├── Malformed             not the encoding, or not the fields, that the format prescribes
    │   ├── UnknownKind           no verifier was given for this kind of evidence
    │   ├── UntrustedRoot         the chain ends at a root that the caller does not trust
    │   ├── BadChain              a certificate was not issued by the one above it, or may not issue
    │   ├── NotValidThen          a certificate was not valid at the time asked about
    │   └── BadSignature          the document is not signed by its leaf certificate
    ├── PolicyError               a policy document that cannot be used
    ├── ProviderError             this machine cannot make the evidence asked for
    └── SigningRefused            a committee member does not sign
        ├── EvidenceRefused       the evidence failed; carries the verdict
        ├── FactsRefused          the chain does not want this verdict now
        └── TicketRefused         the task does not wait for this ticket
"""

from typing import TYPE_CHECKING, ClassVar, Final

from agent.attestation.checks import CheckName

if TYPE_CHECKING:
    from agent.attestation.verdict import Verdict


class AttestationError(Exception):
    """Attestation failed; the text says what to do next."""


class EvidenceError(AttestationError):
    """Evidence does not hold."""

    check: ClassVar[CheckName] = CheckName.FORMAT


class Oversized(EvidenceError):
    """The evidence is larger than any genuine one."""

    check = CheckName.SIZE

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes of evidence, at most {limit}: fetch the node's own evidence again")
        self.size: Final = size


class Malformed(EvidenceError):
    """The bytes are not what the format prescribes."""


class UnknownKind(EvidenceError):
    """Nothing here verifies this kind of evidence."""

    check = CheckName.KIND


class UntrustedRoot(EvidenceError):
    """The certificate chain ends at another root."""

    check = CheckName.ROOT


class BadChain(EvidenceError):
    """The certificate chain does not hold together."""

    check = CheckName.CHAIN


class NotValidThen(EvidenceError):
    """A certificate was not valid at the time asked about."""

    check = CheckName.VALIDITY


class BadSignature(EvidenceError):
    """The document is not signed by its leaf certificate."""

    check = CheckName.SIGNATURE


class PolicyError(AttestationError):
    """A policy document cannot be used."""


class ProviderError(AttestationError):
    """The evidence asked for cannot be made here."""


class SigningRefused(AttestationError):
    """A committee member does not sign."""


class EvidenceRefused(SigningRefused):
    """The evidence failed its verification."""

    def __init__(self, verdict: "Verdict") -> None:
        failed = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
        super().__init__(f"evidence of node {verdict.node.hex()[:16]}… is refused: {failed}")
        self.verdict: Final = verdict


class FactsRefused(SigningRefused):
    """The chain does not want this verdict now."""


class TicketRefused(SigningRefused):
    """The task does not wait for this ticket."""
