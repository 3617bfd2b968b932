"""The checks that make verdicts, each a pure comparison of what authentic evidence says with what somebody wants.

Two use them: `agent.attestation.verify` for a node's evidence, `agent.attestation.raw` for a quote alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from agent.attestation.amd import SnpCheck, SnpClaims, SnpRequirements, TcbStatus
from agent.attestation.binding import Binding, Committee, native_of, report_data
from agent.attestation.checks import AUTHENTICATION, CheckName
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.moments import moment
from agent.attestation.nvidia import COLLATERAL_TYPE, NVIDIA_ROOTS, Collateral, GpuCheck, GpuClaims, GpuRequirements, NvidiaRoots, verify_gpus
from agent.attestation.policy import GpuRules, Policy, chip
from agent.attestation.public_chains import public_chain
from agent.attestation.verdict import Check
from agent.attestation.verifier import Claims
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, Millis

_HOLDS: Final = {
    CheckName.COLLATERAL: "what came along is the platform's, or this kind needs none",
    CheckName.REVOKED: "no revocation list that came along names a certificate",
    CheckName.ATTRIBUTES: "the hardware names none that exposes the enclave",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTrust:
    """Under which roots, with which collateral, GPUs and switches are judged."""

    roots: NvidiaRoots = NVIDIA_ROOTS
    collateral: Collateral = field(default_factory=Collateral)
    """The verifier's own."""
    brought: Collateral | None = None
    """What came with the evidence: NVIDIA signed it, whoever carries it."""

    def with_collateral_of(self, evidence: Evidence) -> "DeviceTrust":
        """With what `evidence` brings.

        Raises:
            Malformed: the item is no such collateral.
        """
        item = evidence.collateral
        if item is None:
            return self
        if item.media_type != COLLATERAL_TYPE:
            raise Malformed(f"collateral of type {item.media_type[:80]!r}, known is {COLLATERAL_TYPE}")
        return replace(self, brought=Collateral.decode(item.content))


def passed_until(failed: CheckName | None) -> list[Check]:
    """The checks of authentication before `failed`; all of them if None."""
    until = len(AUTHENTICATION) if failed is None else AUTHENTICATION.index(failed)
    return [Check(name, passed=True, detail=_HOLDS.get(name, "holds")) for name in AUTHENTICATION[:until]]


def authentication_failed(error: EvidenceError) -> list[Check]:
    """What to show for evidence that is not authentic."""
    return [*passed_until(error.check), Check(error.check, passed=False, detail=str(error))]


def held_to(claims: Claims, policy: Policy) -> Claims:
    """`claims`, the patch level of SEV-SNP judged by the policy's floor besides those that the verifier was given."""
    if not isinstance(claims, SnpClaims) or claims.tcb_status not in {TcbStatus.UP_TO_DATE, TcbStatus.UNJUDGED}:
        return claims
    floor = policy.floor(claims.product)
    if floor is None:
        return claims
    judged = SnpRequirements(floors={claims.product: floor}).judge(claims.report, claims.product, claims.hardware_id)
    found = next(finding for finding in judged if finding.name is SnpCheck.TCB_FLOOR)
    return replace(
        claims,
        tcb_status=TcbStatus.UP_TO_DATE if found.passed else TcbStatus.OUT_OF_DATE,
        findings=tuple(found if finding.name is found.name else finding for finding in claims.findings),
    )


def debug_check(claims: Claims) -> Check:
    """Whether the operator can look inside, by the hardware's own word."""
    detail = "in debug mode the operator sees inside: start the enclave without it" if claims.debug else "production mode"
    return Check(CheckName.DEBUG, passed=not claims.debug, detail=detail)


