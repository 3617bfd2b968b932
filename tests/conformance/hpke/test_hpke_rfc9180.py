"""RFC 9180 appendix A.2.1:

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode; and both ways with `cryptography`.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from agent.enclave import hpke
from agent.enclave.errors import SealBroken

INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
IKM_E = bytes.fromhex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")
SK_EM = bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
PK_EM = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
IKM_R = bytes.fromhex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df")
PK_RM = bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
SK_RM = bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
SHARED_SECRET = bytes.fromhex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7")
KEY = bytes.fromhex("ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91")
BASE_NONCE = bytes.fromhex("5c4d98150661b848853b547f")
PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
AAD = bytes.fromhex("436f756e742d30")
CIPHERTEXT = bytes.fromhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")


@pytest.mark.parametrize(("ikm", "private"), [(IKM_E, SK_EM), (IKM_R, SK_RM)])
def test_key_pairs_derive_as_in_the_rfc(ikm: bytes, private: bytes) -> None:
    assert hpke.derive_private_key(ikm).private_bytes_raw() == private


def test_shared_secret_is_the_rfcs() -> None:
    dh = X25519PrivateKey.from_private_bytes(SK_EM).exchange(X25519PublicKey.from_public_bytes(PK_RM))
    assert hpke.shared_secret(dh, PK_EM, PK_RM) == SHARED_SECRET


def test_key_schedule_is_the_rfcs() -> None:
    assert hpke.key_schedule(SHARED_SECRET, INFO) == (KEY, BASE_NONCE)


def test_first_message_is_the_rfcs() -> None:
    assert hpke.seal(PK_RM, PLAINTEXT, info=INFO, ephemeral_ikm=IKM_E, aad=AAD) == PK_EM + CIPHERTEXT


@given(st.binary(max_size=200), st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_cryptography_opens_what_we_seal(plaintext: bytes, info: bytes, ikm: bytes) -> None:
    recipient = hpke.derive_private_key(IKM_R)
    sealed = hpke.seal(recipient.public_key().public_bytes_raw(), plaintext, info=info, ephemeral_ikm=ikm)
    assert hpke.SUITE.decrypt(sealed, recipient, info=info) == plaintext


def test_we_open_what_cryptography_seals() -> None:
    recipient = X25519PrivateKey.generate()
    sealed = hpke.SUITE.encrypt(PLAINTEXT, recipient.public_key(), info=INFO)
    assert hpke.open_sealed(recipient, sealed, info=INFO) == PLAINTEXT


def test_another_context_does_not_open() -> None:
    sealed = hpke.seal(PK_RM, PLAINTEXT, info=INFO, ephemeral_ikm=IKM_E)
    with pytest.raises(SealBroken):
        hpke.open_sealed(X25519PrivateKey.from_private_bytes(SK_RM), sealed, info=INFO + b"!")


@pytest.mark.parametrize("length", [0, 31, 32, 47])
def test_a_ciphertext_too_short_to_be_one_does_not_open(length: int) -> None:
    with pytest.raises(SealBroken):
        hpke.open_sealed(X25519PrivateKey.generate(), b"\x09" * length, info=INFO)


@pytest.mark.parametrize("key", [b"\x00" * 32, b"\x01" + b"\x00" * 31, b"\x09" * 31])
def test_a_recipient_key_without_secrecy_is_refused(key: bytes) -> None:
    with pytest.raises(SealBroken):
        hpke.seal(key, PLAINTEXT, info=INFO, ephemeral_ikm=IKM_E)
