"""Quotes that real Intel processors made, and Intel's own collateral; tests skip where they do not lie beside us."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, without_padding
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"


def day(text: str) -> Millis:
    """Noon of that day."""
    return Millis(int(datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=UTC).timestamp()) * 1000)


def content(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    raw = file.read_bytes()
    return bytes.fromhex(raw.decode().strip().removeprefix("0x")) if name.endswith((".hex", ".txt")) else raw


@dataclass(frozen=True)
class Vector:
    quote: str
    collateral: str
    at: Millis
    measurement: str
    ppid: str
    status: str
    advisories: tuple[str, ...]

    def evidence(self) -> bytes:
        quote = Quote.decode(without_padding(content(self.quote)))
        return IntelEvidence(quote, Collateral.from_json(content(self.collateral))).encode()


_D = "tdx-sgx-dcapqvl/"
SGX = Vector(
    f"{_D}sgx_quote",
    f"{_D}sgx_quote_collateral.json",
    day("2025-06-20"),
    "099fa2e61af70ab6",
    "d04ec06d4e6d92dc90d0ad3cf5ee2ddf",
    "ConfigurationAndSWHardeningNeeded",
    ("INTEL-SA-00289", "INTEL-SA-00615"),
)
TDX = Vector(
    f"{_D}tdx_quote",
    f"{_D}tdx_quote_collateral.json",
    day("2025-06-20"),
    "fb084363918c7cef",
    "811dca2a26b952e85bb6448b097ba4fd",
    "UpToDate",
    ("PCK-DYNAMIC-PLATFORM", "PCK-CACHED-KEYS", "PCK-SMT-ENABLED"),
)
NEAR = Vector(
    f"{_D}near_quote_hex.txt",
    f"{_D}near_quote_collateral.json",
    day("2025-09-03"),
    "8a2fdfda8b64d7dc",
    "354e2a1c79c98e81723eab4b78b990a7",
    "UpToDate",
    ("PCK-DYNAMIC-PLATFORM", "PCK-CACHED-KEYS", "PCK-SMT-ENABLED"),
)
OUTDATED = Vector(
    f"{_D}tdx_quote_outdated",
    f"{_D}tdx_quote_outdated_collateral.json",
    day("2026-02-19"),
    "5ecbb906a01bc5fd",
    "66498c9263c04ed2f0657c530ac2b0cb",
    "BelowEveryLevel",
    ("PCK-DYNAMIC-PLATFORM", "PCK-SMT-ENABLED"),
)
WITH_COLLATERAL = (TDX, NEAR, SGX, OUTDATED)

QUOTES = {
    f"{_D}sgx_quote": day("2025-06-20"),
    f"{_D}tdx_quote": day("2025-06-20"),
    f"{_D}tdx_quote_outdated": day("2026-02-19"),
    f"{_D}near_quote_hex.txt": day("2025-09-03"),
    f"{_D}tdx-quote.hex": day("2025-01-01"),
    f"{_D}quote-from-tappd.hex": day("2025-01-01"),
    "tdx-go-tdx-guest/tdx_prod_quote_SPR_E4.dat": day("2023-07-01"),
    "tdx-go-tdx-guest/quote_v5_sample.dat": day("2026-03-01"),
    "tdx-go-tdx-guest/cos-113-tdx-quote.dat": day("2024-08-01"),
    "dstack/tdx_quote": day("2025-01-01"),
    "coco-trustee/az-tdx-vtpm/td-quote.bin": day("2024-01-01"),
}
"""Every quote there is, and a time at which its PCK certificate was valid."""
