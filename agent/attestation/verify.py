"""Verification of one node's evidence: pure, offline, as of a given time.

`verify` is what a committee member does before signing, and what a client may do again. Everything unauthenticated is
looked at once, to find the signature; after the first failure there nothing else is read. Everything authenticated is
compared in full, so that the verdict of an honest operator's mistake names all that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.attestation import checklist
from agent.attestation.amd import SnpVerifier
from agent.attestation.binding import Binding, Committee
from agent.attestation.checks import CheckName
from agent.attestation.dstack.verifier import DstackVerifier
from agent.attestation.errors import EvidenceError, UnknownKind
from agent.attestation.evidence import Evidence, Quote, evidence_digest
from agent.attestation.intel.verifier import IntelTrust, SgxVerifier, TdxVerifier
from agent.attestation.moments import moment
from agent.attestation.nitro import NitroVerifier
from agent.attestation.nvidia import GpuClaims
from agent.attestation.policy import Policy
from agent.attestation.verdict import Check, Verdict
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.vtpm.evidence import SNP_TYPE, TDX_TYPE
from agent.attestation.vtpm.verifier import VtpmVerifier
from agent.protocol.units import Address, BlobId, Millis, NodeId

HARDWARE: Final[tuple[EvidenceVerifier, ...]] = (
    NitroVerifier(),
    TdxVerifier(),
    SgxVerifier(),
    DstackVerifier(),
    SnpVerifier(),
    VtpmVerifier(SnpVerifier(), SNP_TYPE),
    VtpmVerifier(TdxVerifier(IntelTrust(paravisor=True)), TDX_TYPE),
)
"""The kinds verified under their vendors' roots; floors of patch levels are the policy's. Simulated evidence needs a
`SimulatedVerifier` besides."""

DEVICES: Final = checklist.DeviceTrust()
"""GPUs and switches under NVIDIA's root, with the collateral that the evidence brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativePlace:
    """What the binding names by digest or not at all, and the native form in full."""

    pool: Address
    committee: Committee


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the verifier knows from the chain; None where it does not know."""

    chain_id: str
    network: Address
    node: NodeId
    key_epoch: int
    manifest: bytes
    """32 bytes, of the pool."""
    committee: bytes
    """`binding.committee_hash` of the network's committee."""
    challenge: bytes | None
    hpke_pk: bytes | None = None
    sign_pk: bytes | None = None
    evidence_digest: BlobId | None = None
    native: NativePlace | None = None
    """Nothing but the chain's own way in depends on the native form, and the chain recomputes it."""


def verify(
    evidence: bytes,
    policy: Policy,
    at: Millis,
    expected: Expected,
    verifiers: Sequence[EvidenceVerifier] = HARDWARE,
    devices: checklist.DeviceTrust = DEVICES,
) -> Verdict:
    """The verdict on `evidence` at `at`; never raises for what the evidence holds.

    `devices` is whom to believe about GPUs, and what NVIDIA says of them besides what the evidence brings.
    """
    return judge(evidence, policy, at, expected, verifiers, certificates_at=at, devices=devices)


def judge(
    evidence: bytes,
    policy: Policy,
    at: Millis,
    expected: Expected,
    verifiers: Sequence[EvidenceVerifier],
    *,
    certificates_at: Millis | None,
    devices: checklist.DeviceTrust = DEVICES,
) -> Verdict:
    """`verify`, with certificates judged as of another time: `certificates_at`, or None for when the quote says it
    was signed.
    """
    digest = evidence_digest(evidence)
    checks: list[Check] = []
    if expected.evidence_digest is not None:
        checks.append(checklist.equal(CheckName.DIGEST, digest, expected.evidence_digest, "fetch the evidence named on chain"))
    claims: Claims | None = None
    binding: Binding | None = None
    attested: tuple[GpuClaims, ...] = ()
    try:
        parts = Evidence.decode(evidence)
        trust = devices.with_collateral_of(parts)
        binding = Binding.decode(parts.binding)
        claims = authenticate(parts.cpu, verifiers, certificates_at, at)
    except EvidenceError as error:
        checks += checklist.authentication_failed(error)
    else:
        claims = checklist.held_to(claims, policy)
        checks += checklist.passed_until(None)
        checks += checklist.quote_checks(parts, binding, claims)
        place = expected.native
        checks.append(checklist.native_check(claims, binding, None if place is None else (place.pool, place.committee)))
        checks.append(checklist.simulated_check(claims, policy, expected.chain_id))
        checks += checklist.binding_checks(binding, _wanted(expected))
        checks += checklist.policy_checks(claims, policy, at)
        checks += checklist.time_checks(claims, binding, policy, at)
        checks += checklist.vendor_checks(claims)
        if not all(check.passed for check in checks):
            if parts.devices:
                checks.append(checklist.devices_without_cpu(parts.devices))
        else:
            lasts = _lasting(parts.cpu, verifiers, binding)
            if parts.devices or policy.gpus is not None:
                found, attested = checklist.device_checks(parts.devices, claims.report_data, at, trust, policy)
                checks += found
                if lasts.passed and all(check.passed for check in found):
                    lasts = _devices_lasting(parts.devices, claims.report_data, trust, policy, binding)
            checks.append(lasts)
    return Verdict(
        at=at,
        node=expected.node,
        evidence_digest=digest,
        policy=policy.digest(),
        checks=tuple(checks),
        claims=claims,
        binding=checklist.vouched(binding, checks),
        devices=attested,
    )


