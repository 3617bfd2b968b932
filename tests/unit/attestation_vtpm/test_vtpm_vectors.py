"""Machines that really ran on Azure, under AMD's and Intel's real roots."""

import base64
import json
from typing import Any

import pytest
from intel_flips import flip
from intel_vectors import content, day
from vtpm_pki import FakeCpu

from agent.attestation.amd import SnpQuote, SnpVerifier
from agent.attestation.errors import BadSignature, NotValidThen
from agent.attestation.intel.errors import CollateralMissing
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, certificates_in, without_padding
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.intel.signature import check_chain, check_signatures
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier
from agent.attestation.vtpm.evidence import SNP_TYPE, TDX_TYPE, VtpmEvidence
from agent.attestation.vtpm.hcl import HclKind, HclReport
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.tpm import TpmQuote, check_signature, signature_of
from agent.attestation.vtpm.verifier import VtpmVerifier
from agent.protocol.statements import TeeKind

AZURE = "coco-trustee/"
SNP_REPORT = 0x4A0
AT = day("2025-06-01")
SNP = VtpmVerifier(SnpVerifier(), SNP_TYPE)


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _evidence(document: dict[str, Any], cpu: bytes) -> VtpmEvidence:
    tpm = document["tpm_quote"]
    return VtpmEvidence(
        cpu=cpu,
        runtime=HclReport.decode(_unpadded(document["hcl_report"])).runtime,
        quote=bytes.fromhex(tpm["message"]),
        signature=signature_of(bytes.fromhex(tpm["signature"])),
        pcrs=tuple(bytes.fromhex(pcr) for pcr in tpm["pcrs"]),
    )


def _snp() -> VtpmEvidence:
    document = json.loads(content(f"{AZURE}az-snp-vtpm/evidence-v1.json"))
    hcl = HclReport.decode(_unpadded(document["hcl_report"]))
    return _evidence(document, SnpQuote(hcl.hardware[:SNP_REPORT], (_unpadded(document["vcek"]),)).encode())


def _tdx() -> tuple[VtpmEvidence, Quote]:
    document = json.loads(content(f"{AZURE}az-tdx-vtpm/evidence-v1.json"))
    quote = Quote.decode(without_padding(_unpadded(document["td_quote"])))
    return _evidence(document, IntelEvidence(quote, None).encode()), quote


def test_real_machine_on_sev_snp_holds_from_amds_root_to_its_registers() -> None:
    claims = SNP.authenticate(_snp().encode(), AT)
    assert (claims.kind, claims.debug, claims.report_data) == (TeeKind.SEV_SNP, False, b"challenge")
    # no floor was named, and nothing else is wrong with it
    assert claims.tcb_status == "NoFloor"
    assert claims.measurement.hex().startswith("ab9aa5d7c269eed6")
    assert claims.hardware_id is not None


@pytest.mark.parametrize("when", ["2020-01-01", "2035-01-01"])
def test_real_machine_does_not_hold_outside_its_certificates(when: str) -> None:
    evidence = _snp().encode()
    with pytest.raises(NotValidThen):
        SNP.authenticate(evidence, day(when))


def test_no_changed_byte_of_a_real_machines_evidence_is_accepted() -> None:
    evidence = _snp().encode()
    flips = flip(evidence, lambda spoilt: SNP.authenticate(spoilt, AT))
    print(f"Azure vTPM on SEV-SNP: {flips.tried} of {len(evidence)} bytes changed, refused by {dict(flips.refused)}")
    assert flips.accepted == ()
    assert flips.tried == flips.refused.total() >= 250


