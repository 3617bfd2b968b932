"""AMD's key distribution service (KDS): certificates of chips at their patch level, of product lines, and revocation lists.

Source: AMD 57230 (VCEK certificate and KDS interface). Turin names chips by 8 bytes, and has a patch level more.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from cryptography import x509

from agent.attestation import certificates
from agent.attestation.amd.endorsement import check_endorsement
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.report import SigningKey, SnpReport
from agent.attestation.amd.revocation import MAX_CRL
from agent.attestation.amd.roots import AMD_ROOTS
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.collection.errors import CollectionError, HostileAnswer, ServiceRefused, Unproven, proving
from agent.attestation.collection.fetcher import Fetched, Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Gathering, Piece
from agent.attestation.collection.revocation import list_in, proven_list
from agent.attestation.collection.window import Window
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.quote import certificates_in

KDS: Final = "https://kdsintf.amd.com"
PAUSE: Final = 10.0
"""Seconds: the service is known to answer one question in ten seconds, and 429 to the next."""

_TURIN_ID: Final = 8
_LEAVES: Final = frozenset({"SEV-VCEK", "SEV-VLEK"})
_CERTIFICATES: Final = (
    "application/x-pem-file", "application/pem-certificate-chain", "application/octet-stream", "application/pkix-cert",
    "application/x-x509-ca-cert", "text/plain", "",
)  # fmt: skip
_LISTS: Final = ("application/pkix-crl", "application/octet-stream", "")
_OLD: Final = (Product.MILAN, Product.GENOA)
"""Product lines that made reports of version 2, which do not name theirs."""


class AmdService:
    """The service at `base`, its answers to lead to `roots`."""

    def __init__(self, fetcher: Fetcher, base: str = KDS, roots: Mapping[Product, bytes] = AMD_ROOTS) -> None:
        self._fetcher: Final = fetcher
        self._base: Final = base.rstrip("/")
        self._roots: Final = roots

    async def collect(self, report: SnpReport, chain: tuple[bytes, ...], into: Gathering) -> None:
        """Gather certificates and revocation list for `report`; the endorsement in `chain`, if there is one, is not asked for.

        Raises:
            CollectionError: no endorsement is to be had, and the rest is for nothing.
            MalformedReport: its patch level is not one of its product line.
        """
        leaf = next((der for der in chain if _name(der) in _LEAVES), None)
        product = report.product or (None if leaf is None else _product_of(leaf))
        if leaf is not None and product is not None:
            source = "evidence"
        else:
            product, answer = await self._vcek(report, product)
            leaf, source = answer.content, answer.url
        above = tuple(der for der in chain if _name(der) not in _LEAVES)
        line = f"{self._base}/{report.signing_key.name.lower()}/v1/{product}"
        await into.take("certificates", self._certificates(report, product, {leaf: source}, above, f"{line}/cert_chain", into))
        await into.take("revocation list", self._list(product, f"{line}/crl"))

    async def quote(self, report: bytes, chain: tuple[bytes, ...] = ()) -> SnpQuote:
        """`report` with certificates and revocation list, as evidence carries it.

        Raises:
            CollectionError: something is missing.
            MalformedReport
        """
        into = Gathering()
        await self.collect(SnpReport.decode(report), chain, into)
        pieces = into.complete()
        found = tuple(piece.content for piece in pieces if piece.role is Role.AMD_CERTIFICATE)
        return SnpQuote(report, found, next(piece.content for piece in pieces if piece.role is Role.AMD_CRL))

    async def _vcek(self, report: SnpReport, product: Product | None) -> tuple[Product, Fetched]:
        if report.signing_key is SigningKey.VLEK:
            raise CollectionError("the report is signed by a VLEK, whose certificate only the host has: let it hand it out")
        if not any(report.chip_id):
            raise CollectionError("the report hides its chip's id, and AMD's service knows chips by it: let the host hand out the certificate")
        refusal: ServiceRefused | None = None
        for each in (product,) if product else _OLD:
            try:
                answer = await self._get(vcek_url(self._base, report, each), MAX_CERTIFICATE, _CERTIFICATES)
            except ServiceRefused as error:
                refusal = error
            else:
                if not _name(answer.content):
                    raise HostileAnswer(f"{answer.url} answers with something else than a certificate")
                return each, answer
        assert refusal is not None, "asked for one product line at least"
        raise refusal

    async def _certificates(
        self, report: SnpReport, product: Product, leaf: Mapping[bytes, str], above: tuple[bytes, ...], url: str, into: Gathering
    ) -> Sequence[Piece]:
        """Those of `report`, proved together: without its leaf, no chain is."""
        try:
            answer = await self._get(url, 4 * MAX_CERTIFICATE, _CERTIFICATES)
            sources = {**leaf, **dict.fromkeys(_chain(answer), url)}
        except CollectionError as error:
            # what the evidence has itself, or AMD's own intermediates, may do
            into.miss(f"certificates of {product}: {error}")
            sources = {**leaf, **dict.fromkeys(above, "evidence")}
        with proving(" and ".join(dict.fromkeys(sources.values()))):
            found = [certificates.load(der) for der in sources]
            root = certificates.load(self._root_of(product))
            at = Window.of(root, *found).begins
            check_endorsement(tuple(sources), {product: self._root_of(product)}, at, None).check_report(report)
        return [
            Piece(role=Role.AMD_CERTIFICATE, subject=_name(der), content=der, source=source, window=Window.of(each))
            for (der, source), each in zip(sources.items(), found, strict=True)
        ]

    async def _list(self, product: Product, url: str) -> Sequence[Piece]:
        der = list_in(await self._get(url, MAX_CRL, _LISTS))
        with proving(url):
            window = proven_list(der, certificates.load(self._root_of(product)))
        return (Piece(role=Role.AMD_CRL, subject=product, content=der, source=url, window=window),)

    def _root_of(self, product: Product) -> bytes:
        if product not in self._roots:
            raise Unproven(f"no root is trusted for {product}; known are {', '.join(self._roots)}")
        return self._roots[product]

    async def _get(self, url: str, limit: int, types: tuple[str, ...]) -> Fetched:
        return await self._fetcher.fetch(Wanted(url, limit, types), PAUSE)


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


def _name(der: bytes) -> str:
    """The holder's common name; empty if `der` cannot be read."""
    try:
        return _common_name(certificates.load(der).subject)
    except EvidenceError:
        return ""


def _product_of(leaf: bytes) -> Product | None:
    issuer = _common_name(certificates.load(leaf).issuer)
    return next((product for product in Product if issuer.endswith(f"-{product}")), None)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value)[:80] if found else ""


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
