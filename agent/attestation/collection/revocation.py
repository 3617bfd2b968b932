"""Revocation lists, whoever issued them: signed by the one who should have, and in force when."""

import re
import warnings
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation.collection.errors import HostileAnswer
from agent.attestation.collection.fetcher import Fetched
from agent.attestation.collection.window import Window
from agent.attestation.errors import BadChain, BadSignature, Malformed

_PEM: Final = b"-----BEGIN X509 CRL-----"
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+")


def list_in(answer: Fetched) -> bytes:
    """DER of a revocation list, which services send as DER, as PEM, or as hex of DER.

    Raises:
        HostileAnswer: something else.
    """
    content = answer.content
    try:
        if content.lstrip().startswith(_PEM):
            return x509.load_pem_x509_crl(content).public_bytes(Encoding.DER)
        spelt = content.strip().strip(b'"')
        if _HEX.fullmatch(spelt):
            content = bytes.fromhex(spelt.decode())
        return x509.load_der_x509_crl(content).public_bytes(Encoding.DER)
    except ValueError:
        raise HostileAnswer(f"{answer.url} answers with something else than a revocation list") from None


def proven_list(der: bytes, issuer: x509.Certificate) -> Window:
    """When the list in `der`, signed by `issuer`, is in force.

    Raises:
        Malformed, BadChain, BadSignature, NotValidThen
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_crl(der)
            # parsed lazily: asked for now, so that nothing raises later
            begins, ends, named = found.last_update_utc, found.next_update_utc, found.issuer
            _ = [revoked.serial_number for revoked in found], found.extensions
    except Exception as error:  # noqa: BLE001 - a hostile list raises whatever its broken part raises
        raise Malformed(f"the revocation list cannot be read ({type(error).__name__})") from None
    if named != issuer.subject:
        raise BadChain(f"the revocation list is {named.rfc4514_string()[:80]!r}'s, asked for was {issuer.subject.rfc4514_string()[:80]!r}'s")
    if not _signed(found, issuer):
        raise BadSignature(f"the revocation list is not signed by {issuer.subject.rfc4514_string()[:80]!r}")
    if ends is None:
        raise Malformed("the revocation list does not say until when it counts")
    return Window.between(begins, ends)


def _signed(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # TypeError is caught
    except Exception:  # noqa: BLE001 - keys and algorithms that do not go together raise many things
        return False