def quote_checks(evidence: Evidence, binding: Binding, claims: Claims) -> list[Check]:
    """Whether the quote was made for this binding, and not in debug mode."""
    other = "the quote was made for another binding: send the two that belong together"
    return [
        debug_check(claims),
        equal(CheckName.REPORT_DATA, claims.report_data, report_data(evidence.binding), other),
        _equal_if_carried(CheckName.NONCE, claims.nonce, binding.challenge),
        _equal_if_carried(CheckName.PUBLIC_KEY, claims.public_key, binding.hpke_pk),
    ]


def native_check(claims: Claims, binding: Binding, place: tuple[Address, Committee] | None) -> Check:
    """Whether the chain itself could take the document for this pool and committee."""
    if claims.native is None:
        return Check(CheckName.NATIVE, passed=True, detail="no room in this kind of quote; the committee vouches for it")
    if place is None:
        return Check(CheckName.NATIVE, passed=True, detail="no pool and committee given to compare with; the chain compares")
    wanted = native_of(binding, *place)
    return equal(CheckName.NATIVE, claims.native, wanted, "the chain would not take the document: bind to its pool and committee")


def simulated_check(claims: Claims, policy: Policy, chain_id: str) -> Check:
    """Whether evidence without hardware may count here."""
    if claims.kind is not TeeKind.SIMULATED:
        return Check(CheckName.SIMULATED, passed=True, detail=f"signed by {claims.kind.name} hardware")
    public = public_chain(chain_id)
    if public is not None:
        return Check(CheckName.SIMULATED, passed=False, detail=f"simulated evidence never counts on {public}: use hardware")
    if not policy.allow_simulated:
        return Check(CheckName.SIMULATED, passed=False, detail="the policy does not allow simulated evidence: use hardware")
    return Check(CheckName.SIMULATED, passed=True, detail="SIMULATED, and allowed here: no hardware vouches for anything")


def binding_checks(binding: Binding, wanted: Mapping[CheckName, bytes | None]) -> list[Check]:
    """Whether the binding is for what is `wanted`; None where nothing is known."""
    fields = binding_fields(binding)
    return [
        Check(name, passed=True, detail="nothing on chain to compare with yet")
        if value is None
        else equal(name, fields[name], value, "attest again for what the chain wants now")
        for name, value in wanted.items()
    ]


def binding_fields(binding: Binding) -> dict[CheckName, bytes]:
    """What of a binding is compared, as bytes."""
    return {
        CheckName.CHAIN_ID: binding.chain_id.encode(),
        CheckName.NETWORK: binding.network_id,
        CheckName.NODE: binding.node_id,
        CheckName.KEY_EPOCH: binding.key_epoch.to_bytes(8, "big"),
        CheckName.CHALLENGE: binding.challenge,
        CheckName.MANIFEST: binding.workload_manifest_hash,
        CheckName.COMMITTEE: binding.committee_hash,
        CheckName.HPKE_PK: binding.hpke_pk,
        CheckName.SIGN_PK: binding.sign_pk,
    }


def policy_checks(claims: Claims, policy: Policy, at: Millis) -> list[Check]:
    """Whether the policy takes this code on this platform."""
    active = policy.active(at)
    allowing = policy.allowing(claims.kind, claims.measurement, at)
    rejecting = policy.rejecting(claims.measurement, claims.hardware_id, claims.advisories)
    denied = f"no layer allows {claims.kind.name} measurement {claims.measurement.hex()} now: run a released image"
    return [
        Check(
            CheckName.POLICY,
            passed=active,
            detail=f"policy version {policy.version}" + ("" if active else " is not in force now: load the network's current one"),
        ),
        Check(CheckName.MEASUREMENT, passed=bool(allowing), detail=f"allowed by {', '.join(allowing)}" if allowing else denied),
        Check(
            CheckName.REJECTED,
            passed=not rejecting,
            detail=f"rejected by {'; '.join(rejecting)}" if rejecting else "on no reject list",
        ),
        _hardware_check(claims, policy, at),
        _chip_key_check(claims, policy),
        _revocation_list_check(claims, policy),
        _tcb_check(claims, policy),
        _evaluation_check(claims, policy),
        _advisories_check(claims, policy),
    ]


