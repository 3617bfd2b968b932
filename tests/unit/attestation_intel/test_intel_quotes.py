"""Reading quotes: each form that Intel's enclaves write, and nothing around it."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_pki import ROOT, Guest, Signing, enclave_report, sgx_quote, tdx_quote
from intel_vectors import QUOTES, content

from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.intel.quote import MAX_QUOTE, MAX_RAW, Quote, Tee, certificates_in, pem, without_padding
from agent.attestation.intel.report import EnclaveReport, TdReport
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.intel.signature import check_chain, check_signatures

TDX = tdx_quote()
SGX = sgx_quote(enclave_report())


def test_root_is_the_one_that_intel_publishes() -> None:
    assert sha256(INTEL_ROOT).hexdigest() == "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"


@pytest.mark.parametrize("name", QUOTES)
def test_signatures_of_every_real_quote_hold_under_intels_root(name: str) -> None:
    quote = Quote.decode(without_padding(content(name)))
    check_signatures(quote, check_chain(quote, INTEL_ROOT, QUOTES[name]))
    assert quote.tee is (Tee.SGX if "sgx_quote" in name else Tee.TDX)
    assert not quote.report.debug
    assert any(quote.report.measurement)


@pytest.mark.parametrize("version", [4, 5])
def test_fields_of_a_guest_are_read_from_their_places(version: int) -> None:
    guest = Guest(version=version, mr_service_td=bytes(48))
    report = Quote.decode(tdx_quote(guest)).report
    assert isinstance(report, TdReport)
    assert (report.mr_td, report.rtmr, report.report_data) == (guest.mr_td, guest.rtmr, guest.report_data)
    assert (report.mr_seam, report.attributes, report.tee_tcb_svn) == (guest.mr_seam, guest.attributes, guest.tee_tcb_svn)


def test_fields_of_an_enclave_are_read_from_their_places() -> None:
    report = Quote.decode(sgx_quote(enclave_report(isv_prod_id=7, isv_svn=9, mr_enclave=b"\x01" * 32))).report
    assert isinstance(report, EnclaveReport)
    assert (report.isv_prod_id, report.isv_svn, report.mr_enclave) == (7, 9, b"\x01" * 32)


GUEST = Quote.decode(TDX).report
ENCLAVE = Quote.decode(SGX).report


@pytest.mark.parametrize(
    "change",
    [
        {"mr_td": b"\x01" * 48},
        {"attributes": b"\x00" * 8},
        {"xfam": b"\x01" * 8},
        {"mr_config_id": b"\x01" * 48},
        {"mr_owner": b"\x01" * 48},
        {"mr_owner_config": b"\x01" * 48},
        {"mr_service_td": b"\x01" * 48},
        *({"rtmr": tuple(b"\x01" * 48 if at == index else GUEST.rtmr[at] for at in range(4))} for index in range(4)),  # type: ignore[union-attr]
    ],
)
def test_whatever_decides_what_a_guest_runs_changes_its_measurement(change: dict[str, object]) -> None:
    assert isinstance(GUEST, TdReport)
    assert replace(GUEST, **change).measurement != GUEST.measurement


@pytest.mark.parametrize("change", [{"report_data": b"\x01" * 64}, {"mr_seam": b"\x01" * 48}, {"tee_tcb_svn": bytes(16)}])
def test_what_varies_with_the_platform_or_the_task_leaves_a_guests_measurement(change: dict[str, object]) -> None:
    assert isinstance(GUEST, TdReport)
    assert replace(GUEST, **change).measurement == GUEST.measurement


@pytest.mark.parametrize(
    "change",
    [
        {"mr_enclave": b"\x01" * 32},
        {"mr_signer": b"\x01" * 32},
        {"isv_prod_id": 77},
        {"isv_svn": 77},
        {"config_svn": 77},
        {"config_id": b"\x01" * 64},
        {"ext_prod_id": b"\x01" * 16},
        {"family_id": b"\x01" * 16},
        {"misc_select": b"\x01" * 4},
        {"attributes": b"\x13".ljust(16, b"\0")},
    ],
)
def test_whatever_decides_what_an_enclave_runs_changes_its_measurement(change: dict[str, object]) -> None:
    assert isinstance(ENCLAVE, EnclaveReport)
    assert replace(ENCLAVE, **change).measurement != ENCLAVE.measurement


def test_padding_of_kernels_is_cut_off_and_only_by_who_asks_for_it() -> None:
    padded = TDX + bytes(3000)
    assert without_padding(padded) == TDX
    with pytest.raises(Malformed, match="after its end"):
        Quote.decode(padded)


@pytest.mark.parametrize("quote", [TDX, SGX], ids=["TDX", "SGX"])
def test_no_shortened_quote_is_read(quote: bytes) -> None:
    for length in range(0, len(quote), 7):
        with pytest.raises(Malformed):
            Quote.decode(quote[:length])


def test_oversized_quote_is_refused_unread() -> None:
    with pytest.raises(Malformed, match="at most"):
        Quote.decode(bytes(MAX_QUOTE + 1))
    with pytest.raises(Malformed, match="at most"):
        without_padding(TDX + bytes(MAX_RAW))


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 3), (0, 6), (2, 3), (4, 0), (4, 0x82), (12, 0), (48 + 584, 0xFF)],
    ids=["SGX's version", "version 6", "P-384", "SGX", "no TEE", "another vendor", "length"],
)
def test_header_that_promises_something_else_is_malformed(place: int, value: int) -> None:
    spoilt = bytearray(TDX)
    spoilt[place] = value
    with pytest.raises(Malformed):
        Quote.decode(bytes(spoilt))


def test_certificates_in_another_spelling_of_pem_are_malformed() -> None:
    at = TDX.index(b"-----BEGIN") + 40
    # the same certificate with its lines broken elsewhere
    text = bytearray(TDX)
    text[at], text[TDX.index(b"\n", at)] = TDX[TDX.index(b"\n", at)], TDX[at]
    with pytest.raises(Malformed):
        Quote.decode(bytes(text))


@pytest.mark.parametrize("text", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA", "ü".encode(), pem((ROOT,) * 9).encode()])
def test_what_is_no_chain_in_pem_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        certificates_in(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.integers(0, len(TDX)), st.integers(0, 64))
def test_spliced_quotes_give_typed_errors_only(junk: bytes, at: int, cut: int) -> None:
    for quote in (TDX, SGX):
        try:
            Quote.decode(quote[:at] + junk + quote[at + cut :])
            without_padding(quote[:at] + junk + quote[at + cut :])
        except EvidenceError:
            pass


def test_quote_without_the_closing_nul_reads_the_same() -> None:
    assert Quote.decode(tdx_quote(None, Signing(nul=False))).chain == Quote.decode(TDX).chain
