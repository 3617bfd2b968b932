"""OCSP responses travel with evidence, and enclose certificates that nobody has signed: whatever is in them, nothing crashes."""

import nvidia_pki
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nvidia_pki import AT, Device, certificate, ocsp_response
from synthetic_world import RIMS

from agent.attestation import certificates
from agent.attestation.errors import AttestationError
from agent.attestation.nvidia import Collateral, verify_gpus
from agent.attestation.nvidia.ocsp import OcspResponses

DEVICE = Device()
DELEGATE = certificate("Delegate", "GH100 ICA", ca=False, delegate=True, serial=5)
RESPONSE = ocsp_response(DEVICE.chain[1], DEVICE.chain[2], "Delegate", delegate=DELEGATE)


def of_no_known_key() -> bytes:
    """The response, its delegate's key of a kind that the library does not know."""
    key = x509.load_der_x509_certificate(DELEGATE).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    spoilt = bytearray(RESPONSE)
    spoilt[RESPONSE.index(key) + 8] ^= 1  # within the algorithm's number
    return bytes(spoilt)


def test_key_that_the_library_does_not_know_in_a_response_is_a_failed_check_of_the_verdict() -> None:
    genuine = verify_gpus((DEVICE.item(),), nvidia_pki.REPORT_DATA, AT, Collateral(RIMS.rims, (RESPONSE,)), roots=nvidia_pki.ROOTS)
    assert not [finding for finding in genuine.findings if not finding.passed]
    brought = Collateral(ocsp=(of_no_known_key(),))
    found = verify_gpus((DEVICE.item(),), nvidia_pki.REPORT_DATA, AT, RIMS, roots=nvidia_pki.ROOTS, brought=brought)
    assert {finding.name.value for finding in found.findings if not finding.passed} == {"gpu-collateral"}


def test_no_changed_bit_of_a_response_with_its_delegate_crashes() -> None:
    own, issuer = (certificates.load(der) for der in DEVICE.chain[1:3])
    answered = refused = 0
    for place in range(len(RESPONSE)):
        for turn in range(3):
            spoilt = bytearray(RESPONSE)
            spoilt[place] ^= 1 << (place + 3 * turn) % 8
            try:
                answered += OcspResponses((bytes(spoilt),)).covers(own, issuer, AT)
            except AttestationError:
                refused += 1
    print(f"OCSP response: {3 * len(RESPONSE)} executions, {refused} refused, {answered} vouched all the same")
    assert refused > len(RESPONSE)