def time_checks(claims: Claims, binding: Binding, policy: Policy, at: Millis) -> list[Check]:
    """Whether the quote is fresh, and its keys live no longer than they may."""
    latest = Millis((at if claims.issued_at is None else claims.issued_at) + policy.max_age)
    lives = at < binding.not_after <= latest
    otherwise = f", wants after {moment(at)} and at most {moment(latest)} (the policy's max_age): bind with such a not_after"
    return [
        age_check(claims, policy, at),
        Check(CheckName.EXPIRY, passed=lives, detail=f"counts until {moment(binding.not_after)}" + ("" if lives else otherwise)),
    ]


def age_check(claims: Claims, policy: Policy, at: Millis) -> Check:
    """Whether the quote is as fresh as the policy wants."""
    if claims.issued_at is None:
        return Check(CheckName.AGE, passed=True, detail="this kind does not say when it was signed; the challenge in its binding does")
    fresh = claims.issued_at - policy.clock_skew <= at <= claims.issued_at + policy.max_age
    otherwise = f", wants 0 to {policy.max_age // 1000} s: attest again"
    return Check(
        CheckName.AGE, passed=fresh, detail=f"signed {(at - claims.issued_at) // 1000} s before" + ("" if fresh else otherwise)
    )


def vendor_checks(claims: Claims) -> list[Check]:
    """What the kind's own verifier found besides."""
    return [Check(each.name, each.passed, each.detail) for each in claims.findings] if isinstance(claims, SnpClaims) else []


def device_checks(
    devices: Sequence[Quote], cpu: bytes | None, at: Millis, trust: DeviceTrust, policy: Policy | None
) -> tuple[list[Check], tuple[GpuClaims, ...]]:
    """What was found of the GPUs and switches; `cpu` is the report data of CPU evidence that was accepted."""
    found = verify_gpus(devices, cpu, at, trust.collateral, _gpu_requirements(policy), trust.roots, brought=trust.brought)
    return [Check(each.name, each.passed, each.detail) for each in found.findings], found.devices


def devices_without_cpu(devices: Sequence[Quote]) -> Check:
    """The only check of devices whose CPU's evidence is refused: who sends that pays for no verification of theirs."""
    detail = f"no CPU evidence was accepted, so that {len(devices)} devices were not looked at: they count only for the enclave they are chained to"
    return Check(GpuCheck.CPU, passed=False, detail=detail)


def equal(name: CheckName, found: bytes, wanted: bytes, otherwise: str) -> Check:
    """The check that `found` is `wanted`; `otherwise` says what to do."""
    if found == wanted:
        return Check(name, passed=True, detail="equal")
    return Check(name, passed=False, detail=f"is {_short(found)}, expected {_short(wanted)}: {otherwise}")


def vouched(binding: Binding | None, checks: Sequence[Check]) -> Binding | None:
    """`binding`, if the hardware signed it: until then it is anybody's word."""
    return binding if any(check.name is CheckName.REPORT_DATA and check.passed for check in checks) else None


def _hardware_check(claims: Claims, policy: Policy, at: Millis) -> Check:
    registered = policy.registered(claims.kind, at)
    if registered is None:
        return Check(CheckName.HARDWARE, passed=True, detail=f"the policy keeps no register of {claims.kind.name} chips")
    if claims.hardware_id is None:
        detail = "the quote names no chip, and the policy takes registered ones only: use one that names it"
        return Check(CheckName.HARDWARE, passed=False, detail=detail)
    if claims.shared_key:
        detail = "a provider's key signs for any chip id, and the policy takes registered chips only: use a VCEK"
        return Check(CheckName.HARDWARE, passed=False, detail=detail)
    known = chip(claims.hardware_id) in registered
    detail = f"chip {claims.hardware_id.hex()[:32]}" + ("" if known else f" is none of {len(registered)} registered now: have its owner register it")
    return Check(CheckName.HARDWARE, passed=known, detail=detail)


