"""Attestation documents of AWS Nitro enclaves, and verification against a given root at a given time.

Source: AWS, "Verifying the root of trust" (aws-nitro-enclaves-nsm-api, docs/attestation_process.md). Simulated
documents have the same shape and pass through the same code with another root. Leaf certificates live about three
hours.

What is signed is everything: the certificates stand inside the payload, the unprotected header must be empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.attestation import cbor, certificates
from agent.attestation.aws_root import AWS_NITRO_ROOT
from agent.attestation.binding import REPORT_DATA_BYTES
from agent.attestation.cose import Sign1
from agent.attestation.errors import Malformed, UntrustedRoot
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MEDIA_TYPE: Final = "application/vnd.enclavia.aws-nitro+cose"
MAX_DOCUMENT: Final = 32 * 1024
"""Bytes; a real document has about 4.6 KiB. Sui's native verifier admits 16 KiB of payload."""

MAX_PUBLIC_KEY: Final = 1024
MAX_USER_DATA: Final = 512
SIMULATED_ORGANIZATION: Final = "SIMULATED - NOT A TEE"
SIMULATED_MODULE: Final = "SIMULATED-NOT-A-TEE"

PCR_COUNT: Final = 32
_MAX_TIMESTAMP: Final = 1 << 63
_PCR_SIZES: Final = frozenset({32, 48, 64})
_MANDATORY: Final = frozenset({"module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"})
_OPTIONAL: Final = frozenset({"public_key", "user_data", "nonce"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The payload of an attestation document, well-formed but not trusted."""

    module_id: str
    timestamp: Millis
    pcrs: Mapping[int, bytes]
    chain: tuple[bytes, ...]
    """DER, root first, leaf last."""
    public_key: bytes = b""
    user_data: bytes = b""
    nonce: bytes = b""

    @property
    def debug(self) -> bool:
        """True if the enclave runs in debug mode: its PCR0 is all zeros then, and the operator reads its console."""
        return not any(self.pcrs.get(0, b""))

    @classmethod
    def decode(cls, payload: bytes) -> "Document":
        """The document in `payload`.

        Raises:
            Malformed: a field is missing, unknown, or not as AWS specifies it.
        """
        fields = cbor.decode(payload, strict=False)
        if type(fields) is not dict or not _MANDATORY <= fields.keys() <= _MANDATORY | _OPTIONAL:
            raise Malformed("not exactly the fields of a Nitro attestation document")
        if fields["digest"] != "SHA384":
            raise Malformed("Nitro document with another digest than SHA384")
        bundle = fields["cabundle"]
        if type(bundle) is not list or not all(type(der) is bytes for der in (*bundle, fields["certificate"])):
            raise Malformed("Nitro document: cabundle and certificate are not DER bytes")
        return cls(
            module_id=_module_id(fields["module_id"]),
            timestamp=_timestamp(fields["timestamp"]),
            pcrs=_pcrs(fields["pcrs"]),
            chain=(*bundle, fields["certificate"]),
            public_key=_optional(fields, "public_key", MAX_PUBLIC_KEY),
            user_data=_optional(fields, "user_data", MAX_USER_DATA),
            nonce=_optional(fields, "nonce", MAX_USER_DATA),
        )


def authenticate(quote: bytes, root: bytes, at: Millis) -> Document:
    """Return the document that `quote` carries, once its chain to `root` (DER) and its signature hold at `at`.

    Debug mode, and what the document says, are the caller's to judge.

    Raises:
        Malformed, UntrustedRoot, BadChain, NotValidThen, BadSignature
    """
    message, document = _open(quote)
    leaf = certificates.check_chain(document.chain, root, at)
    message.check_signature(certificates.p384_key(leaf))
    return document


def claimed_time(quote: bytes) -> Millis:
    """The timestamp in `quote`, unchecked.

    Raises:
        Malformed: not a Nitro document.
    """
    return _open(quote)[1].timestamp


class NitroVerifier(EvidenceVerifier):
    """Verifies documents under the root of AWS, or another that has to be given as explicitly."""

    def __init__(self, root: bytes = AWS_NITRO_ROOT) -> None:
        if SIMULATED_ORGANIZATION in certificates.organization(certificates.load(root)):
            raise UntrustedRoot("a simulated root can never vouch for hardware: use SimulatedVerifier")
        self._root = root

    @property
    def kind(self) -> TeeKind:
        return TeeKind.NITRO

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        return claims(authenticate(quote, self._root, at), TeeKind.NITRO)

    def claimed_time(self, quote: bytes) -> Millis | None:
        return claimed_time(quote)


def claims(document: Document, kind: TeeKind) -> Claims:
    """What an authenticated `document` says, as `kind`. The measurement is PCR0, which covers the whole image."""
    report, native = document.user_data[:REPORT_DATA_BYTES], document.user_data[REPORT_DATA_BYTES:]
    return Claims(
        kind=kind,
        measurement=document.pcrs.get(0, b""),
        report_data=report,
        native=native,
        nonce=document.nonce,
        public_key=document.public_key,
        issued_at=document.timestamp,
        debug=document.debug,
    )


def _open(quote: bytes) -> tuple[Sign1, Document]:
    if len(quote) > MAX_DOCUMENT:
        raise Malformed(f"Nitro document of {len(quote)} bytes, at most {MAX_DOCUMENT}")
    message = Sign1.decode(quote)
    return message, Document.decode(message.payload)


def _pcrs(value: Any) -> dict[int, bytes]:
    if type(value) is not dict or not 0 < len(value) <= PCR_COUNT:
        raise Malformed(f"Nitro document: pcrs is not a map of 1 to {PCR_COUNT} registers")
    for index, register in value.items():
        if type(index) is not int or not 0 <= index < PCR_COUNT:
            raise Malformed(f"Nitro document: no PCR has the index {index!r}")
        if type(register) is not bytes or len(register) not in _PCR_SIZES:
            raise Malformed(f"Nitro document: PCR{index} is not 32, 48 or 64 bytes")
    return value


def _module_id(value: Any) -> str:
    if type(value) is not str or not value:
        raise Malformed("Nitro document: module_id is not text")
    return value


def _timestamp(value: Any) -> Millis:
    if type(value) is not int or not 0 < value < _MAX_TIMESTAMP:
        raise Malformed("Nitro document: timestamp is not milliseconds since 1970")
    return Millis(value)


def _optional(fields: Mapping[Any, Any], name: str, limit: int) -> bytes:
    value = fields.get(name)
    if value is None:
        return b""
    if type(value) is not bytes or len(value) > limit:
        raise Malformed(f"Nitro document: {name} is not at most {limit} bytes")
    return value
