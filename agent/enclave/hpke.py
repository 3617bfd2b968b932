"""HPKE, RFC 9180, with an ephemeral key of the caller's choice: base mode, X25519-HKDF-SHA256, HKDF-SHA256,
ChaCha20-Poly1305, one message.

`cryptography` has HPKE, but draws the ephemeral key itself. Ours derives from a task's data key, so that whoever holds
that key can recompute a wrap and tell a false one [H1], and a restarted enclave makes the same bytes again [M6].
Opening is left to `cryptography`, which reads what is made here.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from agent.enclave.errors import SealBroken

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
OVERHEAD: Final = KEY_BYTES + TAG_BYTES
"""What a ciphertext is longer than its plaintext: encapsulated key and tag."""

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)

_KEM_ID: Final = b"KEM" + (0x0020).to_bytes(2, "big")
_HPKE_ID: Final = b"HPKE" + b"".join(code.to_bytes(2, "big") for code in (0x0020, 0x0001, 0x0003))
_BASE_MODE: Final = b"\x00"


def derive_private_key(ikm: bytes) -> X25519PrivateKey:
    """DeriveKeyPair(ikm), RFC 9180 §7.1.3. `ikm` has at least 32 bytes of entropy."""
    prk = _labeled_extract(_KEM_ID, b"", b"dkp_prk", ikm)
    return X25519PrivateKey.from_private_bytes(_labeled_expand(_KEM_ID, prk, b"sk", b"", KEY_BYTES))


def seal(recipient: bytes, plaintext: bytes, *, info: bytes, ephemeral_ikm: bytes, aad: bytes = b"") -> bytes:
    """`enc(32) || ciphertext`, a function of its arguments alone.

    `ephemeral_ikm` must differ for every pair of recipient and plaintext: repeated for two plaintexts it repeats key
    and nonce.

    Raises:
        SealBroken: `recipient` is no usable X25519 public key.
    """
    ephemeral = derive_private_key(ephemeral_ikm)
    enc = ephemeral.public_key().public_bytes_raw()
    try:
        dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError:
        raise SealBroken("the recipient's X25519 key is not usable") from None
    key, nonce = key_schedule(shared_secret(dh, enc, recipient), info)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def is_usable(public: bytes) -> bool:
    """Whether something can be sealed to `public`.

    It has 32 bytes, and is no point of low order, whose shared secret everybody knows.
    """
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def open_sealed(private: X25519PrivateKey, sealed: bytes, *, info: bytes) -> bytes:
    """The plaintext of `enc(32) || ciphertext`.

    Raises:
        SealBroken: it does not open with this key and `info`.
    """
    try:
        return SUITE.decrypt(sealed, private, info=info)
    except (InvalidTag, ValueError):
        raise SealBroken("the ciphertext does not open under this key and context") from None


def shared_secret(dh: bytes, enc: bytes, recipient: bytes) -> bytes:
    """ExtractAndExpand of DHKEM, RFC 9180 §4.1."""
    prk = _labeled_extract(_KEM_ID, b"", b"eae_prk", dh)
    return _labeled_expand(_KEM_ID, prk, b"shared_secret", enc + recipient, KEY_BYTES)


def key_schedule(secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of the first message in base mode, RFC 9180 §5.1."""
    psk_id_hash = _labeled_extract(_HPKE_ID, b"", b"psk_id_hash", b"")
    info_hash = _labeled_extract(_HPKE_ID, b"", b"info_hash", info)
    context = _BASE_MODE + psk_id_hash + info_hash
    prk = _labeled_extract(_HPKE_ID, secret, b"secret", b"")
    return (
        _labeled_expand(_HPKE_ID, prk, b"key", context, 32),
        _labeled_expand(_HPKE_ID, prk, b"base_nonce", context, 12),
    )


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labeled).derive(prk)
