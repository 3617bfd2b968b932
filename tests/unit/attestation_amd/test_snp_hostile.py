"""Bytes that no chip ever signed: refused by name, quickly, and never by anything but a typed error."""

import os
import struct
from uuid import UUID

import pytest
from amd_pki import AT, Line, Report
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.attestation import cbor
from agent.attestation.amd import Product, SnpQuote, SnpReport, SnpVerifier, verify_report
from agent.attestation.amd.errors import MalformedReport
from agent.attestation.amd.evidence import MAX_QUOTE, certificates_of_table
from agent.attestation.amd.report import SigningKey
from agent.attestation.errors import EvidenceError, Malformed

LINE = Line(Product.MILAN)
CHAIN = LINE.chain()
QUOTE = SnpQuote(Report(version=5).signed(), CHAIN, LINE.crl()).encode()
VERIFIER = SnpVerifier(roots=LINE.roots)


FUZZ = int(os.environ.get("ENCLAVIA_FUZZ", "1"))
"""How many times the usual number of executions."""
EXAMPLES = settings(max_examples=150 * FUZZ, deadline=None, derandomize=FUZZ == 1)


def test_no_changed_byte_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    VERIFIER.authenticate(QUOTE, AT)
    executions, accepted = 0, set()
    for place in range(len(QUOTE)):
        for turn in range(min(FUZZ, 8)):
            spoilt = bytearray(QUOTE)
            spoilt[place] ^= 1 << (place + turn) % 8
            executions += 1
            try:
                VERIFIER.authenticate(bytes(spoilt), AT)
            except EvidenceError:
                continue
            accepted.add(place)
    with capsys.disabled():
        print(f"\nSEV-SNP byte flips: {executions} executions, {len(accepted)} accepted")
    assert executions >= len(QUOTE)
    assert accepted == set(), "all but the zeros behind the signature is signed, and those have to be zeros"


@pytest.mark.parametrize("length", [0, 1, 0x29F, 0x49F, 0x4A1, 4096])
def test_report_of_another_length_is_malformed(length: int) -> None:
    with pytest.raises(MalformedReport):
        SnpReport.decode(Report().signed()[:length].ljust(length, b"\0"))


@pytest.mark.parametrize(
    "report",
    [
        Report(version=1),
        Report(version=6),
        Report(algorithm=2),
        Report(kind=2),
        Report(kind=7),
        Report(policy=0x10000),
        Report(cpuid=(0x17, 1)),
        Report(raw={0x182: b"\x01"}),
    ],
    ids=["v1", "v6", "algorithm", "reserved-key", "unsigned", "policy-bit", "unknown-cpu", "reserved-tcb"],
)
def test_report_that_amd_does_not_define_is_malformed(report: Report) -> None:
    with pytest.raises(MalformedReport):
        verify_report(report.signed(), LINE.chain(), AT, roots=LINE.roots)


def test_bytes_behind_the_signature_are_malformed() -> None:
    raw = bytearray(Report().signed())
    raw[-1] = 1
    with pytest.raises(MalformedReport):
        SnpReport.decode(bytes(raw))


@pytest.mark.parametrize("numbers", [bytes(144), b"\xff" * 144], ids=["zero", "huge"])
def test_signature_of_absurd_numbers_is_refused(numbers: bytes) -> None:
    raw = Report().signed()
    with pytest.raises(EvidenceError):
        verify_report(raw[:0x2A0] + numbers + raw[0x330:], LINE.chain(), AT, roots=LINE.roots)


@pytest.mark.parametrize(
    "items",
    [
        {},
        [],
        {"report": b""},
        {"report": b"", "chain": []},
        {"report": b"", "chain": [b""] * 4},
        {"report": b"", "chain": ["text"]},
        {"report": "", "chain": [b""]},
        {"report": b"", "chain": [b""], "crl": "text"},
        {"report": b"", "chain": [b""], "more": b""},
    ],
    ids=str,
)
def test_quote_of_another_shape_is_malformed(items: object) -> None:
    with pytest.raises(Malformed):
        SnpQuote.decode(cbor.encode(items))


def test_huge_quote_is_malformed_before_it_is_read() -> None:
    with pytest.raises(MalformedReport):
        SnpQuote.decode(b"\xa2" + bytes(MAX_QUOTE))


def test_huge_certificate_is_malformed() -> None:
    with pytest.raises(Malformed):
        verify_report(Report().signed(), (bytes(8193), *LINE.chain()[1:]), AT, roots=LINE.roots)


@EXAMPLES
@given(st.binary(max_size=2048))
def test_parsers_raise_nothing_but_refusals(data: bytes) -> None:
    for parse in (SnpQuote.decode, SnpReport.decode, certificates_of_table, SnpQuote.from_extended):
        try:
            parse(data)
        except EvidenceError:
            continue


@EXAMPLES
@given(st.binary(min_size=0x4A0, max_size=0x4A0), st.lists(st.binary(max_size=64), max_size=4))
def test_verifier_raises_nothing_but_refusals(report: bytes, chain: list[bytes]) -> None:
    with pytest.raises(EvidenceError):
        verify_report(report, chain, AT, crl=report, roots=LINE.roots)


@EXAMPLES
@given(st.integers(0, len(QUOTE) - 1), st.binary(min_size=1, max_size=16))
def test_overwritten_quote_is_refused_or_the_same(place: int, patch: bytes) -> None:
    spoilt = QUOTE[:place] + patch + QUOTE[place + len(patch) :]
    if spoilt == QUOTE:
        return
    with pytest.raises(EvidenceError):
        VERIFIER.authenticate(spoilt, AT)


VCEK_GUID = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
ASK_GUID = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")


def _table(spell: str, padding: int = 100) -> bytes:
    leaf, intermediate = LINE.endorsement(), LINE.intermediate(SigningKey.VCEK)
    entries = [(VCEK_GUID, leaf), (ASK_GUID, intermediate)]
    at = 24 * 3
    head, body = b"", b""
    for guid, der in entries:
        head += getattr(guid, spell) + struct.pack("<II", at + len(body), len(der))
        body += der
    return head + bytes(24) + body + bytes(padding)


@pytest.mark.parametrize("spell", ["bytes", "bytes_le"])
def test_certificate_table_of_the_kernel_is_repacked(spell: str) -> None:
    quote = SnpQuote.from_extended(Report().signed() + _table(spell))
    assert VERIFIER.authenticate(quote.encode(), AT).product is Product.MILAN


@pytest.mark.parametrize(
    "table",
    [b"", bytes(64), VCEK_GUID.bytes + struct.pack("<II", 24, 1), VCEK_GUID.bytes + struct.pack("<II", 2**32 - 1, 2**32 - 1), bytes(65537)],
    ids=["empty", "zeros", "outside", "overflow", "huge"],
)
def test_certificate_table_that_does_not_hold_together_is_malformed(table: bytes) -> None:
    with pytest.raises(Malformed):
        certificates_of_table(table)
