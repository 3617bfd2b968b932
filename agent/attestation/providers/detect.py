"""Which platforms this machine has, each with the reason why it is thought to be there or not. Nothing is trusted here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from agent.attestation.errors import ProviderError
from agent.attestation.providers.dstack import SIMULATOR, SOCKETS
from agent.attestation.providers.nsm import DEVICE as NSM
from agent.attestation.providers.tsm import SNP_PROVIDER, TDX_PROVIDER, Tsm
from agent.attestation.providers.tsm_fs import REPORTS, ConfigFs


class Platform(StrEnum):
    """What may make evidence here; the value is what people and reports read."""

    TDX = "intel-tdx"
    SEV_SNP = "amd-sev-snp"
    NITRO = "aws-nitro"
    DSTACK = "dstack"
    AZURE = "azure-vtpm"
    NVIDIA = "nvidia-gpu"
    SIMULATED = "SIMULATED"


@dataclass(frozen=True, slots=True)
class Found:
    """One platform and whether it is here."""

    platform: Platform
    present: bool
    reason: str
    """What was seen, or missed."""
    simulated: bool = False
    """True: no hardware vouches for anything here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is looked at; the defaults are this machine."""

    root: Path = Path("/")
    environment: Mapping[str, str] | None = None
    tsm: Tsm | None = None

    def at(self, path: Path) -> Path:
        """`path`, absolute, below `root`."""
        return self.root / path.relative_to("/")


_AZURE_TAG: Final = "7783-7084-3265-9085-8269-3286-77"
"""The chassis tag of every machine on Azure."""
_TAG: Final = Path("/sys/class/dmi/id/chassis_asset_tag")
_TPM: Final = Path("/dev/tpmrm0")
_GPU: Final = Path("/dev/nvidiactl")


async def detect(machine: Machine | None = None) -> tuple[Found, ...]:
    """Every platform of hardware, in the order of `Platform`."""
    machine = machine or Machine()
    provider, why = await _tsm(machine)
    return (
        Found(Platform.TDX, provider == TDX_PROVIDER, why),
        Found(Platform.SEV_SNP, provider == SNP_PROVIDER, why),
        _device(Platform.NITRO, machine, NSM),
        _dstack(machine),
        _azure(machine),
        _device(Platform.NVIDIA, machine, _GPU),
    )


def dstack_socket(machine: Machine) -> Path | None:
    """Where dstack's guest agent listens, or its simulator; None if nowhere."""
    simulator = (machine.environment or {}).get(SIMULATOR, "")
    if simulator:
        return Path(simulator.removeprefix("unix://"))
    return next((machine.at(path) for path in SOCKETS if machine.at(path).is_socket()), None)


async def _tsm(machine: Machine) -> tuple[str, str]:
    reports = machine.at(REPORTS)
    if machine.tsm is None and not reports.is_dir():
        return "", f"no {reports}: needs Linux 6.7 or later in a confidential guest, its guest driver loaded, configfs mounted"
    try:
        provider = await (machine.tsm or Tsm(ConfigFs(reports))).provider()
    except ProviderError as error:
        return "", str(error)
    return provider, f"the kernel's reports come from {provider!r}"


def _device(platform: Platform, machine: Machine, path: Path) -> Found:
    there = machine.at(path).exists()
    return Found(platform, there, f"{path} exists" if there else f"no {path}")


def _dstack(machine: Machine) -> Found:
    socket = dstack_socket(machine)
    if socket is None:
        return Found(Platform.DSTACK, present=False, reason=f"no socket at {', '.join(map(str, SOCKETS))}")
    if (machine.environment or {}).get(SIMULATOR):
        return Found(Platform.DSTACK, present=True, reason=f"{SIMULATOR} names {socket}: SIMULATED", simulated=True)
    return Found(Platform.DSTACK, present=True, reason=f"{socket} listens")


def _azure(machine: Machine) -> Found:
    try:
        tag = machine.at(_TAG).read_text(errors="replace").strip()
    except OSError:
        tag = ""
    if tag != _AZURE_TAG:
        return Found(Platform.AZURE, present=False, reason="the chassis tag is not Azure's")
    there = machine.at(_TPM).exists()
    return Found(Platform.AZURE, there, f"Azure's chassis tag, and {_TPM} exists" if there else f"on Azure, but no {_TPM}: no confidential machine")
