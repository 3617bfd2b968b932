"""OCSP responses of NVIDIA's authorities (RFC 6960), given beside the evidence: nothing is fetched here."""

import warnings
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.attestation import certificates
from agent.attestation.errors import BadSignature, Malformed
from agent.attestation.nvidia.errors import Revoked
from agent.protocol.units import Millis

MAX_RESPONSE: Final = 8 * 1024
MAX_CERTIFICATES: Final = 4
"""In one response, which nobody signed: the delegate's own and its issuers'. Each one that passes for the responder's costs
a verification."""
MAX_RESPONSES: Final = 128
"""Eight GPUs and four switches with three intermediates each, and manifests."""


class OcspResponses:
    """The responses given, by the certificates that they speak of.

    Raises:
        Malformed: one is no OCSP response, or there are too many.
    """

    def __init__(self, responses: Sequence[bytes]) -> None:
        if len(responses) > MAX_RESPONSES:
            raise Malformed(f"{len(responses)} OCSP responses, at most {MAX_RESPONSES}")
        self._responses = [_load(response) for response in responses]
        self._signed: dict[tuple[int, bytes], bool] = {}

    def covers(self, certificate: x509.Certificate, issuer: x509.Certificate, at: Millis) -> bool:
        """Whether a response, in force at `at`, vouches for `certificate`; False if none speaks of it then.

        One of another time is as good as none, unless it says "revoked": that has no end.

        Raises:
            Revoked: one says that it is revoked, or on hold.
            BadSignature: one that speaks of it is not signed by `issuer` or its delegate.
        """
        speaking = [(place, each) for place, each in enumerate(self._responses) if _speaks_of(each, certificate, issuer)]
        good = False
        for place, response in speaking:
            self._check_signer(place, response, issuer, at)
            if response.certificate_status is ocsp.OCSPCertStatus.REVOKED:
                reason = response.revocation_reason
                raise Revoked(f"{_name(certificate)} is revoked ({reason.value if reason else 'no reason given'}): take the device out")
            good |= response.certificate_status is ocsp.OCSPCertStatus.GOOD and _in_force(response, at)
        return good

    def _check_signer(self, place: int, response: ocsp.OCSPResponse, issuer: x509.Certificate, at: Millis) -> None:
        # machines share authorities: what is known of a response is not worked out for every device again
        known = place, issuer.fingerprint(hashes.SHA256())
        if known not in self._signed:
            candidates = [issuer, *(each for each in response.certificates if _is_responder(each, response) and _may_answer(each, issuer, at))]
            self._signed[known] = any(_signed_by(response, candidate) for candidate in candidates)
        if not self._signed[known]:
            raise BadSignature(f"OCSP response is signed neither by {_name(issuer)} nor by its delegate")


def _load(der: bytes) -> ocsp.OCSPResponse:
    if len(der) > MAX_RESPONSE:
        raise Malformed(f"OCSP response of {len(der)} bytes, at most {MAX_RESPONSE}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            response = ocsp.load_der_ocsp_response(der)
            # parsed lazily: asked for now, so that nothing raises later; raises if it answers no single question
            _ = response.serial_number, response.issuer_key_hash, response.hash_algorithm, response.certificate_status
            _ = response.this_update_utc, response.next_update_utc, response.signature_hash_algorithm, response.revocation_reason
            enclosed = len(response.certificates)
            if enclosed <= MAX_CERTIFICATES:
                _ = [certificates.load(certificate.public_bytes(Encoding.DER)) for certificate in response.certificates]
    except Exception as error:  # noqa: BLE001 - a hostile response raises whatever its broken part raises
        raise Malformed(f"OCSP response cannot be read ({type(error).__name__})") from None
    if enclosed > MAX_CERTIFICATES:
        raise Malformed(f"OCSP response with {enclosed} certificates, at most {MAX_CERTIFICATES}")
    return response


def _speaks_of(response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if response.serial_number != certificate.serial_number:
        return False
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    # RFC 6960 §4.1.1: the digest of the key's bits alone
    digest = hashes.Hash(response.hash_algorithm)
    digest.update(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    return response.issuer_key_hash == digest.finalize()


def _is_responder(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    # RFC 6960 §4.2.1: SHA-1 of the responder's key, to tell it from others; nothing is proved by it
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303  as the RFC has it
    digest.update(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    return response.responder_key_hash == digest.finalize()


def _may_answer(responder: x509.Certificate, issuer: x509.Certificate, at: Millis) -> bool:
    try:
        responder.verify_directly_issued_by(issuer)
        usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    lives = responder.not_valid_before_utc.timestamp() * 1000 <= at <= responder.not_valid_after_utc.timestamp() * 1000
    return lives and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    if not isinstance(key, ec.EllipticCurvePublicKey) or algorithm is None:
        return False
    try:
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _in_force(response: ocsp.OCSPResponse, at: Millis) -> bool:
    ends = response.next_update_utc
    return response.this_update_utc.timestamp() * 1000 <= at and ends is not None and at <= ends.timestamp() * 1000


def _name(certificate: x509.Certificate) -> str:
    return repr(certificate.subject.rfc4514_string()[:80])
