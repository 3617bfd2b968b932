"""Vendors' own files, told by their content; hostile ones refused by name, whatever they begin as."""

import base64
import json
import struct
from hashlib import sha256
from typing import Any

import pytest
from amd_pki import Report
from dstack_guest import Started
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_pki import Guest, collateral, enclave_report, sgx_quote, tdx_quote
from nvidia_pki import ROOTS, Device, manifests
from simulated_world import BINDING
from synthetic_world import AT, MILAN, nitro_document, policy_for, quote, verifiers
from vtpm_pki import PCRS, RUNTIME, hcl_report, signed, tpm_quote

from agent.attestation.amd import SnpQuote
from agent.attestation.checks import CheckName
from agent.attestation.evidence import Evidence
from agent.attestation.nvidia import DeviceItem
from agent.attestation.raw import MAX_FILE, Beside, read_file, verify_file
from agent.attestation.verdict import QuoteVerdict
from agent.protocol.units import Millis

WANTED = b"\x0d" * 64
TDX, SGX = tdx_quote(Guest(report_data=WANTED)), sgx_quote(enclave_report(attributes=b"\x05".ljust(16, b"\0"), report_data=WANTED))
INTEL, INTEL_SGX = collateral().encode(), collateral(tdx=False).encode()
SNP = Report(report_data=WANTED).signed()
NITRO = nitro_document(BINDING)
COLLECTION = Evidence(BINDING.encode(), quote("snp")).encode()


def framed(kind: int, content: bytes) -> bytes:
    return bytes([0, kind]) + (len(content) << 2 | 1).to_bytes(2, "little") + content + b"dstack's own"


def extended(report: bytes, *certificates: bytes) -> bytes:
    """As the kernel hands it out: AMD's table of VCEK, ASK, ARK behind the report."""
    guids = ("63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782", "c0b406a4a80349529743 3fb6014cd0ae".replace(" ", ""))
    offset = 24 * (len(certificates) + 1)
    table, contents = b"", b""
    for guid, der in zip(guids, certificates, strict=False):
        table += struct.pack("<16sII", bytes.fromhex(guid), offset + len(contents), len(der))
        contents += der
    return report + table + bytes(24) + contents


def azure(**changes: Any) -> bytes:
    cpu = Report(report_data=sha256(RUNTIME).digest() + bytes(32)).signed()
    message = tpm_quote(b"challenge")
    document = {
        "version": "1",
        "hcl_report": base64.urlsafe_b64encode(hcl_report(cpu)).decode().rstrip("="),
        "vcek": base64.urlsafe_b64encode(MILAN.chain()[0]).decode().rstrip("="),
        # the tool stores the bare RSA signature
        "tpm_quote": {"message": message.hex(), "signature": signed(message)[6:].hex(), "pcrs": [pcr.hex() for pcr in PCRS]},
    }
    return json.dumps(document | changes).encode()


def dstack(**changes: Any) -> bytes:
    started = Started(guest=Guest(report_data=WANTED))
    boot = [
        {"imr": register, "event_type": 1, "digest": digest.hex(), "event": "", "event_payload": ""}
        for register, digests in enumerate(started.log.boot)
        for digest in digests
    ]
    runtime = [
        {"imr": 3, "event_type": 0x08000001, "digest": event.digest.hex(), "event": event.name, "event_payload": event.payload.hex()}
        for event in started.log.runtime
    ]
    return json.dumps({"quote": started.quote().hex(), "event_log": json.dumps(boot + runtime)} | changes).encode()


def nvidia(*devices: Device) -> bytes:
    def entry(index: int, device: Device) -> dict[str, str]:
        item = DeviceItem.decode(device.item(index).content)
        pem = b"".join(
            b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n" for der in item.chain
        )
        arch = "LS10" if device.model == "LS10" else "HOPPER"
        return {"arch": arch, "evidence": base64.b64encode(item.report).decode(), "certificate": base64.b64encode(pem).decode()}

    return json.dumps([entry(index, device) for index, device in enumerate(devices)]).encode()


def judged(data: bytes, *beside: bytes, kind: str | None = None, **options: Any) -> QuoteVerdict:
    policy = None if kind is None else policy_for(kind)
    return verify_file(data, AT, policy, beside=beside, verifiers=verifiers(), devices=ROOTS, **options)


def failed(verdict: QuoteVerdict) -> set[str]:
    return {check.name.value for check in verdict.failed}


