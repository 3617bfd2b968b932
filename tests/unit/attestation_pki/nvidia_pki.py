"""NVIDIA as it would be if its keys were ours: devices with chains, their reports, signed manifests, OCSP responses.

Nothing here leads to NVIDIA's own roots; whoever accepts it was given `ROOTS`.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha384

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from agent.attestation.binding import gpu_nonce
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import DeviceItem, DeviceKind, NvidiaRoots
from agent.attestation.nvidia.canonical_xml import canonical, parse
from agent.protocol.units import Millis

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
AT = Millis(int((BEGINS + timedelta(days=100)).timestamp() * 1000))
REPORT_DATA = b"\x11" * 64
DRIVER = "580.1.2"
VBIOS = {"GH100": "96.00.5E.00.01", "GB100": "97.00.88.00.0F", "LS10": "96.10.55.00.01"}
VBIOS_RAW = {"GH100": bytes.fromhex("005e009601000000"), "GB100": bytes.fromhex("008800970f000000"), "LS10": b"96.10.55.00.01\0"}
FIRMWARE_ID = b"\x2f" * 48
VBIOS_INDICES, DRIVER_INDICES = (0, 1, 2), (7, 8, 35)
_NAMES = {"GH100": "GH100 A01 GSP BROM", "GB100": "GB100 A01 GSP BROM", "LS10": "LS_10 A01 FSP BROM"}


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def value(index: int) -> bytes:
    """What a device in production mode measures at `index`."""
    return sha384(b"measurement %d" % index).digest()


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "TEST - NOT NVIDIA"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
        ]
    )


@cache
def certificate(
    subject: str,
    issuer: str,
    *,
    ca: bool = True,
    serial: int = 7,
    days: int = 3650,
    dice: tuple[str, bytes] | None = None,
    delegate: bool = False,
    signer: str | None = None,
) -> bytes:
    """A certificate; keys go by the names of their holders, unless another `signer` forges it."""
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.test"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key(subject).public_key())
        .serial_number(serial)
        .not_valid_before(BEGINS)
        .not_valid_after(BEGINS + timedelta(days=days))
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if " BROM " not in subject:  # NVIDIA's certificates of devices name no responder
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if dice is not None:
        oid, content = dice
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), content), critical=False)
    if delegate:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    return builder.sign(key(signer or issuer), hashes.SHA384()).public_bytes(Encoding.DER)


DEVICE_ROOT = certificate("Device Identity CA", "Device Identity CA")
RIM_ROOT = certificate("RIM Root CA", "RIM Root CA")
ROOTS = NvidiaRoots(DEVICE_ROOT, RIM_ROOT)


def hopper_dice(firmware_id: bytes) -> tuple[str, bytes]:
    """A composite device id, which ends with the digest."""
    return "2.23.133.5.4.1", b"\x30\x3b\x02\x01\x01\x30\x36\x06\x02\x2a\x03\x04\x30" + firmware_id


def blackwell_dice(firmware_id: bytes, flags: int = 0x80000001) -> tuple[str, bytes]:
    """A DiceTcbInfo: vendor, digests, flags; those by default are what real GB100s have."""
    digests = b"".join(b"\x30\x3d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30" + each for each in (firmware_id, bytes(48)))
    content = b"\x80\x06NVIDIA\xa6" + bytes([len(digests)]) + digests + b"\x87\x05\x00" + flags.to_bytes(4, "big")
    return "2.23.133.5.4.1.1", b"\x30\x81" + bytes([len(content)]) + content


@dataclass(frozen=True, kw_only=True)
class Device:
    """A GPU or switch and its chain."""

    model: str = "GH100"
    number: int = 1
    """Makes its keys and serial numbers."""
    flags: int = 0x80000001
    firmware_id: bytes = FIRMWARE_ID

    @property
    def kind(self) -> DeviceKind:
        return DeviceKind.SWITCH if self.model == "LS10" else DeviceKind.GPU

    @property
    def pdi(self) -> bytes:
        return self.number.to_bytes(8, "big")

    @property
    def own(self) -> str:
        """The name in its own certificate; a suffix keeps the keys of devices apart."""
        return f"{_NAMES[self.model]} {self.number}"

    @property
    def leaf(self) -> str:
        return f"{self.own} FMC {self.firmware_id.hex()[:4]}"

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Leaf first, root last."""
        dice = blackwell_dice(self.firmware_id, self.flags) if self.model == "GB100" else hopper_dice(self.firmware_id)
        return (
            certificate(self.leaf, self.own, ca=False, serial=900 + self.number, dice=dice),
            certificate(self.own, f"{self.model} ICA", serial=int.from_bytes(b"A" + self.pdi, "big")),
            certificate(f"{self.model} ICA", "Device Identity CA", serial=11),
            DEVICE_ROOT,
        )

    def report(
        self,
        nonce: bytes,
        *,
        measurements: Mapping[int, bytes] | None = None,
        driver: str = DRIVER,
        opaque: Mapping[int, bytes | None] | None = None,
        signer: str | None = None,
        announced: int | None = None,
    ) -> bytes:
        """A signed report; `measurements` by index from 0, `opaque` entries added, or None to leave one out."""
        values = {index: value(index) for index in range(40)} | dict(measurements or {})
        record = b"".join(
            bytes([index + 1, 1]) + (len(each) + 3).to_bytes(2, "little") + b"\x01" + len(each).to_bytes(2, "little") + each
            for index, each in values.items()
        )
        entries: dict[int, bytes | None] = {6: VBIOS_RAW[self.model], 11: b"\xaa"}
        if self.kind is DeviceKind.GPU:
            entries |= {3: driver.encode() + b"\0", 20: self.firmware_id, 21: b"\x55"}
        else:
            entries |= {22: self.pdi}
        entries |= dict(opaque or {})
        data = b"".join(
            number.to_bytes(2, "little") + len(each).to_bytes(2, "little") + each for number, each in entries.items() if each is not None
        )
        blocks = len(values) if announced is None else announced
        signed = b"\x11\xe0\x01\xff" + nonce + b"\0" + b"\x11\x60\0\0" + bytes([blocks]) + len(record).to_bytes(3, "little") + record
        signed += bytes(32) + len(data).to_bytes(2, "little") + data
        return signed + raw_signature(signer or self.leaf, signed)

    def item(self, index: int = 0, report_data: bytes = REPORT_DATA, **changes: object) -> Quote:
        """Its item of the evidence, chained from `report_data`."""
        report = self.report(gpu_nonce(report_data, index), **changes)  # type: ignore[arg-type]
        return Quote(self.kind, DeviceItem(report, self.chain).encode())


