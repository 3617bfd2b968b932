"""Reading what a virtual TPM's evidence is made of: HCL report, runtime data, TPM quote, signature."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vtpm_pki import PCRS, RUNTIME, attestation_key, hcl_report, jwk, runtime_data, signed, tpm_quote

from agent.attestation.errors import BadSignature, EvidenceError, Malformed
from agent.attestation.vtpm.errors import UnfitKey
from agent.attestation.vtpm.hcl import MAX_REPORT, HclKind, HclReport
from agent.attestation.vtpm.runtime import MAX_RUNTIME, RuntimeData
from agent.attestation.vtpm.tpm import MAX_QUOTE, MAX_SIGNATURE, Scheme, TpmQuote, check_signature

AK = attestation_key()
QUOTE = tpm_quote(b"nonce", (0, 1, 7, 23))
KEY = jwk(AK.public_key())


def test_quote_says_what_was_selected_and_for_which_nonce() -> None:
    quote = TpmQuote.decode(QUOTE)
    assert (quote.extra, quote.selected) == (b"nonce", (0, 1, 7, 23))
    assert quote.vouches_for(tuple(PCRS[index] for index in quote.selected))
    assert not quote.vouches_for(tuple(PCRS[index] for index in (0, 1, 7, 22)))
    assert not quote.vouches_for(tuple(PCRS[index] for index in (0, 1, 7)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda quote: b"\xfeTCG" + quote[4:],
        lambda quote: quote[:4] + b"\x80\x17" + quote[6:],
        lambda quote: quote + b"\0",
        lambda quote: quote[:-1],
        lambda quote: b"",
        lambda quote: bytes(MAX_QUOTE + 1),
        lambda quote: quote.replace(b"\x00\x00\x00\x01\x00\x0b\x03", b"\x00\x00\x00\x02\x00\x0b\x03"),
        lambda quote: quote.replace(b"\x00\x00\x00\x01\x00\x0b\x03", b"\x00\x00\x00\x01\x00\x0c\x03"),
        lambda quote: quote.replace(b"\x00\x00\x00\x01\x00\x0b\x03", b"\x00\x00\x00\x01\x00\x0b\x04"),
        lambda quote: quote.replace(b"\x00\x05nonce", b"\x00\x43" + bytes(67)),
    ],
    ids=[
        "magic", "another structure", "padded", "truncated", "empty", "oversized", "two selections", "SHA-384 bank",
        "32 PCRs", "long nonce",
    ],
)  # fmt: skip
def test_what_is_no_quote_of_a_tpm_is_malformed(spoil: Any) -> None:
    with pytest.raises(Malformed):
        TpmQuote.decode(spoil(QUOTE))


@pytest.mark.parametrize("scheme", Scheme)
def test_signature_holds_for_its_message_and_key_only(scheme: Scheme) -> None:
    check_signature(AK.public_key(), signed(QUOTE, scheme=scheme), QUOTE)
    with pytest.raises(BadSignature):
        check_signature(AK.public_key(), signed(QUOTE, scheme=scheme), QUOTE[:-1])
    with pytest.raises(BadSignature):
        check_signature(AK.public_key(), signed(QUOTE, attestation_key("other"), scheme), QUOTE)


@pytest.mark.parametrize(
    ("place", "value"), [(1, 0x18), (3, 0x04), (5, 0xFF), (None, b""), (None, bytes(MAX_SIGNATURE + 1))],
    ids=["ECDSA", "SHA-1", "length", "empty", "oversized"],
)  # fmt: skip
def test_signature_of_another_scheme_is_malformed(place: int | None, value: Any) -> None:
    spoilt = bytearray(signed(QUOTE) if place is not None else value)
    if place is not None:
        spoilt[place] = value
    with pytest.raises(Malformed):
        check_signature(AK.public_key(), bytes(spoilt), QUOTE)


def test_attestation_key_is_read_from_the_runtime_data() -> None:
    data = RuntimeData.decode(runtime_data(jwk(attestation_key("EK").public_key(), "HCLEkPub"), KEY))
    assert data.attestation_key.public_numbers() == AK.public_key().public_numbers()
    assert data.secure_boot is True


@pytest.mark.parametrize(
    "keys",
    [
        (), (KEY, KEY), (jwk(AK.public_key(), "HCLEkPub"),), (KEY | {"kty": "EC"},), (KEY | {"n": ""},), (KEY | {"n": 5},),
        (KEY | {"n": "A" * 100},), (KEY | {"n": "ü"},), (KEY | {"n": "A*"},), (KEY | {"e": "AQ"},), (KEY | {"e": None},),
        (jwk(attestation_key("weak", 1024).public_key()),), (KEY | {"n": "_" * 1000},),
    ],
    ids=[
        "none", "two", "another", "EC", "empty", "number", "small", "not ASCII", "not base64", "exponent 1", "no exponent",
        "weak", "huge",
    ],
)  # fmt: skip
def test_unfit_attestation_key_is_refused(keys: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(UnfitKey):
        RuntimeData.decode(runtime_data(*keys))


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [], "keys": []}', b"[" * 5000, b"\xff", bytes(MAX_RUNTIME + 1), b'{"keys": [' + b"0," * 20 + b"0]}"],
    ids=["empty", "list", "no keys", "no list", "doubled", "nested", "not UTF-8", "oversized", "many"],
)
def test_what_is_no_runtime_data_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        RuntimeData.decode(text)


@pytest.mark.parametrize("kind", HclKind)
def test_hcl_report_is_taken_apart(kind: HclKind) -> None:
    report = HclReport.decode(hcl_report(b"\x0a" * 1184, kind=kind))
    assert (report.kind, report.hardware, report.runtime) == (kind, b"\x0a" * 1184, RUNTIME)


@pytest.mark.parametrize(
    "raw",
    [b"", b"HCLB" + hcl_report(b"")[4:], hcl_report(b"", kind=3), hcl_report(b"", algorithm=2), hcl_report(b"")[:1300], bytes(MAX_REPORT + 1)],
    ids=["empty", "magic", "VBS", "SHA-384", "truncated", "oversized"],
)
def test_what_is_no_hcl_report_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        HclReport.decode(raw)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 60))
def test_spliced_structures_give_typed_errors_only(junk: bytes, at: int, cut: int) -> None:
    for decode, good in (
        (TpmQuote.decode, QUOTE),
        (HclReport.decode, hcl_report(b"")),
        (RuntimeData.decode, RUNTIME),
        (lambda data: check_signature(AK.public_key(), data, QUOTE), signed(QUOTE)),
    ):
        try:
            decode(good[:at] + junk + good[at + cut :])
        except EvidenceError:
            pass


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["keys", "kid", "n", "e", "kty", "vm-configuration", "secure-boot"]), inner),
        max_leaves=12,
    )
)
def test_json_that_is_no_runtime_data_gives_typed_errors_only(value: object) -> None:
    for shape in (value, {"keys": value}, {"keys": [value]}, {"keys": [KEY], "vm-configuration": value}):
        try:
            RuntimeData.decode(json.dumps(shape).encode())
        except EvidenceError:
            pass
