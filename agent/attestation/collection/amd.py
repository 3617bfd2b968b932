"""AMD's key distribution service (KDS): certificates of chips at their patch level, of product lines, and revocation lists.

Source: AMD 57230 (VCEK certificate and KDS interface). Turin names chips by 8 bytes, and has a patch level more.
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation import certificates
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.report import SigningKey, SnpReport
from agent.attestation.amd.revocation import MAX_CRL
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.collection.errors import CollectionError, HostileAnswer, ServiceRefused
from agent.attestation.collection.fetcher import Fetched, Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Piece
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.quote import certificates_in

KDS: Final = "https://kdsintf.amd.com"

_TURIN_ID: Final = 8
_CERTIFICATES: Final = (
    "application/x-pem-file", "application/pem-certificate-chain", "application/octet-stream", "application/pkix-cert",
    "application/x-x509-ca-cert", "text/plain", "",
)  # fmt: skip
_LISTS: Final = ("application/pkix-crl", "application/octet-stream", "")
_OLD: Final = (Product.MILAN, Product.GENOA)
"""Product lines that made reports of version 2, which do not name theirs."""


class AmdService:
    """The service at `base`."""

    def __init__(self, fetcher: Fetcher, base: str = KDS) -> None:
        self._fetcher: Final = fetcher
        self._base: Final = base.rstrip("/")

    async def collect(self, report: SnpReport, chain: tuple[bytes, ...] = ()) -> tuple[Piece, ...]:
        """Certificates and revocation list for `report`; the endorsement in `chain` is kept as it is. Not checked.

        Raises:
            CollectionError: the service does not give them.
        """
        leaf = next((der for der in chain if _is_leaf(der)), None)
        product = report.product or (None if leaf is None else _product_of(leaf))
        if leaf is not None and product is not None:
            return (Piece(Role.AMD_CERTIFICATE, leaf, "evidence"), *await self._line(product, report.signing_key))
        if report.signing_key is SigningKey.VLEK:
            raise CollectionError("the report is signed by a VLEK, whose certificate only the host has: let it hand it out")
        if not any(report.chip_id):
            raise CollectionError("the report hides its chip's id, and AMD's service knows chips by it: let the host hand out the certificate")
        product, found = await self._vcek(report, product)
        return (found, *await self._line(product, report.signing_key))

    async def quote(self, report: bytes, chain: tuple[bytes, ...] = ()) -> SnpQuote:
        """`report` with certificates and revocation list, as evidence carries it.

        Raises:
            CollectionError, MalformedReport
        """
        pieces = await self.collect(SnpReport.decode(report), chain)
        return quote_of(report, pieces)

    async def _vcek(self, report: SnpReport, product: Product | None) -> tuple[Product, Piece]:
        refusal: ServiceRefused | None = None
        for each in (product,) if product else _OLD:
            try:
                answer = await self._get(vcek_url(self._base, report, each), MAX_CERTIFICATE, _CERTIFICATES)
            except ServiceRefused as error:
                refusal = error
            else:
                return each, Piece(Role.AMD_CERTIFICATE, _certificate(answer), answer.url)
        assert refusal is not None, "asked for one product line at least"
        raise refusal

    async def _line(self, product: Product, kind: SigningKey) -> tuple[Piece, ...]:
        folder = f"{self._base}/{kind.name.lower()}/v1/{product}"
        chain = await self._get(f"{folder}/cert_chain", 4 * MAX_CERTIFICATE, _CERTIFICATES)
        crl = await self._get(f"{folder}/crl", MAX_CRL, _LISTS)
        pieces = [Piece(Role.AMD_CERTIFICATE, der, chain.url) for der in _chain(chain)]
        return (*pieces, Piece(Role.AMD_CRL, _list(crl), crl.url))

    async def _get(self, url: str, limit: int, types: tuple[str, ...]) -> Fetched:
        return await self._fetcher.fetch(Wanted(url, limit, types))


def vcek_url(base: str, report: SnpReport, product: Product) -> str:
    """Where the VCEK certificate of the chip and patch level in `report` lies.

    Raises:
        MalformedReport: its patch level is not one of `product`.
    """
    tcb = Tcb.decode(report.reported_tcb, product)
    turin = product is Product.TURIN
    chip = report.chip_id[:_TURIN_ID] if turin else report.chip_id
    levels = [("fmcSPL", tcb.fmc)] if turin else []
    levels += [("blSPL", tcb.bootloader), ("teeSPL", tcb.tee), ("snpSPL", tcb.snp), ("ucodeSPL", tcb.microcode)]
    return f"{base}/vcek/v1/{product}/{chip.hex()}?" + "&".join(f"{name}={level:02}" for name, level in levels)


def quote_of(report: bytes, pieces: tuple[Piece, ...]) -> SnpQuote:
    """`report` with the certificates and the revocation list among `pieces`."""
    chain = tuple(piece.content for piece in pieces if piece.role is Role.AMD_CERTIFICATE)
    crl = next((piece.content for piece in pieces if piece.role is Role.AMD_CRL), None)
    return SnpQuote(report, chain, crl)


def _is_leaf(der: bytes) -> bool:
    return _common_name(certificates.load(der).subject) in {"SEV-VCEK", "SEV-VLEK"}


def _product_of(leaf: bytes) -> Product | None:
    issuer = _common_name(certificates.load(leaf).issuer)
    return next((product for product in Product if issuer.endswith(f"-{product}")), None)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _certificate(answer: Fetched) -> bytes:
    try:
        certificates.load(answer.content)
    except EvidenceError as error:
        raise HostileAnswer(f"{answer.url} answers with something else than a certificate: {error}") from error
    return answer.content


def _chain(answer: Fetched) -> tuple[bytes, ...]:
    try:
        chain = certificates_in(answer.content.replace(b"\r", b""))
        for der in chain:
            certificates.load(der)
    except EvidenceError as error:
        raise HostileAnswer(f"{answer.url} answers with something else than certificates: {error}") from error
    if len(chain) != 2:
        raise HostileAnswer(f"{answer.url} answers with {len(chain)} certificates, expected an intermediate and a root")
    return tuple(reversed(chain))


def _list(answer: Fetched) -> bytes:
    try:
        return x509.load_der_x509_crl(answer.content).public_bytes(Encoding.DER)
    except ValueError:
        raise HostileAnswer(f"{answer.url} answers with something else than a revocation list") from None
