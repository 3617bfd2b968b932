"""NVIDIA's management library, played by a module with the functions and structures of nvidia-ml-py that are used."""

import ctypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvidia_pki import AT, ROOTS, Device, manifests
from vendor_services import BOARD

from agent.attestation.collection.errors import ServiceUnreachable
from agent.attestation.errors import ProviderError
from agent.attestation.evidence import Quote
from agent.attestation.intel.quote import pem
from agent.attestation.nvidia import Collateral, verify_gpus
from agent.attestation.providers.devices import COLLATERAL_FILE, GpuEvidence
from agent.attestation.providers.nvml import NvmlGpus

REPORT_DATA = b"\x2b" * 64
RIMS = Collateral(manifests("GH100"))


class Nvml:
    """The bindings of a machine with `devices`."""

    NVML_SUCCESS, NVML_ERROR_NOT_SUPPORTED, NVML_ERROR_FUNCTION_NOT_FOUND = 0, 3, 13
    NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE = 1

    class NVMLError(Exception):
        pass

    class c_nvmlSystemConfComputeSettings_v1_t(ctypes.Structure):
        _fields_ = (("version", ctypes.c_uint), ("environment", ctypes.c_uint), ("ccFeature", ctypes.c_uint), ("devToolsMode", ctypes.c_uint), ("multiGpuMode", ctypes.c_uint))

    def __init__(self, *devices: Device, feature: int = 1, tools: int = 0, environment: int = 2, multi: int = 0, settings: int = 0) -> None:
        self.devices = devices
        self.state = SimpleNamespace(ccFeature=feature, devToolsMode=tools, environment=environment)
        self.multi, self.settings = multi, settings
        self.calls: list[str] = []
        self.fails: str | None = None
        self.nonce: bytes | None = None
        self.size: int | None = None
        self.ending = b"\0"

    def nvmlInit(self) -> None:
        self._called("init")

    def nvmlShutdown(self) -> None:
        self._called("shutdown")

    def nvmlSystemGetConfComputeState(self) -> Any:
        return self.state

    def nvmlSystemGetConfComputeSettings(self, settings: Any) -> int:
        settings._obj.multiGpuMode = self.multi
        return self.settings

    def nvmlDeviceGetCount(self) -> int:
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Device:
        return self.devices[index]

    def nvmlDeviceGetConfComputeGpuAttestationReport(self, device: Device, nonce: bytes) -> Any:
        self._called("report")
        raw = device.report(self.nonce or nonce, opaque=BOARD)
        buffer = (ctypes.c_ubyte * 8192)(*raw)
        return SimpleNamespace(attestationReport=buffer, attestationReportSize=len(raw) if self.size is None else self.size)

    def nvmlDeviceGetConfComputeGpuCertificate(self, device: Device) -> Any:
        text = pem(tuple(reversed(device.chain))).encode() + self.ending
        buffer = (ctypes.c_ubyte * 0x2000)(*text)
        return SimpleNamespace(attestationCertChain=buffer, attestationCertChainSize=len(text))

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.fails == name:
            raise self.NVMLError("Not Supported")


def gpus(nvml: Nvml) -> NvmlGpus:
    return NvmlGpus(lambda: nvml)


async def test_evidence_of_every_gpu_is_accepted_under_the_test_root() -> None:
    nvml = Nvml(Device(), Device(number=2))
    items = await gpus(nvml).attest(REPORT_DATA)
    verdict = verify_gpus(items, REPORT_DATA, AT, RIMS, roots=ROOTS)
    assert verdict.ok, verdict.findings
    assert [device.index for device in verdict.devices] == [0, 1]
    assert nvml.calls[-1] == "shutdown"


@pytest.mark.parametrize("ending", [b"", b"\0", b"\n\0\0", b"\r\n"])
async def test_certificates_are_read_however_the_driver_ends_the_text(ending: bytes) -> None:
    nvml = Nvml(Device())
    nvml.ending = ending
    assert verify_gpus(await gpus(nvml).attest(REPORT_DATA), REPORT_DATA, AT, RIMS, roots=ROOTS).ok


@pytest.mark.parametrize(
    ("nvml", "why"),
    [
        (Nvml(Device(), feature=0), "is off"),
        (Nvml(Device(), tools=1), "developer mode"),
        (Nvml(Device(), environment=1), "simulation, not production"),
        (Nvml(Device(), environment=0), "unavailable, not production"),
        (Nvml(Device(), multi=1), "protected PCIe"),
        (Nvml(), "sees 0 GPUs"),
        (Nvml(*[Device()] * 17), "sees 17 GPUs"),
        (Nvml(Device(), settings=2), "NVML refuses"),
    ],
)
async def test_gpus_that_nobody_would_take_are_refused_by_name(nvml: Nvml, why: str) -> None:
    with pytest.raises(ProviderError, match=why):
        await gpus(nvml).attest(REPORT_DATA)
    assert nvml.calls[-1] == "shutdown"


