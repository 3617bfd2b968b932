"""Which platform speaks for a node: what node.toml names, a localnet's file, or the hardware that is there; never a guess."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from amd_pki import MEASUREMENT
from kernel_reports import KernelReports, snp, tdx

from agent.attestation.providers.detect import Platform
from agent.attestation.providers.devices import GpuEvidence
from agent.attestation.providers.machine import Machine
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.cli.platform import PLATFORM_FILE, load_platform, open_platform
from agent.node.config import NodeConfig
from agent.node.errors import ConfigError
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

NODE = (
    '[chain]\nendpoint = "http://127.0.0.1:9000"\n[blobs]\nurl = "http://127.0.0.1:9100"\n[stake]\npool = "0x1"\namount = "1 SUI"\n'
    '[enclave]\nworkload = "sha256-stream"\n'
)


def node(folder: Path, tee: str = "offline = true") -> NodeConfig:
    folder.mkdir(exist_ok=True)
    (folder / NodeConfig.FILE).write_text(f"{NODE}[tee]\n{tee}\n")
    return NodeConfig.load(folder)


def simulated(folder: Path) -> None:
    authority = SimulatedAuthority.create("localnet", Millis(0), Random(1).randbytes)
    (folder / PLATFORM_FILE).write_bytes(authority.platform("node", Millis(0), Random(2).randbytes).encode())


@pytest.fixture
async def snp_guest(tmp_path: Path) -> AsyncIterator[Machine]:
    kernel = KernelReports(tmp_path / "configfs", "sev_guest", snp(), floor=0)
    yield Machine(root=tmp_path / "guest", reports=kernel)
    assert kernel.left == []


async def refused(config: NodeConfig, machine: Machine) -> str:
    with pytest.raises(ConfigError) as caught:
        async with open_platform(config, machine):
            pass
    return str(caught.value)


async def test_a_localnets_file_is_taken_before_hardware_and_says_so(tmp_path: Path, snp_guest: Machine) -> None:
    config = node(tmp_path / "node")
    simulated(config.directory)
    async with open_platform(config, snp_guest) as found:
        assert (found.platform, found.provider.kind) == (Platform.SIMULATED, TeeKind.SIMULATED)
        assert found.survives


async def test_hardware_is_found(tmp_path: Path, snp_guest: Machine) -> None:
    async with open_platform(node(tmp_path / "node"), snp_guest) as found:
        assert (found.platform, found.provider.kind) == (Platform.SEV_SNP, TeeKind.SEV_SNP)
        assert found.provider.measurement == MEASUREMENT
        assert found.devices is None


async def test_the_enclave_is_what_hardware_measured(tmp_path: Path, snp_guest: Machine) -> None:
    from agent.enclave.identity import EnclaveConfig

    async with open_platform(node(tmp_path / "node"), snp_guest) as found:
        launched = await found.launcher.launch(EnclaveConfig("sha256-stream", None))
        try:
            assert launched.measurement == MEASUREMENT
        finally:
            await launched.stop()


async def test_hardware_named_wins_over_a_localnets_file(tmp_path: Path, snp_guest: Machine) -> None:
    config = node(tmp_path / "node", 'platform = "amd-sev-snp"\noffline = true')
    simulated(config.directory)
    async with open_platform(config, snp_guest) as found:
        assert found.platform is Platform.SEV_SNP


async def test_gpus_are_attested_where_they_are_wanted(tmp_path: Path, snp_guest: Machine) -> None:
    async with open_platform(node(tmp_path / "node", "offline = true\ngpus = true"), snp_guest) as found:
        assert isinstance(found.devices, GpuEvidence)


async def test_services_are_asked_unless_told_otherwise(tmp_path: Path, snp_guest: Machine) -> None:
    tee = 'amd_kds = "http://127.0.0.1:1"\nintel_pccs = "http://127.0.0.1:1"'
    async with open_platform(node(tmp_path / "node", tee), snp_guest) as found:
        assert found.provider.kind is TeeKind.SEV_SNP


@pytest.mark.parametrize("name", ["intel_pccs", "amd_kds", "nvidia_rim", "nvidia_ocsp"])
async def test_an_address_that_would_tell_others_what_is_asked_is_refused_at_the_start(tmp_path: Path, snp_guest: Machine, name: str) -> None:
    text = await refused(node(tmp_path / "node", f'{name} = "http://pccs.example"'), snp_guest)
    assert f"tee.{name}" in text
    assert "https" in text


async def test_a_machine_without_any_says_what_was_looked_for(tmp_path: Path) -> None:
    text = await refused(node(tmp_path / "node"), Machine(root=tmp_path / "bare"))
    for word in ("amd-sev-snp", "intel-tdx", "/dev/nsm", "dstack", "docs/hardware.md", PLATFORM_FILE):
        assert word in text


async def test_a_platform_that_is_not_there_is_refused_by_name(tmp_path: Path, snp_guest: Machine) -> None:
    text = await refused(node(tmp_path / "node", 'platform = "intel-tdx"'), snp_guest)
    assert "intel-tdx is not on this machine" in text
    assert "sev_guest" in text


async def test_simulated_without_a_file_is_refused(tmp_path: Path, snp_guest: Machine) -> None:
    assert PLATFORM_FILE in await refused(node(tmp_path / "node", 'platform = "simulated"'), snp_guest)


async def test_a_node_inside_nitro_is_refused_for_its_lack_of_a_network(tmp_path: Path) -> None:
    device = tmp_path / "nitro" / "dev" / "nsm"
    device.parent.mkdir(parents=True)
    device.touch()
    assert "no network" in await refused(node(tmp_path / "node"), Machine(root=tmp_path / "nitro"))


async def test_dstacks_simulator_is_no_hardware(tmp_path: Path) -> None:
    path = tmp_path / "dstack.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        machine = Machine(root=tmp_path / "desk", environment={"DSTACK_SIMULATOR_ENDPOINT": str(path)})
        for tee in ('platform = "dstack"', 'platform = "auto"'):
            text = await refused(node(tmp_path / "node", tee), machine)
            assert "SIMULAT" in text


async def test_tdx_derives_no_key_and_a_guest_key_takes_its_place(tmp_path: Path) -> None:
    root = tmp_path / "guest"
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "mounts").write_text("tmpfs /run tmpfs rw 0 0\n")
    (root / "proc" / "swaps").write_text("Filename\n")
    kernel = KernelReports(tmp_path / "configfs", "tdx_guest", tdx())
    machine = Machine(root=root, reports=kernel)
    config = node(tmp_path / "node")
    keys = []
    for _ in range(2):
        async with open_platform(config, machine) as found:
            assert found.provider.kind is TeeKind.TDX
            assert found.survives
            keys.append(sealing_key(found.launcher, found.provider.measurement))
    assert keys[0] == keys[1]


def sealing_key(launcher: Any, measurement: bytes) -> bytes:
    return launcher._sealing_key(measurement)


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", bytes(70_000)])
def test_a_spoilt_platform_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PLATFORM_FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="not a simulated platform"):
        load_platform(tmp_path)


@pytest.mark.parametrize("tee", ['platform = "sgx"', 'intel_pccs = "ftp://x"', "gpu = true"])
def test_what_the_section_does_not_know_is_refused(tmp_path: Path, tee: str) -> None:
    with pytest.raises(ConfigError, match="tee"):
        node(tmp_path / "node", tee)
