"""Attestation documents of AWS Nitro enclaves, read and verified by Sui's rules.

Source: fastcrypto `nitro_attestation.rs`, with all of its parsing flags on; RFC 9052 (COSE), RFC 8949 (CBOR).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

MAX_PAYLOAD: Final = 16_383
MAX_CHAIN: Final = 10
"""Certificates beside the leaf."""
MAX_CERTIFICATE: Final = 1024
MAX_PUBLIC_KEY: Final = 1024
MAX_USER_DATA: Final = 512
"""Bytes of user data, and of the nonce."""
MAX_PCRS: Final = 32
PCR_LENGTHS: Final = frozenset({32, 48, 64})
ALWAYS_TOLD: Final = frozenset({0, 1, 2, 3, 4, 8})
"""Registers that are told even if they are zero."""

_SIGN1_TAG: Final = 18
_ES384: Final = {1: -35}
_COORDINATE: Final = 48
_DEPTH: Final = 16
_U8_MAX, _U64_MAX = 2**8 - 1, 2**64 - 1
_REFUSALS: Final = (
    ValueError, TypeError, OverflowError, OSError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension,
)  # fmt: skip
"""What `cryptography` and `datetime` say of certificates, keys, signatures and times that are none."""


class Unparsable(Exception):
    """The bytes are no attestation document."""


class Unverified(Exception):
    """A signature, a certificate or its time is wrong, or another root than ours signed it."""


@dataclass(frozen=True, slots=True)
class NitroDocument:
    """What the security module says, and what it proves it with."""

    module_id: str
    timestamp: int
    """Milliseconds."""
    digest: str
    pcrs: Mapping[int, bytes]
    """By index, ascending: those that are not zero, and 0 to 4 and 8 always, as far as the document has them."""
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None
    certificate: bytes
    cabundle: tuple[bytes, ...]
    """DER, the root first."""
    signed: bytes
    """What the signature is over."""
    signature: bytes
    """r || s."""


def parse(data: bytes) -> NitroDocument:
    """Read a COSE_Sign1, tagged or not, with ES384, and the document in it. Nothing is verified.

    Raises:
        Unparsable
    """
    message = _decode(data)
    if isinstance(message, cbor2.CBORTag):
        if message.tag != _SIGN1_TAG:
            raise Unparsable(f"CBOR tag {message.tag}")
        message = message.value
    match message:
        case [bytes(protected), Mapping(), bytes(payload), bytes(signature)]:
            pass
        case _:
            raise Unparsable("no COSE_Sign1")
    if _decode(protected) != _ES384 or not 1 <= len(payload) <= MAX_PAYLOAD or len(signature) != 2 * _COORDINATE:
        raise Unparsable("another algorithm than ES384, or a payload or signature of the wrong length")
    fields = _decode(payload)
    if not isinstance(fields, Mapping) or not all(isinstance(key, str) for key in fields):
        raise Unparsable("the payload is no map by text")
    if fields.get("digest") != "SHA384":
        raise Unparsable("another digest than SHA384")
    return NitroDocument(
        module_id=_text(fields.get("module_id")),
        timestamp=_number(fields.get("timestamp"), _U64_MAX),
        digest="SHA384",
        pcrs=_pcrs(fields.get("pcrs")),
        public_key=_optional(fields.get("public_key"), MAX_PUBLIC_KEY),
        user_data=_optional(fields.get("user_data"), MAX_USER_DATA),
        nonce=_optional(fields.get("nonce"), MAX_USER_DATA),
        certificate=_certificate(fields.get("certificate")),
        cabundle=_bundle(fields.get("cabundle")),
        signed=cbor2.dumps(["Signature1", protected, b"", payload]),
        signature=signature,
    )


def verify(document: NitroDocument, root: bytes, at: int) -> None:
    """Check the signature, and that the certificates lead to `root` (DER) and are all valid `at` that time (milliseconds).

    Raises:
        Unverified
    """
    try:
        anchor = x509.load_der_x509_certificate(root)
        chain = [x509.load_der_x509_certificate(each) for each in (document.certificate, *reversed(document.cabundle))]
        key = chain[0].public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
            raise Unverified("the leaf's key is not on P-384")
        r, s = (int.from_bytes(document.signature[half : half + _COORDINATE], "big") for half in (0, _COORDINATE))
        key.verify(encode_dss_signature(r, s), document.signed, ec.ECDSA(hashes.SHA384()))
        now = datetime.fromtimestamp(at // 1000, UTC)
        for place, (certificate, issuer) in enumerate(zip(chain, [*chain[1:], anchor], strict=True)):
            _check_usage(certificate, place)
            if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
                raise Unverified(f"certificate {place} is not valid at {now}")
            certificate.verify_directly_issued_by(issuer)
    except _REFUSALS as refusal:
        raise Unverified(str(refusal)) from refusal


def _check_usage(certificate: x509.Certificate, place: int) -> None:
    """The leaf (place 0) signs documents, all others sign certificates, of which not too many may follow."""
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if not (usage.key_cert_sign if place else usage.digital_signature):
        raise Unverified(f"certificate {place} has another key usage")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        if place:
            raise
        return
    length = constraints.value.path_length
    if place:
        if not constraints.critical or not constraints.value.ca or (length is not None and place - 1 > length):
            raise Unverified(f"certificate {place} is no authority for what it signed")
    elif constraints.value.ca or length is not None:
        raise Unverified("the leaf is an authority")


def _decode(data: bytes) -> Any:
    """The CBOR item that `data` starts with; what follows it is not looked at, as on Sui."""
    try:
        return cbor2.loads(data, max_depth=_DEPTH, allow_duplicate_keys=False)
    except cbor2.CBORDecodeError as broken:
        raise Unparsable(str(broken)) from broken


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Unparsable("the module's id is no text")
    return value


def _number(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise Unparsable(f"{value!r} is no number up to {most}")
    return value


def _optional(value: object, longest: int) -> bytes | None:
    if not isinstance(value, bytes):
        return None  # whatever else it is: Sui takes it for absent
    if len(value) > longest:
        raise Unparsable(f"{len(value)} bytes of public key, user data or nonce, at most {longest}")
    return value


def _certificate(value: object) -> bytes:
    if not isinstance(value, bytes) or not 1 <= len(value) <= MAX_CERTIFICATE:
        raise Unparsable(f"a certificate is 1 to {MAX_CERTIFICATE} bytes")
    return value


def _bundle(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHAIN:
        raise Unparsable(f"the bundle has 1 to {MAX_CHAIN} certificates")
    return tuple(map(_certificate, value))


def _pcrs(value: object) -> dict[int, bytes]:
    if not isinstance(value, Mapping) or len(value) > MAX_PCRS:
        raise Unparsable(f"there are at most {MAX_PCRS} registers")
    told: dict[int, bytes] = {}
    for index, content in value.items():
        number = _number(index, _U8_MAX)
        if not isinstance(content, bytes) or len(content) not in PCR_LENGTHS:
            raise Unparsable(f"register {number} has a wrong length")
        if number < MAX_PCRS and (any(content) or number in ALWAYS_TOLD):
            told[number] = content
    return dict(sorted(told.items()))
