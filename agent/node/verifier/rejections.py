"""What a policy in force rejects falls out, whoever vouched for it before.

A record under a policy that has ended counts no longer by the contract itself. That a chip, a measurement or an advisory was
rejected since only those see who have the policy's text and the evidence: the members. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.attestation import checklist
from agent.attestation.checks import CheckName
from agent.attestation.evidence import Evidence
from agent.attestation.nvidia import GpuCheck
from agent.attestation.policy import Policy, Rejects, chip
from agent.attestation.verdict import Check
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import DEVICES, authenticate
from agent.protocol.records import Attestation, MemberView
from agent.protocol.statements import RevocationReason
from agent.protocol.units import Millis

REASONS: Final = {
    Rejects.HARDWARE: RevocationReason.HARDWARE,
    Rejects.MEASUREMENT: RevocationReason.CODE,
    Rejects.ADVISORY: RevocationReason.HARDWARE,
}
"""What a revocation says for each sort of rejection; members who see several say the first of this order, and so the same."""


@dataclass(frozen=True, slots=True)
class Named:
    """What reject lists are compared with: what a node's evidence says of code and platform."""

    measurement: bytes
    hardware: frozenset[bytes]
    """Ids of the CPU's chip and of each device, as `chip` writes them."""
    advisories: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fallen:
    """A record that counts no longer, and why."""

    key_epoch: int
    reason: RevocationReason
    why: str
    """For people: which layer of which policy, and its own reason."""


def named_in(evidence: bytes, verifiers: Sequence[EvidenceVerifier], at: Millis) -> Named:
    """What authentic `evidence` names at `at`.

    Raises:
        EvidenceError: it does not hold at `at`.
    """
    parts = Evidence.decode(evidence)
    claims = authenticate(parts.cpu, verifiers, None, at)
    _, devices = checklist.device_checks(parts.devices, claims.report_data, at, DEVICES.with_collateral_of(parts), None)
    chips = {device.hardware_id for device in devices} | ({claims.hardware_id} if claims.hardware_id else set())
    return Named(claims.measurement, frozenset(map(chip, chips)), frozenset(claims.advisories))


def rejection(named: Named, policies: Iterable[Policy]) -> tuple[RevocationReason, str] | None:
    """Why any of `policies` rejects what is `named`; None if none does."""
    found = [
        (sort, f"policy {policy.digest().hex()[:16]}…, {layer}: {entry.what} {entry.value[:32]} ({entry.reason})")
        for policy in policies
        for layer, rules in policy.layers
        for entry in sorted(rules.reject)
        for sort in REASONS
        if entry.what is sort and _meant(sort, entry.value, named)
    ]
    for sort, reason in REASONS.items():
        texts = [text for each, text in found if each is sort]
        if texts:
            return reason, "; ".join(texts)
    return None


def records_that_count(member: MemberView, now: Millis, clock: Millis) -> tuple[Attestation, ...]:
    """The records of `member` that tasks may rest on, the newest first; `now` is protocol time, `clock` the chain's."""
    found = (member.usable(record.key_epoch, now) for record in (member.attestation, member.previous))
    return tuple(record for record in found if record is not None and clock < record.not_after)


def rejected_outright(failed: Iterable[Check]) -> bool:
    """Whether a verdict failed because somebody rejects this code, platform or device: no other policy helps then."""
    return any(check.name in {CheckName.REJECTED, GpuCheck.REJECTED} for check in failed)


def _meant(sort: Rejects, value: str, named: Named) -> bool:
    match sort:
        case Rejects.HARDWARE:
            return chip(bytes.fromhex(value)) in named.hardware
        case Rejects.MEASUREMENT:
            return value == named.measurement.hex()
        case Rejects.ADVISORY:
            return value in named.advisories
