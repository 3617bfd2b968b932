"""`enclavia attest selftest` and `enclavia attest collateral`: what runs on the machine itself, and what asks the vendors."""

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

if TYPE_CHECKING:
    import httpx

    from agent.attestation.collection.collector import Services
    from agent.attestation.collection.index import Index
    from agent.attestation.providers.detect import Found, Machine
    from agent.attestation.providers.endorser import Endorser
    from agent.attestation.providers.selftest import Bench, Trial
    from agent.protocol.units import Millis

FORMAT: Final = "enclavia-selftest/1"
_SECONDS: Final = 30.0
_MAX_PLATFORM: Final = 64 * 1024
_CLOSE: Final = 4096
"""Bytes read beyond the limit, so that a larger file is refused as such and not cut."""

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
PCCS = Annotated[str | None, typer.Option("--intel-pccs", help="A cache of Intel's service, https://…; Intel's own, if not given.")]
KDS = Annotated[str | None, typer.Option("--amd-kds", help="AMD's key distribution service, or a mirror.")]
RIM = Annotated[str | None, typer.Option("--nvidia-rim", help="NVIDIA's service of manifests, or a mirror.")]
OCSP = Annotated[str | None, typer.Option("--nvidia-ocsp", help="NVIDIA's OCSP service, or a mirror.")]


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

    found, trials = asyncio.run(_selftest(offline, simulated, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp))
    code = exit_code(trials)
    report = _report(found, trials, code)
    if out is not None:
        try:
            out.write_text(json.dumps(report, indent=1) + "\n")
        except OSError as error:
            raise typer.BadParameter(f"{out} cannot be written: {error.strerror}", param_hint="--out") from None
    if as_json:
        typer.echo(json.dumps(report))
    else:
        typer.echo("\n".join(_lines(found, trials, code, out)))
    raise typer.Exit(code)


def collateral(
    file: Annotated[Path, typer.Argument(help="Evidence: ours, or a vendor's own file.")],
    store: Annotated[Path, typer.Option("--store", help="The directory of the archive; made if missing.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write our evidence again, with what was collected inside.")] = None,
    intel_pccs: PCCS = None,
    amd_kds: KDS = None,
    nvidia_rim: RIM = None,
    nvidia_ocsp: OCSP = None,
    as_json: JSON = False,
) -> None:
    """Keep what an audit of FILE will need. Exit code 0: all of it; 1: something is missing, and the index says what."""
    from agent.attestation.collection.collector import Collector  # noqa: PLC0415
    from agent.attestation.collection.index import Store  # noqa: PLC0415
    from agent.attestation.collection.replay import replayed  # noqa: PLC0415
    from agent.attestation.raw import MAX_FILE  # noqa: PLC0415

    data = _content(file, MAX_FILE + _CLOSE)
    kept = Store(store)

    async def collect() -> "Index":
        async with _client() as client:
            return await Collector(_services(client, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp), kept, _now).collect(data)

    index = asyncio.run(collect())
    if out is not None:
        out.write_bytes(replayed(data, index, kept.archive))
    if as_json:
        typer.echo(index.encode().decode().strip())
    else:
        for item in index.items:
            typer.echo(f"kept     {item.role:18} {item.size:7} bytes  {item.digest[:16]}  {item.source}")
        for each in index.missing:
            typer.echo(f"MISSING  {each}")
        if not index.items and not index.missing:
            typer.echo("nothing to collect: evidence of this kind brings its whole chain")
        typer.echo(f"store    {store}, evidence {index.evidence}")
    raise typer.Exit(1 if index.missing else 0)


async def _selftest(
    offline: bool, simulated: Path | None, intel_pccs: str | None, amd_kds: str | None, nvidia_rim: str | None, nvidia_ocsp: str | None
) -> "tuple[tuple[Found, ...], tuple[Trial, ...]]":
    from agent.attestation.providers.detect import Found, Machine, Platform, detect  # noqa: PLC0415
    from agent.attestation.providers.selftest import run  # noqa: PLC0415

    machine = Machine(environment=os.environ)
    found = await detect(machine)
    if simulated is not None:
        found = (*found, Found(Platform.SIMULATED, present=True, reason=f"{simulated} was given: SIMULATED", simulated=True))
    async with _client() as client:
        services = None if offline else _services(client, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp)
        return found, await run(found, _bench(machine, services, simulated))


def _bench(machine: "Machine", services: "Services | None", simulated: Path | None) -> "Bench":
    from agent.attestation.collection.endorser import NetworkEndorser  # noqa: PLC0415
    from agent.attestation.nvidia import NVIDIA_ROOTS  # noqa: PLC0415
    from agent.attestation.providers.endorser import HostEndorser  # noqa: PLC0415
    from agent.attestation.providers.nvml import NvmlGpus  # noqa: PLC0415
    from agent.attestation.providers.opening import opens  # noqa: PLC0415
    from agent.attestation.providers.selftest import Bench  # noqa: PLC0415
    from agent.attestation.simulated import SimulatedVerifier  # noqa: PLC0415
    from agent.attestation.simulated_platform import SimulatedPlatform  # noqa: PLC0415
    from agent.attestation.verify import HARDWARE  # noqa: PLC0415

    endorser: Endorser = HostEndorser() if services is None else NetworkEndorser(services.intel, services.amd)
    pretended = None if simulated is None else SimulatedPlatform.decode(_content(simulated, _MAX_PLATFORM))
    return Bench(
        opens=opens(machine, endorser, _now, pretended),
        verifiers=(*HARDWARE, *(() if pretended is None else (SimulatedVerifier(pretended.chain[0]),))),
        gpus=NvmlGpus(),
        gpu_collateral=None if services is None else services.nvidia.collateral,
        gpu_roots=NVIDIA_ROOTS,
        now=_now,
        entropy=secrets.token_bytes,
    )


def _services(
    client: "httpx.AsyncClient", intel_pccs: str | None, amd_kds: str | None, nvidia_rim: str | None, nvidia_ocsp: str | None
) -> "Services":
    from agent.attestation.collection import amd, intel, nvidia  # noqa: PLC0415
    from agent.attestation.collection.collector import Services  # noqa: PLC0415
    from agent.attestation.collection.fetcher import Fetcher  # noqa: PLC0415

    fetcher = Fetcher(client)
    return Services(
        intel=intel.IntelService(fetcher, intel_pccs or intel.PCS),
        amd=amd.AmdService(fetcher, amd_kds or amd.KDS),
        nvidia=nvidia.NvidiaService(fetcher, nvidia_rim or nvidia.RIM_SERVICE, nvidia_ocsp or nvidia.OCSP_SERVICE),
    )


def _client() -> "httpx.AsyncClient":
    import httpx  # noqa: PLC0415

    return httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False)


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
    # what a device says must not move the cursor
    return ["".join(character if character.isprintable() else "?" for character in line) for line in lines]


def _content(file: Path, limit: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(limit)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None


def _now() -> "Millis":
    from agent.protocol.units import Millis  # noqa: PLC0415

    return Millis(int(datetime.now(UTC).timestamp() * 1000))
