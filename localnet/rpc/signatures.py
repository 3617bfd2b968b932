"""User signatures: `flag || signature || public key`, over the BLAKE2b-256 of intent and transaction.

Sources: docs.sui.io "Signatures" and "Intent signing". Ed25519, ECDSA on secp256k1 and on secp256r1; the localnet
refuses multisig, zkLogin and passkeys by name.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from localnet.rpc.errors import InvalidArgument

TRANSACTION_INTENT: Final = b"\x00\x00\x00"
"""Scope TransactionData, version 0, application Sui."""
SIGNATURE: Final = 64
ORDER_K1: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
ORDER_R1: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551


class Scheme(IntEnum):
    """First byte of a signature."""

    ED25519 = 0
    SECP256K1 = 1
    SECP256R1 = 2
    MULTISIG = 3
    BLS12381 = 4
    ZKLOGIN = 5
    PASSKEY = 6


KEY_LENGTH: Final = {Scheme.ED25519: 32, Scheme.SECP256K1: 33, Scheme.SECP256R1: 33}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature by one key."""

    scheme: Scheme
    signature: bytes
    public_key: bytes

    @property
    def address(self) -> bytes:
        """Who signs: 32 bytes, `blake2b256(flag || public key)`."""
        return blake2b(bytes((self.scheme,)) + self.public_key, digest_size=32).digest()


def parse_signature(raw: bytes) -> Signature:
    """The parts of a serialised signature.

    Raises:
        InvalidArgument: unknown or unsupported scheme, wrong length.
    """
    try:
        scheme = Scheme(raw[0])
    except (IndexError, ValueError):
        raise InvalidArgument(f"signature with unknown scheme {raw[:1].hex() or 'none'}") from None
    length = KEY_LENGTH.get(scheme)
    if length is None:
        raise InvalidArgument(f"the localnet does not verify {scheme.name} signatures: sign with Ed25519 or ECDSA")
    if len(raw) != 1 + SIGNATURE + length:
        raise InvalidArgument(f"{scheme.name} signature of {len(raw)} bytes, not {1 + SIGNATURE + length}")
    return Signature(scheme, raw[1 : 1 + SIGNATURE], raw[1 + SIGNATURE :])


def verify_transaction(transaction: bytes, raw_signatures: list[bytes], signers: list[bytes]) -> None:
    """Check that exactly `signers` have signed the BCS `transaction`, each once.

    Raises:
        InvalidArgument: a signature is missing, superfluous, or does not verify; the text names whose.
    """
    message = blake2b(TRANSACTION_INTENT + transaction, digest_size=32).digest()
    missing = dict.fromkeys(signers)
    for raw in raw_signatures:
        signature = parse_signature(raw)
        if signature.address not in missing:
            wanted = ", ".join(f"0x{signer.hex()}" for signer in signers)
            raise InvalidArgument(f"signed by 0x{signature.address.hex()}, wanted are signatures of {wanted}")
        if not _verifies(signature, message):
            raise InvalidArgument(f"signature of 0x{signature.address.hex()} does not verify for these bytes")
        del missing[signature.address]
    if missing:
        raise InvalidArgument(f"no signature of 0x{next(iter(missing)).hex()}")


def _verifies(signature: Signature, message: bytes) -> bool:
    try:
        if signature.scheme is Scheme.ED25519:
            Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.signature, message)
            return True
        k1 = signature.scheme is Scheme.SECP256K1
        r, s = int.from_bytes(signature.signature[:32], "big"), int.from_bytes(signature.signature[32:], "big")
        if s > (ORDER_K1 if k1 else ORDER_R1) // 2:
            return False  # the other half would be a second signature for the same bytes
        curve = ec.SECP256K1() if k1 else ec.SECP256R1()
        key = ec.EllipticCurvePublicKey.from_encoded_point(curve, signature.public_key)
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
