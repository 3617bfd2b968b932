"""Collecting for evidence of real hardware: under the vendors' own roots, statements as the vendors signed them."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import intel_vectors
import pytest
from vendor_services import Answer, Asked, Pauses, Vendors, intel

from agent.attestation.amd import Product
from agent.attestation.amd.report import SnpReport
from agent.attestation.collection.amd import KDS, AmdService, vcek_url
from agent.attestation.collection.collector import Collector, Services
from agent.attestation.collection.fetcher import Fetcher
from agent.attestation.collection.index import Role
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService, manifest_names
from agent.attestation.collection.replay import kept_for
from agent.attestation.collection.store import Store
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.quote import without_padding
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.nvidia.evidence import DeviceItem, DeviceKind
from agent.attestation.raw import Beside, read_file, verify_file
from agent.protocol.units import Millis

DAY = 86_400_000
SNP = "snp-go-sev-guest/attestation.bin"


def content(name: str) -> bytes:
    return intel_vectors.content(name)


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    async with Vendors().serving() as running:
        yield running


async def collected(vendors: Vendors, folder: Path, data: bytes, at: Millis) -> tuple[Store, set[Role], tuple[str, ...]]:
    """Under the roots that the project pins."""
    async with httpx.AsyncClient(trust_env=False) as client:
        fetcher = Fetcher(client, sleep=Pauses())
        services = Services(
            intel=IntelService(fetcher, vendors.url), amd=AmdService(fetcher, vendors.url), nvidia=NvidiaService(fetcher, vendors.url, f"{vendors.url}/ocsp")
        )
        store = Store(folder)
        index = await Collector(services, store, lambda: at).collect(data)
    return store, {item.role for item in index.items}, index.missing


@pytest.mark.parametrize("vector", intel_vectors.WITH_COLLATERAL, ids=lambda each: each.quote)
async def test_intels_own_statements_are_proved_kept_and_replayed(vendors: Vendors, tmp_path: Path, vector: intel_vectors.Vector) -> None:
    known = Collateral.from_json(content(vector.collateral))
    quote = without_padding(content(vector.quote))
    vendors.put(intel(known, known, INTEL_ROOT))
    store, roles, missing = await collected(vendors, tmp_path, quote, vector.at)
    assert missing == ()
    assert len(roles) == 4
    assert kept_for(quote, store, vector.at).intel == known, "byte for byte what Intel signed"
    then = verify_file(quote, vector.at, beside=kept_for(quote, store, vector.at).beside())
    later = Millis(vector.at + 90 * DAY)
    after = verify_file(quote, later, beside=kept_for(quote, store, later).beside())
    assert then.authentic
    assert then.claims is not None
    assert str(then.claims.tcb_status) == vector.status
    assert not after.authentic
    assert {check.name.value for check in after.failed} & {"collateral", "certificates-valid"}


async def test_intels_statement_on_another_real_platform_is_refused(vendors: Vendors, tmp_path: Path) -> None:
    other = Collateral.from_json(content(intel_vectors.OUTDATED.collateral))
    quote = without_padding(content(intel_vectors.TDX.quote))
    vendors.put(intel(other, other, INTEL_ROOT))
    _, roles, missing = await collected(vendors, tmp_path, quote, intel_vectors.TDX.at)
    assert Role.INTEL_TCB_INFO not in roles
    assert "asked for was tdx" in "; ".join(missing)


async def test_amds_certificate_of_a_real_chip_is_proved_against_its_report(vendors: Vendors, tmp_path: Path) -> None:
    report, chain = content(SNP), content("snp-go-sev-guest/ask_ark_milan.pem")
    leaf = content("snp-go-sev-guest/vcek.testcer")

    def kds(asked: Asked) -> Answer | None:
        path = urlsplit(asked.path).path
        if path == "/vcek/v1/Milan/cert_chain":
            return Answer(chain, "application/x-pem-file")
        return Answer(leaf, "application/octet-stream") if path.startswith("/vcek/v1/Milan/") and "Milan/crl" not in path else None

    vendors.put(kds)
    store, roles, missing = await collected(vendors, tmp_path, report, Millis(intel_vectors.day("2023-01-01")))
    assert roles == {Role.AMD_CERTIFICATE}
    assert [each.split(":")[0] for each in missing] == ["revocation list"], "nothing plays it here"
    kept = kept_for(report, store, Millis(intel_vectors.day("2023-01-01")))
    assert kept.amd_certificates[0] == leaf
    assert tuple(map(ssl.DER_cert_to_PEM_cert, kept.amd_certificates[1:])) == tuple(_blocks(chain))


def _blocks(chain: bytes) -> list[str]:
    end = "-----END CERTIFICATE-----\n"
    return [part + end for part in chain.decode().split(end)[:-1]]


def test_a_real_chip_is_asked_for_as_amds_interface_has_it() -> None:
    report = SnpReport.decode(content(SNP))
    path, levels = vcek_url(KDS, report, Product.MILAN).split("?")
    assert path == f"https://kdsintf.amd.com/vcek/v1/Milan/{report.chip_id.hex()}"
    tcb = report.reported_tcb
    assert levels == f"blSPL={tcb[0]:02}&teeSPL={tcb[1]:02}&snpSPL={tcb[6]:02}&ucodeSPL={tcb[7]:02}"


NAMES = {
    "nvidia-attestation-sdk/hopper_evidence.json": {"NV_GPU_VBIOS_G520_0200_885_9600A50001": "GH100 96.00.A5.00.01", "NV_GPU_DRIVER_GH100_590.12": "GH100 590.12"},
    "nvidia-attestation-sdk/hopper_evidence_cert_hold.json": {
        "NV_GPU_VBIOS_1010_0200_882_9600AF0001": "GH100 96.00.AF.00.01", "NV_GPU_DRIVER_GH100_570.86.10": "GH100 570.86.10",
    },
    "nvidia-attestation-sdk/switch_evidence_ls10.json": {"NV_SWITCH_BIOS_5612_0002_890_9610550001": "LS10 96.10.55.00.01"},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_manifests_are_asked_for_by_the_names_that_nvidia_gives_them(name: str) -> None:
    devices = read_file(content(name), Beside()).devices
    found = {each.name: f"{each.model} {each.version}" for item in devices for each in manifest_names(DeviceKind(item.media_type), DeviceItem.decode(item.content))}
    assert found == NAMES[name]


REAL = "nvidia-attestation-sdk/NV_GPU_DRIVER_GH100_550.144.03.xml"


async def test_a_real_manifest_is_refused_for_a_device_that_runs_another(vendors: Vendors, tmp_path: Path) -> None:
    body = json.dumps({"rim": base64.b64encode(content(REAL)).decode()}).encode()
    vendors.put(lambda asked: Answer(body) if "/v1/rim/" in asked.path else None)
    _, roles, missing = await collected(vendors, tmp_path, content("nvidia-attestation-sdk/hopper_evidence.json"), Millis(intel_vectors.day("2025-01-01")))
    assert roles == set()
    assert "gives the manifest of GH100 550.144.03, asked for was GH100 590.12" in "; ".join(missing)
