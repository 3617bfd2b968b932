"""What a verification found: named checks, each with its reason. Nobody sets `ok`; it follows from them."""

from collections import Counter
from dataclasses import dataclass

from agent.attestation.binding import Binding
from agent.attestation.checks import OPTIONAL, CheckName
from agent.attestation.errors import EvidenceRefused
from agent.attestation.verifier import Claims
from agent.protocol.statements import TeeKind
from agent.protocol.units import BlobId, Digest, Millis, NodeId


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    name: CheckName
    passed: bool
    detail: str
    """What was found; for a failed check, also what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of verifying one node's evidence.

    Raises:
        ValueError: a check stands here twice, or all passed and yet one that acceptance needs was not made.
    """

    at: Millis
    """As of when the evidence was judged."""
    node: NodeId
    """Whose evidence was expected."""
    evidence_digest: BlobId
    """The name of the bytes judged."""
    policy: Digest
    """`Policy.digest` of the policy applied."""
    checks: tuple[Check, ...]
    claims: Claims | None = None
    """What the quote says; None unless its signatures hold."""
    binding: Binding | None = None
    """As `claims`."""

    def __post_init__(self) -> None:
        made = Counter(check.name for check in self.checks)
        if any(times > 1 for times in made.values()):
            raise ValueError("a verdict shows each check once")
        if self.failed:
            return
        missing = set(CheckName) - OPTIONAL - made.keys()
        if missing or self.claims is None or self.binding is None:
            raise ValueError(f"a verdict that accepts must show all checks; not made: {sorted(missing)}")

    @property
    def ok(self) -> bool:
        """True: every check was made and passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def tee_kind(self) -> TeeKind | None:
        """Which kind of hardware signed; None unless the signatures hold."""
        return None if self.claims is None else self.claims.kind

    @property
    def simulated(self) -> bool:
        """True: no hardware vouches for anything here. To be shown wherever the verdict is."""
        return self.tee_kind is TeeKind.SIMULATED

    @property
    def valid_until(self) -> Millis | None:
        """When the keys stop counting; None unless the signatures hold."""
        return None if self.binding is None else self.binding.not_after

    def require(self) -> "Verdict":
        """This verdict, if it accepts.

        Raises:
            EvidenceRefused: it does not; the text names every failed check.
        """
        if self.failed:
            raise EvidenceRefused(self)
        return self
