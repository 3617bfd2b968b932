"""Documents that real Nitro enclaves made, under the real root; skipped where the vectors do not lie beside us."""

import base64
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from simulated_world import BINDING, POLICY, expected, failed

from agent.attestation.aws_root import AWS_NITRO_ROOT
from agent.attestation.errors import BadSignature, EvidenceError, Malformed, NotValidThen, UntrustedRoot
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.nitro import MEDIA_TYPE, NitroVerifier, claimed_time
from agent.attestation.policy import Allowance, Layer
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.verifier import Claims
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
HOUR = 3_600_000

PRODUCTION = {
    "nitro-evervault/valid-attestation-doc-bytes": "f4d48b81a460",
    "dstack/nitro_attestation.bin": "5cb702954321",
    "dstack/nitro_attestation_vtpm.bin": "eb7d0dab08ff",
}
DEBUG = (
    "nitro-evervault/debug-mode-attestation-doc-bytes",
    "nitro-evervault/valid-attestation-doc-base64",
    "dstack/nitro_attestation_dbg.bin",
)


def _document(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    content = file.read_bytes()
    if name.endswith("base64"):
        return base64.b64decode(content)
    return _unframed(content) if name.startswith("dstack/") else content


def _unframed(content: bytes) -> bytes:
    """What dstack's SCALE frame holds: two tags, a compact length of two bytes, the document, and more behind it."""
    assert content[2] & 3 == 1, "a compact length of two bytes"
    return content[4 : 4 + (int.from_bytes(content[2:4], "little") >> 2)]


def _at_its_time(document: bytes) -> Claims:
    return NitroVerifier().authenticate(document, claimed_time(document))


def test_root_is_the_one_that_aws_publishes() -> None:
    published = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
    assert sha256(AWS_NITRO_ROOT).hexdigest() == published


@pytest.mark.parametrize("name", PRODUCTION)
def test_real_document_holds_at_its_time(name: str) -> None:
    claims = _at_its_time(_document(name))
    assert claims.measurement.hex().startswith(PRODUCTION[name])
    assert not claims.debug


@pytest.mark.parametrize("name", DEBUG)
def test_real_debug_document_says_that_it_is_one(name: str) -> None:
    claims = _at_its_time(_document(name))
    assert claims.debug


@pytest.mark.parametrize("name", PRODUCTION)
@pytest.mark.parametrize("hours", [-1, 4, 24 * 365], ids=["an hour before", "four hours after", "a year after"])
def test_real_document_does_not_hold_outside_its_certificates(name: str, hours: int) -> None:
    document = _document(name)
    with pytest.raises(NotValidThen):
        NitroVerifier().authenticate(document, Millis(claimed_time(document) + hours * HOUR))


@pytest.mark.parametrize("name", PRODUCTION)
def test_real_document_holds_until_its_leaf_certificate_ends(name: str) -> None:
    document = _document(name)
    assert NitroVerifier().authenticate(document, Millis(claimed_time(document) + 2 * HOUR)).debug is False


def test_real_document_does_not_hold_under_another_root(simulated_root: bytes) -> None:
    document = _document("nitro-evervault/valid-attestation-doc-bytes")
    with pytest.raises(UntrustedRoot):
        SimulatedVerifier(simulated_root).authenticate(document, claimed_time(document))


@pytest.mark.parametrize("name", PRODUCTION)
def test_no_changed_byte_of_a_real_document_is_accepted(name: str) -> None:
    document = _document(name)
    at = claimed_time(document)
    # a prime step, so that over the documents every field is met
    for place in range(0, len(document), 13):
        spoilt = bytearray(document)
        spoilt[place] ^= 1
        with pytest.raises(EvidenceError):
            NitroVerifier().authenticate(bytes(spoilt), at)


def test_changed_payload_breaks_the_signature() -> None:
    document = _document("nitro-evervault/valid-attestation-doc-bytes")
    pcr = document.index(bytes.fromhex("f4d48b81a460"))
    spoilt = bytearray(document)
    spoilt[pcr] ^= 1
    with pytest.raises(BadSignature):
        _at_its_time(bytes(spoilt))


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b"\xd2" + d, lambda d: b"\0\x02\xbd\x46" + d]
)
def test_document_with_anything_around_it_is_malformed(spoil: object) -> None:
    document = _document("nitro-evervault/valid-attestation-doc-bytes")
    with pytest.raises(Malformed):
        claimed_time(spoil(document))


@pytest.mark.parametrize("name", PRODUCTION)
def test_real_document_in_our_collection_fails_by_its_binding_only_and_an_hour_later_by_its_age(name: str) -> None:
    document = _document(name)
    at = claimed_time(document)
    policy = replace(
        POLICY,
        allow_simulated=False,
        max_age=Millis(HOUR // 2),
        vendor=Layer(allow=frozenset({Allowance(TeeKind.NITRO, _at_its_time(document).measurement)})),
    )
    binding = replace(BINDING, not_after=Millis(at + HOUR // 2))
    evidence = Evidence(binding.encode(), Quote(MEDIA_TYPE, document)).encode()
    # it was made for somebody else: its report data, nonce and key are not ours
    elsewhere = {"report-data", "native", "nonce", "public-key"}
    assert failed(verify(evidence, policy, at, expected())) == elsewhere
    assert failed(verify(evidence, policy, Millis(at + HOUR), expected())) == elsewhere | {"age", "expiry"}
    assert failed(verify(evidence, policy, Millis(at - HOUR), expected())) == {"certificates-valid"}
