"""Signatures of each kind; the keys are made here, the rules are Sui's."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from localnet.rpc.errors import InvalidArgument
from localnet.rpc.signatures import ORDER_K1, ORDER_R1, parse_signature, verify_transaction

TRANSACTION = b"the bytes of a transaction"
Sign = Callable[[bytes], bytes]


def ed25519(message: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    return b"\0" + key.sign(digest(message)) + key.public_key().public_bytes_raw()


def ecdsa(curve: ec.EllipticCurve, flag: bytes, order: int, *, low: bool = True) -> Sign:
    key = ec.derive_private_key(123_456_789, curve)
    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(digest(message), ec.ECDSA(hashes.SHA256())))
        s = min(s, order - s) if low else max(s, order - s)
        return flag + r.to_bytes(32, "big") + s.to_bytes(32, "big") + public

    return sign


def digest(message: bytes) -> bytes:
    return hashlib.blake2b(b"\0\0\0" + message, digest_size=32).digest()


SCHEMES = pytest.mark.parametrize(
    "sign", [ed25519, ecdsa(ec.SECP256K1(), b"\1", ORDER_K1), ecdsa(ec.SECP256R1(), b"\2", ORDER_R1)], ids=["ed25519", "k1", "r1"]
)


def signer(raw: bytes) -> bytes:
    return hashlib.blake2b(raw[:1] + raw[65:], digest_size=32).digest()


@SCHEMES
def test_a_signature_is_accepted(sign: Sign) -> None:
    raw = sign(TRANSACTION)
    verify_transaction(TRANSACTION, [raw], [signer(raw)])


@SCHEMES
def test_a_signature_of_other_bytes_is_refused(sign: Sign) -> None:
    raw = sign(TRANSACTION)
    with pytest.raises(InvalidArgument, match="does not verify"):
        verify_transaction(TRANSACTION + b"!", [raw], [signer(raw)])


@SCHEMES
@pytest.mark.parametrize("place", [1, 33, 64])
def test_a_flipped_bit_is_noticed(sign: Sign, place: int) -> None:
    raw = bytearray(sign(TRANSACTION))
    raw[place] ^= 1
    with pytest.raises(InvalidArgument):
        verify_transaction(TRANSACTION, [bytes(raw)], [signer(bytes(raw))])


@pytest.mark.parametrize(
    "sign", [ecdsa(ec.SECP256K1(), b"\1", ORDER_K1, low=False), ecdsa(ec.SECP256R1(), b"\2", ORDER_R1, low=False)], ids=["k1", "r1"]
)
def test_the_other_half_of_an_ecdsa_signature_is_refused(sign: Sign) -> None:
    raw = sign(TRANSACTION)
    with pytest.raises(InvalidArgument, match="does not verify"):
        verify_transaction(TRANSACTION, [raw], [signer(raw)])


def test_sender_and_sponsor_may_be_one() -> None:
    raw = ed25519(TRANSACTION)
    verify_transaction(TRANSACTION, [raw], [signer(raw), signer(raw)])


def test_one_signature_twice_is_one_too_many() -> None:
    raw = ed25519(TRANSACTION)
    with pytest.raises(InvalidArgument):
        verify_transaction(TRANSACTION, [raw, raw], [signer(raw)])


def test_a_missing_signature_is_named() -> None:
    raw = ed25519(TRANSACTION)
    with pytest.raises(InvalidArgument, match="no signature of 0x" + "ab" * 32):
        verify_transaction(TRANSACTION, [raw], [signer(raw), b"\xab" * 32])


@pytest.mark.parametrize("raw", [b"", b"\x09" + bytes(96), b"\0" + bytes(95), b"\0" + bytes(97)])
def test_what_is_no_signature_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidArgument):
        parse_signature(raw)


@pytest.mark.parametrize(("flag", "name"), [(3, "MULTISIG"), (5, "ZKLOGIN"), (6, "PASSKEY")])
def test_schemes_that_are_not_verified_are_refused_by_name(flag: int, name: str) -> None:
    with pytest.raises(InvalidArgument, match=name):
        parse_signature(bytes([flag]) + bytes(100))
