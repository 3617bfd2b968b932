"""Intel's provisioning certification service (PCS, version 4), or a cache of it (PCCS).

Source: Intel, "SGX and TDX provisioning certification service API". Chains of issuers come in headers, escaped; what is
signed in an answer is the exact text of one member of its JSON.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote as escape
from urllib.parse import unquote

from cryptography import x509

from agent.attestation import certificates
from agent.attestation.collection.errors import HostileAnswer, Unproven, proving
from agent.attestation.collection.fetcher import Fetched, Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Gathering, Piece
from agent.attestation.collection.revocation import list_in, proven_list
from agent.attestation.collection.statement import Kind, Statement
from agent.attestation.collection.window import Window
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.collateral import MAX_COLLATERAL, Collateral
from agent.attestation.intel.quote import Quote, Tee
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.intel.tcb import Platform

PCS: Final = "https://api.trustedservices.intel.com"
ROOT_CRL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

_VERSION: Final = "certification/v4"
_JSON: Final = ("application/json", "text/json", "text/plain")
_LISTS: Final = (
    "application/pkix-crl", "application/x-pkcs7-crl", "application/x-x509-crl", "application/x-x509-ca-cert", "application/x-pem-file",
    "application/octet-stream", "binary/octet-stream", "text/plain", "text/html", "",
)  # fmt: skip
"""PCS, Intel's root store and the caches all call a revocation list something else."""
_TCB_HEADERS: Final = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
_IDENTITY_HEADERS: Final = ("sgx-enclave-identity-issuer-chain",)


class IntelService:
    """The service at `base`, its answers to lead to `root`; a cache also has the root's revocation list, Intel's own keeps
    that elsewhere.
    """

    def __init__(self, fetcher: Fetcher, base: str = PCS, root_crl: str | None = None, root: bytes = INTEL_ROOT) -> None:
        self._fetcher: Final = fetcher
        # people paste what stands in their PCK provider's configuration
        self._base: Final = base.rstrip("/").removesuffix(f"/sgx/{_VERSION}")
        self._root_crl: Final = root_crl or (ROOT_CRL if self._base == PCS else f"{self._base}/sgx/{_VERSION}/rootcacrl")
        self._root: Final = root

    async def collect(self, quote: Quote, into: Gathering) -> None:
        """Gather what Intel says of the platform that made `quote`.

        Raises:
            Unproven: the quote's certificates are not Intel's; nothing was asked.
            Malformed: the quote does not say which platform made it.
        """
        with proving("the quote itself"):
            chain = [certificates.load(der) for der in quote.chain]
            certificates.check_chain(quote.chain, self._root, Window.of(*chain).begins)
        kind, platform, authority = ("tdx" if quote.tee is Tee.TDX else "sgx"), Platform.of(quote).kind.hex(), _authority(chain[-1])
        await into.take("TCB info", self._tcb_info(kind, platform))
        await into.take("QE identity", self._identity(kind))
        pck = f"{self._base}/sgx/{_VERSION}/pckcrl?ca={escape(authority)}&encoding=der"
        await into.take("revocation list of the PCK authority", self._list(Role.INTEL_PCK_CRL, authority, pck, chain[-2]))
        root = certificates.load(self._root)
        await into.take("revocation list of the root", self._list(Role.INTEL_ROOT_CRL, "root", self._root_crl, root))

    async def collateral(self, quote: Quote) -> Collateral:
        """What `collect` gathers, in the form that verifiers read.

        Raises:
            CollectionError: something is missing.
            Malformed: the quote does not say which platform made it.
        """
        into = Gathering()
        await self.collect(quote, into)
        return collateral_of({piece.role: piece.content for piece in into.complete()})

    async def _tcb_info(self, kind: str, platform: str) -> Sequence[Piece]:
        url = f"{self._base}/{kind}/{_VERSION}/tcb?fmspc={platform}"
        statement, window = await self._statement(url, Kind.TCB_INFO, _TCB_HEADERS)
        with proving(url):
            found = statement.says("id").lower(), statement.says("fmspc").lower()
        if found != (kind, platform):
            raise Unproven(f"{url} gives TCB info for {' '.join(found)[:60]!r}, asked for was {kind} {platform}")
        return (self._piece(Role.INTEL_TCB_INFO, f"{kind} {platform}", statement, url, window),)

    async def _identity(self, kind: str) -> Sequence[Piece]:
        url = f"{self._base}/{kind}/{_VERSION}/qe/identity"
        statement, window = await self._statement(url, Kind.QE_IDENTITY, _IDENTITY_HEADERS)
        wanted = "TD_QE" if kind == "tdx" else "QE"
        with proving(url):
            found = statement.says("id")
        if found != wanted:
            raise Unproven(f"{url} gives the identity of {found[:40]!r}, asked for was {wanted}")
        return (self._piece(Role.INTEL_QE_IDENTITY, wanted, statement, url, window),)

    async def _statement(self, url: str, kind: Kind, headers: Iterable[str]) -> tuple[Statement, Window]:
        answer = await self._get(url, _JSON)
        chain = next((answer.headers[name] for name in headers if name in answer.headers), None)
        if chain is None:
            raise HostileAnswer(f"{url} answers without the header {' or '.join(headers)}")
        try:
            statement = Statement.read(answer.content, kind, unquote(chain))
        except EvidenceError as error:
            raise HostileAnswer(f"{url} answers with something else than a statement: {error}") from error
        with proving(url):
            return statement, statement.proven(self._root)

    def _piece(self, role: Role, subject: str, statement: Statement, url: str, window: Window) -> Piece:
        return Piece(role=role, subject=subject, content=statement.encode(self._root), source=url, window=window)

    async def _list(self, role: Role, subject: str, url: str, issuer: x509.Certificate) -> Sequence[Piece]:
        der = list_in(await self._get(url, _LISTS))
        with proving(url):
            return (Piece(role=role, subject=subject, content=der, source=url, window=proven_list(der, issuer)),)

    async def _get(self, url: str, types: tuple[str, ...]) -> Fetched:
        return await self._fetcher.fetch(Wanted(url, MAX_COLLATERAL, types))


def collateral_of(content: "dict[Role, bytes]") -> Collateral:
    """Collateral made of what is archived for each role.

    Raises:
        KeyError: a role is missing.
        Malformed: a statement cannot be read.
    """
    tcb_info = Statement.decode(content[Role.INTEL_TCB_INFO], Kind.TCB_INFO)
    identity = Statement.decode(content[Role.INTEL_QE_IDENTITY], Kind.QE_IDENTITY)
    return Collateral(
        root_crl=content[Role.INTEL_ROOT_CRL],
        pck_crl=content[Role.INTEL_PCK_CRL],
        tcb_info=tcb_info.text,
        tcb_info_signature=tcb_info.signature,
        tcb_signer=tcb_info.signer,
        qe_identity=identity.text,
        qe_identity_signature=identity.signature,
        qe_signer=identity.signer,
    )


def _authority(pck: x509.Certificate) -> str:
    """Which of Intel's two authorities issued the PCK: `platform` for machines of several packages, `processor`."""
    names = pck.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return "processor" if any("processor" in str(name.value).lower() for name in names) else "platform"