READ = {
    "ours": (COLLECTION, ()),
    "TDX": (TDX, (INTEL,)),
    "TDX, padded with zeros as kernels do": (TDX + bytes(3000), (INTEL,)),
    "TDX in hex": (b"0x" + TDX.hex().encode() + b"\n", (INTEL,)),
    "TDX in base64": (base64.encodebytes(TDX), (INTEL,)),
    "TDX in dstack's frame": (framed(0, TDX), (INTEL,)),
    "SGX": (SGX, (INTEL_SGX,)),
    "SEV-SNP": (SNP, MILAN.chain()),
    "SEV-SNP with its table": (extended(SNP, *MILAN.chain()), ()),
    "SEV-SNP in dstack's frame": (framed(3, SNP), MILAN.chain()),
    "SEV-SNP in dstack's JSON": (json.dumps({"attestation": framed(3, SNP).hex()}).encode(), MILAN.chain()),
    "Nitro": (NITRO, ()),
    "Nitro in dstack's frame": (framed(2, NITRO), ()),
    "Azure": (azure(), MILAN.chain()),
    "dstack": (dstack(), (INTEL,)),
    "NVIDIA's JSON": (nvidia(Device(), Device(model="LS10", number=77)), manifests("GH100") + manifests("LS10")),
    "NVIDIA's report": (DeviceItem.decode(Device().item().content).report, (*Device().chain, *manifests("GH100"))),
}


@pytest.mark.parametrize("name", READ)
def test_genuine_file_is_told_by_its_content_and_authentic(name: str) -> None:
    data, beside = READ[name]
    verdict = judged(data, *beside)
    assert verdict.authentic, verdict.failed
    assert not verdict.ok, "nobody gave a policy"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ours", "snp"), ("TDX", "tdx"), ("SEV-SNP", "snp"), ("SEV-SNP with its table", "snp"), ("Nitro", "nitro"), ("dstack", "dstack"), ("Azure", "vtpm")],
)
def test_genuine_file_is_accepted_under_a_policy_that_names_it_and_no_other(name: str, kind: str) -> None:
    data, beside = READ[name]
    assert judged(data, *beside, kind=kind).ok
    assert failed(judged(data, *beside, kind="sgx")) >= {"measurement"}


def test_gpus_without_a_cpu_are_never_accepted() -> None:
    data, beside = READ["NVIDIA's JSON"]
    assert failed(judged(data, *beside, kind="snp")) == {"gpu-cpu-evidence"}


def test_report_data_is_compared_and_short_ones_are_filled_up() -> None:
    assert judged(TDX, INTEL, kind="tdx", report_data=WANTED).ok
    assert failed(judged(TDX, INTEL, kind="tdx", report_data=b"\x0d")) == {"report-data"}
    short = tdx_quote(Guest(report_data=b"\x0d".ljust(64, b"\0")))
    assert judged(short, INTEL, kind="tdx", report_data=b"\x0d").ok


def test_binding_of_our_evidence_is_compared_with_what_is_expected() -> None:
    assert judged(COLLECTION, kind="snp", wanted={CheckName.NODE: bytes(BINDING.node_id)}).ok
    assert failed(judged(COLLECTION, kind="snp", wanted={CheckName.NODE: b"\x99" * 32})) == {"binding-node"}


@pytest.mark.parametrize("name", READ)
def test_file_outside_the_time_of_its_certificates_is_not_authentic(name: str) -> None:
    data, beside = READ[name]
    for at in (Millis(0), Millis(AT + 20 * 365 * 86_400_000)):
        verdict = verify_file(data, at, beside=beside, verifiers=verifiers(), devices=ROOTS)
        assert not verdict.authentic
        assert failed(verdict) & {"certificates-valid", "gpu-certificates-valid"}


