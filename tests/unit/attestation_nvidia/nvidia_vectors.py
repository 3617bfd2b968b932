"""Real evidence of NVIDIA devices, and NVIDIA's manifests, where they lie beside us."""

import base64
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.attestation.evidence import Quote
from agent.attestation.nvidia import DeviceItem, DeviceKind
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
SDK, NVTRUST = "nvidia-attestation-sdk", "nvidia-nvtrust"


def read(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    return file.read_bytes()


def millis(day: str) -> Millis:
    return Millis(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000))


def certificates(content: bytes) -> tuple[bytes, ...]:
    end = "-----END CERTIFICATE-----"
    return tuple(ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + end) for part in content.decode().split(end)[:-1])


@dataclass(frozen=True)
class Vector:
    """A machine's devices; `name` is a JSON of the SDK, or two files of a single GPU."""

    name: str
    model: str
    devices: int
    driver: str
    vbios: str
    failed: frozenset[str]
    """Checks that fail besides those that no foreign evidence can pass: its nonce is not ours, and not all manifests
    are at hand."""

    @property
    def items(self) -> list[Quote]:
        kind = DeviceKind.SWITCH if self.model == "LS10" else DeviceKind.GPU
        return [Quote(kind, item.encode()) for item in self.device_items]

    @property
    def device_items(self) -> list[DeviceItem]:
        if self.name.endswith(".json"):
            entries = json.loads(read(self.name))
            return [DeviceItem(base64.b64decode(each["evidence"]), certificates(base64.b64decode(each["certificate"]))) for each in entries]
        chain = self.name.replace("AttestationReport", "CertChain").replace("InvalidSignature", "")
        return [DeviceItem(bytes.fromhex(read(f"{self.name}.txt").decode().strip()), certificates(read(f"{chain}.txt")))]


ALWAYS = frozenset({"gpu-nonce", "gpu-rim", "gpu-not-debug"})
AT = millis("2024-06-01")
DEVICES = (
    Vector(f"{SDK}/hopper_evidence.json", "GH100", 1, "590.12", "96.00.A5.00.01", frozenset({"gpu-switches"})),
    Vector(f"{SDK}/hopper_evidence_cert_hold.json", "GH100", 1, "570.86.10", "96.00.AF.00.01", frozenset()),
    Vector(f"{SDK}/multi_gpu_hopper.json", "GH100", 4, "590.12", "96.00.A5.00.01", frozenset({"gpu-switches"})),
    Vector(f"{SDK}/evidence_hopper_590_12.json", "GH100", 1, "590.12", "96.00.A5.00.01", frozenset({"gpu-switches"})),
    Vector(f"{SDK}/switch_evidence_ls10.json", "LS10", 1, "", "96.10.55.00.01", frozenset()),
    # the same switch four times over
    Vector(f"{SDK}/multi_switch_ls10.json", "LS10", 4, "", "96.10.55.00.01", frozenset({"gpu-distinct"})),
    Vector(f"{SDK}/hopperAttestationReport", "GH100", 1, "580.159.03", "96.00.74.00.20", frozenset()),
    Vector(f"{SDK}/hopperAttestationReportExpired", "GH100", 1, "570.124.03", "96.00.5E.00.04", frozenset()),
    Vector(f"{SDK}/blackwellAttestationReport", "GB100", 1, "575.32", "97.00.88.00.0F", frozenset()),
    Vector(f"{SDK}/sample_gpu/hopperAttestationReport", "GH100", 1, "535.86.09", "96.00.5E.00.01", frozenset()),
    Vector(f"{NVTRUST}/hopperAttestationReport", "GH100", 1, "550.90.07", "96.00.9F.00.01", frozenset()),
)
TAMPERED = Vector(f"{SDK}/sample_gpu/hopperAttestationReportInvalidSignature", "GH100", 1, "", "", frozenset())


@dataclass(frozen=True)
class Manifest:
    """A manifest and the days of its signer's certificate."""

    name: str
    version: str
    begins: str
    ends: str
    golden: int

    @property
    def content(self) -> bytes:
        return read(self.name)


MANIFESTS = (
    Manifest(f"{SDK}/NV_GPU_DRIVER_GH100_550.144.03.xml", "550.144.03", "2024-12-30", "2026-12-30", 21),
    Manifest(f"{SDK}/sample_rims/NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml", "96.00.5E.00.01", "2023-12-13", "2025-12-12", 12),
    Manifest(f"{NVTRUST}/1010_0200_882_96005E0001_PROD.swidtag", "96.00.5E.00.01", "2023-06-23", "2025-06-22", 12),
    Manifest(f"{NVTRUST}/1010_0200_882_96005E0001_test_no_gpu.swidtag", "96.00.5E.00.01", "2023-06-23", "2025-06-22", 12),
    Manifest(f"{NVTRUST}/Driver_RIM_test_no_gpu.swidtag", "545.00", "2023-06-27", "2025-06-26", 21),
)
ALTERED = (
    (f"{SDK}/incorrect_signature_driver_rim.xml", "2025-06-01"),
    (f"{SDK}/sample_rims/NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch.xml", "2026-01-01"),
    # its signer was valid for that one day; that the digest is wrong too, libxml2 agrees
    (f"{SDK}/sample_rims/NV_GPU_DRIVER_GH100_570.124.03_expired.xml", "2025-01-01"),
)
"""Manifests that were changed after signing, and a day on which that is all that is wrong."""
