"""Intel's provisioning certification service (PCS, version 4), or a cache of it (PCCS).

Source: Intel, "SGX and TDX provisioning certification service API". Chains of issuers come in headers, escaped; what is
signed in an answer is the exact text of one member of its JSON.
"""

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote as escape
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation import certificates
from agent.attestation.collection.errors import HostileAnswer
from agent.attestation.collection.fetcher import Fetched, Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Piece
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.collateral import MAX_COLLATERAL, Collateral
from agent.attestation.intel.quote import Quote, Tee, certificates_in
from agent.attestation.intel.tcb import Platform

PCS: Final = "https://api.trustedservices.intel.com"
ROOT_CRL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

_VERSION: Final = "certification/v4"
_JSON: Final = ("application/json", "text/json", "text/plain")
_LISTS: Final = ("application/pkix-crl", "application/x-pem-file", "application/octet-stream", "text/plain", "text/html", "")
"""PCS, Intel's root store and the caches all call a revocation list something else."""
_TCB_HEADERS: Final = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
_IDENTITY_HEADERS: Final = ("sgx-enclave-identity-issuer-chain",)
_PEM_LIST: Final = b"-----BEGIN X509 CRL-----"
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_SPACE: Final = " \t\r\n"


@dataclass(frozen=True, slots=True)
class IntelCollected:
    """What Intel says of one platform, and the answers that it was made of."""

    collateral: Collateral
    pieces: tuple[Piece, ...]


class IntelService:
    """The service at `base`; a cache also has the root's revocation list, Intel's own keeps that elsewhere."""

    def __init__(self, fetcher: Fetcher, base: str = PCS, root_crl: str | None = None) -> None:
        self._fetcher: Final = fetcher
        self._base: Final = base.rstrip("/")
        self._root_crl: Final = root_crl or (ROOT_CRL if self._base == PCS else f"{self._base}/sgx/{_VERSION}/rootcacrl")

    async def collect(self, quote: Quote) -> IntelCollected:
        """The collateral of the platform that made `quote`; well-formed but not checked.

        Raises:
            CollectionError: the service does not give it.
            Malformed: the quote does not say which platform made it.
        """
        kind = "tdx" if quote.tee is Tee.TDX else "sgx"
        fmspc = Platform.of(quote).kind.hex()
        tcb = await self._get(f"{self._base}/{kind}/{_VERSION}/tcb?fmspc={fmspc}", _JSON)
        identity = await self._get(f"{self._base}/{kind}/{_VERSION}/qe/identity", _JSON)
        authority = _authority(quote)
        pck = await self._get(f"{self._base}/sgx/{_VERSION}/pckcrl?ca={escape(authority)}&encoding=der", _LISTS)
        root = await self._get(self._root_crl, _LISTS)
        tcb_info, tcb_signature = _signed(tcb, "tcbInfo")
        qe_identity, qe_signature = _signed(identity, "enclaveIdentity")
        try:
            collateral = Collateral(
                root_crl=_list(root),
                pck_crl=_list(pck),
                tcb_info=tcb_info,
                tcb_info_signature=tcb_signature,
                tcb_signer=_signer(tcb, _TCB_HEADERS),
                qe_identity=qe_identity,
                qe_identity_signature=qe_signature,
                qe_signer=_signer(identity, _IDENTITY_HEADERS),
            )
        except EvidenceError as error:
            raise HostileAnswer(f"{self._base} gives something else than collateral: {error}") from error
        whole = Piece(Role.INTEL, collateral.encode(), self._base)
        answers = (Piece(Role.INTEL_ANSWER, each.content, each.url) for each in (tcb, identity, pck, root))
        return IntelCollected(collateral, (whole, *answers))

    async def _get(self, url: str, types: tuple[str, ...]) -> Fetched:
        return await self._fetcher.fetch(Wanted(url, MAX_COLLATERAL, types))


def _authority(quote: Quote) -> str:
    """Which of Intel's two authorities issued the PCK: `platform` for machines of several packages, `processor`."""
    names = certificates.load(quote.chain[-1]).issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return "processor" if any("processor" in str(name.value).lower() for name in names) else "platform"


def _signed(answer: Fetched, name: str) -> tuple[bytes, bytes]:
    """The text of the member `name`, exactly as sent, for that is what is signed; and the signature."""
    try:
        text = answer.content.decode()
        found = json.loads(text)
        signature = bytes.fromhex(found["signature"])
        # a cache may spell the members around it as it likes; the first is the signed one in every answer
        start = text.index(":", text.index(f'"{name}"')) + 1
        start += len(text[start:]) - len(text[start:].lstrip(_SPACE))
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HostileAnswer(f"{answer.url} answers without {name!r} and its signature") from None
    if value != found[name]:
        raise HostileAnswer(f"{answer.url} answers with {name!r} more than once")
    return text[start:end].encode(), signature


def _signer(answer: Fetched, headers: tuple[str, ...]) -> bytes:
    chain = next((answer.headers[name] for name in headers if name in answer.headers), None)
    if chain is None:
        raise HostileAnswer(f"{answer.url} answers without the header {headers[0]!r}")
    try:
        return certificates_in(unquote(chain).replace("\r", "").encode())[-1]
    except EvidenceError as error:
        raise HostileAnswer(f"{answer.url} answers with an issuer chain that cannot be read: {error}") from error


def _list(answer: Fetched) -> bytes:
    """DER of a revocation list, which services send as DER, as PEM, or as hex of DER."""
    content = answer.content
    try:
        if content.lstrip().startswith(_PEM_LIST):
            return x509.load_pem_x509_crl(content).public_bytes(Encoding.DER)
        if _HEX.fullmatch(content.strip().strip(b'"')):
            content = bytes.fromhex(content.strip().strip(b'"').decode())
        return x509.load_der_x509_crl(content).public_bytes(Encoding.DER)
    except ValueError:
        raise HostileAnswer(f"{answer.url} answers with something else than a revocation list") from None
