"""Everything that can go wrong with evidence, policies and verdicts.

Evidence from outside never makes `verify` raise: there an `EvidenceError` becomes the failed check of a verdict.

    AttestationError
    ├── EvidenceError             someone's evidence does not hold; `.check` names the check that failed
    │   ├── Oversized             larger than evidence may be
    │   ├── Malformed             not the encoding, or not the fields, that the format prescribes
    │   ├── UnknownKind           no verifier was given for this kind of evidence
    │   ├── UntrustedRoot         the chain ends at a root that the caller does not trust
    │   │   └── UntrustedSigner   a result or policy is signed by a key that the caller does not trust
    │   ├── BadChain              a certificate was not issued by the one above it, or may not issue
    │   ├── NotValidThen          a certificate was not valid at the time asked about
    │   └── BadSignature          the document is not signed by its leaf certificate
    ├── PolicyError               a policy document that cannot be used
    ├── ProviderError             this machine cannot make the evidence asked for
    ├── SignatureRefused          a signature that somebody offered is not counted; `.member` says whose it claims to be
    │   ├── NotAMember            no such key sits in the committee
    │   ├── OtherStatement        the member signed something else than this
    │   └── WrongSignature        it does not verify under the member's key
    └── SigningRefused            a committee member does not sign
        ├── EvidenceRefused       the evidence failed; carries the verdict
        └── FactsRefused          the chain does not want this verdict now
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


class UntrustedSigner(UntrustedRoot):
    """A result or a policy is signed by somebody else."""


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


class SignatureRefused(AttestationError):
    """A signature is not counted."""

    def __init__(self, member: bytes, why: str) -> None:
        super().__init__(f"signature of verifier {member.hex()[:16] or 'nobody'}…: {why}")
        self.member: Final = member


class NotAMember(SignatureRefused):
    """The key does not sit in the committee that is asked."""


class OtherStatement(SignatureRefused):
    """The member signed another statement about the same thing: it, or this one, does not see the chain as it is."""


class WrongSignature(SignatureRefused):
    """The signature does not verify: whoever sent it is to blame, not the member it names."""
