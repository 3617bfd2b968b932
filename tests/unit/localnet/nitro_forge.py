"""Attestation documents of a certificate authority of our own, right in everything or wrong in one thing."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

NOW = 1_700_000_000_000
HOUR = 3_600_000
_CURVES = {"P-384": ec.SECP384R1(), "P-256": ec.SECP256R1()}


@dataclass(frozen=True)
class Certified:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def certify(
    name: str,
    issuer: Certified | None = None,
    *,
    authority: bool = True,
    path_length: int | None = None,
    starts: int = NOW - HOUR,
    ends: int = NOW + HOUR,
    usage: bool = True,
    signs_certificates: bool | None = None,
    constraints: bool = True,
    critical: bool = True,
    curve: str = "P-384",
    claimed_issuer: str | None = None,
) -> Certified:
    key = ec.generate_private_key(_CURVES[curve])
    subject = _name(name)
    issued_by = subject if issuer is None else issuer.certificate.subject
    signs = authority if signs_certificates is None else signs_certificates
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_name(claimed_issuer) if claimed_issuer else issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(starts))
        .not_valid_after(_time(ends))
    )
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(not signs, False, False, False, False, signs, False, False, False), critical=True
        )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=critical)
    return Certified(key, builder.sign((issuer or Certified(key, None)).key, hashes.SHA384()))  # type: ignore[arg-type]  # a root signs itself


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)


ROOT = certify("root", ends=NOW + 10**11)
ZONE = certify("zone", ROOT, path_length=0)
MODULE = certify("module", ZONE, authority=False)
PCR0, PCR3, PCR9 = b"\x10" * 48, b"\x13" * 48, b"\x19" * 48


@dataclass(frozen=True)
class Forge:
    """One document; every field may be bent."""

    leaf: Certified = MODULE
    bundle: tuple[bytes, ...] = (ROOT.der, ZONE.der)
    fields: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    protected: bytes = cbor2.dumps({1: -35})
    unprotected: Any = field(default_factory=dict)
    tag: int | None = None
    signature: bytes | None = None
    payload: bytes | None = None
    curve_bytes: int = 48

    def but(self, **fields: Any) -> "Forge":
        return replace(self, fields={**self.fields, **fields})

    def content(self) -> bytes:
        if self.payload is not None:
            return self.payload
        usual: dict[str, Any] = {
            "module_id": "i-0123-enc0456",
            "digest": "SHA384",
            "timestamp": NOW,
            "pcrs": {index: bytes(48) for index in range(16)} | {0: PCR0, 3: PCR3, 9: PCR9},
            "certificate": self.leaf.der,
            "cabundle": list(self.bundle),
            "public_key": b"key",
            "user_data": b"data",
            "nonce": None,
        }
        return cbor2.dumps({name: value for name, value in (usual | self.fields).items() if name not in self.without})

    def encode(self) -> bytes:
        content = self.content()
        signed = cbor2.dumps(["Signature1", self.protected, b"", content])
        parts = decode_dss_signature(self.leaf.key.sign(signed, ec.ECDSA(hashes.SHA384())))
        signature = b"".join(part.to_bytes(48, "big") for part in parts)
        message = [self.protected, self.unprotected, content, self.signature or signature]
        return cbor2.dumps(message if self.tag is None else cbor2.CBORTag(self.tag, message))


GOOD = Forge()
