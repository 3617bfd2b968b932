"""The verdict on a file: whether it is authentic, whom it is made for as far as it says, and what a policy makes of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from agent.attestation import checklist
from agent.attestation.binding import Binding
from agent.attestation.checklist import DeviceTrust
from agent.attestation.checks import CheckName
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import evidence_digest
from agent.attestation.nvidia import NVIDIA_ROOTS, GpuClaims, NvidiaRoots
from agent.attestation.policy import Policy
from agent.attestation.raw.beside import Beside
from agent.attestation.raw.file import RawFile, read_file
from agent.attestation.verdict import Check, QuoteVerdict
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.verify import HARDWARE, authenticate
from agent.protocol.units import BlobId, Millis

NOTHING: Final[Mapping[CheckName, bytes]] = {}
REPORT_DATA: Final = 64


def verify_file(
    data: bytes,
    at: Millis,
    policy: Policy | None = None,
    *,
    beside: Sequence[bytes] = (),
    report_data: bytes | None = None,
    wanted: Mapping[CheckName, bytes] = NOTHING,
    verifiers: Sequence[EvidenceVerifier] = HARDWARE,
    devices: NvidiaRoots = NVIDIA_ROOTS,
) -> QuoteVerdict:
    """The verdict on `data` as of `at`; never raises for what it, or the files `beside` it, hold.

    `report_data` is what the hardware is to have signed, shorter values filled up with zeros; `wanted` what the binding
    of our own evidence is to say. Without a policy nothing is accepted.
    """
    digest, applied = evidence_digest(data), None if policy is None else policy.digest()
    try:
        known = Beside.read(beside)
        trust = DeviceTrust(roots=devices, collateral=known.nvidia)
        file = read_file(data, known)
    except EvidenceError as error:
        # nothing was checked before: reading makes no checks
        checks = (Check(error.check, passed=False, detail=str(error)),)
        return QuoteVerdict(at=at, what="no evidence that can be read", evidence_digest=digest, policy=applied, checks=checks)
    try:
        judged = _Judgement(file, at, policy, trust, verifiers, report_data, wanted)
    except EvidenceError as error:
        failed = tuple(checklist.authentication_failed(error))
        return QuoteVerdict(at=at, what=file.what, evidence_digest=digest, policy=applied, checks=failed)
    return judged.verdict(digest)


class _Judgement:
    """One file's; the constructor raises `EvidenceError` if the CPU's evidence is not authentic."""

    def __init__(
        self,
        file: RawFile,
        at: Millis,
        policy: Policy | None,
        devices: DeviceTrust,
        verifiers: Sequence[EvidenceVerifier],
        report_data: bytes | None,
        wanted: Mapping[CheckName, bytes],
    ) -> None:
        self._file, self._at, self._policy = file, at, policy
        self._report_data, self._wanted = report_data, wanted
        self._binding = None if file.evidence is None else Binding.decode(file.evidence.binding)
        self._devices = devices if file.evidence is None else devices.with_collateral_of(file.evidence)
        self._claims: Claims | None = None
        if file.cpu is not None:
            claims = authenticate(file.cpu, verifiers, at, at)
            self._claims = claims if policy is None else checklist.held_to(claims, policy)

    def verdict(self, digest: BlobId) -> QuoteVerdict:
        checks = [] if self._claims is None else self._cpu(self._claims)
        devices: tuple[GpuClaims, ...] = ()
        policy = self._policy
        if self._file.devices or (policy is not None and policy.gpus is not None):
            counts = self._claims is not None and all(check.passed for check in checks)
            cpu = self._claims.report_data if self._claims is not None and counts else None
            found, devices = checklist.device_checks(self._file.devices, cpu, self._at, self._devices, policy)
            checks += found
        return QuoteVerdict(
            at=self._at,
            what=self._file.what,
            evidence_digest=digest,
            policy=None if policy is None else policy.digest(),
            checks=tuple(checks),
            claims=self._claims,
            binding=checklist.vouched(self._binding, checks),
            devices=devices,
        )

    def _cpu(self, claims: Claims) -> list[Check]:
        checks = checklist.passed_until(None)
        binding, evidence, policy = self._binding, self._file.evidence, self._policy
        if binding is None or evidence is None:
            checks.append(checklist.debug_check(claims))
            if self._report_data is not None:
                checks.append(_report_data(claims, self._report_data))
        else:
            checks += checklist.quote_checks(evidence, binding, claims)
            checks += checklist.binding_checks(binding, self._wanted)
        if policy is not None:
            checks.append(checklist.simulated_check(claims, policy, "" if binding is None else binding.chain_id))
            checks += checklist.policy_checks(claims, policy, self._at)
            checks += (
                [checklist.age_check(claims, policy, self._at)]
                if binding is None
                else checklist.time_checks(claims, binding, policy, self._at)
            )
        return checks + checklist.vendor_checks(claims)


def _report_data(claims: Claims, wanted: bytes) -> Check:
    filled = wanted.ljust(REPORT_DATA, b"\0") if len(claims.report_data) == REPORT_DATA else wanted
    return checklist.equal(CheckName.REPORT_DATA, claims.report_data, filled, "the quote was made for other report data")
