"""What is collected from each vendor, kept only once it is proved, and replayed as of a time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nvidia_pki
import pytest
from amd_pki import BEGINS, LEVELS, Line, Report
from intel_pki import DAY, FMSPC, NOW
from simulated_world import BINDING, POLICY, expected
from synthetic_world import AT, KIND_QUOTES, verifiers
from vendor_services import (
    BARE_SNP,
    BARE_TDX,
    BOARD,
    CPU,
    GPU,
    MILAN,
    OWN,
    VCEK,
    Answer,
    Vendors,
    amd,
    collecting,
    gpu_evidence,
    intel,
    nvidia,
)  # fmt: skip

from agent.attestation.amd import Product, SnpQuote
from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.checklist import DeviceTrust
from agent.attestation.collection.errors import ArchiveError, NothingCollected
from agent.attestation.collection.index import Index, Item, Role
from agent.attestation.collection.replay import chosen, kept_for, replayed
from agent.attestation.collection.store import Store
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.evidence import TDX_TYPE
from agent.attestation.policy import Allowance, GpuRules, Layer, Policy, SnpFloor
from agent.attestation.raw import verify_file
from agent.attestation.verdict import Verdict
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    async with Vendors().serving() as running:
        yield running


def policy(kind: TeeKind, measurement: bytes, **changes: object) -> Policy:
    vendor = Layer(allow=frozenset({Allowance(kind, measurement)}))
    return replace(POLICY, allow_simulated=False, vendor=vendor, snp_floors=frozenset({SnpFloor(Product.MILAN, LEVELS)}), **changes)


def tdx_verdict(evidence: bytes, at: Millis = AT) -> Verdict:
    (verifier,) = (each for each in verifiers() if each.media_type == TDX_TYPE)
    measured = verifier.authenticate(KIND_QUOTES["tdx"](BINDING, CPU).content, AT).measurement
    return verify(evidence, policy(TeeKind.TDX, measured), at, expected(), verifiers())


def failed(verdict: Verdict) -> set[str]:
    return {check.name.value for check in verdict.failed}


async def test_intels_word_on_a_platform_is_collected_and_replayed(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(intel())
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        index = await collector.collect(OWN)
    assert index.missing == ()
    assert {item.role for item in index.items} == {Role.INTEL_TCB_INFO, Role.INTEL_QE_IDENTITY, Role.INTEL_PCK_CRL, Role.INTEL_ROOT_CRL}
    assert any(f"fmspc={FMSPC.hex()}" in asked.path for asked in vendors.asked)
    assert failed(tdx_verdict(OWN)) == {"collateral"}, "without what was collected, nobody can judge it"
    assert tdx_verdict(replayed(OWN, kept_for(OWN, store, AT))).ok


async def test_a_replay_at_another_time_is_judged_by_that_time(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(intel())
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        await collector.collect(OWN)
    later = Millis(AT + 40 * DAY)
    assert failed(tdx_verdict(replayed(OWN, kept_for(OWN, store, later)), later)) & {"collateral", "certificates-valid"}


async def test_bare_quotes_and_reports_are_collected_for_and_verified_with_the_archive_beside(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(intel())
    vendors.put(amd())
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        assert (await collector.collect(BARE_TDX)).missing == ()
        assert (await collector.collect(BARE_SNP)).missing == ()
    for bare in (BARE_TDX, BARE_SNP):
        found = verify_file(bare, AT, beside=kept_for(bare, store, AT).beside(), verifiers=verifiers())
        assert found.authentic, found.failed


async def test_amds_certificates_and_list_are_collected(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        index = await collector.collect(BARE_SNP)
    assert [item.subject for item in index.items if item.role is Role.AMD_CERTIFICATE] == ["SEV-VCEK", "SEV-Milan", "ARK-Milan"]
    kept = kept_for(BARE_SNP, store, AT)
    quote = SnpQuote(BARE_SNP, kept.amd_certificates, kept.amd_crl)
    own = Evidence(BINDING.encode(), Quote(SNP_TYPE, quote.encode())).encode()
    assert verify(own, policy(TeeKind.SEV_SNP, b"\x5a" * 48), AT, expected(), verifiers()).ok


async def test_turin_is_asked_for_by_eight_bytes_and_one_level_more(vendors: Vendors, tmp_path: Path) -> None:
    line = Line(Product.TURIN)
    vendors.put(amd(line, line.endorsement()))
    bare = Report(product=Product.TURIN).signed()
    async with collecting(vendors, tmp_path, AT, line=line) as (collector, _, _):
        assert (await collector.collect(bare)).missing == ()
    (path,) = [asked.path for asked in vendors.asked if "fmcSPL" in asked.path]
    assert len(path.split("?")[0].rsplit("/", 1)[1]) == 16


async def test_amds_patience_is_asked_for_and_given(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    vendors.spoil("/vcek/v1/Milan/" + "0102", Answer(status=429, headers={"Retry-After": "7"}), Answer(VCEK, "application/x-x509-ca-cert"))
    async with collecting(vendors, tmp_path, AT) as (collector, _, pauses):
        assert (await collector.collect(BARE_SNP)).missing == ()
    assert pauses.seconds == [7.0]


async def test_a_busy_service_that_asks_for_no_time_is_asked_ten_seconds_later_and_then_twenty(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    vendors.spoil("/crl", Answer(status=429), Answer(status=503), Answer(MILAN.crl(), "application/pkix-crl"))
    async with collecting(vendors, tmp_path, AT) as (collector, _, pauses):
        assert (await collector.collect(BARE_SNP)).missing == ()
    assert pauses.seconds == [10.0, 20.0]


def gpu_verdict(evidence: bytes, **rules: object) -> Verdict:
    wanted = policy(TeeKind.SEV_SNP, b"\x5a" * 48, gpus=GpuRules(count=1, **rules), accept_missing_crl=True)
    return verify(evidence, wanted, AT, expected(), verifiers(), DeviceTrust(roots=nvidia_pki.ROOTS))


async def test_nvidias_manifests_and_answers_are_collected_and_replayed(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    vendors.put(nvidia(GPU))
    data = gpu_evidence()
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        index = await collector.collect(data)
    assert index.missing == ()
    rims = [item.subject for item in index.items if item.role is Role.NVIDIA_RIM]
    assert rims == ["NV_GPU_VBIOS_G520_0200_895_96005E0001", "NV_GPU_DRIVER_GH100_580.1.2"]
    # of the device: its own certificate and its authority's; of manifests: the signer's and its authority's
    assert sum(item.role is Role.NVIDIA_OCSP for item in index.items) == 4
    assert "gpu-rim" in failed(gpu_verdict(data))
    whole = replayed(data, kept_for(data, store, AT))
    assert gpu_verdict(whole, require_ocsp=True).ok, gpu_verdict(whole, require_ocsp=True).failed


async def test_a_revoked_device_stays_revoked_in_every_later_replay(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    vendors.put(nvidia(GPU))
    data = gpu_evidence()
    async with collecting(vendors, tmp_path, AT) as (collector, store, _):
        await collector.collect(data)
    own = int.from_bytes(b"A" + GPU.pdi, "big")
    vendors.put(nvidia(GPU, revoked=frozenset({own})))
    async with collecting(vendors, tmp_path, Millis(AT + DAY)) as (collector, store, _):
        index = await collector.collect(data)
    assert any(item.valid_until is None for item in index.items), "a revocation has no end"
    assert "gpu-not-revoked" in failed(gpu_verdict(replayed(data, kept_for(data, store, AT))))


async def test_nothing_is_asked_for_a_device_that_is_not_nvidias(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    forged = replace(GPU, number=9)
    chain = (*forged.chain[:2], nvidia_pki.certificate("GH100 ICA", "Device Identity CA", serial=11, signer="a forger"), nvidia_pki.DEVICE_ROOT)
    item = Quote(GPU.kind, nvidia_pki.DeviceItem(GPU.report(bytes(32), opaque=BOARD), chain).encode())
    data = Evidence(BINDING.encode(), KIND_QUOTES["snp"](BINDING, CPU), devices=(item,)).encode()
    async with collecting(vendors, tmp_path, AT) as (collector, _, _):
        index = await collector.collect(data)
    assert any("devices:" in each for each in index.missing)
    assert not any("/rim/" in asked.path or "/ocsp" in asked.path for asked in vendors.asked)


async def test_evidence_that_brings_its_whole_chain_is_asked_about_nowhere(vendors: Vendors, tmp_path: Path) -> None:
    data = Evidence(BINDING.encode(), KIND_QUOTES["nitro"](BINDING, CPU)).encode()
    async with collecting(vendors, tmp_path, AT) as (collector, _, _):
        index = await collector.collect(data)
    assert (index.items, index.missing, vendors.asked) == ((), (), [])


async def test_what_is_no_evidence_is_refused_before_anybody_is_asked(vendors: Vendors, tmp_path: Path) -> None:
    async with collecting(vendors, tmp_path, AT) as (collector, _, _):
        for data in (b"", b"{}", b"\xff" * 4000, OWN[:-1]):
            with pytest.raises(EvidenceError):
                await collector.collect(data)
    assert vendors.asked == []
    assert not (tmp_path / "index").exists()


async def test_of_two_collections_the_one_in_force_then_counts(vendors: Vendors, tmp_path: Path) -> None:
    early, late = MILAN.crl(begins=BEGINS, days=30), MILAN.crl(begins=BEGINS + timedelta(days=30), days=365)
    for crl in (early, late):
        vendors.put(amd(crl=crl))
        async with collecting(vendors, tmp_path, AT) as (collector, store, _):
            await collector.collect(BARE_SNP)
    for days, wanted in ((10, early), (31, late), (100, late), (1000, late)):
        at = Millis(int((BEGINS + timedelta(days=days)).timestamp() * 1000))
        assert kept_for(BARE_SNP, store, at).amd_crl == wanted
    before = Millis(int((BEGINS - timedelta(days=3)).timestamp() * 1000))
    assert kept_for(BARE_SNP, store, before).amd_crl == early, "the nearest, for the verifier to refuse by name"


def kept_of(*windows: tuple[int, int | None]) -> Index:
    """One subject, and what was said of it; the digest tells which."""
    items = tuple(
        Item(role=Role.NVIDIA_OCSP, subject="a GPU", digest=f"{place:064x}", size=1, source="", valid_from=Millis(begins), valid_until=None if ends is None else Millis(ends))
        for place, (begins, ends) in enumerate(windows)
    )
    return Index(evidence="00" * 32, collected_at=AT, items=items, missing=())


CHOICES = {
    "the newest in force": ([(0, 100), (50, 150)], 75, 1),
    "the older, before the newer is": ([(0, 100), (50, 150)], 25, 0),
    "the older, where the newer has lapsed": ([(0, 100), (50, 60)], 75, 0),
    "a revocation, whatever was said after it": ([(0, 100), (20, None), (50, 150)], 75, 1),
    "what was said before a revocation, before it": ([(0, 100), (20, None), (50, 150)], 10, 0),
    "the last that lapsed": ([(0, 10), (5, 20)], 75, 1),
    "the first that comes": ([(90, 100), (80, 100)], 75, 1),
    "lapsed before yet to come": ([(76, 100), (0, 10)], 75, 1),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_of_all_that_was_said_counts(choice: str) -> None:
    windows, at, wanted = CHOICES[choice]
    for index in (kept_of(*windows), replace(kept_of(*windows), items=kept_of(*windows).items[::-1])):
        (item,) = chosen([index], Millis(at))
        assert int(item.digest, 16) == wanted


async def test_a_collection_that_says_nothing_new_is_not_kept_again(vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd())
    for _ in range(2):
        async with collecting(vendors, tmp_path, AT) as (collector, store, _):
            await collector.collect(BARE_SNP)
    (evidence,) = store.evidences()
    assert len(store.collections(evidence)) == 1
    assert store.interrupted() == ()


async def collected(vendors: Vendors, folder: Path, at: Millis = AT) -> Store:
    vendors.put(amd())
    async with collecting(vendors, folder, at) as (collector, store, _):
        await collector.collect(BARE_SNP)
    return store


async def test_a_blob_that_was_changed_is_not_believed(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path)
    for file in (tmp_path / "blobs").iterdir():
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(bytes(content))
    with pytest.raises(ArchiveError, match="spoilt"):
        kept_for(BARE_SNP, store, AT)


async def test_a_blob_that_is_gone_is_named(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path)
    for file in (tmp_path / "blobs").iterdir():
        file.unlink()
    with pytest.raises(ArchiveError, match="collect it again, or restore a copy"):
        kept_for(BARE_SNP, store, AT)


async def test_a_spoilt_blob_is_written_anew_by_the_next_collection(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path)
    for file in (tmp_path / "blobs").iterdir():
        file.write_bytes(b"")
    store = await collected(vendors, tmp_path, Millis(AT + 1))
    assert kept_for(BARE_SNP, store, AT).amd_certificates[0] == VCEK


async def test_an_index_that_was_changed_is_refused(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path)
    (file,) = (tmp_path / "index").glob("*/*.json")
    file.write_bytes(file.read_bytes().replace(b"127.0.0.1", b"127.0.0.2"))
    with pytest.raises(ArchiveError, match="spoilt"):
        kept_for(BARE_SNP, store, AT)


async def test_an_archive_never_keeps_more_collections_than_it_reads(vendors: Vendors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.attestation.collection.store.MAX_COLLECTIONS", 2)
    for days in (100, 200):
        vendors.put(amd(crl=MILAN.crl(days=days)))
        async with collecting(vendors, tmp_path, Millis(AT + days)) as (collector, store, _):
            await collector.collect(BARE_SNP)
    vendors.put(amd(crl=MILAN.crl(days=300)))
    async with collecting(vendors, tmp_path, Millis(AT + 300)) as (collector, _, _):
        with pytest.raises(ArchiveError, match="as many as are kept"):
            await collector.collect(BARE_SNP)
    assert kept_for(BARE_SNP, store, AT).amd_crl is not None, "and what it keeps is read still"


def test_nothing_collected_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NothingCollected, match="enclavia attest collateral"):
        kept_for(BARE_SNP, Store(tmp_path), AT)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"version":1}', b'{"version":2,"evidence":"00","collected_at":1,"items":[],"missing":[]}', b"[" * 9000, b" " * (1 << 20) + b"{}"])
def test_an_index_of_another_shape_is_refused(text: bytes) -> None:
    with pytest.raises(ArchiveError, match="collect again"):
        Index.decode(text)


async def test_an_index_travels(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path)
    (evidence,) = store.evidences()
    (index,) = store.collections(evidence)
    assert Index.decode(index.encode()) == index
    assert set(chosen([index], AT)) == set(index.items)


def test_now_lies_in_the_windows_of_the_test_pki() -> None:
    assert AT == NOW
