"""What someone with hardware runs: evidence is made and judged on every platform, and a report of it comes back whatever happens."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kernel_reports import KernelReports, snp, tdx
from nvidia_pki import ROOTS, Device, manifests
from provider_world import VERIFIERS, TestEndorser
from synthetic_world import AT
from test_nvml_gpus import Nvml

from agent.attestation.errors import ProviderError
from agent.attestation.nvidia import Collateral
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.detect import Found, Platform, detect
from agent.attestation.providers.machine import Machine
from agent.attestation.providers.nvml import NvmlGpus
from agent.attestation.providers.opening import opens
from agent.attestation.providers.selftest import Bench, Trial, exit_code, run
from agent.attestation.simulated_platform import SimulatedAuthority

REPOSITORY = Path(__file__).parents[3]
SNP, TDX, GPU = Found(Platform.SEV_SNP, True, ""), Found(Platform.TDX, True, ""), Found(Platform.NVIDIA, True, "")


def bench(opened: dict[Platform, Any], **changes: Any) -> Bench:
    async def rims(_: Any) -> tuple[Collateral, tuple[str, ...]]:
        return Collateral(manifests("GH100")), ()

    known: dict[str, Any] = {
        "opens": opened, "verifiers": VERIFIERS, "gpus": NvmlGpus(lambda: Nvml(Device())), "gpu_collateral": rims, "gpu_roots": ROOTS,
        "now": lambda: AT, "entropy": Random(1).randbytes,
    }  # fmt: skip
    return Bench(**known | changes)


def guest(tmp_path: Path, provider: str = "sev_guest", makes: Any = None) -> tuple[dict[Platform, Any], KernelReports]:
    kernel = KernelReports(tmp_path / "configfs", provider, makes or snp(), floor=0 if provider == "sev_guest" else None)
    return dict(opens(Machine(root=tmp_path, reports=kernel), TestEndorser(), lambda: AT)), kernel


async def tried(found: list[Found], of: Bench) -> tuple[Trial, ...]:
    return await run(found, of)


async def test_good_platform_is_said_to_be_good(tmp_path: Path) -> None:
    opened, kernel = guest(tmp_path)
    (trial,) = trials = await tried([SNP], bench(opened))
    assert trial.ok, trial.detail
    assert exit_code(trials) == 0
    assert trial.seconds.keys() == {"open", "attest", "verify"}
    assert trial.claims["kind"] == "SEV_SNP"
    assert kernel.left == []


async def test_gpus_are_chained_from_the_cpu_that_held(tmp_path: Path) -> None:
    opened, _ = guest(tmp_path)
    cpu, gpu = await tried([SNP, GPU], bench(opened))
    assert gpu.ok, gpu.detail
    assert gpu.challenge == cpu.challenge[:64]
    assert "no CPU" not in gpu.detail


async def test_gpus_without_a_cpu_are_told_to_count_for_nobody(tmp_path: Path) -> None:
    (gpu,) = await tried([GPU], bench({}))
    assert "nobody can count on these GPUs" in gpu.detail


async def test_gpus_without_a_network_are_judged_as_far_as_they_can_be(tmp_path: Path) -> None:
    (gpu,) = await tried([GPU], bench({}, gpu_collateral=None))
    assert gpu.ok
    assert "gpu-rim not judged" in gpu.detail


async def test_platform_that_fails_says_why_and_stops_no_other(tmp_path: Path) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[EvidenceProvider]:
        raise ProviderError("the device is on fire")
        yield

    opened, _ = guest(tmp_path)
    first, second = trials = await tried([TDX, SNP], bench(opened | {Platform.TDX: broken}))
    assert (first.ok, second.ok) == (False, True)
    assert "on fire" in first.detail
    assert exit_code(trials) == 1


async def test_evidence_of_another_vendor_root_fails_by_the_roots_name(tmp_path: Path) -> None:
    from agent.attestation.verify import HARDWARE

    opened, _ = guest(tmp_path)
    (trial,) = await tried([SNP], bench(opened, verifiers=HARDWARE))
    assert not trial.ok
    assert "root" in trial.detail
    assert trial.evidence, "what was made is sent back all the same"


async def test_bug_of_ours_comes_back_with_its_trace(tmp_path: Path) -> None:
    @asynccontextmanager
    async def buggy() -> AsyncIterator[EvidenceProvider]:
        raise KeyError("oops")
        yield

    (trial,) = await tried([TDX], bench({Platform.TDX: buggy}))
    assert "a bug of ours" in trial.error
    assert "KeyError" in trial.error


async def test_platform_that_hangs_is_given_up(tmp_path: Path) -> None:
    @asynccontextmanager
    async def hanging() -> AsyncIterator[EvidenceProvider]:
        await asyncio.Event().wait()
        yield

    opened, _ = guest(tmp_path)
    first, second = await tried([TDX, SNP], bench(opened | {Platform.TDX: hanging}, seconds=0.2))
    assert "took longer" in first.detail
    assert second.ok


async def test_cancelled_selftest_leaves_no_report_in_the_kernel(tmp_path: Path) -> None:
    opened, kernel = guest(tmp_path, "tdx_guest", tdx())
    running = asyncio.ensure_future(tried([TDX], bench(opened)))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert kernel.left == []


async def test_simulated_platform_is_good_and_counts_as_none(tmp_path: Path) -> None:
    from agent.attestation.simulated import SimulatedVerifier

    authority = SimulatedAuthority.create("localnet", AT, Random(1).randbytes)
    platform = authority.platform("node", AT, Random(2).randbytes)
    opened = opens(Machine(root=tmp_path), TestEndorser(), lambda: AT, platform)
    found = Found(Platform.SIMULATED, True, "given", simulated=True)
    (trial,) = trials = await tried([found], bench(dict(opened), verifiers=(SimulatedVerifier(authority.root),)))
    assert trial.ok, trial.detail
    assert trial.detail.startswith("SIMULATED")
    assert exit_code(trials) == 3


def enclavia(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "agent.cli.main", "attest", "selftest", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    return done.returncode, done.stdout


async def hardware_here() -> bool:
    return any(each.present for each in await detect())


async def test_command_on_a_machine_without_hardware_exits_with_3_and_reports_what_it_looked_for(tmp_path: Path) -> None:
    if await hardware_here():
        pytest.skip("this machine has hardware: run `enclavia attest selftest` by hand")
    code, told = enclavia("--json", "--offline", "--out", str(tmp_path / "report.json"))
    report = json.loads(told)
    assert code == report["exit_code"] == 3
    assert json.loads((tmp_path / "report.json").read_text())["found"] == report["found"]
    assert {each["platform"] for each in report["found"]} == {platform.value for platform in Platform} - {"SIMULATED"}
    assert all(each["reason"] for each in report["found"])


async def test_commands_report_names_no_secret(tmp_path: Path) -> None:
    if await hardware_here():
        pytest.skip("this machine has hardware: run `enclavia attest selftest` by hand")
    from agent.protocol.units import Millis

    now = Millis(time.time_ns() // 1_000_000)
    authority = SimulatedAuthority.create("localnet", now, Random(1).randbytes)
    platform = authority.platform("node", now, Random(2).randbytes)
    (tmp_path / "platform.cbor").write_bytes(platform.encode())
    code, told = enclavia("--json", "--offline", "--simulated", str(tmp_path / "platform.cbor"))
    (trial,) = json.loads(told)["trials"]
    assert (code, trial["ok"], trial["simulated"]) == (3, True, True)
    assert json.loads(told)["simulated"] is True
    assert platform.sealing_key(bytes(48)).hex() not in told
    assert bytes(platform.encode()).hex() not in told


async def test_command_prints_for_people_too() -> None:
    if await hardware_here():
        pytest.skip("this machine has hardware: run `enclavia attest selftest` by hand")
    code, told = enclavia("--offline")
    assert code == 3
    assert "no platform of hardware on this machine" in told
    assert "docs/hardware.md" in told
