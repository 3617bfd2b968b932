"""Reports of real GPUs and switches, and NVIDIA's manifests; skipped where the vectors do not lie beside us."""

import pytest
from nvidia_vectors import ALTERED, ALWAYS, AT, DEVICES, MANIFESTS, NVTRUST, SDK, TAMPERED, VECTORS, Manifest, Vector, certificates, millis, read

from agent.attestation.errors import BadSignature, EvidenceError, NotValidThen, UntrustedRoot
from agent.attestation.nvidia import NVIDIA_ROOTS, Collateral, DeviceItem, DeviceReport, GpuVerdict, NvidiaRoots, verify_gpus
from agent.attestation.nvidia.device import check_device
from agent.attestation.nvidia.dice import read_dice
from agent.attestation.nvidia.rim import check_rim
from agent.protocol.units import Millis

DAY = 24 * 3_600_000
BY_NAME = pytest.mark.parametrize("vector", DEVICES, ids=lambda vector: vector.name)
BY_MANIFEST = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
FOREIGN = b"\x42" * 64
"""CPU evidence that none of them is chained from."""


def judged(vector: Vector, at: Millis = AT, roots: NvidiaRoots = NVIDIA_ROOTS) -> GpuVerdict:
    return verify_gpus(vector.items, FOREIGN, at, Collateral(), roots=roots)


def failed(verdict: GpuVerdict) -> set[str]:
    return {finding.name.value for finding in verdict.findings if not finding.passed}


def test_roots_are_the_ones_that_nvidia_ships() -> None:
    assert certificates(read(f"{NVTRUST}/verifier_device_root.pem")) == (NVIDIA_ROOTS.device,)
    assert certificates(read(f"{NVTRUST}/verifier_RIM_root.pem")) == (NVIDIA_ROOTS.rim,)


@BY_NAME
def test_real_device_is_authentic_and_chained_from_nobody_here(vector: Vector) -> None:
    verdict = judged(vector)
    assert failed(verdict) == ALWAYS | vector.failed
    assert {(each.model, each.driver, each.vbios) for each in verdict.devices} == {(vector.model, vector.driver, vector.vbios)}
    assert len(verdict.devices) == vector.devices


def test_table_of_real_devices(capsys: pytest.CaptureFixture[str]) -> None:
    if not VECTORS.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    rows = [(vector.name, sorted(failed(judged(vector)))) for vector in (*DEVICES, TAMPERED)]
    with capsys.disabled():
        print("\n" + "\n".join(f"{name:72} fails {', '.join(names)}" for name, names in rows))
    assert all(names for _, names in rows)


def test_tampered_report_fails_by_its_signature() -> None:
    assert failed(judged(TAMPERED)) == {"gpu-signature"}


@BY_NAME
def test_real_device_does_not_hold_before_its_certificates(vector: Vector) -> None:
    # their ends are in the year 9999
    verdict = judged(vector, millis("2015-01-01"))
    assert "gpu-certificates-valid" in failed(verdict)
    assert not verdict.devices


@BY_NAME
def test_real_device_does_not_hold_under_another_root(vector: Vector) -> None:
    verdict = judged(vector, roots=NvidiaRoots(NVIDIA_ROOTS.rim, NVIDIA_ROOTS.rim))
    assert "gpu-root" in failed(verdict)
    assert not verdict.devices


@pytest.mark.parametrize("name", [f"{SDK}/hopperAttestationReport", f"{SDK}/hopper_evidence.json", f"{SDK}/blackwellAttestationReport"])
def test_firmware_that_signed_is_the_one_in_the_certificate(name: str) -> None:
    vector = next(each for each in DEVICES if each.name == name)
    for item in vector.device_items:
        device = check_device(item.chain, NVIDIA_ROOTS.device, AT)
        assert DeviceReport.decode(item.report).firmware_id == device.dice.firmware_id is not None


def test_same_gpu_with_other_firmware_keeps_its_hardware_id_and_changes_its_ueid() -> None:
    names = (f"{SDK}/hopperAttestationReport", f"{SDK}/hopperAttestationReportExpired")
    (one,), (other,) = (judged(next(each for each in DEVICES if each.name == name)).devices for name in names)
    assert one.hardware_id == other.hardware_id
    assert one.ueid != other.ueid


def test_switch_tells_the_same_id_as_its_certificate() -> None:
    (switch,) = judged(next(each for each in DEVICES if each.name.endswith("switch_evidence_ls10.json"))).devices
    assert switch.hardware_id == b"P" + switch.report.switch_id


