"""Quotes as Intel's quoting enclaves write them: versions 3 (SGX), 4 and 5 (TDX), ECDSA on P-256, certificates inside.

Source: Intel, "TDX DCAP quoting library API", appendix 3. Stricter than that: no byte stands behind the quote, and the
certificates stand there in the one usual PEM, so that every byte of a quote is signed, or a length that fits.
"""

import ssl
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from agent.attestation.errors import Malformed
from agent.attestation.intel.cursor import Cursor
from agent.attestation.intel.report import ENCLAVE_SIZE, TD10_SIZE, TD15_SIZE, EnclaveReport, TdReport

MAX_QUOTE: Final = 16 * 1024
"""Bytes; real quotes have about 5,000."""

MAX_RAW: Final = 64 * 1024
"""Bytes of a quote with the padding that kernels hand out; GCP's have 8,000."""

_HEADER: Final = 48
_ECDSA_P256: Final = 2
_INTEL_QE: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_QE_REPORT_CERTIFICATION: Final = 6
_PCK_CHAIN: Final = 5
_AUTH_DATA: Final = 32
_MAX_CHAIN: Final = 8
_BODIES: Final = {2: TD10_SIZE, 3: TD15_SIZE}
"""Bodies of version 5, by their type."""

_BEGIN: Final = "-----BEGIN CERTIFICATE-----\n"


class Tee(IntEnum):
    """The header's `tee_type`."""

    SGX = 0
    TDX = 0x81


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote's parts, well-formed but not trusted."""

    raw: bytes
    version: int
    tee: Tee
    signed: bytes
    """Header and report: what the attestation key signs."""
    report: TdReport | EnclaveReport
    signature: bytes
    """r || s, 64 bytes."""
    attestation_key: bytes
    """x || y, 64 bytes."""
    qe_report: bytes
    """The quoting enclave's own report, 384 bytes; its report data binds the attestation key."""
    qe_signature: bytes
    """r || s, by the platform's PCK."""
    qe_auth: bytes
    chain: tuple[bytes, ...]
    """DER, root first, PCK last."""

    @classmethod
    def decode(cls, data: bytes) -> "Quote":
        """The quote that `data` is.

        Raises:
            Malformed: another format, or anything around it.
        """
        if len(data) > MAX_QUOTE:
            raise Malformed(f"quote of {len(data)} bytes, at most {MAX_QUOTE}")
        cursor = Cursor(data, "quote")
        version, tee = _header(cursor)
        report = _report(cursor, version, tee)
        signed = data[: cursor.at]
        signatures = Cursor(cursor.sized(4, MAX_QUOTE), "the quote's signature data")
        cursor.end()
        signature, attestation_key = signatures.take(64), signatures.take(64)
        if tee is Tee.TDX:
            signatures = _nested(signatures, _QE_REPORT_CERTIFICATION)
        qe_report, qe_signature = signatures.take(ENCLAVE_SIZE), signatures.take(64)
        qe_auth = signatures.sized(2, _AUTH_DATA)
        chain = _nested(signatures, _PCK_CHAIN)
        return cls(
            raw=data,
            version=version,
            tee=tee,
            signed=signed,
            report=report,
            signature=signature,
            attestation_key=attestation_key,
            qe_report=qe_report,
            qe_signature=qe_signature,
            qe_auth=qe_auth,
            chain=_chain(chain),
        )


def without_padding(raw: bytes) -> bytes:
    """The quote at the start of `raw`: kernels hand it out in a larger buffer.

    Raises:
        Malformed: there is no quote.
    """
    if len(raw) > MAX_RAW:
        raise Malformed(f"quote of {len(raw)} bytes with its padding, at most {MAX_RAW}")
    cursor = Cursor(raw, "quote")
    _report(cursor, *_header(cursor))
    cursor.sized(4, MAX_QUOTE)
    return raw[: cursor.at]


def pem(chain: tuple[bytes, ...]) -> str:
    """`chain` (DER, root first) as certificates in PEM, leaf first, as all of Intel's interfaces have it."""
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in reversed(chain))


def certificates_in(text: bytes) -> tuple[bytes, ...]:
    """The certificates (DER, root first) of a PEM chain, leaf first.

    Raises:
        Malformed: not PEM, or more than eight, or more text than any such chain has.
    """
    if len(text) > MAX_RAW:
        raise Malformed(f"certificate chain of {len(text)} bytes, at most {MAX_RAW}")
    try:
        blocks = text.decode("ascii").split(_BEGIN)
        if blocks[0] or not 1 < len(blocks) <= _MAX_CHAIN + 1:
            raise Malformed(f"a certificate chain in PEM has 1 to {_MAX_CHAIN} certificates and nothing else")
        return tuple(ssl.PEM_cert_to_DER_cert(_BEGIN + block) for block in reversed(blocks[1:]))
    except ValueError:
        raise Malformed("the certificate chain is not PEM") from None


def _header(cursor: Cursor) -> tuple[int, Tee]:
    header = Cursor(cursor.take(_HEADER), "the quote's header")
    version, key_type, tee = header.number(2), header.number(2), header.number(4)
    header.take(4)  # security versions of QE and PCE, which the certificates say again
    vendor = header.take(16)
    if tee not in set(Tee) or version not in ({3} if tee == Tee.SGX else {4, 5}):
        raise Malformed(f"quote of version {version} for TEE {tee:#x}: wants 3 for SGX, 4 or 5 for TDX")
    if key_type != _ECDSA_P256 or vendor != _INTEL_QE:
        raise Malformed("the quote is not signed with ECDSA on P-256 by a quoting enclave of Intel")
    return version, Tee(tee)


def _report(cursor: Cursor, version: int, tee: Tee) -> TdReport | EnclaveReport:
    if tee is Tee.SGX:
        return EnclaveReport.decode(cursor.take(ENCLAVE_SIZE))
    if version == 4:
        return TdReport.decode(cursor.take(TD10_SIZE))
    body, size = cursor.number(2), cursor.number(4)
    if _BODIES.get(body) != size:
        raise Malformed(f"quote body of type {body} and {size} bytes: wants TDX 1.0 or 1.5")
    return TdReport.decode(cursor.take(size))


def _nested(cursor: Cursor, kind: int) -> Cursor:
    """The certification data that ends `cursor`."""
    found = cursor.number(2)
    if found != kind:
        raise Malformed(f"certification data of type {found}, wants {kind}: ask for a quote with its certificates")
    inner = cursor.sized(4, MAX_QUOTE)
    cursor.end()
    return Cursor(inner, "the quote's certification data")


def _chain(cursor: Cursor) -> tuple[bytes, ...]:
    text = cursor.rest()
    # some quoting enclaves end the text as C does
    chain = certificates_in(text.removesuffix(b"\0"))
    if pem(chain).encode() != text.removesuffix(b"\0"):
        raise Malformed("the quote's certificates are not in the usual PEM")
    return chain
