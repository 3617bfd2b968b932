"""COSE_Sign1 (RFC 9052 §4.2) with ES384, as the Nitro security module writes it: untagged, nothing in the unprotected
header.
"""

from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agent.attestation import cbor
from agent.attestation.errors import BadSignature, Malformed

PROTECTED: Final = cbor2.dumps({1: -35})
"""The only header admitted: algorithm (1) is ES384 (-35)."""

_COORDINATE: Final = 48


@dataclass(frozen=True, slots=True)
class Sign1:
    """A signed payload; nothing is checked until `check_signature`."""

    payload: bytes
    signature: bytes
    """r || s, 96 bytes."""

    @classmethod
    def decode(cls, data: bytes) -> "Sign1":
        """The message in `data`.

        Raises:
            Malformed: another shape, another algorithm, or an unsigned header.
        """
        match cbor.decode(data):
            case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
                if protected != PROTECTED or unprotected or len(signature) != 2 * _COORDINATE:
                    raise Malformed("COSE_Sign1 with another algorithm than ES384, or with unprotected headers")
                return cls(payload, signature)
            case _:
                raise Malformed("not an untagged COSE_Sign1 of four entries")

    def encode(self) -> bytes:
        """The message as `decode` reads it."""
        return cbor.encode([PROTECTED, {}, self.payload, self.signature])

    def check_signature(self, key: ec.EllipticCurvePublicKey) -> None:
        """Return if `key`, on P-384, signed the payload.

        Raises:
            BadSignature: it did not.
        """
        r, s = (int.from_bytes(self.signature[half : half + _COORDINATE], "big") for half in (0, _COORDINATE))
        try:
            key.verify(utils.encode_dss_signature(r, s), _to_be_signed(self.payload), ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            raise BadSignature("the document is not signed by its leaf certificate") from None


def sign(payload: bytes, key: ec.EllipticCurvePrivateKey) -> Sign1:
    """`payload` signed with `key`, on P-384; the same bytes every time (RFC 6979)."""
    signature = key.sign(_to_be_signed(payload), ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    return Sign1(payload, b"".join(part.to_bytes(_COORDINATE, "big") for part in utils.decode_dss_signature(signature)))


def _to_be_signed(payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", PROTECTED, b"", payload])
