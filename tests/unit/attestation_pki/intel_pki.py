"""An Intel of our own: root, platform authority, PCK with Intel's extension, quoting enclave, patch levels, quotes.

All keys follow from names and all signatures from their messages, so that evidence is the same in every run. Nothing
here is accepted by a verifier that was not given this very root.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, pem
from agent.protocol.units import Millis

NOW = Millis(1_795_000_000_000)
DAY = 86_400_000
FMSPC = bytes.fromhex("50806f000000")
PPID = bytes(range(16))
QE_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
SEPT_VE_DISABLE = bytes.fromhex("0000001000000000")
XFAM = bytes.fromhex("e702060000000000")
SVN = 5
"""Of every component of this platform."""

_DATE = datetime.fromtimestamp(NOW // 1000, UTC)


def key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(sha256(name.encode()).digest(), "big") >> 1, ec.SECP256R1())


def sign(signer: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    signature = signer.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return b"".join(part.to_bytes(32, "big") for part in utils.decode_dss_signature(signature))


def point(owner: ec.EllipticCurvePrivateKey) -> bytes:
    return owner.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    out = bytearray([first * 40 + second])
    for part in rest:
        digits = [part & 0x7F]
        while part := part >> 7:
            digits.append(part & 0x7F | 0x80)
        out += bytes(reversed(digits))
    return der(6, bytes(out))


SGX = "1.2.840.113741.1.13.1"


def _entry(number: str, value: bytes) -> bytes:
    return der(0x30, oid(f"{SGX}.{number}") + value)


def pck_extension(*, ppid: bytes = PPID, svn: int = SVN, fmspc: bytes = FMSPC) -> bytes:
    integer = der(2, bytes([svn]))
    components = b"".join(_entry(f"2.{index}", integer) for index in range(1, 17))
    tcb = components + _entry("2.17", integer) + _entry("2.18", der(4, bytes([svn]) * 16))
    no = der(1, b"\0")
    return der(
        0x30,
        _entry("1", der(4, ppid))
        + _entry("2", der(0x30, tcb))
        + _entry("3", der(4, bytes(2)))
        + _entry("4", der(4, fmspc))
        + _entry("5", der(0x0A, b"\1"))
        + _entry("6", der(4, sha256(ppid).digest()[:16]))
        + _entry("7", der(0x30, _entry("7.1", no) + _entry("7.2", no) + _entry("7.3", no))),
    )


def certificate(
    subject: str,
    issuer: str,
    *,
    authority: bool,
    extension: bytes | None = None,
    serial: int | None = None,
    from_days: int = -30,
    to_days: int = 365,
    signer: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """DER of the certificate of `key(subject)`, issued by `key(issuer)`."""
    names = {name: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)}
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[subject])
        .issuer_name(names[issuer])
        .public_key(key(subject).public_key())
        .serial_number(serial or int.from_bytes(sha256(subject.encode()).digest()[:8], "big"))
        .not_valid_before(_DATE + timedelta(days=from_days))
        .not_valid_after(_DATE + timedelta(days=to_days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(subject).public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer).public_key()), critical=False
        )
    )
    if extension is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(SGX), extension), critical=False)
    return builder.sign(signer or key(issuer), hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def revocation_list(issuer: str, *revoked: bytes, from_days: int = -1, to_days: int = 29) -> bytes:
    """DER of what `key(issuer)` has revoked: certificates in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .last_update(_DATE + timedelta(days=from_days))
        .next_update(_DATE + timedelta(days=to_days))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer).public_key()), critical=False
        )
    )
    for entry in revoked:
        serial = x509.load_der_x509_certificate(entry).serial_number
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_DATE - timedelta(days=2)).build()
        )
    return builder.sign(key(issuer), hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


ROOT_NAME, CA_NAME, PCK_NAME, TCB_NAME = "Test Root CA", "Test PCK Platform CA", "Test PCK Certificate", "Test TCB Signing"
ROOT = certificate(ROOT_NAME, ROOT_NAME, authority=True, to_days=9000)
CA = certificate(CA_NAME, ROOT_NAME, authority=True, to_days=3000)
PCK = certificate(PCK_NAME, CA_NAME, authority=False, extension=pck_extension())
TCB_SIGNER = certificate(TCB_NAME, ROOT_NAME, authority=False)
CHAIN = (ROOT, CA, PCK)


def rfc3339(days: int) -> str:
    return f"{_DATE + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def level(status: str = "UpToDate", *, svn: int = SVN, tdx: bool = True, advisories: tuple[str, ...] = ()) -> dict[str, Any]:
    tcb: dict[str, Any] = {"sgxtcbcomponents": [{"svn": svn}] * 16, "pcesvn": svn}
    if tdx:
        tcb["tdxtcbcomponents"] = [{"svn": svn}] * 2 + [{"svn": 0}] * 14
    return {"tcb": tcb, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": status, "advisoryIDs": list(advisories)}


def tcb_info(*, tdx: bool = True, **changes: Any) -> dict[str, Any]:
    info: dict[str, Any] = {
        "id": "TDX" if tdx else "SGX",
        "version": 3,
        "issueDate": rfc3339(-1),
        "nextUpdate": rfc3339(29),
        "fmspc": FMSPC.hex().upper(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbEvaluationDataNumber": 20,
        "tcbLevels": [level(tdx=tdx)],
    }
    if tdx:
        module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
        isv = {"tcb": {"isvsvn": 1}, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": "UpToDate"}
        info |= {"tdxModule": module, "tdxModuleIdentities": [{"id": "TDX_05", **module, "tcbLevels": [isv]}]}
    return info | changes


def qe_identity(*, tdx: bool = True, **changes: Any) -> dict[str, Any]:
    isv = {"tcb": {"isvsvn": 4}, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": "UpToDate"}
    return {
        "id": "TD_QE" if tdx else "QE",
        "version": 2,
        "issueDate": rfc3339(-1),
        "nextUpdate": rfc3339(29),
        "tcbEvaluationDataNumber": 20,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": QE_SIGNER.hex().upper(),
        "isvprodid": 2 if tdx else 1,
        "tcbLevels": [isv],
    } | changes


def collateral(*, tdx: bool = True, **changes: Any) -> Collateral:
    """Collateral for `quote`; statements may be given as objects, and are signed."""
    info = json.dumps(changes.pop("tcb_info", tcb_info(tdx=tdx))).encode()
    identity = json.dumps(changes.pop("qe_identity", qe_identity(tdx=tdx))).encode()
    return replace(
        Collateral(
            root_crl=revocation_list(ROOT_NAME),
            pck_crl=revocation_list(CA_NAME),
            tcb_info=info,
            tcb_info_signature=sign(key(TCB_NAME), info),
            tcb_signer=TCB_SIGNER,
            qe_identity=identity,
            qe_identity_signature=sign(key(TCB_NAME), identity),
            qe_signer=TCB_SIGNER,
        ),
        **changes,
    )


def enclave_report(
    *,
    attributes: bytes = b"\x11".ljust(16, b"\0"),
    mr_enclave: bytes = b"\x0e" * 32,
    mr_signer: bytes = QE_SIGNER,
    isv_prod_id: int = 2,
    isv_svn: int = 6,
    report_data: bytes = bytes(64),
) -> bytes:
    numbers = isv_prod_id.to_bytes(2, "little") + isv_svn.to_bytes(2, "little")
    return (
        bytes([SVN]) * 16 + bytes(32) + attributes + mr_enclave + bytes(32) + mr_signer + bytes(96) + numbers + bytes(60)
        + report_data
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A TDX guest; `replace` a part to spoil it."""

    report_data: bytes = b"\x0d" * 64
    attributes: bytes = SEPT_VE_DISABLE
    mr_td: bytes = b"\xa0" * 48
    rtmr: tuple[bytes, ...] = tuple(bytes([0xB0 + index]) * 48 for index in range(4))
    tee_tcb_svn: bytes = bytes([SVN, SVN]).ljust(16, b"\0")
    mr_seam: bytes = b"\x5e" * 48
    mr_signer_seam: bytes = bytes(48)
    seam_attributes: bytes = bytes(8)
    mr_service_td: bytes = bytes(48)
    version: int = 4

    def body(self) -> bytes:
        seam = self.tee_tcb_svn + self.mr_seam + self.mr_signer_seam + self.seam_attributes
        report = seam + self.attributes + XFAM + self.mr_td + bytes(144) + b"".join(self.rtmr) + self.report_data
        if self.version == 4:
            return report
        return (3).to_bytes(2, "little") + (648).to_bytes(4, "little") + report + self.tee_tcb_svn + self.mr_service_td


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Who signs a quote and with what; `replace` a part to spoil it."""

    chain: tuple[bytes, ...] = CHAIN
    pck_key: str = PCK_NAME
    qe: dict[str, Any] = field(default_factory=dict)
    attestation_key: str = "attestation key"
    bound_key: str = "attestation key"
    auth: bytes = b"\xaa" * 32
    nul: bool = True


def tdx_quote(guest: Guest | None = None, signing: Signing | None = None) -> bytes:
    guest, signing = guest or Guest(), signing or Signing()
    head = guest.version.to_bytes(2, "little") + (2).to_bytes(2, "little") + (0x81).to_bytes(4, "little")
    signed = head + bytes(4) + QE_VENDOR + bytes(20) + guest.body()
    signature = _signed(signed, signing)
    certified = _certified(signing)
    data = signature + (6).to_bytes(2, "little") + len(certified).to_bytes(4, "little") + certified
    return signed + len(data).to_bytes(4, "little") + data


def sgx_quote(report: bytes, signing: Signing | None = None) -> bytes:
    signing = signing or Signing(qe={"isv_prod_id": 1})
    head = (3).to_bytes(2, "little") + (2).to_bytes(2, "little") + bytes(4)
    signed = head + bytes(4) + QE_VENDOR + bytes(20) + report
    data = _signed(signed, signing) + _certified(signing)
    return signed + len(data).to_bytes(4, "little") + data


def _signed(message: bytes, signing: Signing) -> bytes:
    return sign(key(signing.attestation_key), message) + point(key(signing.attestation_key))


def _certified(signing: Signing) -> bytes:
    bound = sha256(point(key(signing.bound_key)) + signing.auth).digest() + bytes(32)
    report = enclave_report(**({"report_data": bound} | signing.qe))
    chain = pem(signing.chain).encode() + b"\0" * signing.nul
    auth = len(signing.auth).to_bytes(2, "little") + signing.auth
    certificates = (5).to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
    return report + sign(key(signing.pck_key), report) + auth + certificates


def evidence(quote: bytes | None = None, beside: Collateral | None = None) -> bytes:
    """The whole, as a verifier reads it."""
    return IntelEvidence(Quote.decode(quote or tdx_quote()), beside or collateral()).encode()
