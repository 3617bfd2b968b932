"""Who signed a quote: Intel's root, a PCK of this platform, its quoting enclave, and that enclave's attestation key.

`dcap-qvl` checks the same once more when it evaluates the patch level. It is done here first because its refusals are
sentences, and a verdict names the check that failed; and because it takes bytes behind the quote, and another root
inside it, without a word.
"""

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509 import Certificate

from agent.attestation import certificates
from agent.attestation.errors import BadChain, BadSignature
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.report import EnclaveReport
from agent.protocol.units import Millis

_HALF: Final = 32


def check_chain(quote: Quote, root: bytes, at: Millis) -> Certificate:
    """Return the PCK certificate of `quote`, once its chain to `root` (DER) holds at `at`.

    Raises:
        Malformed, UntrustedRoot, BadChain, NotValidThen
    """
    return certificates.check_chain(quote.chain, root, at)


def check_signatures(quote: Quote, pck: Certificate) -> None:
    """Return if the key of `pck` vouches for the quoting enclave, that for its key, and that for the report.

    Raises:
        BadChain: the PCK has another kind of key.
        BadSignature: one of the three does not.
    """
    enclave = EnclaveReport.decode(quote.qe_report)
    check_signed(p256_key(pck), quote.qe_signature, quote.qe_report, "the quoting enclave's report")
    if enclave.report_data != sha256(quote.attestation_key + quote.qe_auth).digest() + bytes(32):
        raise BadSignature("the quoting enclave vouches for another attestation key than the quote's")
    check_signed(_attestation_key(quote.attestation_key), quote.signature, quote.signed, "the quote")


def p256_key(certificate: Certificate) -> ec.EllipticCurvePublicKey:
    """The certificate's key.

    Raises:
        BadChain: it is not on the curve P-256.
    """
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadChain("a key in Intel's chain is not on the curve P-256")
    return key


def check_signed(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, what: str) -> None:
    """Return if `signature` (r || s) is `key`'s over `message`.

    Raises:
        BadSignature: it is not.
    """
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise BadSignature(f"{what} is not signed by the key that the chain gives it") from None


def _attestation_key(point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
    except ValueError:
        raise BadSignature("the attestation key is no point of the curve P-256") from None
