"""The certificates in a manifest stand outside of its signature: each has one spelling in base64, line ends aside."""

import base64

import nvidia_pki
import pytest
from nvidia_pki import AT, Manifest

from agent.attestation.nvidia.errors import MalformedRim
from agent.attestation.nvidia.rim import check_rim

LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def test_certificate_with_bits_that_base64_does_not_need_is_refused() -> None:
    # certificates differ in length with their signatures: sooner or later one needs padding
    manifest = next(each for each in (Manifest(signer=f"Signer {number}") for number in range(100)) if len(each.chain[0]) % 3)
    genuine, spelt = manifest.signed, base64.b64encode(manifest.chain[0])
    last = len(spelt.rstrip(b"=")) - 1
    other = bytes([LETTERS[LETTERS.index(spelt[last]) + 1]])
    respelt = genuine.replace(spelt, spelt[:last] + other + spelt[last + 1 :])
    assert respelt != genuine
    assert base64.b64decode(spelt[:last] + other + spelt[last + 1 :]) == manifest.chain[0], "the same to the library"
    check_rim(genuine, nvidia_pki.RIM_ROOT, AT)
    with pytest.raises(MalformedRim, match="base64"):
        check_rim(respelt, nvidia_pki.RIM_ROOT, AT)
