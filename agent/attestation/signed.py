"""Policies and results that somebody signed: COSE_Sign1 (RFC 9052 §4.2) with Ed25519, tagged.

The protected header names algorithm, content type and signer. The content type is signed, so that no result can be read
as a policy; nothing stands in the unprotected header.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.attestation import cbor
from agent.attestation.errors import BadSignature, Malformed, UntrustedSigner

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_TAG: Final = b"\xd2"
_ALGORITHM, _CONTENT_TYPE, _SIGNER = 1, 3, 4
_EDDSA: Final = -8


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload whose signature holds."""

    payload: bytes
    signer: bytes
    """Ed25519, 32 bytes."""


def is_signed(data: bytes) -> bool:
    """Whether `data` begins as what `seal` makes."""
    return data[:1] == _TAG


def seal(payload: bytes, key: Ed25519PrivateKey, content_type: str) -> bytes:
    """`payload` signed with `key`; the same bytes every time."""
    header = _header(key.public_key().public_bytes_raw(), content_type)
    return _TAG + cbor.encode([header, {}, payload, key.sign(_to_be_signed(header, payload))])


def open_sealed(data: bytes, content_type: str, signers: Collection[bytes], *, items: int = cbor.MAX_ITEMS) -> Signed:
    """What one of `signers` sealed as `content_type`; the caller bounds the length of `data`.

    Raises:
        Malformed: another shape, another algorithm, an unsigned header, or another content type.
        UntrustedSigner: the key that it names is none of `signers`.
        BadSignature: that key did not sign it.
    """
    if not is_signed(data):
        raise Malformed("not a tagged COSE_Sign1")
    match cbor.decode(data[1:], items=items):
        case [bytes(header), dict(unprotected), bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise Malformed("not a COSE_Sign1 of four entries without unprotected header")
    match cbor.decode(header):
        case {1: -8, 3: str(found), 4: bytes(signer), **rest} if not rest and len(signer) == KEY_BYTES:
            pass
        case _:
            raise Malformed("COSE_Sign1: the header is not EdDSA, a content type and a signer")
    if found != content_type or len(signature) != SIGNATURE_BYTES:
        raise Malformed(f"a signed {found[:80]!r} where {content_type!r} is expected")
    if signer not in signers:
        raise UntrustedSigner(f"signed by {signer.hex()}, which is not among the {len(signers)} keys that count here")
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, _to_be_signed(header, payload))
    except InvalidSignature:
        raise BadSignature(f"not signed by {signer.hex()[:16]}…, whom it names") from None
    return Signed(payload, signer)


def _header(signer: bytes, content_type: str) -> bytes:
    return cbor.encode({_ALGORITHM: _EDDSA, _CONTENT_TYPE: content_type, _SIGNER: signer})


def _to_be_signed(header: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", header, b"", payload])