def _chip_key_check(claims: Claims, policy: Policy) -> Check:
    if not claims.shared_key:
        return Check(CheckName.CHIP_KEY, passed=True, detail="the key that signed is one chip's, or the kind knows no other")
    detail = "signed with a provider's key (VLEK), which one leak lets anybody use under any chip id"
    otherwise = "" if policy.accept_vlek else ": use a VCEK, or a policy with accept_vlek"
    return Check(CheckName.CHIP_KEY, passed=policy.accept_vlek, detail=detail + otherwise)


def _revocation_list_check(claims: Claims, policy: Policy) -> Check:
    if claims.revocation_list is None:
        return Check(CheckName.REVOCATION_LIST, passed=True, detail="no evidence of this kind holds without one, or the kind has none")
    if claims.revocation_list:
        return Check(CheckName.REVOCATION_LIST, passed=True, detail="came along, in force, and names no certificate")
    otherwise = "" if policy.accept_missing_crl else ": collect it with `enclavia attest collateral`, or use a policy with accept_missing_crl"
    return Check(CheckName.REVOCATION_LIST, passed=policy.accept_missing_crl, detail=f"AMD's revocation list did not come along{otherwise}")


def _evaluation_check(claims: Claims, policy: Policy) -> Check:
    found, wanted = claims.tcb_evaluation, policy.intel_evaluation
    if found is None:
        return Check(CheckName.EVALUATION, passed=True, detail="the vendor of this kind numbers no evaluations")
    if wanted is None:
        detail = f"judged by Intel's evaluation {found}, and the policy names none as the oldest that counts: name it in intel_evaluation"
        return Check(CheckName.EVALUATION, passed=False, detail=detail)
    otherwise = "" if found >= wanted else f", expected {wanted} or later: collect collateral anew, Intel hands out older ones for a year"
    return Check(CheckName.EVALUATION, passed=found >= wanted, detail=f"judged by Intel's evaluation {found}{otherwise}")


def _tcb_check(claims: Claims, policy: Policy) -> Check:
    if claims.tcb_status is None:
        return Check(CheckName.TCB, passed=True, detail="patch level not a notion of this kind")
    patched = claims.tcb_status in policy.accepted_tcb
    advice = "name a floor for this product line in snp_floors" if claims.tcb_status == TcbStatus.UNJUDGED else "update the firmware"
    accepted = ", ".join(sorted(policy.accepted_tcb))
    detail = f"patch level {claims.tcb_status}" + ("" if patched else f", expected {accepted}: {advice}")
    return Check(CheckName.TCB, passed=patched, detail=detail)


def _advisories_check(claims: Claims, policy: Policy) -> Check:
    accepted = policy.accepted_advisories
    unknown = () if accepted is None else tuple(sorted(set(claims.advisories) - accepted))
    detail = f"{', '.join(unknown)} concern this platform, and the policy does not accept them: update the firmware"
    holds = f"{', '.join(claims.advisories)}, accepted" if claims.advisories else "none concerns this platform"
    return Check(CheckName.ADVISORIES, passed=not unknown, detail=detail if unknown else holds)


def _gpu_requirements(policy: Policy | None) -> GpuRequirements:
    if policy is None:
        return GpuRequirements()
    rules = policy.gpus or GpuRules()
    return GpuRequirements(
        gpus=rules.count,
        models=rules.models or GpuRequirements().models,
        drivers=rules.drivers,
        vbios=rules.vbios,
        require_ocsp=rules.require_ocsp,
        rejected=policy.rejected_hardware(),
    )


def _equal_if_carried(name: CheckName, found: bytes | None, wanted: bytes) -> Check:
    if found is None:
        return Check(name, passed=True, detail="no field of this kind of quote; covered by the report data")
    return equal(name, found, wanted, "the quote was made for another binding")


def _short(value: bytes) -> str:
    return value.hex()[:32] or "empty"
