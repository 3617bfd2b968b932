"""Revocation lists of AMD's product lines: signed by the ARK, naming intermediates."""

import warnings
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation.amd.errors import MalformedReport, Revoked
from agent.attestation.errors import BadChain, NotValidThen
from agent.attestation.moments import moment
from agent.protocol.units import Millis

MAX_CRL: Final = 64 * 1024
"""Bytes; AMD's lists have about one KiB."""


def check_not_revoked(certificate: x509.Certificate, crl: bytes, issuer: x509.Certificate, at: Millis) -> None:
    """Check that `issuer`'s list `crl` (DER), in force at `at`, does not name `certificate`.

    Raises:
        MalformedReport: no revocation list.
        BadChain: of another issuer, or not signed by it.
        NotValidThen: issued after `at`, or due for renewal before.
        Revoked: the list names the certificate.
    """
    revocations = _load(crl)
    subject = certificate.subject.rfc4514_string()[:80]
    if revocations.issuer != issuer.subject or not _signed(revocations, issuer):
        raise BadChain(f"the revocation list is not signed by {issuer.subject.rfc4514_string()[:80]!r}")
    begins, ends = revocations.last_update_utc, revocations.next_update_utc
    if begins.timestamp() * 1000 > at or ends is None or ends.timestamp() * 1000 < at:
        raise NotValidThen(
            f"the revocation list is in force {begins:%F %T} to {ends or begins:%F %T} UTC, not at {moment(at)}: "
            "fetch the list of that time from AMD's key distribution service"
        )
    if revocations.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise Revoked(f"{subject!r} (serial {certificate.serial_number}) is revoked: no chip below it counts any more")


def _load(crl: bytes) -> x509.CertificateRevocationList:
    if len(crl) > MAX_CRL:
        raise MalformedReport(f"revocation list of {len(crl)} bytes, at most {MAX_CRL}")
    try:
        with warnings.catch_warnings():
            # as for certificates: what the library cannot read is refused, of what it dislikes it may keep silent
            warnings.simplefilter("ignore")
            revocations = x509.load_der_x509_crl(crl)
            # parsed lazily: asked for now, so that nothing raises later
            _ = [revoked.serial_number for revoked in revocations], revocations.extensions, revocations.issuer
            _ = revocations.last_update_utc, revocations.next_update_utc, revocations.signature_algorithm_oid
    except Exception as error:  # noqa: BLE001 - a hostile list raises whatever its broken part raises
        raise MalformedReport(f"revocation list cannot be read ({type(error).__name__})") from None
    # the byte before the signature counts unused bits: there are none, yet the library would admit some
    if revocations.public_bytes(Encoding.DER) != crl or crl[-len(revocations.signature) - 1]:
        raise MalformedReport("revocation list is not in its DER encoding")
    return revocations


def _signed(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revocations.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # TypeError is caught
    except Exception:  # noqa: BLE001 - keys and algorithms that do not go together raise many things
        return False
