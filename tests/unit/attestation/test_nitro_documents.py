"""Chains and documents that no real platform makes, built to break one rule each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from simulated_world import CODE, NOW, PLATFORM, Node

from agent.attestation import cose, nitro
from agent.attestation.certificates import check_chain
from agent.attestation.errors import BadChain, BadSignature, EvidenceError, Malformed, UntrustedRoot
from agent.attestation.nitro import Document

KEYS = [ec.generate_private_key(ec.SECP384R1()) for _ in range(4)]
P256 = ec.generate_private_key(ec.SECP256R1())


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    path_length: int | None = None,
    may_sign: bool | None = None,
) -> bytes:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    begins = datetime.fromtimestamp(NOW // 1000, UTC) - timedelta(hours=1)
    usage = [ca if may_sign is None else may_sign]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(hours=3))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, *usage, False, False, False), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA384()).public_bytes(serialization.Encoding.DER)


ROOT = _certificate("root", KEYS[0], "root", KEYS[0], ca=True)
MIDDLE = _certificate("middle", KEYS[1], "root", KEYS[0], ca=True, path_length=0)
LEAF = _certificate("leaf", KEYS[2], "middle", KEYS[1], ca=False)


def _signed(chain: list[bytes], key: ec.EllipticCurvePrivateKey = KEYS[2], **changes: Any) -> bytes:
    payload: dict[str, Any] = {
        "module_id": "i-0-enc0",
        "digest": "SHA384",
        "timestamp": int(NOW),
        "pcrs": {0: CODE},
        "certificate": chain[-1],
        "cabundle": chain[:-1],
        "public_key": None,
        "user_data": b"\x01" * 64,
        "nonce": None,
    }
    payload = {name: value for name, value in (payload | changes).items() if value is not ...}
    return cose.sign(cbor2.dumps(payload), key).encode()


def test_document_under_a_straight_chain_is_authentic() -> None:
    document = nitro.authenticate(_signed([ROOT, MIDDLE, LEAF]), ROOT, NOW)
    assert (document.pcrs, document.user_data, document.nonce) == ({0: CODE}, b"\x01" * 64, b"")


@pytest.mark.parametrize(
    "chain",
    [
        [ROOT, _certificate("leaf", KEYS[2], "middle", KEYS[1], ca=False)],
        [ROOT, MIDDLE, _certificate("leaf", KEYS[2], "middle", KEYS[3], ca=False)],
        [ROOT, _certificate("middle", KEYS[1], "root", KEYS[0], ca=False), LEAF],
        [ROOT, _certificate("middle", KEYS[1], "root", KEYS[0], ca=True, may_sign=False), LEAF],
        [
            ROOT,
            MIDDLE,
            _certificate("lower", KEYS[3], "middle", KEYS[1], ca=True),
            _certificate("leaf", KEYS[2], "lower", KEYS[3], ca=False),
        ],
        [ROOT, MIDDLE, _certificate("leaf", KEYS[2], "middle", KEYS[1], ca=True)],
        [ROOT, MIDDLE, _certificate("leaf", P256, "middle", KEYS[1], ca=False)],
    ],
    ids=[
        "gap",
        "forged",
        "issuer-no-authority",
        "issuer-may-not-sign",
        "path-too-long",
        "leaf-authority",
        "other-curve",
    ],
)
def test_crooked_chain_is_refused(chain: list[bytes]) -> None:
    with pytest.raises(BadChain):
        nitro.authenticate(_signed(chain), ROOT, NOW)


def test_chain_under_another_root_of_the_same_name_is_refused() -> None:
    other = _certificate("root", KEYS[3], "root", KEYS[3], ca=True)
    middle = _certificate("middle", KEYS[1], "root", KEYS[3], ca=True)
    with pytest.raises(UntrustedRoot):
        nitro.authenticate(_signed([other, middle, LEAF]), ROOT, NOW)


def test_document_signed_by_another_key_than_its_leaf_is_refused() -> None:
    with pytest.raises(BadSignature):
        nitro.authenticate(_signed([ROOT, MIDDLE, LEAF], KEYS[3]), ROOT, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "SHA256"},
        {"module_id": ""},
        {"timestamp": 0},
        {"timestamp": -1},
        {"timestamp": True},
        {"pcrs": {}},
        {"pcrs": {32: CODE}},
        {"pcrs": {0: CODE[:-1]}},
        {"pcrs": {"0": CODE}},
        {"pcrs": ...},
        {"cabundle": b"bytes"},
        {"cabundle": [1]},
        {"cabundle": []},
        {"cabundle": [ROOT] * 10},
        {"certificate": b"no certificate"},
        {"user_data": "text"},
        {"user_data": bytes(513)},
        {"public_key": bytes(1025)},
        {"surprise": 1},
    ],
    ids=str,
)
def test_document_with_a_field_out_of_order_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        nitro.authenticate(_signed([ROOT, MIDDLE, LEAF], **changes), ROOT, NOW)


@pytest.mark.parametrize("mask", [0x01, 0x10, 0x80, 0xFF])
def test_no_changed_certificate_gets_past_and_none_raises_anything_but_a_refusal(mask: int) -> None:
    genuine = x509.load_der_x509_certificate(LEAF).tbs_certificate_bytes
    for at in range(len(LEAF)):
        spoilt = bytearray(LEAF)
        spoilt[at] ^= mask
        try:
            accepted = check_chain([ROOT, MIDDLE, bytes(spoilt)], ROOT, NOW)
        except EvidenceError:
            continue
        # only the spelling of the issuer's signature can vary (unused bits); the document's signature covers that
        assert accepted.tbs_certificate_bytes == genuine


def test_unsigned_header_is_refused() -> None:
    protected, _, payload, signature = cbor2.loads(Node().quote())
    with pytest.raises(Malformed):
        nitro.authenticate(cbor2.dumps([protected, {4: b"kid"}, payload, signature]), PLATFORM.chain[0], NOW)


@pytest.mark.parametrize("algorithm", [-7, -36, None])
def test_other_algorithm_is_refused(algorithm: int | None) -> None:
    _, unprotected, payload, signature = cbor2.loads(Node().quote())
    with pytest.raises(Malformed):
        nitro.authenticate(cbor2.dumps([cbor2.dumps({1: algorithm}), unprotected, payload, signature]), ROOT, NOW)


def test_zero_signature_is_refused() -> None:
    protected, unprotected, payload, _ = cbor2.loads(Node().quote())
    with pytest.raises(BadSignature):
        nitro.authenticate(cbor2.dumps([protected, unprotected, payload, bytes(96)]), PLATFORM.chain[0], NOW)


def test_enclave_without_pcr0_counts_as_debug() -> None:
    assert Document(module_id="i", timestamp=NOW, pcrs={4: CODE}, chain=()).debug