@pytest.mark.parametrize("settings", [3, 13])
async def test_drivers_that_know_no_multi_gpu_mode_have_none(settings: int) -> None:
    assert await gpus(Nvml(Device(), settings=settings)).attest(REPORT_DATA)


@pytest.mark.parametrize(("fails", "why"), [("init", "is the NVIDIA driver loaded"), ("report", "may not know confidential computing")])
async def test_errors_of_the_library_are_told(fails: str, why: str) -> None:
    nvml = Nvml(Device())
    nvml.fails = fails
    with pytest.raises(ProviderError, match=why):
        await gpus(nvml).attest(REPORT_DATA)


async def test_shutdown_that_fails_hides_nothing() -> None:
    nvml = Nvml(Device(), feature=0)
    nvml.fails = "shutdown"
    with pytest.raises(ProviderError, match="is off"):
        await gpus(nvml).attest(REPORT_DATA)


async def test_report_over_another_nonce_is_not_handed_on() -> None:
    nvml = Nvml(Device())
    nvml.nonce = bytes(32)
    with pytest.raises(ProviderError, match="another nonce"):
        await gpus(nvml).attest(REPORT_DATA)


@pytest.mark.parametrize("size", [0, 9000, 10])
async def test_sizes_that_cannot_be_are_refused(size: int) -> None:
    nvml = Nvml(Device())
    nvml.size = size
    with pytest.raises(ProviderError, match=r"claims|cannot be read"):
        await gpus(nvml).attest(REPORT_DATA)


async def test_bindings_that_are_missing_or_old_say_what_to_install() -> None:
    def missing() -> Any:
        raise ImportError

    with pytest.raises(ProviderError, match=r"enclavia\[nvidia\]"):
        await NvmlGpus(missing).attest(REPORT_DATA)
    with pytest.raises(ProviderError, match="pip install -U"):
        await NvmlGpus(lambda: SimpleNamespace(nvmlInit=None)).attest(REPORT_DATA)


async def everything(_: Any) -> tuple[Collateral, tuple[str, ...]]:
    return RIMS, ()


async def nothing(_: Any) -> tuple[Collateral, tuple[str, ...]]:
    return Collateral(), ("manifest NV_GPU: the service is down",)


async def unreachable(_: Any) -> tuple[Collateral, tuple[str, ...]]:
    raise ServiceUnreachable("no answer")


async def test_evidence_carries_what_nvidia_says_of_its_gpus(tmp_path: Path) -> None:
    attested = await GpuEvidence(gpus(Nvml(Device())), everything, tmp_path).attest(REPORT_DATA)
    assert isinstance(attested.collateral, Quote)
    assert verify_gpus(attested.devices, REPORT_DATA, AT, Collateral(), roots=ROOTS, brought=Collateral.decode(attested.collateral.content)).ok


@pytest.mark.parametrize("now", [nothing, None])
async def test_what_nvidia_said_last_stands_in_where_it_says_nothing_now(tmp_path: Path, now: Any) -> None:
    await GpuEvidence(gpus(Nvml(Device())), everything, tmp_path).attest(REPORT_DATA)
    attested = await GpuEvidence(gpus(Nvml(Device())), now, tmp_path).attest(REPORT_DATA)
    assert attested.collateral is not None
    assert Collateral.decode(attested.collateral.content) == RIMS


@pytest.mark.parametrize("kept", [None, b"spoilt"])
async def test_evidence_that_nobody_could_check_is_not_made(tmp_path: Path, kept: bytes | None) -> None:
    if kept is not None:
        (tmp_path / COLLATERAL_FILE).write_bytes(kept)
    with pytest.raises(ProviderError, match="nobody could check"):
        await GpuEvidence(gpus(Nvml(Device())), nothing, tmp_path).attest(REPORT_DATA)


async def test_service_that_is_down_does_not_end_an_attestation(tmp_path: Path) -> None:
    await GpuEvidence(gpus(Nvml(Device())), everything, tmp_path).attest(REPORT_DATA)
    attested = await GpuEvidence(gpus(Nvml(Device())), unreachable, tmp_path).attest(REPORT_DATA)
    assert attested.collateral is not None