def raw_signature(signer: str, signed: bytes) -> bytes:
    numbers = decode_dss_signature(key(signer).sign(signed, ec.ECDSA(hashes.SHA384())))
    return b"".join(number.to_bytes(48, "big") for number in numbers)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest in NVIDIA's shape."""

    model: str = "GH100"
    version: str = DRIVER
    golden: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    days: int = 730
    signer: str = "RIM Signer"
    extra: str = ""
    """More XML, in the payload."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Leaf first, root last."""
        return (
            certificate(self.signer, "RIM ICA", ca=False, serial=41, days=self.days),
            certificate("RIM ICA", "RIM Root CA", serial=40),
            RIM_ROOT,
        )

    @property
    def body(self) -> str:
        """The document without its end, its signature still to come."""
        inactive = '<n0:Resource type="Measurement" index="63" active="False" alternatives="1" size="48" h:Hash0="{}"/>'.format("00" * 48)
        rows = "".join(
            f'\n<n0:Resource type="Measurement" index="{index}" active="True" alternatives="{len(values)}" size="{len(values[0])}" '
            + " ".join(f'h:Hash{number}="{each.hex()}"' for number, each in enumerate(values))
            + "/>"
            for index, values in self.golden.items()
        )
        return (
            '<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" '
            'xmlns:n0="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:h="http://www.w3.org/2001/04/xmlenc#sha384" '
            f'name="{self.model}" tagId="t">\n<n0:Meta colloquialVersion="{self.version}" product="{self.model}"/>\n'
            f"<n0:Payload>{inactive}{rows}{self.extra}</n0:Payload>\n"
        )

    @property
    def signed(self) -> bytes:
        end = "</SoftwareIdentity>"
        digest = base64.b64encode(sha384(canonical(parse((self.body + end).encode()))).digest()).decode()
        info = _signed_info(digest)
        frame = '{}<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#">{}'
        unsigned = parse((frame.format(self.body, info) + "</d:Signature>" + end).encode())
        signature = raw_signature(self.signer, canonical(unsigned.elements[-1].elements[0]))
        certificates = "".join(f"<d:X509Certificate>{base64.b64encode(der).decode()}</d:X509Certificate>" for der in self.chain)
        return (
            frame.format(self.body, info)
            + f"<d:SignatureValue>{base64.b64encode(signature).decode()}</d:SignatureValue>"
            + f"<d:KeyInfo><d:X509Data>{certificates}</d:X509Data></d:KeyInfo></d:Signature>{end}\n"
        ).encode()


def _signed_info(digest: str) -> str:
    c14n = "http://www.w3.org/2006/12/xml-c14n11"
    return (
        f'<d:SignedInfo><d:CanonicalizationMethod Algorithm="{c14n}"/>'
        '<d:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"/><d:Reference URI=""><d:Transforms>'
        f'<d:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><d:Transform Algorithm="{c14n}"/></d:Transforms>'
        f'<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"/><d:DigestValue>{digest}</d:DigestValue>'
        "</d:Reference></d:SignedInfo>"
    )


def manifests(model: str) -> tuple[bytes, ...]:
    """What production devices of `model` measure: of the VBIOS, and on GPUs of the driver."""
    return _manifests(model)


@cache
def _manifests(model: str) -> tuple[bytes, ...]:
    vbios = Manifest(model=model, version=VBIOS[model], golden={index: (bytes(48), value(index)) for index in VBIOS_INDICES})
    driver = Manifest(model=model, golden={index: (value(index),) for index in DRIVER_INDICES})
    return (vbios.signed,) if model == "LS10" else (vbios.signed, driver.signed)


def ocsp_response(
    certificate_der: bytes,
    issuer_der: bytes,
    signer: str,
    *,
    revoked: bool = False,
    begins: datetime = BEGINS,
    days: int = 365,
    delegate: bytes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    enclosed: Sequence[bytes] = (),
) -> bytes:
    """A response about one certificate, by the holder `signer`; `delegate` is its certificate, if it is no issuer."""
    subject, issuer = x509.load_der_x509_certificate(certificate_der), x509.load_der_x509_certificate(issuer_der)
    responder = x509.load_der_x509_certificate(delegate) if delegate else issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=subject,
        issuer=issuer,
        algorithm=algorithm or hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=begins,
        next_update=begins + timedelta(days=days),
        revocation_time=begins if revoked else None,
        revocation_reason=x509.ReasonFlags.certificate_hold if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
    if delegate or enclosed:
        builder = builder.certificates([responder] if delegate else [x509.load_der_x509_certificate(der) for der in enclosed])
    return builder.sign(key(signer), hashes.SHA384()).public_bytes(Encoding.DER)
