"""Certificates are read lazily by the library: what it reads late must have been read when we load them, or else it crashes a verifier.

And a signature is whole bytes: one whose unused bits are counted otherwise is the same to the library, and not to us.
"""

from collections.abc import Callable

import pytest
from cryptography import x509
from intel_pki import CA_NAME, CHAIN, PCK, PCK_NAME, ROOT_NAME, certificate, revocation_list
from nvidia_pki import Device
from synthetic_world import AT, MILAN

from agent.attestation import certificates
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.intel.revocation import check_list
from agent.attestation.intel.signature import p256_key
from agent.attestation.nvidia.dice import read_dice

ISSUER = certificate(CA_NAME, ROOT_NAME, authority=True)


def respelt(make: Callable[[int], bytes], signature: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """What `make` makes of the first number that gives a signature whose last bit is zero; and with that bit counted as unused."""
    genuine = next(der for der in map(make, range(1, 200)) if not signature(der)[-1] & 1)
    spoilt = bytearray(genuine)
    spoilt[-len(signature(genuine)) - 1] = 1
    return genuine, bytes(spoilt)


def test_certificate_is_refused_however_its_signature_is_respelt() -> None:
    genuine, spoilt = respelt(
        lambda serial: certificate(PCK_NAME, CA_NAME, authority=False, serial=serial), lambda der: x509.load_der_x509_certificate(der).signature
    )
    certificates.load(genuine)
    # the library sees nothing wrong
    x509.load_der_x509_certificate(spoilt).verify_directly_issued_by(x509.load_der_x509_certificate(ISSUER))
    with pytest.raises(Malformed, match="DER"):
        certificates.load(spoilt)


def test_revocation_list_is_refused_however_its_signature_is_respelt() -> None:
    genuine, spoilt = respelt(lambda days: revocation_list(CA_NAME, PCK, to_days=days), lambda der: x509.load_der_x509_crl(der).signature)
    issuer = certificates.load(ISSUER)
    check_list(genuine, issuer, AT, "PCK authority's")
    assert x509.load_der_x509_crl(spoilt).is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # on P-256
    with pytest.raises(Malformed, match="DER"):
        check_list(spoilt, issuer, AT, "PCK authority's")


USES: tuple[Callable[[x509.Certificate], object], ...] = (
    lambda found: found.subject.public_bytes(),
    lambda found: found.subject.rfc4514_string(),
    certificates.organization,
    lambda found: certificates.check_validity(found, AT),
    lambda found: certificates.check_link(found, found, below=0),
    lambda found: certificates.check_link(certificates.load(ISSUER), found, below=0),
    certificates.p384_key,
    p256_key,
    read_dice,
)
"""All that is done with a certificate that was loaded, before or after its signature is checked."""


@pytest.mark.parametrize("der", [*CHAIN, *MILAN.chain(), *Device().chain, Device(model="GB100").chain[0]], ids=range(11))
def test_no_changed_bit_of_a_certificate_crashes_whoever_uses_it(der: bytes) -> None:
    loaded = 0
    for place in range(len(der)):
        spoilt = bytearray(der)
        spoilt[place] ^= 1 << place % 8
        try:
            found = certificates.load(bytes(spoilt))
        except Malformed:
            continue
        loaded += 1
        for use in USES:
            try:
                use(found)
            except EvidenceError:
                continue
    assert loaded > 100