def test_gpu_of_blackwell_in_production_has_no_flag_that_matters() -> None:
    (item,) = next(each for each in DEVICES if each.model == "GB100").device_items
    assert read_dice(check_device(item.chain, NVIDIA_ROOTS.device, AT).chain[-1]).flags == ()


@BY_MANIFEST
def test_manifest_holds_while_its_signer_is_valid_and_not_outside(manifest: Manifest) -> None:
    begins, ends = millis(manifest.begins), millis(manifest.ends)
    rim = check_rim(manifest.content, NVIDIA_ROOTS.rim, Millis((begins + ends) // 2))
    assert (rim.model, rim.version, len(rim.golden)) == ("GH100", manifest.version, manifest.golden)
    for moment in (begins - 2 * DAY, ends + 2 * DAY):
        with pytest.raises(NotValidThen):
            check_rim(manifest.content, NVIDIA_ROOTS.rim, Millis(moment))


@pytest.mark.parametrize(("name", "day"), ALTERED)
def test_tampered_manifest_is_refused(name: str, day: str) -> None:
    with pytest.raises(BadSignature):
        check_rim(read(name), NVIDIA_ROOTS.rim, Millis(millis(day) + DAY // 2))


def test_manifest_does_not_hold_under_another_root() -> None:
    with pytest.raises(UntrustedRoot):
        check_rim(MANIFESTS[0].content, NVIDIA_ROOTS.device, millis("2025-06-01"))


@pytest.mark.parametrize(
    ("manifest", "mismatched"),
    [(f"{NVTRUST}/1010_0200_882_96005E0001_PROD.swidtag", set()), (MANIFESTS[1].name, {9})],
    ids=["production", "mismatch"],
)
def test_real_gpu_measures_what_the_manifest_of_its_firmware_says(manifest: str, mismatched: set[int]) -> None:
    item = next(each for each in DEVICES if each.name.endswith("sample_gpu/hopperAttestationReport")).device_items[0]
    rim = check_rim(read(manifest), NVIDIA_ROOTS.rim, AT)
    measured = DeviceReport.decode(item.report).measurements
    assert {index for index, values in rim.golden.items() if measured[index + 1] not in values} == mismatched
    assert len(rim.golden) == 12


@pytest.mark.parametrize("name", [f"{SDK}/hopperAttestationReport", f"{SDK}/blackwellAttestationReport", f"{SDK}/switch_evidence_ls10.json"])
def test_no_changed_byte_of_a_real_report_is_accepted(name: str) -> None:
    (item,) = next(each for each in DEVICES if each.name == name).device_items
    device = check_device(item.chain, NVIDIA_ROOTS.device, AT)
    for place in range(0, len(item.report), 5):
        spoilt = bytearray(item.report)
        spoilt[place] ^= 1 << place % 8
        with pytest.raises(EvidenceError):
            device.check_signature(DeviceReport.decode(bytes(spoilt)))


@pytest.mark.parametrize("name", [f"{SDK}/hopperAttestationReport", f"{SDK}/blackwellAttestationReport"])
def test_no_changed_byte_of_a_real_chain_makes_another_device(name: str) -> None:
    (item,) = next(each for each in DEVICES if each.name == name).device_items
    genuine = check_device(item.chain, NVIDIA_ROOTS.device, AT)
    joined = b"".join(item.chain)
    for place in range(0, len(joined), 23):
        spoilt, chain, at = bytearray(joined), [], 0
        spoilt[place] ^= 1 << place % 8
        for der in item.chain:
            chain.append(bytes(spoilt[at : at + len(der)]))
            at += len(der)
        try:
            device = check_device(DeviceItem(b"", tuple(chain)).chain, NVIDIA_ROOTS.device, AT)
        except EvidenceError:
            continue
        # only the spelling of an issuer's signature can vary (unused bits)
        assert [each.tbs_certificate_bytes for each in device.chain] == [each.tbs_certificate_bytes for each in genuine.chain]


def test_changed_byte_of_a_real_manifest_changes_nothing_that_it_says() -> None:
    manifest = MANIFESTS[0]
    at = millis("2025-06-01")
    genuine = check_rim(manifest.content, NVIDIA_ROOTS.rim, at)
    refused = 0
    for place in range(0, len(manifest.content), 101):
        spoilt = bytearray(manifest.content)
        spoilt[place] ^= 1 << place % 8
        try:
            rim = check_rim(bytes(spoilt), NVIDIA_ROOTS.rim, at)
        except EvidenceError:
            refused += 1
            continue
        assert (rim.model, rim.version, rim.golden) == (genuine.model, genuine.version, genuine.golden)
    assert refused > 150