def authenticate(quote: Quote, verifiers: Sequence[EvidenceVerifier], certificates_at: Millis | None, at: Millis) -> Claims:
    """What `quote` claims, by the first of `verifiers` for its kind.

    Raises:
        EvidenceError: it does not hold, or there is no such verifier.
    """
    verifier = _verifier(quote.media_type, verifiers)
    if certificates_at is None:
        certificates_at = verifier.claimed_time(quote.content)
    claims = verifier.authenticate(quote.content, at if certificates_at is None else certificates_at)
    assert claims.kind is verifier.kind, "a verifier vouches for its own kind only"
    return claims


def _lasting(quote: Quote, verifiers: Sequence[EvidenceVerifier], binding: Binding) -> Check:
    """Whether the collateral holds as long as the keys: whoever judges them later has no other, and would refuse them."""
    if _verifier(quote.media_type, verifiers).claimed_time(quote.content) is not None:
        return Check(CheckName.LASTS, passed=True, detail="certificates of this kind are judged as of when the quote was signed")
    last = Millis(binding.not_after - 1)
    try:
        authenticate(quote, verifiers, last, last)
    except EvidenceError as error:
        return _lapses(str(error), binding)
    return Check(CheckName.LASTS, passed=True, detail=f"holds until the keys end, at {moment(binding.not_after)}")


def _devices_lasting(devices: Sequence[Quote], cpu: bytes, trust: checklist.DeviceTrust, policy: Policy, binding: Binding) -> Check:
    found, _ = checklist.device_checks(devices, cpu, Millis(binding.not_after - 1), trust, policy)
    failed = next((check for check in found if not check.passed), None)
    if failed is not None:
        return _lapses(f"{failed.name}: {failed.detail}", binding)
    return Check(CheckName.LASTS, passed=True, detail=f"holds, also for the devices, until the keys end, at {moment(binding.not_after)}")


def _lapses(what: str, binding: Binding) -> Check:
    detail = f"it would be refused before its keys end at {moment(binding.not_after)} ({what}): collect collateral anew, or bind for a shorter time"
    return Check(CheckName.LASTS, passed=False, detail=detail)


def _verifier(media_type: str, verifiers: Sequence[EvidenceVerifier]) -> EvidenceVerifier:
    for verifier in verifiers:
        if verifier.media_type == media_type:
            return verifier
    known = ", ".join(verifier.media_type for verifier in verifiers)
    raise UnknownKind(
        f"evidence of type {media_type[:80]!r}, verifiers were given for {known}; "
        "simulated evidence needs a SimulatedVerifier with the network's simulated root"
    )


def _wanted(expected: Expected) -> dict[CheckName, bytes | None]:
    return {
        CheckName.CHAIN_ID: expected.chain_id.encode(),
        CheckName.NETWORK: expected.network,
        CheckName.NODE: expected.node,
        CheckName.KEY_EPOCH: expected.key_epoch.to_bytes(8, "big"),
        CheckName.CHALLENGE: expected.challenge,
        CheckName.MANIFEST: expected.manifest,
        CheckName.COMMITTEE: expected.committee,
        CheckName.HPKE_PK: expected.hpke_pk,
        CheckName.SIGN_PK: expected.sign_pk,
    }
