"""What a verification found: named checks, each with its reason. Nobody sets `ok`; it follows from them."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from agent.attestation.amd import SnpCheck, SnpClaims
from agent.attestation.binding import Binding
from agent.attestation.checks import AUTHENTICATION, OF_QUOTES, OPTIONAL, CheckName
from agent.attestation.errors import EvidenceRefused
from agent.attestation.nvidia import GpuCheck, GpuClaims
from agent.attestation.verifier import Claims
from agent.protocol.statements import TeeKind
from agent.protocol.units import BlobId, Digest, Millis, NodeId


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    name: CheckName | SnpCheck | GpuCheck
    passed: bool
    detail: str
    """What was found; for a failed check, also what to do."""


Needed = frozenset[CheckName | SnpCheck | GpuCheck]
"""Names of checks that have to be made."""

AUTHENTIC_DEVICES: Final[Needed] = frozenset(
    {GpuCheck.FORMAT, GpuCheck.ROOT, GpuCheck.CHAIN, GpuCheck.VALIDITY, GpuCheck.REVOKED, GpuCheck.SIGNATURE, GpuCheck.FIRMWARE_ID}
)
"""Checks without which a device's report is nobody's word."""


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
    """What the quote is bound to; None unless the hardware signed it."""
    devices: tuple[GpuClaims, ...] = ()
    """What those GPUs and switches say that are authentic; they count only if the verdict accepts."""

    def __post_init__(self) -> None:
        made = Counter(check.name for check in self.checks)
        if any(times > 1 for times in made.values()):
            raise ValueError("a verdict shows each check once")
        if self.failed:
            return
        missing = needed(frozenset(CheckName) - OPTIONAL, self.claims, self.devices) - made.keys()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteVerdict:
    """The result of verifying a quote for itself: whoever it was made for, nobody is expected.

    Raises:
        ValueError: a check stands here twice, or all passed under a policy and yet one that acceptance needs was not made.
    """

    at: Millis
    what: str
    """What the file was found to be, for people."""
    evidence_digest: BlobId
    """The name of the bytes judged."""
    policy: Digest | None
    """`Policy.digest` of the policy applied; None: no policy was, and nothing can be accepted."""
    checks: tuple[Check, ...]
    claims: Claims | None = None
    """What the quote says; None unless its signatures hold."""
    binding: Binding | None = None
    """What the quote is bound to, where that came along; None unless the hardware signed it."""
    devices: tuple[GpuClaims, ...] = ()
    """What those GPUs and switches say that are authentic."""

    def __post_init__(self) -> None:
        made = Counter(check.name for check in self.checks)
        if any(times > 1 for times in made.values()):
            raise ValueError("a verdict shows each check once")
        if self.failed or self.policy is None:
            return
        missing = needed(OF_QUOTES, self.claims, self.devices) - made.keys()
        if missing or self.claims is None:
            raise ValueError(f"a verdict that accepts must show all checks; not made: {sorted(missing)}")

    @property
    def ok(self) -> bool:
        """True: there was a policy, and every check was made and passed."""
        return self.policy is not None and not self.failed

    @property
    def authentic(self) -> bool:
        """True: the hardware's vendor vouches for the signatures, whatever they say; on GPUs, for each of them."""
        broken = {check.name for check in self.failed} & AUTHENTIC_DEVICES
        return (self.claims is not None or bool(self.devices)) and not broken and not self._unread

    @property
    def _unread(self) -> bool:
        return any(check.name in AUTHENTICATION for check in self.failed)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def simulated(self) -> bool:
        """True: no hardware vouches for anything here."""
        return self.claims is not None and self.claims.kind is TeeKind.SIMULATED


def needed(always: frozenset[CheckName], claims: Claims | None, devices: tuple[GpuClaims, ...]) -> Needed:
    """What acceptance of such claims and devices needs: `always`, and what their kinds add."""
    vendor: Needed = frozenset(SnpCheck) if isinstance(claims, SnpClaims) else frozenset()
    return always | vendor | (frozenset(GpuCheck) if devices else frozenset())
