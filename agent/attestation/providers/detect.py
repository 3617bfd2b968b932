"""Which platforms this machine has, each with the reason why it is thought to be there or not. Nothing is trusted here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from agent.attestation.errors import ProviderError
from agent.attestation.providers.dstack import SIMULATOR, SOCKETS
from agent.attestation.providers.machine import Machine
from agent.attestation.providers.nsm import DEVICE as NSM
from agent.attestation.providers.tpm_tools import DEVICE as TPM
from agent.attestation.providers.tsm import SNP_PROVIDER, TDX_PROVIDER
from agent.attestation.providers.tsm_fs import REPORTS


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


_AZURE_TAG: Final = "7783-7084-3265-9085-8269-3286-77"
"""The chassis tag of every machine on Azure."""
_TAG: Final = Path("/sys/class/dmi/id/chassis_asset_tag")
_GPU: Final = Path("/dev/nvidiactl")

PREFERRED: Final = (Platform.NITRO, Platform.DSTACK, Platform.AZURE, Platform.SEV_SNP, Platform.TDX)
"""Which platform speaks for an enclave where there are several: dstack before the TDX below it, because it measures the
application and derives keys; Azure's paravisor before a CPU whose interface it hides."""


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


def preferred(found: Sequence[Found]) -> Platform:
    """The platform of hardware that an enclave on this machine should be attested by.

    Raises:
        ProviderError: there is none; the text names what was looked for, and what to do.
    """
    present = {each.platform for each in found if each.present and not each.simulated}
    for platform in PREFERRED:
        if platform in present:
            return platform
    looked = "; ".join(f"{each.platform}: {each.reason}" for each in found if each.platform in PREFERRED)
    raise ProviderError(
        f"no CPU on this machine vouches for an enclave ({looked}): start the agent inside a confidential guest or enclave, "
        "and give it the device or socket of its platform; docs/hardware.md says which"
    )


def dstack_socket(machine: Machine) -> Path | None:
    """Where dstack's guest agent listens, or its simulator; None if nowhere that is a socket."""
    simulator = machine.environment.get(SIMULATOR, "")
    paths = (Path(simulator.removeprefix("unix://")),) if simulator else tuple(map(machine.at, SOCKETS))
    return next((path for path in paths if path.is_socket()), None)


async def _tsm(machine: Machine) -> tuple[str, str]:
    reports = machine.at(REPORTS)
    if machine.reports is None and not reports.is_dir():
        return "", f"no {reports}: needs Linux 6.7 or later in a confidential guest, its guest driver loaded, configfs mounted"
    try:
        provider = await machine.tsm.provider()
    except ProviderError as error:
        return "", str(error)
    return provider, f"the kernel's reports come from {provider!r}"


def _device(platform: Platform, machine: Machine, path: Path) -> Found:
    there = machine.at(path).exists()
    return Found(platform, there, f"{path} exists" if there else f"no {path}")


def _dstack(machine: Machine) -> Found:
    socket, simulator = dstack_socket(machine), machine.environment.get(SIMULATOR, "")
    if simulator:
        # what this variable names is a program on somebody's desk, whether it answers or not
        reason = f"{SIMULATOR} names {simulator}: SIMULATED" + ("" if socket else ", and no Unix socket")
        return Found(Platform.DSTACK, socket is not None, reason, simulated=True)
    if socket is None:
        return Found(Platform.DSTACK, present=False, reason=f"no socket at {', '.join(map(str, SOCKETS))}")
    return Found(Platform.DSTACK, present=True, reason=f"{socket} listens")


def _azure(machine: Machine) -> Found:
    try:
        tag = machine.at(_TAG).read_text(errors="replace").strip()
    except OSError:
        tag = ""
    if tag != _AZURE_TAG:
        return Found(Platform.AZURE, present=False, reason=f"{_TAG} is not Azure's")
    there = machine.at(Path(TPM)).exists()
    return Found(Platform.AZURE, there, f"Azure's chassis tag, and {TPM} exists" if there else f"on Azure, but no {TPM}: no confidential machine")
