"""Devices made by a test PKI: accepted under its roots and chained from CPU evidence, and not otherwise."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from nvidia_pki import (
    AT,
    BEGINS,
    DEVICE_ROOT,
    DRIVER,
    DRIVER_INDICES,
    REPORT_DATA,
    ROOTS,
    VBIOS,
    Device,
    Manifest,
    certificate,
    manifests,
    ocsp_response,
    value,
)  # fmt: skip

from agent.attestation.evidence import Quote
from agent.attestation.nvidia import (
    NVIDIA_ROOTS,
    Collateral,
    DeviceItem,
    DeviceKind,
    GpuCheck,
    GpuRequirements,
    GpuVerdict,
    NvidiaRoots,
    verify_gpus,
)  # fmt: skip
from agent.attestation.nvidia import ocsp as nvidia_ocsp
from agent.attestation.nvidia.evidence import MAX_DEVICES
from agent.protocol.units import Millis

HOPPER, BLACKWELL, SWITCH = Device(), Device(model="GB100"), Device(model="LS10", number=77)
ALL_RIMS = Collateral(tuple(rim for model in ("GH100", "GB100", "LS10") for rim in manifests(model)))
FORMAT = GpuCheck.FORMAT
UNKNOWN = {GpuCheck.RIM, GpuCheck.DEBUG}
"""What fails when no manifest fits."""


def judged(
    items: Sequence[Quote],
    requirements: GpuRequirements | None = None,
    *,
    report_data: bytes | None = REPORT_DATA,
    at: Millis = AT,
    collateral: Collateral = ALL_RIMS,
    roots: NvidiaRoots = ROOTS,
) -> GpuVerdict:
    return verify_gpus(items, report_data, at, collateral, requirements, roots)


def failed(verdict: GpuVerdict) -> set[str]:
    return {finding.name for finding in verdict.findings if not finding.passed}


def detail(verdict: GpuVerdict, name: GpuCheck) -> str:
    return next(finding.detail for finding in verdict.findings if finding.name is name)


@pytest.mark.parametrize("device", [HOPPER, BLACKWELL, SWITCH], ids=lambda device: device.model)
def test_device_chained_from_the_cpu_is_accepted_under_its_roots_and_no_other(device: Device) -> None:
    verdict = judged([device.item()])
    assert verdict.ok
    (claims,) = verdict.devices
    assert (claims.kind, claims.model, claims.vbios) == (device.kind, device.model, VBIOS[device.model])
    assert claims.driver == ("" if device is SWITCH else DRIVER)
    assert claims.hardware_id == b"A" + device.pdi
    assert claims.ueid == str(900 + device.number)
    assert failed(judged([device.item()], roots=NVIDIA_ROOTS)) == {GpuCheck.ROOT}


def test_every_check_is_in_the_verdict_once_in_its_order() -> None:
    assert [finding.name for finding in judged([HOPPER.item()]).findings] == list(GpuCheck)


def test_device_without_accepted_cpu_evidence_does_not_count() -> None:
    assert failed(judged([HOPPER.item()], report_data=None)) == {GpuCheck.CPU}


@pytest.mark.parametrize(
    "item",
    [HOPPER.item(report_data=b"\x12" * 64), HOPPER.item(index=1)],
    ids=["another-node", "another-place"],
)
def test_device_chained_from_elsewhere_fails_by_its_nonce(item: Quote) -> None:
    verdict = judged([item])
    assert failed(verdict) == {GpuCheck.NONCE}
    assert "expected" in detail(verdict, GpuCheck.NONCE)


def test_each_device_has_its_own_place() -> None:
    others = [Device(number=number) for number in range(1, 5)]
    assert judged([device.item(index) for index, device in enumerate(others)]).ok
    swapped = judged([others[1].item(1), others[0].item(0)])
    assert failed(swapped) == {GpuCheck.NONCE}


def test_one_device_in_two_places_fails() -> None:
    verdict = judged([HOPPER.item(0), HOPPER.item(1)])
    assert failed(verdict) == {GpuCheck.DISTINCT}
    assert "device 1 is device 0" in detail(verdict, GpuCheck.DISTINCT)


def test_fault_of_one_device_is_told_by_its_number() -> None:
    verdict = judged([HOPPER.item(0), Device(number=2).item(1, measurements={1: b"\x09" * 48})])
    assert failed(verdict) == {GpuCheck.MEASUREMENTS, GpuCheck.DEBUG}
    assert detail(verdict, GpuCheck.MEASUREMENTS).startswith("device 1: measurement 1 is 0909")


def test_golden_value_may_be_one_of_several() -> None:
    assert failed(judged([HOPPER.item(measurements={DRIVER_INDICES[0]: bytes(48)})])) == {GpuCheck.MEASUREMENTS, GpuCheck.DEBUG}
    both = Manifest(golden={index: (b"\x01" * 48, value(index)) for index in DRIVER_INDICES})
    collateral = Collateral((manifests("GH100")[0], both.signed))
    assert judged([HOPPER.item(measurements={DRIVER_INDICES[0]: b"\x01" * 48})], collateral=collateral).ok


def test_measurement_of_a_decoder_that_is_off_does_not_matter() -> None:
    item = HOPPER.item(measurements={35: b"\x09" * 48}, opaque={11: b"\x55"})
    assert judged([item]).ok
    assert failed(judged([HOPPER.item(measurements={35: b"\x09" * 48})])) == {GpuCheck.MEASUREMENTS, GpuCheck.DEBUG}


@pytest.mark.parametrize("missing", [0, 1], ids=["vbios", "driver"])
def test_device_without_a_manifest_of_its_version_fails(missing: int) -> None:
    rims = manifests("GH100")
    verdict = judged([HOPPER.item()], collateral=Collateral((rims[1 - missing], *manifests("GB100"))))
    assert failed(verdict) == UNKNOWN
    assert "expected a manifest of GH100 " + ("VBIOS", "driver")[missing] in detail(verdict, GpuCheck.RIM)


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        (Manifest(golden={7: (value(7),)}, days=10), "certificates-valid"),
        (Manifest(golden={7: (value(7),)}, version="580.1.3"), "GH100 580.1.3"),
        (Manifest(golden={7: (value(7),)}, model="GB100"), "GB100 580.1.2"),
    ],
    ids=["expired", "other-version", "other-model"],
)
def test_manifest_that_does_not_apply_is_told(driver: Manifest, why: str) -> None:
    verdict = judged([HOPPER.item()], collateral=Collateral((manifests("GH100")[0], driver.signed)))
    assert failed(verdict) == UNKNOWN
    assert why in detail(verdict, GpuCheck.RIM)


@pytest.mark.parametrize("golden", [{}, {0: (value(0),), 7: (value(7),)}], ids=["empty", "conflicting"])
def test_manifest_that_decides_nothing_or_twice_is_no_match(golden: dict[int, tuple[bytes, ...]]) -> None:
    driver = Manifest(golden=golden)
    verdict = judged([HOPPER.item()], collateral=Collateral((manifests("GH100")[0], driver.signed)))
    assert failed(verdict) == {GpuCheck.MEASUREMENTS, GpuCheck.DEBUG}


def test_of_two_manifests_of_one_version_the_fitting_one_counts() -> None:
    board = Manifest(golden={7: (bytes(48),)})
    assert judged([HOPPER.item()], collateral=Collateral((board.signed, *manifests("GH100")))).ok


@pytest.mark.parametrize(("flag", "word"), [(1 << 28, "debug"), (1 << 29, "in recovery"), (1 << 30, "not secure")])
def test_device_in_debug_mode_fails(flag: int, word: str) -> None:
    verdict = judged([Device(model="GB100", flags=0x80000001 | flag).item()])
    assert failed(verdict) == {GpuCheck.DEBUG}
    assert word in detail(verdict, GpuCheck.DEBUG)


def test_report_of_other_firmware_than_the_certificate_fails() -> None:
    verdict = judged([HOPPER.item(opaque={20: b"\x30" * 48})])
    assert failed(verdict) == {GpuCheck.FIRMWARE_ID}


def test_report_of_an_old_driver_tells_no_firmware_and_is_accepted() -> None:
    assert judged([HOPPER.item(opaque={20: None})]).ok


def test_report_signed_by_another_key_fails_by_its_signature() -> None:
    assert failed(judged([HOPPER.item(signer="another")])) == {GpuCheck.SIGNATURE}


def test_forged_chain_fails() -> None:
    item = DeviceItem.decode(HOPPER.item().content)
    forged = (item.chain[0], certificate(HOPPER.own, "GH100 ICA", signer="another"), *item.chain[2:])
    assert failed(judged([Quote(DeviceKind.GPU, DeviceItem(item.report, forged).encode())])) == {GpuCheck.CHAIN}


def test_chain_may_come_without_its_root() -> None:
    item = DeviceItem.decode(HOPPER.item().content)
    assert judged([Quote(DeviceKind.GPU, DeviceItem(item.report, item.chain[:-1]).encode())]).ok


def test_firmware_certificate_straight_under_the_root_is_no_device() -> None:
    leaf = certificate("lone", "Device Identity CA", ca=False)
    item = DeviceItem.decode(HOPPER.item().content)
    assert failed(judged([Quote(DeviceKind.GPU, DeviceItem(item.report, (leaf, DEVICE_ROOT)).encode())])) == {FORMAT}


@pytest.mark.parametrize("days", [-1, 3651], ids=["before", "after"])
def test_device_does_not_hold_outside_its_certificates(days: int) -> None:
    moment = Millis(int((BEGINS + timedelta(days=days)).timestamp() * 1000))
    assert failed(judged([HOPPER.item()], at=moment)) == {GpuCheck.VALIDITY}


@pytest.mark.parametrize("device", [HOPPER, SWITCH], ids=["gpu-as-switch", "switch-as-gpu"])
def test_device_in_an_item_of_the_other_kind_fails(device: Device) -> None:
    other = DeviceKind.GPU if device.kind is DeviceKind.SWITCH else DeviceKind.SWITCH
    assert GpuCheck.MODEL in failed(judged([Quote(other, device.item().content)]))


def test_model_and_driver_that_are_not_allowed_fail() -> None:
    assert failed(judged([HOPPER.item()], GpuRequirements(models=frozenset({"GB100"})))) == {GpuCheck.MODEL}
    assert failed(judged([HOPPER.item()], GpuRequirements(drivers=frozenset({"1"})))) == {GpuCheck.MODEL}
    assert judged([HOPPER.item()], GpuRequirements(drivers=frozenset({DRIVER}))).ok


def test_rejected_hardware_fails() -> None:
    assert failed(judged([HOPPER.item()], GpuRequirements(rejected=frozenset({b"A" + HOPPER.pdi})))) == {GpuCheck.REJECTED}


def test_too_few_gpus_fail_and_a_switch_is_none() -> None:
    assert failed(judged([HOPPER.item(0), SWITCH.item(1)], GpuRequirements(gpus=2))) == {GpuCheck.COUNT}
    assert judged([HOPPER.item(0), SWITCH.item(1)], GpuRequirements(gpus=1)).ok


def test_too_many_devices_are_not_looked_at() -> None:
    verdict = judged([HOPPER.item()] * (MAX_DEVICES + 1))
    assert failed(verdict) == {GpuCheck.COUNT}
    assert not verdict.devices


def test_gpus_that_send_in_clear_need_evidence_of_their_switches() -> None:
    linked = {21: b"\xaa", 22: SWITCH.pdi[::-1] * 2 + bytes(8)}
    assert failed(judged([HOPPER.item(opaque=linked)])) == {GpuCheck.SWITCHES}
    assert judged([HOPPER.item(opaque=linked), SWITCH.item(1)]).ok
    assert failed(judged([HOPPER.item(opaque=linked), Device(model="LS10", number=78).item(1)])) == {GpuCheck.SWITCHES}


def test_gpu_that_sends_in_clear_and_names_no_switch_fails() -> None:
    assert failed(judged([HOPPER.item(opaque={21: b"\xaa"})])) == {GpuCheck.SWITCHES}


def _responses(chain: tuple[bytes, ...], *, revoked: int | None = None) -> tuple[bytes, ...]:
    """For every authority of a chain (leaf first) below the root; the holder names are those of its issuers."""
    issuers = [x509.load_der_x509_certificate(der).issuer.rfc4514_string().split(",")[0].removeprefix("CN=") for der in chain]
    return tuple(
        ocsp_response(chain[place], chain[place + 1], issuers[place], revoked=revoked == place) for place in range(len(chain) - 1)
    )


DEVICE_OCSP = _responses(HOPPER.chain)[1:]
RIM_OCSP = _responses(Manifest(signer="RIM Signer").chain)
OCSP = GpuRequirements(require_ocsp=True)


def test_device_and_manifests_with_ocsp_responses_are_accepted() -> None:
    collateral = Collateral(manifests("GH100"), DEVICE_OCSP + RIM_OCSP)
    assert judged([HOPPER.item()], OCSP, collateral=collateral).ok


@pytest.mark.parametrize(
    ("ocsp", "names"),
    [
        (RIM_OCSP, {GpuCheck.REVOKED}),
        (DEVICE_OCSP[:1] + RIM_OCSP, {GpuCheck.REVOKED}),
        (DEVICE_OCSP[1:] + RIM_OCSP, {GpuCheck.REVOKED}),
        (DEVICE_OCSP, UNKNOWN),
    ],
    ids=["none-of-the-device", "none-of-its-authority", "none-of-the-device-itself", "none-of-the-manifests"],
)
def test_required_ocsp_response_that_is_missing_fails(ocsp: tuple[bytes, ...], names: set[GpuCheck]) -> None:
    assert failed(judged([HOPPER.item()], OCSP, collateral=Collateral(manifests("GH100"), ocsp))) == names


def test_revoked_device_fails_even_where_no_response_is_required() -> None:
    for place in (1, 2):
        responses = _responses(HOPPER.chain, revoked=place)[1:]
        verdict = judged([HOPPER.item()], collateral=Collateral(manifests("GH100"), responses))
        assert failed(verdict) == {GpuCheck.REVOKED}
        assert "certificateHold" in detail(verdict, GpuCheck.REVOKED)


def test_revoked_manifest_is_none() -> None:
    responses = _responses(Manifest().chain, revoked=1)
    verdict = judged([HOPPER.item()], collateral=Collateral(manifests("GH100"), responses))
    assert failed(verdict) == UNKNOWN
    assert "is revoked" in detail(verdict, GpuCheck.RIM)


def _answer(signer: str = "Device Identity CA", **changes: object) -> bytes:
    chain = HOPPER.chain
    return ocsp_response(chain[2], chain[3], signer, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("response", "names"),
    [
        (_answer(algorithm=hashes.SHA384()), set()),
        (_answer("another", delegate=certificate("another", "another", delegate=True)), {GpuCheck.SIGNATURE}),
        (b"no response", {GpuCheck.COLLATERAL}),
    ],
    ids=["sha384", "forged", "garbage"],
)
def test_ocsp_response_is_checked(response: bytes, names: set[GpuCheck]) -> None:
    assert failed(judged([HOPPER.item()], collateral=Collateral(manifests("GH100"), (response,)))) == names


@pytest.mark.parametrize("times", [{"days": 10}, {"begins": BEGINS + timedelta(days=200)}], ids=["stale", "future"])
def test_ocsp_response_of_another_time_is_as_good_as_none_unless_it_revokes(times: dict[str, object]) -> None:
    beside = Collateral(manifests("GH100"), (_answer(**times), *DEVICE_OCSP[:1], *RIM_OCSP))
    assert judged([HOPPER.item()], collateral=beside).ok
    assert failed(judged([HOPPER.item()], OCSP, collateral=beside)) == {GpuCheck.REVOKED}
    revoked = Collateral(manifests("GH100"), (_answer(revoked=True, **times),))
    assert failed(judged([HOPPER.item()], collateral=revoked)) == {GpuCheck.REVOKED}


def test_what_comes_with_the_evidence_cannot_hide_a_revocation_that_the_verifier_knows() -> None:
    own = Collateral((), (_answer(revoked=True),))
    for ocsp in ((b"no response",), (_answer(),) * 129, (_answer(),)):
        brought = Collateral(manifests("GH100"), ocsp)
        verdict = verify_gpus([HOPPER.item()], REPORT_DATA, AT, own, roots=ROOTS, brought=brought)
        assert GpuCheck.REVOKED in failed(verdict)


def test_ocsp_response_stuffed_with_certificates_is_malformed() -> None:
    response = ocsp_response(HOPPER.chain[2], HOPPER.chain[3], "Device Identity CA", enclosed=list(HOPPER.chain[:1]) * 5)
    verdict = judged([HOPPER.item()], collateral=Collateral(manifests("GH100"), (response,)))
    assert "5 certificates, at most 4" in detail(verdict, GpuCheck.COLLATERAL)


def test_shared_response_is_verified_once_for_all_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    check = nvidia_ocsp._signed_by
    monkeypatch.setattr(nvidia_ocsp, "_signed_by", lambda *args: verified.append(1) or check(*args))
    shared = [Device(number=number + 1).item(number) for number in range(4)]
    assert judged(shared, collateral=Collateral(manifests("GH100"), DEVICE_OCSP[1:])).ok
    assert len(verified) == len(DEVICE_OCSP[1:])


def test_firmware_rolled_back_to_a_genuine_older_version_is_refused_by_a_policy_that_names_versions() -> None:
    running = judged([HOPPER.item()]).devices[0].vbios
    assert judged([HOPPER.item()], GpuRequirements(vbios=frozenset({running}))).ok
    assert failed(judged([HOPPER.item()], GpuRequirements(vbios=frozenset({"99.0"})))) == {GpuCheck.MODEL}


@pytest.mark.parametrize(("may", "days", "names"), [(True, 3650, set()), (False, 3650, {GpuCheck.SIGNATURE}), (True, 50, {GpuCheck.SIGNATURE})])
def test_delegate_may_answer_only_with_its_issuers_word_and_in_its_time(may: bool, days: int, names: set[GpuCheck]) -> None:
    holder = f"Responder {may} {days}"
    delegate = certificate(holder, "Device Identity CA", ca=False, delegate=may, days=days)
    response = ocsp_response(HOPPER.chain[2], HOPPER.chain[3], holder, delegate=delegate)
    assert failed(judged([HOPPER.item()], collateral=Collateral(manifests("GH100"), (response,)))) == names
