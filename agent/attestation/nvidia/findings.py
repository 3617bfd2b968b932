"""What is checked of a machine's GPUs and switches: each name once, over all devices together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from agent.attestation.checks import CheckName
from agent.attestation.errors import EvidenceError
from agent.attestation.nvidia.errors import Revoked


class GpuCheck(StrEnum):
    """What is checked; the value is what people and logs read."""

    CPU = "gpu-cpu-evidence"
    COUNT = "gpu-count"
    COLLATERAL = "gpu-collateral"
    FORMAT = "gpu-format"
    ROOT = "gpu-root"
    CHAIN = "gpu-chain"
    VALIDITY = "gpu-certificates-valid"
    REVOKED = "gpu-not-revoked"
    SIGNATURE = "gpu-signature"
    FIRMWARE_ID = "gpu-firmware-id"
    NONCE = "gpu-nonce"
    DISTINCT = "gpu-distinct"
    MODEL = "gpu-model"
    RIM = "gpu-rim"
    MEASUREMENTS = "gpu-measurements"
    DEBUG = "gpu-not-debug"
    SWITCHES = "gpu-switches"
    REJECTED = "gpu-not-rejected"


OF_ERRORS: Final = {
    CheckName.SIZE: GpuCheck.FORMAT,
    CheckName.FORMAT: GpuCheck.FORMAT,
    CheckName.KIND: GpuCheck.FORMAT,
    CheckName.ROOT: GpuCheck.ROOT,
    CheckName.CHAIN: GpuCheck.CHAIN,
    CheckName.VALIDITY: GpuCheck.VALIDITY,
    CheckName.SIGNATURE: GpuCheck.SIGNATURE,
}
"""Which check an error in a device's own evidence fails."""


@dataclass(frozen=True, slots=True)
class GpuFinding:
    """One check and how the devices stand to it."""

    name: GpuCheck
    passed: bool
    detail: str
    """For a failed one: which device, what was found, what was expected."""


@dataclass(slots=True)
class Faults:
    """The faults met so far, of which the findings are made."""

    _faults: dict[GpuCheck, list[str]] = field(default_factory=dict)

    def add(self, name: GpuCheck, fault: str) -> None:
        """Note that `name` fails, and why."""
        self._faults.setdefault(name, []).append(fault)

    def add_error(self, device: str, error: EvidenceError) -> None:
        """Note that the evidence of `device` does not hold."""
        self.add(GpuCheck.REVOKED if isinstance(error, Revoked) else OF_ERRORS[error.check], f"{device}: {error}")

    def findings(self, devices: int) -> tuple[GpuFinding, ...]:
        """One finding for every check; without a fault it passed for all `devices`."""
        return tuple(
            GpuFinding(name, passed=name not in self._faults, detail=_detail(self._faults.get(name, ()), devices))
            for name in GpuCheck
        )


def _detail(faults: Iterable[str], devices: int) -> str:
    return "; ".join(faults) or f"holds for {devices} devices"
