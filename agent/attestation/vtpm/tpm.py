"""What a TPM signs, and how: TPMS_ATTEST of a quote, TPMT_SIGNATURE.

Source: TCG, "Trusted Platform Module Library", part 2, §10.12.8 and §11.3.4. Numbers are big-endian.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from agent.attestation.errors import BadSignature, Malformed
from agent.attestation.intel.cursor import Cursor

MAX_QUOTE: Final = 512
"""Bytes; a real one has 122."""

MAX_SIGNATURE: Final = 512 + 6
MAX_NAME: Final = 68
MAX_EXTRA: Final = 66
PCR_COUNT: Final = 24
PCR_SIZE: Final = 32

_MAGIC: Final = b"\xffTCG"
_QUOTE: Final = 0x8018
_SHA256: Final = 0x000B
_CLOCK_AND_FIRMWARE: Final = 17 + 8


class Scheme(IntEnum):
    """How the key signs."""

    RSASSA = 0x0014
    RSAPSS = 0x0016


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """A quote over PCRs of the SHA-256 bank, well-formed but not trusted."""

    extra: bytes
    """`extraData`: what the caller wanted signed, at most 66 bytes."""
    selected: tuple[int, ...]
    """PCRs in their order."""
    digest: bytes
    """SHA-256 over the values of those."""

    @classmethod
    def decode(cls, data: bytes) -> "TpmQuote":
        """The quote that `data` (TPMS_ATTEST) is.

        Raises:
            Malformed: another structure, another bank, or anything behind it.
        """
        if len(data) > MAX_QUOTE:
            raise Malformed(f"TPM quote of {len(data)} bytes, at most {MAX_QUOTE}")
        cursor = Cursor(data, "TPM quote", "big")
        # the magic tells the TPM's own structures from whatever else its key might be made to sign
        if cursor.take(len(_MAGIC)) != _MAGIC or cursor.number(2) != _QUOTE:
            raise Malformed("not a quote that a TPM made")
        cursor.sized(2, MAX_NAME)
        extra = cursor.sized(2, MAX_EXTRA)
        cursor.take(_CLOCK_AND_FIRMWARE)
        if (cursor.number(4), cursor.number(2), cursor.number(1)) != (1, _SHA256, PCR_COUNT // 8):
            raise Malformed(f"TPM quote: wants one selection of {PCR_COUNT} PCRs of the SHA-256 bank")
        mask = int.from_bytes(cursor.take(PCR_COUNT // 8), "little")
        digest = cursor.sized(2, PCR_SIZE)
        cursor.end()
        return cls(extra, tuple(index for index in range(PCR_COUNT) if mask >> index & 1), digest)

    def vouches_for(self, registers: tuple[bytes, ...]) -> bool:
        """Whether `registers` are the values of the selected PCRs."""
        return len(registers) == len(self.selected) and sha256(b"".join(registers)).digest() == self.digest


def check_signature(key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
    """Return if `signature` (TPMT_SIGNATURE, RSASSA or RSAPSS with SHA-256) is `key`'s over `message`.

    Raises:
        Malformed: another scheme.
        BadSignature: it is not.
    """
    if len(signature) > MAX_SIGNATURE:
        raise Malformed(f"TPM signature of {len(signature)} bytes, at most {MAX_SIGNATURE}")
    cursor = Cursor(signature, "TPM signature", "big")
    scheme, digest = cursor.number(2), cursor.number(2)
    value = cursor.sized(2, MAX_SIGNATURE)
    cursor.end()
    if scheme not in set(Scheme) or digest != _SHA256:
        raise Malformed(f"TPM signature of scheme {scheme:#x} with hash {digest:#x}: wants RSASSA or RSAPSS, SHA-256")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    try:
        key.verify(value, message, padding.PKCS1v15() if scheme == Scheme.RSASSA else pss, hashes.SHA256())
    except InvalidSignature:
        raise BadSignature("the TPM quote is not signed by the attestation key that the CPU vouches for") from None


def signature_of(value: bytes, scheme: Scheme = Scheme.RSASSA) -> bytes:
    """The TPMT_SIGNATURE of a bare RSA signature, as some tools store it."""
    return b"".join(number.to_bytes(2, "big") for number in (scheme, _SHA256, len(value))) + value
