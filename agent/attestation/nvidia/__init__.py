"""Evidence of NVIDIA GPUs (Hopper, Blackwell) and NVSwitches, which counts only chained from verified CPU evidence."""

from agent.attestation.nvidia.evidence import COLLATERAL_TYPE, MAX_DEVICES, Collateral, DeviceItem, DeviceKind
from agent.attestation.nvidia.findings import GpuCheck, GpuFinding
from agent.attestation.nvidia.report import DeviceReport
from agent.attestation.nvidia.roots import NVIDIA_ROOTS, NvidiaRoots
from agent.attestation.nvidia.verifier import GpuClaims, GpuRequirements, GpuVerdict, verify_gpus

__all__ = [
    "COLLATERAL_TYPE",
    "MAX_DEVICES",
    "NVIDIA_ROOTS",
    "Collateral",
    "DeviceItem",
    "DeviceKind",
    "DeviceReport",
    "GpuCheck",
    "GpuClaims",
    "GpuFinding",
    "GpuRequirements",
    "GpuVerdict",
    "NvidiaRoots",
    "verify_gpus",
]
