"""Real SEV-SNP reports, where they lie beside us."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.attestation.amd import Product
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
MARKER = b"attest-test-fixture"
"""Where the report data of dstack's report begins."""


def read(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    return file.read_bytes()


def certificates(name: str) -> tuple[bytes, ...]:
    content = read(name)
    if b"-----BEGIN" not in content:
        return (content,)
    end = "-----END CERTIFICATE-----"
    return tuple(ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + end) for part in content.decode().split(end)[:-1])


def millis(day: str) -> Millis:
    return Millis(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000))


@dataclass(frozen=True)
class Vector:
    """A report, its certificates, and the days that its VCEK is valid."""

    name: str
    chain: tuple[str, ...]
    begins: str
    ends: str
    product: Product
    debug: bool
    measurement: str
    version: int

    @property
    def report(self) -> bytes:
        content = read(self.name)
        if self.name.endswith(".hex"):
            return bytes.fromhex(content.decode().strip().removeprefix("0x").replace("\n", ""))
        if self.name.endswith("hcl-report.bin"):
            return content[32 : 32 + 1184]
        if self.name.startswith("dstack/"):
            at = content.index(MARKER) - 0x50
            return content[at : at + 1184]
        return content

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return tuple(der for name in self.chain for der in certificates(name))

    @property
    def at(self) -> Millis:
        return Millis(millis(self.begins) + 30 * 24 * 3_600_000)


MILAN = Product.MILAN
GO, VIRTEE, DSTACK, AZURE = "snp-go-sev-guest", "snp-virtee", "dstack", "coco-trustee/az-snp-vtpm"
REPORTS = (
    Vector(f"{GO}/attestation.bin", (f"{GO}/vcek.testcer",), "2022-09-24", "2029-09-24", MILAN, True, "b07af9620f3b", 2),
    Vector(f"{VIRTEE}/report_milan.hex", (f"{VIRTEE}/vcek_milan.der",), "2023-04-03", "2030-04-03", MILAN, False, "7a1e5c266c01", 2),
    Vector(
        f"{DSTACK}/sev_snp_attestation.bin",
        (f"{DSTACK}/sev_snp_vcek.pem", f"{DSTACK}/sev_snp_ask.pem"),
        "2026-06-17",
        "2033-06-17",
        MILAN,
        False,
        "7f51e17f72a0",
        3,
    ),
    Vector(f"{AZURE}/hcl-report.bin", (f"{AZURE}/vcek.pem",), "2023-05-02", "2030-05-02", MILAN, False, "9ac48fcac8a2", 2),
)