@pytest.mark.parametrize("name", READ)
def test_truncated_file_is_refused_by_name(name: str) -> None:
    data, beside = READ[name]
    # the last byte of padding, text or frame may be missing without harm
    for cut in (1, 3, 7, len(data) // 3, len(data) // 2, len(data) * 3 // 4 if "padded" not in name else len(TDX) - 1):
        verdict = judged(data[:cut], *beside)
        assert not verdict.authentic, cut
        assert verdict.failed
        assert all(check.detail for check in verdict.failed)


@pytest.mark.parametrize("name", [name for name in READ if "frame" not in name and "JSON" not in name])
def test_file_with_something_behind_it_is_refused_by_name(name: str) -> None:
    data, beside = READ[name]
    assert not judged(data + b"\x01more", *beside).authentic


HOSTILE = {
    "nothing": (b"", "kind"),
    "zeros": (bytes(5000), "kind"),
    "huge": (b"\xd2" * (MAX_FILE + 1), "size"),
    "huge JSON": (b"[" * (MAX_FILE + 1), "size"),
    "JSON of brackets": (b"[" * 100_000, "format"),
    "JSON of a huge number": (b'{"quote": ' + b"9" * 100_000 + b"}", "format"),
    "nested CBOR": (b"\xa1\x61a" * 1000 + b"\0", "format"),
    "CBOR that announces more than there is": (b"\xbb" + b"\xff" * 8, "format"),
    "nested frames": (framed(0, framed(0, framed(0, framed(0, TDX)))), "format"),
    "hex of hex of hex of hex": (TDX.hex().encode().hex().encode().hex().encode().hex().encode(), "format"),
    "frame that ends behind the file": (b"\0\0\xfd\xff" + TDX[:100], "kind"),
    "tagged Nitro document": (b"\xd2" + NITRO, "kind"),
    "certificate": (b"-----BEGIN CERTIFICATE-----\n", "kind"),
    "manifest": (b"<SoftwareIdentity/>", "kind"),
    "HCL report alone": (hcl_report(SNP), "kind"),
    "Intel's collateral": (b'{"tcb_info": "", "qe_identity": ""}', "kind"),
    "other JSON": (b'{"quote": 1, "event_log": 2}', "kind"),
    "list of nothing": (b"[]", "kind"),
    "devices without end": (json.dumps([{"evidence": "", "certificate": ""}] * 17).encode(), "format"),
    "Azure without PCRs": (azure(tpm_quote={"message": "", "signature": ""}), "format"),
    "Azure with 25 PCRs": (azure(tpm_quote={"message": "", "signature": "", "pcrs": [""] * 25}), "format"),
    "Azure with a report that is none": (azure(hcl_report="!"), "format"),
    "dstack with a log that is none": (dstack(event_log="[1]"), "format"),
    "dstack with lone surrogates": (dstack(event_log="\ud800"), "format"),
    "dstack with a quote that is no hex": (dstack(quote="xyz"), "format"),
    "SEV-SNP without certificates": (SNP, "collateral"),
    "TDX without collateral": (TDX, "collateral"),
    "device without certificates": (DeviceItem.decode(Device().item().content).report, "collateral"),
    "quote with something behind it": (TDX + b"\0\x01", "format"),
    "quote of an unknown version": (b"\x09" + TDX[1:], "kind"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_by_name(name: str) -> None:
    data, check = HOSTILE[name]
    verdict = judged(data)
    assert failed(verdict) == {check}
    assert verdict.claims is None


def test_check_that_was_not_made_is_not_shown_as_passed() -> None:
    assert [check.name for check in judged(SNP).checks] == [CheckName.COLLATERAL]
    assert [check.name for check in judged(b"").checks] == [CheckName.KIND]


@pytest.mark.parametrize(
    "beside",
    [b"", b"\0", b"{", b"{}", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", b"\xa0", b"x" * (1 << 20) + b"y", b"\x30" * 9000],
    ids=["nothing", "a zero", "half JSON", "other JSON", "PEM that is none", "other CBOR", "huge", "DER that is none"],
)
def test_collateral_that_is_none_is_refused_by_name(beside: bytes) -> None:
    assert failed(judged(TDX, beside)) == {"collateral"}


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", *(data[:size] for data, _ in READ.values() for size in (2, 8, 60))]))
def test_no_file_crashes_the_reader(data: bytes, start: bytes) -> None:
    assert not judged(start + data, INTEL).ok


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(READ)), st.data())
def test_no_changed_byte_crashes_or_changes_what_the_hardware_said(name: str, data: st.DataObject) -> None:
    content, beside = READ[name]
    place, mask = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
    spoilt = bytearray(content)
    spoilt[place] ^= mask
    found, genuine = judged(bytes(spoilt), *beside), judged(content, *beside)
    # spelling, padding, and what the vendor does not sign may change; the claims may not
    if found.authentic:
        assert found.claims == genuine.claims
        assert found.binding in {genuine.binding, None}, "a binding that the hardware did not sign is nobody's word"
        assert [(each.model, each.report.signed) for each in found.devices] == [(each.model, each.report.signed) for each in genuine.devices]


def test_certificates_of_the_host_are_completed_from_beside() -> None:
    leaf, *rest = MILAN.chain()
    # AMD's service signs a VCEK anew each time: this one differs from the host's, and is not needed
    another = MILAN.chain()[0]
    assert another != leaf
    found = read_file(extended(SNP, leaf), Beside.read([another, *rest]))
    assert found.cpu is not None
    assert SnpQuote.decode(found.cpu.content).chain == (leaf, *rest)


def test_zeros_behind_a_hosts_certificate_table_are_padding() -> None:
    assert judged(extended(SNP, *MILAN.chain()) + bytes(4096)).authentic
