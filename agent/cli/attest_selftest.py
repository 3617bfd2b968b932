"""`enclavia attest selftest`: makes and verifies evidence on every platform of the machine that it runs on."""

import asyncio
import base64
import json
import os
import platform as python_platform
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.attest_services import KDS, OCSP, PCCS, RIM, check_addresses, client, services
from agent.cli.printing import printable
from agent.cli.user_files import read_regular, write_regular

if TYPE_CHECKING:
    from agent.attestation.collection.collector import Services
    from agent.attestation.providers.detect import Found
    from agent.attestation.providers.endorser import Endorser
    from agent.attestation.providers.machine import Machine
    from agent.attestation.providers.selftest import Bench, Trial
    from agent.protocol.units import Millis

FORMAT: Final = "enclavia-selftest/1"
_MAX_PLATFORM: Final = 64 * 1024

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def selftest(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the report goes, to be sent back: no secrets, but the chip's id.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no vendor's service; evidence that needs one fails.")] = False,
    simulated: Annotated[Path | None, typer.Option("--simulated", help="Try this platform of a localnet too. It counts as none.")] = None,
    intel_pccs: PCCS = None,
    amd_kds: KDS = None,
    nvidia_rim: RIM = None,
    nvidia_ocsp: OCSP = None,
    as_json: JSON = False,
) -> None:
    """Make and verify evidence on every platform of this machine. Exit code 0: all are good; 1: one failed; 3: there is none."""
    from agent.attestation.providers.selftest import exit_code  # noqa: PLC0415 - loads only where it is needed

    check_addresses(intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp)
    found, trials = asyncio.run(_selftest(offline, simulated, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp))
    code = exit_code(trials)
    report = _report(found, trials, code)
    if out is not None:
        write_regular(out, json.dumps(report, indent=1).encode() + b"\n", "--out")
    if as_json:
        typer.echo(json.dumps(report))
    else:
        typer.echo("\n".join(_lines(found, trials, code, out)))
    raise typer.Exit(code)


async def _selftest(
    offline: bool, simulated: Path | None, intel_pccs: str | None, amd_kds: str | None, nvidia_rim: str | None, nvidia_ocsp: str | None
) -> "tuple[tuple[Found, ...], tuple[Trial, ...]]":
    from agent.attestation.providers.detect import Found, Platform, detect  # noqa: PLC0415
    from agent.attestation.providers.machine import Machine  # noqa: PLC0415
    from agent.attestation.providers.selftest import run  # noqa: PLC0415

    machine = Machine(environment=os.environ)
    found = await detect(machine)
    if simulated is not None:
        found = (*found, Found(Platform.SIMULATED, present=True, reason=f"{simulated} was given: SIMULATED", simulated=True))
    async with client() as asking:
        asked = None if offline else services(asking, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp)
        return found, await run(found, _bench(machine, asked, simulated))


def _bench(machine: "Machine", asked: "Services | None", simulated: Path | None) -> "Bench":
    from agent.attestation.collection.endorser import NetworkEndorser  # noqa: PLC0415
    from agent.attestation.nvidia import NVIDIA_ROOTS  # noqa: PLC0415
    from agent.attestation.providers.endorser import HostEndorser  # noqa: PLC0415
    from agent.attestation.providers.nvml import NvmlGpus  # noqa: PLC0415
    from agent.attestation.providers.opening import opens  # noqa: PLC0415
    from agent.attestation.providers.selftest import Bench  # noqa: PLC0415
    from agent.attestation.simulated import SimulatedVerifier  # noqa: PLC0415
    from agent.attestation.simulated_platform import SimulatedPlatform  # noqa: PLC0415
    from agent.attestation.verify import HARDWARE  # noqa: PLC0415

    endorser: Endorser = HostEndorser() if asked is None else NetworkEndorser(asked.intel, asked.amd)
    pretended = None if simulated is None else SimulatedPlatform.decode(read_regular(simulated, "--simulated", _MAX_PLATFORM))
    return Bench(
        opens=opens(machine, endorser, _now, pretended),
        verifiers=(*HARDWARE, *(() if pretended is None else (SimulatedVerifier(pretended.chain[0]),))),
        gpus=NvmlGpus(),
        gpu_collateral=None if asked is None else asked.nvidia.collateral,
        gpu_roots=NVIDIA_ROOTS,
        now=_now,
        entropy=secrets.token_bytes,
    )


def _report(found: "Sequence[Found]", trials: "Sequence[Trial]", code: int) -> dict[str, object]:
    """What is sent back: no secrets, but ids of chips and the evidence itself, which is public by nature."""
    return {
        "format": FORMAT,
        "at_ms": _now(),
        "exit_code": code,
        "simulated": any(trial.simulated for trial in trials),
        "system": {"kernel": python_platform.release(), "machine": python_platform.machine(), "python": python_platform.python_version()},
        "found": [
            {"platform": each.platform.value, "present": each.present, "simulated": each.simulated, "reason": each.reason} for each in found
        ],
        "trials": [
            {
                "platform": trial.platform.value,
                "simulated": trial.simulated,
                "ok": trial.ok,
                "detail": trial.detail,
                "seconds": dict(trial.seconds),
                "checks": [{"name": check.name.value, "passed": check.passed, "detail": check.detail} for check in trial.checks],
                "unjudged": list(trial.unjudged),
                "error": trial.error,
                "claims": dict(trial.claims),
                "challenge": trial.challenge.hex(),
                "evidence": [{"type": str(each.media_type), "content": base64.b64encode(each.content).decode()} for each in trial.evidence],
            }
            for trial in trials
        ],
    }


def _lines(found: "Sequence[Found]", trials: "Sequence[Trial]", code: int, out: Path | None) -> list[str]:
    lines = [f"{'found' if each.present else '  -  '}  {each.platform.value:12} {each.reason}" for each in found]
    for trial in trials:
        times = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in trial.seconds.items())
        lines.append(f"{'GOOD ' if trial.ok else 'FAIL '}  {trial.platform.value:12} {trial.detail}{f' ({times})' if times else ''}")
    lines.append({0: "all platforms found are good", 1: "a platform failed", 3: "no platform of hardware on this machine"}[code])
    lines.append(f"{'write a report with --out' if out is None else f'report in {out}'}; docs/hardware.md says where to send it")
    return list(map(printable, lines))


def _now() -> "Millis":
    from agent.protocol.units import Millis  # noqa: PLC0415

    return Millis(int(datetime.now(UTC).timestamp() * 1000))
