"""The endorsement key certificate of a SEV-SNP platform: VCEK or VLEK, and what AMD says in it.

Source: AMD 57230 (VCEK Certificate and KDS Interface Specification). Every such certificate has the serial number 0,
so none can be named on a revocation list; lists name the intermediates, single chips are for the policy's reject list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from agent.attestation import certificates
from agent.attestation.amd.errors import CertificateMismatch, MalformedReport, UnknownProduct
from agent.attestation.amd.evidence import MAX_CERTIFICATES
from agent.attestation.amd.intermediates import AMD_INTERMEDIATES
from agent.attestation.amd.report import CHIP_ID_SIZE, SigningKey, SnpReport
from agent.attestation.amd.revocation import check_not_revoked
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.errors import BadChain, UntrustedRoot
from agent.protocol.units import Millis

_AMD: Final = "1.3.6.1.4.1.3704.1"
_LEVELS: Final = {"bootloader": "3.1", "tee": "3.2", "snp": "3.3", "microcode": "3.8"}
_FMC: Final = "3.9"
_HARDWARE_ID: Final = "4"
_PROVIDER_ID: Final = "5"
_LEAF_NAMES: Final = {"SEV-VCEK": SigningKey.VCEK, "SEV-VLEK": SigningKey.VLEK}
_OCTET_STRING: Final = 0x04
_INTEGER: Final = 0x02


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """What a certificate vouches for, its chain checked."""

    product: Product
    key: ec.EllipticCurvePublicKey
    kind: SigningKey
    tcb: Tcb
    """The patch level that the key was derived for."""
    chip_id: bytes | None
    """64 bytes, padded with zeros as in reports; None for a VLEK."""

    def check_report(self, report: SnpReport) -> None:
        """Check that `report` is of this very key, chip and patch level.

        Raises:
            CertificateMismatch, MalformedReport
        """
        if report.signing_key is not self.kind:
            raise CertificateMismatch(f"report signed by a {report.signing_key.name}, certificate of a {self.kind.name}")
        if report.product not in (None, self.product):
            raise CertificateMismatch(f"report of a {report.product} chip, certificates of {self.product}")
        reported = Tcb.decode(report.reported_tcb, self.product)
        if reported != self.tcb:
            raise CertificateMismatch(f"report of patch level {reported}, certificate of {self.tcb}: fetch the one for the report")
        # a masked chip id is zeros; the key itself then still says which chip it was
        if self.chip_id is not None and any(report.chip_id) and report.chip_id != self.chip_id:
            raise CertificateMismatch(
                f"report of chip {report.chip_id.hex()[:16]}…, certificate of {self.chip_id.hex()[:16]}…"
            )


def check_endorsement(chain: Sequence[bytes], roots: Mapping[Product, bytes], at: Millis, crl: bytes | None) -> Endorsement:
    """What the endorsement certificate in `chain` (DER, any order) vouches for, checked up to one of `roots` at `at`.

    A missing intermediate of AMD's own is filled in; a root in the chain must be the trusted one.

    Raises:
        Malformed, UntrustedRoot, UnknownProduct, BadChain, Revoked, NotValidThen
    """
    if not 0 < len(chain) <= MAX_CERTIFICATES:
        raise MalformedReport(f"SEV-SNP chain of {len(chain)} certificates, wants 1 to {MAX_CERTIFICATES}")
    loaded = {der: certificates.load(der) for der in chain}
    leaf, kind = _leaf(loaded)
    intermediate = _issuer(loaded[leaf], loaded | _known_intermediates())
    product, root = _root(certificates.load(intermediate), roots)
    strangers = set(loaded) - {leaf, intermediate, root}
    if strangers:
        named = sorted(_name(loaded[der].subject) for der in strangers)
        raise UntrustedRoot(f"SEV-SNP chain holds {named}, which lead to no root trusted for {product}")
    certificate = certificates.check_chain((root, intermediate, leaf), root, at)
    if crl is not None:
        check_not_revoked(certificates.load(intermediate), crl, certificates.load(root), at)
    return Endorsement(
        product=product,
        key=certificates.p384_key(certificate),
        kind=kind,
        tcb=_tcb(certificate, product),
        chip_id=_chip_id(certificate, kind),
    )


@cache
def _known_intermediates() -> dict[bytes, x509.Certificate]:
    return {der: certificates.load(der) for der in AMD_INTERMEDIATES}


def _leaf(loaded: Mapping[bytes, x509.Certificate]) -> tuple[bytes, SigningKey]:
    found = [(der, kind) for der, each in loaded.items() for name, kind in _LEAF_NAMES.items() if _name(each.subject) == name]
    if len(found) != 1:
        raise BadChain(f"SEV-SNP chain with {len(found)} VCEK or VLEK certificates, wants exactly one")
    return found[0]


def _issuer(leaf: x509.Certificate, candidates: Mapping[bytes, x509.Certificate]) -> bytes:
    # those that came with the evidence stand first
    for der, candidate in candidates.items():
        if candidate.subject == leaf.issuer and candidate is not leaf:
            return der
    raise BadChain(f"no certificate of {_name(leaf.issuer)!r}, which issued the endorsement: send it along")


def _root(intermediate: x509.Certificate, roots: Mapping[Product, bytes]) -> tuple[Product, bytes]:
    for product, der in roots.items():
        if certificates.load(der).subject == intermediate.issuer:
            return product, der
    raise UnknownProduct(f"no root trusted for {_name(intermediate.issuer)!r}; known are {', '.join(roots)}")


def _name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value)[:80] if found else name.rfc4514_string()[:80]


def _tcb(certificate: x509.Certificate, product: Product) -> Tcb:
    levels = _LEVELS | ({"fmc": _FMC} if product is Product.TURIN else {})
    return Tcb(**{name: _level(certificate, oid) for name, oid in levels.items()})


def _level(certificate: x509.Certificate, oid: str) -> int:
    value = _extension(certificate, oid)
    # DER INTEGER 0 to 255: one byte, or two if the first bit would be a sign
    if value is None or value[:1] != bytes([_INTEGER]) or len(value) not in (3, 4) or value[1] != len(value) - 2:
        raise BadChain(f"endorsement certificate without a patch level {_AMD}.{oid}")
    level = int.from_bytes(value[2:], "big", signed=True)
    if not 0 <= level <= 0xFF:
        raise BadChain(f"endorsement certificate with patch level {level} in {_AMD}.{oid}")
    return level


def _chip_id(certificate: x509.Certificate, kind: SigningKey) -> bytes | None:
    hardware, provider = _extension(certificate, _HARDWARE_ID), _extension(certificate, _PROVIDER_ID)
    if kind is SigningKey.VLEK:
        if hardware is not None or provider is None:
            raise BadChain("VLEK certificate without a provider's id, or with a chip's")
        return None
    if hardware is None:
        raise BadChain("VCEK certificate without a chip's id")
    # AMD writes the bare bytes; some revisions wrapped them into an OCTET STRING, as DER would have it
    if len(hardware) > CHIP_ID_SIZE and hardware[:2] == bytes([_OCTET_STRING, len(hardware) - 2]):
        hardware = hardware[2:]
    if not 0 < len(hardware) <= CHIP_ID_SIZE or not any(hardware):
        raise BadChain(f"VCEK certificate with a chip id of {len(hardware)} bytes")
    return hardware.ljust(CHIP_ID_SIZE, b"\0")


def _extension(certificate: x509.Certificate, oid: str) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(f"{_AMD}.{oid}")).value
    except x509.ExtensionNotFound:
        return None
    return found.value if isinstance(found, x509.UnrecognizedExtension) else None
