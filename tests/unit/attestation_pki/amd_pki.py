"""AMD as it would be if its keys were ours: product lines with roots, intermediates, chips and reports.

Nothing here leads to AMD's own roots; whoever accepts it was given `Line.roots`. RSA keys have 2048 bits, for speed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation.amd.report import SIGNED_SIZE, SigningKey
from agent.attestation.amd.tcb import Product, Tcb
from agent.protocol.units import Millis

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=2555)
AT = Millis(int((BEGINS + timedelta(days=200)).timestamp() * 1000))
CPUID = {Product.MILAN: (0x19, 0x01), Product.GENOA: (0x19, 0x11), Product.TURIN: (0x1A, 0x02)}
LEVELS = Tcb(bootloader=4, tee=0, snp=24, microcode=219)
CHIP = bytes(range(1, 65))
MEASUREMENT = b"\x5a" * 48
_AMD = "1.3.6.1.4.1.3704.1."


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP384R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "TEST - NOT AMD"),
        ]
    )


def _pss() -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)


def _integer(level: int) -> bytes:
    value = level.to_bytes(2 if level > 127 else 1, "big")
    return bytes([2, len(value)]) + value


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def _with_serial_zero(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bytes:
    """The same with serial number 0, which AMD's endorsement certificates have and no builder allows."""
    tbs = certificate.tbs_certificate_bytes
    at = tbs.index(b"\x02\x01\x01")
    tbs = tbs[: at + 2] + b"\0" + tbs[at + 3 :]
    whole = certificate.public_bytes(Encoding.DER)
    signature = len(certificate.signature) + 5
    algorithm = whole[4 + len(certificate.tbs_certificate_bytes) : -signature]
    return _der(0x30, tbs + algorithm + _der(3, b"\0" + key.sign(tbs, _pss(), hashes.SHA384())))


def _authority(name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, depth: int | None, serial: int) -> bytes:
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
        .sign(issuer_key, hashes.SHA384(), rsa_padding=_pss())
        .public_bytes(Encoding.DER)
    )


