"""The machines of a simulated world: an authority per network, and the platforms that it certifies.

The authority's key stays with who runs the network; a platform is handed to a node, as a chip would be. Both hold
private keys and are meant for localnets and tests only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from agent.attestation import cbor, cose
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.nitro import PCR_COUNT, SIMULATED_MODULE, SIMULATED_ORGANIZATION
from agent.protocol.units import Millis

Entropy = Callable[[int], bytes]
"""So many random bytes; `os.urandom` outside tests."""

ROOT_LIFETIME: Final = timedelta(days=3650)
PLATFORM_LIFETIME: Final = timedelta(days=365)
SECRET_BYTES: Final = 32
REPORTED_PCRS: Final = 16

_P384_ORDER: Final = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
_BACKDATED: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """A chip that is none: its key, its certificates, and a secret for sealing."""

    key_der: bytes = field(repr=False)
    """PKCS#8, P-384, secret."""
    chain: tuple[bytes, ...]
    """DER, root first; the last one is this platform's."""
    secret: bytes = field(repr=False)
    """32 bytes that never leave the platform."""

    def document(self, measurement: bytes, at: Millis, *, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        """A signed attestation document of the code `measurement`, which becomes PCR0 to PCR2, at time `at`.

        Raises:
            ProviderError: the measurement has not 48 bytes.
        """
        if len(measurement) != hashes.SHA384.digest_size:
            raise ProviderError(f"a simulated measurement is SHA-384, 48 bytes, not {len(measurement)}")
        assert REPORTED_PCRS <= PCR_COUNT
        pcrs = {i: measurement if i <= 2 else bytes(len(measurement)) for i in range(REPORTED_PCRS)}
        payload = cbor.encode(
            {
                "module_id": SIMULATED_MODULE,
                "digest": "SHA384",
                "timestamp": int(at),
                "pcrs": pcrs,
                "certificate": self.chain[-1],
                "cabundle": list(self.chain[:-1]),
                "public_key": public_key,
                "user_data": user_data,
                "nonce": nonce,
            }
        )
        return cose.sign(payload, _load_key(self.key_der)).encode()

    def sealing_key(self, measurement: bytes) -> bytes:
        """32 bytes that only this platform, running the code `measurement`, can derive again."""
        info = b"enclavia simulated sealing key" + measurement
        return HKDF(hashes.SHA256(), SECRET_BYTES, salt=None, info=info).derive(self.secret)

    def encode(self) -> bytes:
        """For handing the platform to a node, secrets included: write it with mode 0600."""
        return cbor.encode({"key": self.key_der, "chain": list(self.chain), "secret": self.secret})

    @classmethod
    def decode(cls, data: bytes) -> "SimulatedPlatform":
        """The platform that `encode` wrote.

        Raises:
            Malformed: it did not.
        """
        match cbor.decode(data):
            case {"key": bytes(key), "chain": [_, _, *_] as chain, "secret": bytes(secret), **rest} if not rest:
                if len(secret) == SECRET_BYTES and all(type(der) is bytes for der in chain):
                    return cls(key, tuple(chain), secret)
        raise Malformed("not a simulated platform: make a new one with the network's authority")


@dataclass(frozen=True, slots=True)
class SimulatedAuthority:
    """The vendor of a simulated network."""

    key_der: bytes = field(repr=False)
    """PKCS#8, P-384, secret."""
    root: bytes
    """DER; what `SimulatedVerifier` is given."""

    @classmethod
    def create(cls, network: str, at: Millis, entropy: Entropy) -> "SimulatedAuthority":
        """A new authority for the network called `network`, valid from an hour before `at` for ten years."""
        key = _new_key(entropy)
        name = _name(f"SIMULATED ROOT {network[:32]}")
        certificate = _certificate(name, key.public_key(), name, key, at, ROOT_LIFETIME, authority=True)
        return cls(_key_der(key), certificate)

    def platform(self, name: str, at: Millis, entropy: Entropy) -> SimulatedPlatform:
        """A new platform, its certificate valid from an hour before `at` for a year."""
        key = _new_key(entropy)
        issuer = x509.load_der_x509_certificate(self.root).subject
        subject = _name(f"SIMULATED PLATFORM {name[:32]}")
        leaf = _certificate(
            subject, key.public_key(), issuer, _load_key(self.key_der), at, PLATFORM_LIFETIME, authority=False
        )
        return SimulatedPlatform(_key_der(key), (self.root, leaf), entropy(SECRET_BYTES))


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    at: Millis,
    lifetime: timedelta,
    *,
    authority: bool,
) -> bytes:
    begins = datetime.fromtimestamp(at // 1000, UTC) - _BACKDATED
    # a serial number out of the key, so that no randomness besides `entropy` is used; positive, 159 bits
    serial = (
        int.from_bytes(sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()[:20], "big")
        >> 1
    )
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + lifetime)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA384(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, SIMULATED_ORGANIZATION),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
        ]
    )


def _new_key(entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    # 16 bytes more than the order has: the bias is below 2^-128
    scalar = int.from_bytes(entropy(64), "big") % (_P384_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP384R1())


def _key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _load_key(der: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(der, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed("the platform's key is not an elliptic curve key")
    return key
