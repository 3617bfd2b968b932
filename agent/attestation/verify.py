"""Verification of one node's evidence: pure, offline, as of a given time.

`verify` is what a committee member does before signing, and what a client may do again. Everything unauthenticated is
looked at once, to find the signature; after the first failure there nothing else is read. Everything authenticated is
compared in full, so that the verdict of an honest operator's mistake names all that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.attestation.binding import Binding, Committee, native_of, report_data
from agent.attestation.checks import AUTHENTICATION, CheckName
from agent.attestation.errors import EvidenceError, UnknownKind
from agent.attestation.evidence import Evidence, evidence_digest
from agent.attestation.nitro import NitroVerifier
from agent.attestation.policy import Policy
from agent.attestation.public_chains import public_chain
from agent.attestation.verdict import Check, Verdict
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Millis, NodeId

HARDWARE: Final[tuple[EvidenceVerifier, ...]] = (NitroVerifier(),)
"""The kinds verified under their vendors' roots. Simulated evidence needs a `SimulatedVerifier` besides."""


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
) -> Verdict:
    """The verdict on `evidence` at `at`; never raises for what the evidence holds."""
    return judge(evidence, policy, at, expected, verifiers, certificates_at=at)


def judge(
    evidence: bytes,
    policy: Policy,
    at: Millis,
    expected: Expected,
    verifiers: Sequence[EvidenceVerifier],
    *,
    certificates_at: Millis | None,
) -> Verdict:
    """`verify`, with certificates judged as of another time: `certificates_at`, or None for when the quote says it
    was signed.
    """
    digest = evidence_digest(evidence)
    checks: list[Check] = []
    if expected.evidence_digest is not None:
        checks.append(_equal(CheckName.DIGEST, digest, expected.evidence_digest, "fetch the evidence named on chain"))
    claims: Claims | None = None
    binding: Binding | None = None
    try:
        parts, binding, claims = _authenticate(evidence, verifiers, certificates_at, at)
    except EvidenceError as error:
        checks += _passed_until(error.check)
        checks.append(Check(error.check, passed=False, detail=str(error)))
    else:
        checks += _passed_until(None)
        checks += _check_quote(parts, binding, claims)
        checks.append(_check_native(claims, binding, expected.native))
        checks.append(_check_simulated(claims, policy, expected.chain_id))
        checks += _check_binding(binding, expected)
        checks += _check_policy(claims, policy, at)
        checks += _check_time(claims, binding, policy, at)
    return Verdict(
        at=at,
        node=expected.node,
        evidence_digest=digest,
        policy=policy.digest(),
        checks=tuple(checks),
        claims=claims,
        binding=binding if claims is not None else None,
    )


def _authenticate(
    data: bytes, verifiers: Sequence[EvidenceVerifier], certificates_at: Millis | None, at: Millis
) -> tuple[Evidence, Binding, Claims]:
    evidence = Evidence.decode(data)
    binding = Binding.decode(evidence.binding)
    verifier = _verifier(evidence.cpu.media_type, verifiers)
    if certificates_at is None:
        certificates_at = verifier.claimed_time(evidence.cpu.content)
    claims = verifier.authenticate(evidence.cpu.content, at if certificates_at is None else certificates_at)
    assert claims.kind is verifier.kind, "a verifier vouches for its own kind only"
    return evidence, binding, claims


def _verifier(media_type: str, verifiers: Sequence[EvidenceVerifier]) -> EvidenceVerifier:
    for verifier in verifiers:
        if verifier.media_type == media_type:
            return verifier
    known = ", ".join(verifier.media_type for verifier in verifiers)
    raise UnknownKind(
        f"evidence of type {media_type[:80]!r}, verifiers were given for {known}; "
        "simulated evidence needs a SimulatedVerifier with the network's simulated root"
    )


def _passed_until(failed: CheckName | None) -> list[Check]:
    until = len(AUTHENTICATION) if failed is None else AUTHENTICATION.index(failed)
    return [Check(name, passed=True, detail="holds") for name in AUTHENTICATION[:until]]


def _check_quote(evidence: Evidence, binding: Binding, claims: Claims) -> list[Check]:
    return [
        Check(
            CheckName.DEBUG,
            passed=not claims.debug,
            detail="in debug mode the operator sees inside: start the enclave without it"
            if claims.debug
            else "production mode",
        ),
        _equal(
            CheckName.REPORT_DATA,
            claims.report_data,
            report_data(evidence.binding),
            "the quote was made for another binding: send the two that belong together",
        ),
        _equal_if_carried(CheckName.NONCE, claims.nonce, binding.challenge),
        _equal_if_carried(CheckName.PUBLIC_KEY, claims.public_key, binding.hpke_pk),
    ]


