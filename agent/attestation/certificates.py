"""X.509 chains as TEEs use them: one straight line from a pinned root to a leaf, judged at a given time."""

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation.errors import BadChain, Malformed, NotValidThen, UntrustedRoot
from agent.attestation.moments import moment
from agent.protocol.units import Millis

MAX_CHAIN: Final = 10
"""Certificates from root to leaf; Sui's native verifier draws the line at the same number."""

MAX_CERTIFICATE: Final = 8 * 1024


def load(der: bytes) -> x509.Certificate:
    """The certificate in `der`.

    Raises:
        Malformed: it is none.
    """
    if len(der) > MAX_CERTIFICATE:
        raise Malformed(f"certificate of {len(der)} bytes, at most {MAX_CERTIFICATE}")
    try:
        with warnings.catch_warnings():
            # the library warns of encodings it will refuse one day; here, what it cannot read is refused already
            warnings.simplefilter("ignore")
            certificate = x509.load_der_x509_certificate(der)
            # parsed lazily: asked for now, so that nothing raises later
            _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.public_key()
            _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except Exception as error:  # noqa: BLE001 - a hostile certificate raises whatever its broken part raises
        raise Malformed(f"certificate cannot be read ({type(error).__name__})") from None
    # the byte before the signature counts unused bits: there are none, yet the library would admit some
    if certificate.public_bytes(Encoding.DER) != der or der[-len(certificate.signature) - 1]:
        raise Malformed("certificate is not in its DER encoding")
    return certificate


def check_chain(chain: Sequence[bytes], root: bytes, at: Millis) -> x509.Certificate:
    """Return the leaf of `chain` (DER, root first), after checking every link at `at`.

    Raises:
        Malformed: a certificate cannot be read, or there are too many or none.
        UntrustedRoot: the first certificate is not `root`, byte for byte.
        BadChain: a link does not hold.
        NotValidThen: a certificate is not valid at `at`.
    """
    if not 1 < len(chain) <= MAX_CHAIN:
        raise Malformed(f"chain of {len(chain)} certificates, wants 2 to {MAX_CHAIN}")
    certificates = [load(der) for der in chain]
    if chain[0] != root:
        raise UntrustedRoot(f"the chain ends at {_name(certificates[0])!r}, not at the root trusted for this kind")
    check_link(certificates[0], certificates[0], below=len(chain) - 2)
    for depth, (issuer, issued) in enumerate(pairwise(certificates)):
        # how many CA certificates stand between this issuer and the leaf
        check_link(issuer, issued, below=len(chain) - 2 - depth)
    leaf = certificates[-1]
    if _is_authority(leaf):
        raise BadChain("the leaf certificate is an authority's: it may issue, not sign documents")
    for certificate in certificates:
        check_validity(certificate, at)
    return leaf


def check_link(issuer: x509.Certificate, issued: x509.Certificate, below: int) -> None:
    """Check that `issuer` may issue, with `below` authorities between it and the leaf, and has issued `issued`.

    Raises:
        BadChain: it may not, or has not.
    """
    if issued.issuer != issuer.subject:
        raise BadChain(f"{_name(issued)!r} names another issuer than {_name(issuer)!r}")
    if not _is_authority(issuer):
        raise BadChain(f"{_name(issuer)!r} is no authority, yet issued {_name(issued)!r}")
    path_length = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if path_length is not None and below > path_length:
        raise BadChain(f"{_name(issuer)!r} allows {path_length} authorities below it, there are {below}")
    try:
        issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        raise BadChain(f"{_name(issued)!r} is not signed by {_name(issuer)!r}") from None


def check_validity(certificate: x509.Certificate, at: Millis) -> None:
    """Check that `certificate` is valid at `at`.

    Raises:
        NotValidThen: it is not.
    """
    # integers, so that a time beyond the year 9999 compares like any other
    begins, ends = (_millis(moment) for moment in (certificate.not_valid_before_utc, certificate.not_valid_after_utc))
    if not begins <= at <= ends:
        valid = f"{certificate.not_valid_before_utc:%F %T} to {certificate.not_valid_after_utc:%F %T} UTC"
        raise NotValidThen(f"{_name(certificate)!r} is valid {valid}, not at {moment(at)}: ask the node for fresh evidence")


def p384_key(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The leaf's public key.

    Raises:
        BadChain: it is not on the curve P-384.
    """
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise BadChain("the leaf's key is not on the curve P-384")
    return key


def organization(certificate: x509.Certificate) -> str:
    """The subject's O attributes, joined; empty if there is none."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return ", ".join(str(attribute.value) for attribute in found)


def _is_authority(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign


def _millis(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:80]