def test_real_machine_on_tdx_holds_but_for_the_collateral_that_nobody_kept() -> None:
    evidence, quote = _tdx()
    check_signatures(quote, check_chain(quote, INTEL_ROOT, day("2025-01-01")))
    with pytest.raises(CollateralMissing):
        VtpmVerifier(TdxVerifier(IntelTrust(paravisor=True)), TDX_TYPE).authenticate(evidence.encode(), day("2025-01-01"))
    # the rest of the path, with the quote's own report data handed over by a stand-in for the CPU's verifier
    stood_in = VtpmEvidence(
        cpu=quote.report.report_data, runtime=evidence.runtime, quote=evidence.quote, signature=evidence.signature, pcrs=evidence.pcrs
    )
    claims = VtpmVerifier(FakeCpu(TeeKind.TDX), TDX_TYPE).authenticate(stood_in.encode(), AT)
    assert (claims.kind, claims.report_data) == (TeeKind.TDX, b"challenge")


def test_azures_guests_have_no_attributes_and_so_need_the_paravisors_rule() -> None:
    _, quote = _tdx()
    assert not any(getattr(quote.report, "attributes"))  # noqa: B009 - of a guest, which this is


@pytest.mark.parametrize(("folder", "kind"), [("az-snp-vtpm", HclKind.SEV_SNP), ("az-tdx-vtpm", HclKind.TDX)])
def test_real_hcl_report_and_quote_are_read(folder: str, kind: HclKind) -> None:
    report = HclReport.decode(content(f"{AZURE}{folder}/hcl-report.bin"))
    assert report.kind is kind
    assert RuntimeData.decode(report.runtime).attestation_key.key_size == 2048
    tpm = json.loads(content(f"{AZURE}{folder}/tpm-quote-v1.json"))
    quote = TpmQuote.decode(bytes.fromhex(tpm["message"]))
    assert quote.vouches_for(tuple(bytes.fromhex(pcr) for pcr in tpm["pcrs"]))


@pytest.mark.parametrize("folder", ["az-snp-vtpm", "az-tdx-vtpm"])
def test_real_quote_is_signed_by_the_key_in_the_report_beside_it(folder: str) -> None:
    key = RuntimeData.decode(HclReport.decode(content(f"{AZURE}{folder}/hcl-report.bin")).runtime).attestation_key
    tpm = json.loads(content(f"{AZURE}{folder}/tpm-quote-v1.json"))
    message, signature = bytes.fromhex(tpm["message"]), signature_of(bytes.fromhex(tpm["signature"]))
    check_signature(key, signature, message)
    with pytest.raises(BadSignature):
        check_signature(key, signature, message[:-1] + b"\0")


def test_real_quote_of_another_machine_is_not_signed_by_this_ones_key() -> None:
    folder = f"{AZURE}az-snp-vtpm/"
    key = RuntimeData.decode(HclReport.decode(content(f"{folder}hcl-report.bin")).runtime).attestation_key
    message = content(f"{folder}tpm-quote.msg")
    assert TpmQuote.decode(message).selected == (0, 1, 2, 3, 4, 5, 6, 7, 14)
    with pytest.raises(BadSignature):
        check_signature(key, signature_of(content(f"{folder}tpm-quote.sig")), message)


def test_older_real_machine_on_sev_snp_holds_too() -> None:
    folder = f"{AZURE}az-snp-vtpm/"
    hcl = HclReport.decode(content(f"{folder}hcl-report.bin"))
    tpm = json.loads(content(f"{folder}tpm-quote-v1.json"))
    evidence = VtpmEvidence(
        cpu=SnpQuote(hcl.hardware[:SNP_REPORT], certificates_in(content(f"{folder}vcek.pem"))).encode(),
        runtime=hcl.runtime,
        quote=bytes.fromhex(tpm["message"]),
        signature=signature_of(bytes.fromhex(tpm["signature"])),
        pcrs=tuple(bytes.fromhex(pcr) for pcr in tpm["pcrs"]),
    )
    claims = SNP.authenticate(evidence.encode(), AT)
    assert (claims.report_data, claims.debug, claims.tcb_status) == (b"challenge", False, "NoFloor")


def test_google_quotes_are_read_too() -> None:
    quote = TpmQuote.decode(content("dstack/tpm_quote_sample.bin"))
    assert (quote.extra, quote.selected) == (b"\x124Vx", (0, 1, 2))
