"""Whether this machine makes evidence that anybody's verifier takes: what someone with hardware runs, and sends back.

For each platform found: open its provider, ask for evidence over random data, verify it under the vendor's own roots. No
policy is applied: it says that the evidence is authentic and fresh, not that the code is good.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from agent.attestation.binding import REPORT_DATA_BYTES, USER_DATA_BYTES
from agent.attestation.errors import AttestationError
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import Collateral, GpuCheck, NvidiaRoots, verify_gpus
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.detect import Found, Platform
from agent.attestation.providers.nvml import NvmlGpus
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.units import Millis

Opens = Callable[[], AbstractAsyncContextManager[EvidenceProvider]]
Collects = Callable[[Sequence[Quote]], Awaitable[tuple[Collateral, tuple[str, ...]]]]
"""NVIDIA's collateral for devices, and what of it could not be had."""

_UNJUDGED: Final = frozenset({GpuCheck.RIM, GpuCheck.MEASUREMENTS, GpuCheck.DEBUG, GpuCheck.MODEL})
"""What a missing manifest makes unanswerable; policy, or a verifier with collateral, asks it."""


_SIMULATED: Final = "SIMULATED: no hardware vouches for anything"
_UNASKED: Final[tuple[str, ...]] = ("manifests are not asked for without a network",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one platform did."""

    platform: Platform
    simulated: bool
    ok: bool
    detail: str
    """What went wrong, or what was shown."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """For opening, attesting and verifying."""
    claims: Mapping[str, object] = field(default_factory=dict)
    """What the authenticated evidence says."""
    evidence: tuple[Quote, ...] = ()
    """The evidence itself; public, but it names the chip."""
    challenge: bytes = b""
    """The random data that it is over: user data, nonce and public key, one after the other."""


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


async def run(found: Sequence[Found], bench: Bench) -> tuple[Trial, ...]:
    """One trial for each platform that is present, GPUs last, chained from the first CPU evidence that held."""
    trials: list[Trial] = []
    report_data: bytes | None = None
    for each in found:
        if each.present and each.platform is not Platform.NVIDIA:
            trial = await _cpu(each, bench)
            trials.append(trial)
            if trial.ok and report_data is None:
                report_data = trial.challenge[:REPORT_DATA_BYTES]
    trials += [await _gpus(each, bench, report_data) for each in found if each.present and each.platform is Platform.NVIDIA]
    return tuple(trials)


def exit_code(trials: Sequence[Trial]) -> int:
    """0: every platform found is good; 1: one is not; 3: this machine has none, simulated ones not counted."""
    if any(not trial.ok for trial in trials):
        return 1
    return 0 if any(not trial.simulated for trial in trials) else 3


async def _cpu(found: Found, bench: Bench) -> Trial:
    watch = _Watch(bench.stopwatch)
    user_data, nonce, public_key = bench.entropy(USER_DATA_BYTES), bench.entropy(32), bench.entropy(32)
    challenge = user_data + nonce + public_key
    evidence: tuple[Quote, ...] = ()
    try:
        async with bench.opens[found.platform]() as provider:
            watch.lap("open")
            evidence = (Quote(provider.media_type, await provider.attest(user_data, nonce, public_key)),)
            watch.lap("attest")
            claims = _verifier(evidence[0].media_type, bench.verifiers).authenticate(evidence[0].content, bench.now())
            watch.lap("verify")
            faults = _faults(claims, provider, user_data, nonce, public_key)
            sealing = _sealing(provider)
    except AttestationError as error:
        return Trial(
            platform=found.platform, simulated=found.simulated, ok=False, detail=f"{type(error).__name__}: {error}",
            seconds=watch.laps, evidence=evidence, challenge=challenge,
        )  # fmt: skip
    return Trial(
        platform=found.platform,
        simulated=found.simulated,
        ok=not faults,
        detail="; ".join(faults) or (_SIMULATED if found.simulated else "authentic, fresh, bound to the data asked for"),
        seconds=watch.laps,
        claims=_said(claims) | {"sealing_key": sealing, "evidence_bytes": len(evidence[0].content)},
        evidence=evidence,
        challenge=challenge,
    )


async def _gpus(found: Found, bench: Bench, cpu: bytes | None) -> Trial:
    watch = _Watch(bench.stopwatch)
    report_data = bench.entropy(REPORT_DATA_BYTES) if cpu is None else cpu
    items: tuple[Quote, ...] = ()
    try:
        items = await bench.gpus.attest(report_data)
        watch.lap("attest")
        collateral, missing = Collateral(), _UNASKED
        if bench.gpu_collateral is not None:
            collateral, missing = await bench.gpu_collateral(items)
            watch.lap("collect")
        verdict = verify_gpus(items, report_data, bench.now(), collateral, roots=bench.gpu_roots)
        watch.lap("verify")
    except AttestationError as error:
        return Trial(
            platform=found.platform, simulated=False, ok=False, detail=f"{type(error).__name__}: {error}",
            seconds=watch.laps, evidence=items, challenge=report_data,
        )  # fmt: skip
    unjudged = _UNJUDGED if missing else frozenset[GpuCheck]()
    faults = [f"{each.name}: {each.detail}" for each in verdict.findings if not each.passed and each.name not in unjudged]
    alone = "" if cpu is not None else "; no CPU evidence here, so nobody can count on these GPUs"
    left = f"; not judged: {', '.join(sorted(unjudged))} ({'; '.join(missing)[:400]})" if unjudged else ""
    devices = [{"model": each.model, "driver": each.driver, "vbios": each.vbios, "hardware_id": each.hardware_id.hex()} for each in verdict.devices]
    return Trial(
        platform=found.platform,
        simulated=False,
        ok=not faults,
        detail=("; ".join(faults) or f"{len(items)} GPUs, authentic and fresh") + alone + left,
        seconds=watch.laps,
        claims={"devices": devices},
        evidence=items,
        challenge=report_data,
    )


class _Watch:
    def __init__(self, read: Callable[[], float]) -> None:
        self._read = read
        self._last = read()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = self._read()
        self.laps[name] = round(now - self._last, 6)
        self._last = now


def _verifier(media_type: str, verifiers: Sequence[EvidenceVerifier]) -> EvidenceVerifier:
    return next(each for each in verifiers if each.media_type == media_type)


def _faults(claims: Claims, provider: EvidenceProvider, user_data: bytes, nonce: bytes, public_key: bytes) -> list[str]:
    native = user_data[REPORT_DATA_BYTES:]
    pairs = (
        ("report data", claims.report_data, user_data[:REPORT_DATA_BYTES]),
        ("native digest", claims.native, None if claims.native is None else native),
        ("nonce", claims.nonce, None if claims.nonce is None else nonce),
        ("public key", claims.public_key, None if claims.public_key is None else public_key),
        ("measurement", claims.measurement, provider.measurement),
    )
    faults = [f"the evidence carries another {name} than asked for" for name, is_, wanted in pairs if is_ != wanted]
    if claims.debug:
        faults.append("in debug mode: the operator can look inside")
    return faults


def _sealing(provider: EvidenceProvider) -> str:
    """Whether a key comes twice the same; never the key."""
    try:
        same = provider.sealing_key(provider.measurement) == provider.sealing_key(provider.measurement)
    except AttestationError as error:
        return f"none: {error}"
    return "derived, twice the same" if same else "DIFFERENT at each call: nothing sealed could be opened"


def _said(claims: Claims) -> dict[str, object]:
    return {
        "kind": claims.kind.name,
        "measurement": claims.measurement.hex(),
        "debug": claims.debug,
        "tcb_status": claims.tcb_status,
        "advisories": list(claims.advisories),
        "hardware_id": None if claims.hardware_id is None else claims.hardware_id.hex(),
    }
