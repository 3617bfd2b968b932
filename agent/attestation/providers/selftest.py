"""Whether this machine makes evidence that anybody's verifier takes: what someone with hardware runs, and sends back.

For each platform found: open its provider, ask for evidence over random data, verify it under the vendor's own roots. No
policy is applied: it says that the evidence is authentic and fresh, not that the code is good.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from agent.attestation import checklist
from agent.attestation.binding import REPORT_DATA_BYTES, USER_DATA_BYTES
from agent.attestation.checks import CheckName
from agent.attestation.errors import AttestationError, EvidenceError, ProviderError
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import Collateral, GpuCheck, GpuFinding, NvidiaRoots, verify_gpus
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.detect import Found, Platform
from agent.attestation.providers.nvml import NvmlGpus
from agent.attestation.verdict import Check
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.verify import authenticate
from agent.protocol.units import Millis

Opens = Callable[[], AbstractAsyncContextManager[EvidenceProvider]]
Collects = Callable[[Sequence[Quote]], Awaitable[tuple[Collateral, tuple[str, ...]]]]
"""NVIDIA's collateral for devices, and what of it could not be had."""

_MANIFEST: Final = "manifest"
"""How a missing manifest is named among what could not be had."""
_UNASKED: Final[tuple[str, ...]] = ("manifests: not asked for without a network",)
_SECONDS: Final = 600.0
"""For one platform."""
_TRACE: Final = 4000
_NONCE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one platform did."""

    platform: Platform
    simulated: bool
    error: str = ""
    """Why there is no evidence, or no verdict on it."""
    checks: tuple[Check, ...] = ()
    """The verdict on the evidence."""
    unjudged: tuple[str, ...] = ()
    """What could not be asked, for want of what the vendor publishes."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """For opening, attesting, collecting and verifying, as far as it came."""
    claims: Mapping[str, object] = field(default_factory=dict)
    """What the authenticated evidence says."""
    evidence: tuple[Quote, ...] = ()
    """The evidence itself; public, but it names the chip."""
    challenge: bytes = b""
    """The random data that it is over: user data, nonce and public key, one after the other; of GPUs, the report data."""

    @property
    def ok(self) -> bool:
        """True: there was evidence, and every check of it passed."""
        return not self.error and bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def detail(self) -> str:
        """What went wrong, or what was shown; for people."""
        if self.error:
            return self.error.splitlines()[0]
        failed = "; ".join(f"{check.name}: {check.detail}" for check in self.checks if not check.passed)
        shown = failed or "authentic, fresh, bound to the data asked for"
        return ("SIMULATED, no hardware vouches for anything: " if self.simulated else "") + "; ".join((shown, *self.unjudged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a self-test uses; tests bring fakes."""

    opens: Mapping[Platform, Opens]
    verifiers: Sequence[EvidenceVerifier]
    gpus: NvmlGpus
    gpu_collateral: Collects | None
    """None: without a network."""
    gpu_roots: NvidiaRoots
    now: Callable[[], Millis]
    entropy: Callable[[int], bytes]
    stopwatch: Callable[[], float] = time.perf_counter
    seconds: float = _SECONDS
    """For one platform."""


async def run(found: Sequence[Found], bench: Bench) -> tuple[Trial, ...]:
    """One trial for each platform that is present, GPUs last, chained from the first CPU evidence that held.

    Whatever a platform does, its trial says so, and the others are tried all the same.
    """
    trials: list[Trial] = []
    report_data: bytes | None = None
    present = [each for each in found if each.present]
    for each in present:
        if each.platform is not Platform.NVIDIA:
            trial = await _cpu(each, bench)
            trials.append(trial)
            if trial.ok and not trial.simulated and report_data is None:
                report_data = trial.challenge[:REPORT_DATA_BYTES]
    trials += [await _gpus(each, bench, report_data) for each in present if each.platform is Platform.NVIDIA]
    return tuple(trials)


def exit_code(trials: Sequence[Trial]) -> int:
    """0: every platform found is good; 1: one is not; 3: this machine has none, simulated ones not counted."""
    if any(not trial.ok for trial in trials):
        return 1
    return 0 if any(not trial.simulated for trial in trials) else 3


class _Course:
    """What is known of a trial under way."""

    def __init__(self, found: Found, bench: Bench, challenge: bytes) -> None:
        self._found = found
        self._bench = bench
        self._last = bench.stopwatch()
        self._challenge = challenge
        self._laps: dict[str, float] = {}
        self.evidence: tuple[Quote, ...] = ()
        self.checks: tuple[Check, ...] = ()
        self.unjudged: tuple[str, ...] = ()
        self.claims: Mapping[str, object] = {}

    def lap(self, name: str) -> None:
        now = self._bench.stopwatch()
        self._laps[name] = round(now - self._last, 6)
        self._last = now

    async def through(self, course: Awaitable[None]) -> Trial:
        """The trial, once `course` is through, or failed."""
        error = ""
        try:
            async with asyncio.timeout(self._bench.seconds):
                await course
        except TimeoutError:
            error = f"took longer than {self._bench.seconds:g} s: look at the kernel's log (dmesg)"
        except AttestationError as refused:
            error = f"{type(refused).__name__}: {refused}"
        except Exception as bug:  # noqa: BLE001 - on strange hardware the report has to come back all the same
            error = f"a bug of ours, please send the report: {bug!r}\n{traceback.format_exc()[-_TRACE:]}"
        return Trial(
            platform=self._found.platform, simulated=self._found.simulated, error=error, checks=self.checks, unjudged=self.unjudged,
            seconds=self._laps, claims=self.claims, evidence=self.evidence, challenge=self._challenge,
        )  # fmt: skip


