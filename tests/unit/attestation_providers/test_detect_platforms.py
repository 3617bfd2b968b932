"""Which platforms a machine has, with the reason; nothing is guessed, and a simulator is never hardware."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel_reports import KernelReports, snp, tdx

from agent.attestation.errors import ProviderError
from agent.attestation.providers.detect import Found, Platform, detect, preferred
from agent.attestation.providers.machine import Machine

AZURE = "7783-7084-3265-9085-8269-3286-77"


def file(root: Path, path: str, content: str = "") -> None:
    there = root / path.lstrip("/")
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text(content)


async def found(machine: Machine) -> dict[Platform, Found]:
    return {each.platform: each for each in await detect(machine)}


async def present(machine: Machine) -> set[Platform]:
    return {platform for platform, each in (await found(machine)).items() if each.present}


async def test_bare_machine_has_none_and_says_what_was_looked_for(tmp_path: Path) -> None:
    there = await found(Machine(root=tmp_path))
    assert not any(each.present for each in there.values())
    assert "Linux 6.7" in there[Platform.TDX].reason
    assert "/dev/nsm" in there[Platform.NITRO].reason
    with pytest.raises(ProviderError, match=r"docs/hardware\.md"):
        preferred(tuple(there.values()))


@pytest.mark.parametrize(("provider", "makes", "platform"), [("tdx_guest", tdx(), Platform.TDX), ("sev_guest", snp(), Platform.SEV_SNP)])
async def test_kernel_says_which_guest_this_is(tmp_path: Path, provider: str, makes: object, platform: Platform) -> None:
    kernel = KernelReports(tmp_path / "configfs", provider, makes)
    there = await found(Machine(root=tmp_path, reports=kernel))
    assert {each for each, what in there.items() if what.present} == {platform}
    assert provider in there[platform].reason
    assert kernel.left == []


async def test_guest_driver_of_another_architecture_is_none_of_ours(tmp_path: Path) -> None:
    assert await present(Machine(root=tmp_path, reports=KernelReports(tmp_path / "configfs", "arm_cca_guest", tdx()))) == set()


async def test_devices_are_told_by_their_names(tmp_path: Path) -> None:
    file(tmp_path, "/dev/nsm")
    file(tmp_path, "/dev/nvidiactl")
    assert await present(Machine(root=tmp_path)) == {Platform.NITRO, Platform.NVIDIA}


@pytest.mark.parametrize(("tag", "tpm", "there"), [(AZURE, True, True), (AZURE, False, False), ("Dell", True, False), (None, True, False)])
async def test_azure_is_told_by_its_tag_and_its_tpm(tmp_path: Path, tag: str | None, tpm: bool, there: bool) -> None:
    if tag:
        file(tmp_path, "/sys/class/dmi/id/chassis_asset_tag", f"{tag}\n")
    if tpm:
        file(tmp_path, "/dev/tpmrm0")
    assert (Platform.AZURE in await present(Machine(root=tmp_path))) is there


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "run" / "dstack.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield path


async def test_dstack_is_told_by_its_socket(tmp_path: Path, listening: Path) -> None:
    there = (await found(Machine(root=tmp_path)))[Platform.DSTACK]
    assert there.present
    assert str(listening) in there.reason
    assert not there.simulated


async def test_file_in_place_of_dstacks_socket_is_none(tmp_path: Path) -> None:
    file(tmp_path, "/run/dstack.sock")
    assert await present(Machine(root=tmp_path)) == set()


async def test_dstacks_simulator_is_found_and_called_simulated(tmp_path: Path, listening: Path) -> None:
    there = (await found(Machine(root=tmp_path / "desk", environment={"DSTACK_SIMULATOR_ENDPOINT": f"unix://{listening}"})))[Platform.DSTACK]
    assert (there.present, there.simulated) == (True, True)
    assert "SIMULATED" in there.reason
    with pytest.raises(ProviderError):
        preferred((there,))


def test_of_several_platforms_the_one_that_measures_the_application_is_preferred() -> None:
    several = tuple(Found(platform, True, "") for platform in (Platform.TDX, Platform.DSTACK, Platform.NVIDIA))
    assert preferred(several) is Platform.DSTACK
    assert preferred((Found(Platform.SEV_SNP, True, ""), Found(Platform.AZURE, True, ""))) is Platform.AZURE
    with pytest.raises(ProviderError):
        preferred((Found(Platform.NVIDIA, True, "a GPU vouches for no enclave"),))
