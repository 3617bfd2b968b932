"""0x2::ed25519, 0x2::ecdsa_k1 and 0x2::ecdsa_r1; recovery of public keys is left out.

ECDSA signatures must have the low `s`, as in fastcrypto. Ed25519 is OpenSSL's, which differs from Sui's (ZIP 215) on
signatures that only an attacker makes: a point of small order, or one encoded in an unusual way.
"""

from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localnet.movevm.natives.keccak import keccak256
from localnet.movevm.natives.registry import BYTES_PER_UNIT, NativeAbort, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Ref, read

NATIVES: Final = Registry()
native = NATIVES.native

_COST: Final = 1000
_KECCAK256, _SHA256 = 0, 1
_K1_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_R1_ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_INVALID_PUBLIC_KEY: Final = 2
"""ecdsa_k1::EInvalidPubKey."""


@native("0x2::ed25519::ed25519_verify", cost=_COST)
def ed25519_verify(ctx: Runtime, _: Any, signature: Ref, public_key: Ref, message: Ref) -> bool:
    text = bytes(read(message))
    ctx.charge(len(text) // BYTES_PER_UNIT)
    try:
        Ed25519PublicKey.from_public_bytes(bytes(read(public_key))).verify(bytes(read(signature)), text)
    except (InvalidSignature, ValueError):
        return False
    return True


@native("0x2::ecdsa_k1::secp256k1_verify", cost=_COST)
def secp256k1_verify(ctx: Runtime, _: Any, signature: Ref, public_key: Ref, message: Ref, hash_: int) -> bool:
    return _verify(ctx, ec.SECP256K1(), _K1_ORDER, (signature, public_key, message), hash_)


@native("0x2::ecdsa_r1::secp256r1_verify", cost=_COST)
def secp256r1_verify(ctx: Runtime, _: Any, signature: Ref, public_key: Ref, message: Ref, hash_: int) -> bool:
    return _verify(ctx, ec.SECP256R1(), _R1_ORDER, (signature, public_key, message), hash_)


@native("0x2::ecdsa_k1::decompress_pubkey", cost=_COST)
def decompress_pubkey(_ctx: Runtime, _: Any, public_key: Ref) -> bytearray:
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), bytes(read(public_key)))
    except ValueError:
        raise NativeAbort(_INVALID_PUBLIC_KEY) from None
    return bytearray(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _verify(ctx: Runtime, curve: ec.EllipticCurve, order: int, given: tuple[Ref, Ref, Ref], hash_: int) -> bool:
    signature, public_key, message = (bytes(read(reference)) for reference in given)
    ctx.charge(len(message) // BYTES_PER_UNIT)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or s > order // 2 or hash_ not in {_KECCAK256, _SHA256}:
        return False
    digest = keccak256(message) if hash_ == _KECCAK256 else sha256(message).digest()
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(curve, public_key)
        # Prehashed asks for some hash of 32 bytes, whichever
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True