async def _cpu(found: Found, bench: Bench) -> Trial:
    asked = _Asked(bench.entropy(USER_DATA_BYTES), bench.entropy(_NONCE), bench.entropy(_NONCE))
    course = _Course(found, bench, asked.user_data + asked.nonce + asked.public_key)

    async def attempt() -> None:
        async with bench.opens[found.platform]() as provider:
            course.lap("open")
            quote = Quote(provider.media_type, await provider.attest(asked.user_data, asked.nonce, asked.public_key))
            course.evidence = (quote,)
            course.lap("attest")
            at = bench.now()
            try:
                claims = authenticate(quote, bench.verifiers, at, at)
            except EvidenceError as error:
                course.checks = tuple(checklist.authentication_failed(error))
                return
            finally:
                course.lap("verify")
            course.checks = (*checklist.passed_until(None), *asked.compared(claims, provider.measurement), *checklist.vendor_checks(claims))
            course.claims = _said(claims) | {"sealing_key": _sealing(provider), "evidence_bytes": len(quote.content)}

    return await course.through(attempt())


async def _gpus(found: Found, bench: Bench, cpu: bytes | None) -> Trial:
    report_data = bench.entropy(REPORT_DATA_BYTES) if cpu is None else cpu
    course = _Course(found, bench, report_data)

    async def attempt() -> None:
        course.evidence = await bench.gpus.attest(report_data)
        course.lap("attest")
        collateral, missing = Collateral(), _UNASKED
        if bench.gpu_collateral is not None:
            collateral, missing = await bench.gpu_collateral(course.evidence)
            course.lap("collect")
        verdict = verify_gpus(course.evidence, report_data, bench.now(), collateral, roots=bench.gpu_roots)
        course.lap("verify")
        unanswerable = any(each.startswith(_MANIFEST) for each in missing)
        left = {each.name for each in verdict.findings if unanswerable and _wants_manifest(each)}
        course.checks = tuple(Check(each.name, each.passed, each.detail) for each in verdict.findings if each.name not in left)
        alone = () if cpu is not None else ("no CPU's evidence held here, so nobody can count on these GPUs",)
        course.unjudged = (*alone, *(f"{name} not judged" for name in sorted(left)), *(f"missing: {each[:300]}" for each in missing))
        course.claims = {
            "devices": [
                {"model": each.model, "driver": each.driver, "vbios": each.vbios, "hardware_id": each.hardware_id.hex()} for each in verdict.devices
            ]
        }

    return await course.through(attempt())


@dataclass(frozen=True, slots=True)
class _Asked:
    user_data: bytes
    nonce: bytes
    public_key: bytes

    def compared(self, claims: Claims, measurement: bytes) -> tuple[Check, ...]:
        """Whether authentic evidence carries what was asked for, as far as its kind has room."""
        pairs = (
            (CheckName.REPORT_DATA, claims.report_data, self.user_data[:REPORT_DATA_BYTES]),
            (CheckName.NATIVE, claims.native, self.user_data[REPORT_DATA_BYTES:]),
            (CheckName.NONCE, claims.nonce, self.nonce),
            (CheckName.PUBLIC_KEY, claims.public_key, self.public_key),
            (CheckName.MEASUREMENT, claims.measurement, measurement),
        )
        other = "the evidence carries other data than asked for"
        return (checklist.debug_check(claims), *(checklist.equal(name, is_, wanted, other) for name, is_, wanted in pairs if is_ is not None))


def _wants_manifest(finding: GpuFinding) -> bool:
    """Whether `finding` failed for want of a manifest, and not for what the device says of itself."""
    match finding.name:
        case GpuCheck.RIM:
            return not finding.passed
        case GpuCheck.DEBUG:
            # without a manifest nobody can tell; a device that itself says it is in debug mode is another matter
            return not finding.passed and "expected production mode" not in finding.detail
        case _:
            return False


def _sealing(provider: EvidenceProvider) -> str:
    """Whether a key comes twice the same; never the key."""
    try:
        same = provider.sealing_key(provider.measurement) == provider.sealing_key(provider.measurement)
    except AttestationError as error:
        return f"none: {error}"
    if not same:
        raise ProviderError("the sealing key is another at each call: nothing that was sealed could be opened again")
    return "derived, twice the same"


def _said(claims: Claims) -> dict[str, object]:
    return {
        "kind": claims.kind.name,
        "measurement": claims.measurement.hex(),
        "debug": claims.debug,
        "tcb_status": None if claims.tcb_status is None else str(claims.tcb_status),
        "advisories": list(claims.advisories),
        "hardware_id": None if claims.hardware_id is None else claims.hardware_id.hex(),
    }