@dataclass(frozen=True)
class Line:
    """A product line: its ARK, ASK and ASVK."""

    product: Product
    roots_name: str = "ark"

    @property
    def root(self) -> bytes:
        return _line(self.product, self.roots_name)[0]

    @property
    def roots(self) -> dict[Product, bytes]:
        return {self.product: self.root}

    def intermediate(self, kind: SigningKey) -> bytes:
        return _line(self.product, self.roots_name)[1 + kind]

    def endorsement(self, kind: SigningKey = SigningKey.VCEK, tcb: Tcb = LEVELS, chip: bytes = CHIP, **changes: bytes | None) -> bytes:
        """A VCEK or VLEK certificate; `changes` are raw extensions by the last part of their OID, None to leave one out."""
        issuer, issuer_key = f"SEV-{'VLEK-' if kind else ''}{self.product}", rsa_key(f"{self.roots_name}/{self.product}/{int(kind)}")
        turin = self.product is Product.TURIN
        extensions: dict[str, bytes | None] = {
            "1": _integer(1 if turin else 0),
            "3.1": _integer(tcb.bootloader),
            "3.2": _integer(tcb.tee),
            "3.3": _integer(tcb.snp),
            "3.8": _integer(tcb.microcode),
        }
        if turin:
            extensions["3.9"] = _integer(tcb.fmc)
        extensions |= {"5": b"\x16\x08test-csp"} if kind is SigningKey.VLEK else {"4": chip[:8] if turin else chip}
        extensions |= {name.replace("_", "."): value for name, value in changes.items()}
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(f"SEV-{kind.name}"))
            .issuer_name(named(issuer))
            .public_key(ec_key("chip").public_key())
            .serial_number(1)
            .not_valid_before(BEGINS)
            .not_valid_after(ENDS)
        )
        for oid, value in extensions.items():
            if value is not None:
                builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(_AMD + oid), value), critical=False)
        return _with_serial_zero(builder.sign(issuer_key, hashes.SHA384(), rsa_padding=_pss()), issuer_key)

    def chain(self, kind: SigningKey = SigningKey.VCEK) -> tuple[bytes, ...]:
        return self.endorsement(kind), self.intermediate(kind), self.root

    def crl(self, *revoked: bytes, begins: datetime = BEGINS, days: int = 365, key: rsa.RSAPrivateKey | None = None) -> bytes:
        """The line's revocation list, naming the certificates `revoked`."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(named(f"ARK-{self.product}"))
            .last_update(begins)
            .next_update(begins + timedelta(days=days))
        )
        for der in revoked:
            serial = x509.load_der_x509_certificate(der).serial_number
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begins).build()
            )
        signer = key or rsa_key(f"{self.roots_name}/{self.product}/ark")
        return builder.sign(signer, hashes.SHA384(), rsa_padding=_pss()).public_bytes(Encoding.DER)


@cache
def _line(product: Product, name: str) -> tuple[bytes, bytes, bytes]:
    ark = rsa_key(f"{name}/{product}/ark")
    return (
        _authority(f"ARK-{product}", ark, f"ARK-{product}", ark, None, 65536),
        _authority(f"SEV-{product}", rsa_key(f"{name}/{product}/0"), f"ARK-{product}", ark, 0, 65537),
        _authority(f"SEV-VLEK-{product}", rsa_key(f"{name}/{product}/1"), f"ARK-{product}", ark, 0, 65793),
    )


@dataclass(frozen=True, kw_only=True)
class Report:
    """The fields of a report, signed by `ec_key("chip")`."""

    product: Product = Product.MILAN
    version: int = 3
    policy: int = 0x30000
    vmpl: int = 0
    algorithm: int = 1
    platform_info: int = 1
    kind: int = SigningKey.VCEK
    report_data: bytes = bytes(64)
    measurement: bytes = MEASUREMENT
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    migration_agent: bytes = b"\xff" * 32
    tcb: Tcb = LEVELS
    current_tcb: Tcb | None = None
    committed_tcb: Tcb | None = None
    launch_tcb: Tcb | None = None
    chip_id: bytes | None = None
    mitigations: tuple[int, int] = (0, 0)
    cpuid: tuple[int, int] | None = None
    raw: dict[int, bytes] = field(default_factory=dict)
    """More bytes, by offset."""

    def signed(self, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        turin = self.product is Product.TURIN
        chip = (CHIP[:8] if turin else CHIP).ljust(64, b"\0") if self.chip_id is None else self.chip_id
        family, model = self.cpuid or CPUID[self.product]
        fields = {
            0x00: self.version.to_bytes(4, "little"),
            0x08: self.policy.to_bytes(8, "little"),
            0x30: self.vmpl.to_bytes(4, "little"),
            0x34: self.algorithm.to_bytes(4, "little"),
            0x38: (self.current_tcb or self.tcb).encode(self.product),
            0x40: self.platform_info.to_bytes(8, "little"),
            0x48: (self.kind << 2).to_bytes(4, "little"),
            0x50: self.report_data,
            0x90: self.measurement,
            0xE0: self.id_key_digest,
            0x110: self.author_key_digest,
            0x160: self.migration_agent,
            0x180: self.tcb.encode(self.product),
            0x188: bytes([family, model, 1]) if self.version >= 3 else b"",
            0x1A0: chip,
            0x1E0: (self.committed_tcb or self.tcb).encode(self.product),
            0x1F0: (self.launch_tcb or self.tcb).encode(self.product),
            0x1F8: b"".join(each.to_bytes(8, "little") for each in self.mitigations) if self.version >= 5 else b"",
        } | self.raw
        body = bytearray(SIGNED_SIZE)
        for at, value in fields.items():
            body[at : at + len(value)] = value
        der = (key or ec_key("chip")).sign(bytes(body), ec.ECDSA(hashes.SHA384()))
        numbers = b"".join(number.to_bytes(72, "little") for number in decode_dss_signature(der))
        return bytes(body) + numbers + bytes(512 - len(numbers))