def _check_native(claims: Claims, binding: Binding, place: NativePlace | None) -> Check:
    if claims.native is None:
        return Check(CheckName.NATIVE, passed=True, detail="no room in this kind of quote; the committee vouches for it")
    if place is None:
        return Check(CheckName.NATIVE, passed=True, detail="no pool and committee given to compare with; the chain compares")
    wanted = native_of(binding, place.pool, place.committee)
    return _equal(CheckName.NATIVE, claims.native, wanted, "the chain would not take the document: bind to its pool and committee")


def _check_simulated(claims: Claims, policy: Policy, chain_id: str) -> Check:
    if claims.kind is not TeeKind.SIMULATED:
        return Check(CheckName.SIMULATED, passed=True, detail=f"signed by {claims.kind.name} hardware")
    public = public_chain(chain_id)
    if public is not None:
        return Check(
            CheckName.SIMULATED, passed=False, detail=f"simulated evidence never counts on {public}: use hardware"
        )
    if not policy.allow_simulated:
        return Check(
            CheckName.SIMULATED, passed=False, detail="the policy does not allow simulated evidence: use hardware"
        )
    return Check(
        CheckName.SIMULATED, passed=True, detail="SIMULATED, and allowed here: no hardware vouches for anything"
    )


def _check_binding(binding: Binding, expected: Expected) -> list[Check]:
    stale = "attest again for what the chain wants now"
    pairs = (
        (CheckName.CHAIN_ID, binding.chain_id.encode(), expected.chain_id.encode()),
        (CheckName.NETWORK, binding.network_id, expected.network),
        (CheckName.NODE, binding.node_id, expected.node),
        (CheckName.KEY_EPOCH, binding.key_epoch.to_bytes(8, "big"), expected.key_epoch.to_bytes(8, "big")),
        (CheckName.CHALLENGE, binding.challenge, expected.challenge),
        (CheckName.MANIFEST, binding.workload_manifest_hash, expected.manifest),
        (CheckName.COMMITTEE, binding.committee_hash, expected.committee),
        (CheckName.HPKE_PK, binding.hpke_pk, expected.hpke_pk),
        (CheckName.SIGN_PK, binding.sign_pk, expected.sign_pk),
    )
    return [
        Check(name, passed=True, detail="nothing on chain to compare with yet")
        if wanted is None
        else _equal(name, found, wanted, stale)
        for name, found, wanted in pairs
    ]


def _check_policy(claims: Claims, policy: Policy, at: Millis) -> list[Check]:
    active = policy.active(at)
    allowing = policy.allowing(claims.kind, claims.measurement, at)
    rejecting = policy.rejecting(claims.measurement, claims.hardware_id, claims.advisories)
    patched = claims.tcb_status is None or claims.tcb_status in policy.accepted_tcb
    found = claims.measurement.hex()
    return [
        Check(
            CheckName.POLICY,
            passed=active,
            detail=f"policy version {policy.version}"
            + ("" if active else " is not in force now: load the network's current one"),
        ),
        Check(
            CheckName.MEASUREMENT,
            passed=bool(allowing),
            detail=f"allowed by {', '.join(allowing)}"
            if allowing
            else f"no layer allows {claims.kind.name} measurement {found} now: run a released image",
        ),
        Check(
            CheckName.REJECTED,
            passed=not rejecting,
            detail=f"rejected by {'; '.join(rejecting)}" if rejecting else "on no reject list",
        ),
        Check(
            CheckName.TCB,
            passed=patched,
            detail=f"patch level {claims.tcb_status or 'not a notion of this kind'}"
            + ("" if patched else ": update the firmware"),
        ),
    ]


def _check_time(claims: Claims, binding: Binding, policy: Policy, at: Millis) -> list[Check]:
    issued = at if claims.issued_at is None else claims.issued_at
    fresh = issued - policy.clock_skew <= at <= issued + policy.max_age
    latest = issued + policy.max_age
    lives = at < binding.not_after <= latest
    return [
        Check(
            CheckName.AGE,
            passed=fresh,
            detail=f"signed {(at - issued) // 1000} s before"
            + ("" if fresh else f", wants 0 to {policy.max_age // 1000} s: attest again"),
        ),
        Check(
            CheckName.EXPIRY,
            passed=lives,
            detail=f"counts until {binding.not_after} ms"
            + (
                ""
                if lives
                else f", wants after {at} and at most {latest} (the policy's max_age): bind with such a not_after"
            ),
        ),
    ]


def _equal(name: CheckName, found: bytes, wanted: bytes, otherwise: str) -> Check:
    if found == wanted:
        return Check(name, passed=True, detail="equal")
    return Check(name, passed=False, detail=f"is {_short(found)}, expected {_short(wanted)}: {otherwise}")


def _equal_if_carried(name: CheckName, found: bytes | None, wanted: bytes) -> Check:
    if found is None:
        return Check(name, passed=True, detail="no field of this kind of quote; covered by the report data")
    return _equal(name, found, wanted, "the quote was made for another binding")


def _short(value: bytes) -> str:
    return value.hex()[:32] or "empty"
