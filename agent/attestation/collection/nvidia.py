"""NVIDIA's services: manifests of drivers and firmware (RIM), and whether certificates still hold (OCSP).

Source: NVIDIA, "RIM service" and nvtrust. Addresses that stand in certificates are never asked: evidence is a stranger's.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from agent.attestation import certificates
from agent.attestation.collection.errors import CollectionError, HostileAnswer
from agent.attestation.collection.fetcher import Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Piece
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Quote
from agent.attestation.nvidia.canonical_xml import MAX_XML, Element, parse
from agent.attestation.nvidia.device import from_root
from agent.attestation.nvidia.errors import MalformedRim
from agent.attestation.nvidia.evidence import Collateral, DeviceItem, DeviceKind
from agent.attestation.nvidia.ocsp import MAX_RESPONSE
from agent.attestation.nvidia.report import DeviceReport, Opaque
from agent.attestation.nvidia.roots import NVIDIA_ROOTS, NvidiaRoots

RIM_SERVICE: Final = "https://rim.attestation.nvidia.com"
OCSP_SERVICE: Final = "https://ocsp.ndis.nvidia.com"

_MAX_ANSWER: Final = 2 * MAX_XML
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,31}")
_DSIG_CERTIFICATE: Final = "X509Certificate"
_BOARD: Final = (Opaque.PROJECT, Opaque.PROJECT_SKU, Opaque.CHIP_SKU)
_SWITCH_BOARD: Final = "5612_0002_890"
"""Switches do not report their board; NVIDIA's verifiers name this one for all LS10."""


class NvidiaService:
    """The services at `rim` and `ocsp`; `roots` complete chains that came without."""

    def __init__(
        self, fetcher: Fetcher, rim: str = RIM_SERVICE, ocsp: str = OCSP_SERVICE, roots: NvidiaRoots = NVIDIA_ROOTS
    ) -> None:
        self._fetcher: Final = fetcher
        self._rim: Final = rim.rstrip("/")
        self._ocsp: Final = ocsp
        self._roots: Final = roots

    async def collect(self, devices: Sequence[Quote]) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
        """Manifests and OCSP responses for `devices`, each once, and what could not be had. Not checked.

        Raises:
            EvidenceError: a device's item cannot be read.
        """
        items = [(DeviceKind(each.media_type), DeviceItem.decode(each.content)) for each in devices]
        pieces: list[Piece] = []
        missing: list[str] = []
        chains = [from_root(item.chain, self._roots.device)[:-1] for _, item in items]
        for name in dict.fromkeys(name for kind, item in items for name in manifest_names(kind, item)):
            try:
                manifest = await self._manifest(name)
            except CollectionError as error:
                missing.append(f"manifest {name}: {error}")
            else:
                pieces.append(manifest)
                chains.append(from_root(_signers(manifest), self._roots.rim))
        for issuer, subject in dict.fromkeys(pair for chain in chains for pair in pairwise(chain)):
            try:
                pieces.append(await self._status(subject, issuer))
            except CollectionError as error:
                missing.append(f"OCSP response: {error}")
        return tuple(pieces), tuple(missing)

    async def collateral(self, devices: Sequence[Quote]) -> tuple[Collateral, tuple[str, ...]]:
        """As `collect`, in the form that verifiers read."""
        pieces, missing = await self.collect(devices)
        rims, answers = (tuple(each.content for each in pieces if each.role is role) for role in (Role.NVIDIA_RIM, Role.NVIDIA_OCSP))
        return Collateral(rims, answers), missing

    async def _manifest(self, name: str) -> Piece:
        answer = await self._fetcher.fetch(Wanted(f"{self._rim}/v1/rim/{name}", _MAX_ANSWER, ("application/json",)))
        try:
            found: Any = json.loads(answer.content)
            rim = base64.b64decode(found["rim"], validate=True)
            stated = found.get("sha256")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise HostileAnswer(f"{answer.url} answers without a manifest") from None
        if len(rim) > MAX_XML:
            raise HostileAnswer(f"{answer.url} answers with a manifest of {len(rim)} bytes, at most {MAX_XML}")
        if type(stated) is str and stated.lower() not in {sha256(rim).hexdigest(), ""}:
            raise HostileAnswer(f"{answer.url} answers with a manifest of another digest than it states")
        piece = Piece(Role.NVIDIA_RIM, rim, answer.url)
        _signers(piece)
        return piece

    async def _status(self, subject: bytes, issuer: bytes) -> Piece:
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificates.load(subject), certificates.load(issuer), SHA384())
        answer = await self._fetcher.fetch(
            Wanted(self._ocsp, MAX_RESPONSE, ("application/ocsp-response",), builder.build().public_bytes(Encoding.DER), "application/ocsp-request")
        )
        try:
            status = ocsp.load_der_ocsp_response(answer.content).response_status
        except ValueError:
            raise HostileAnswer(f"{answer.url} answers with something else than an OCSP response") from None
        if status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise CollectionError(f"{answer.url} answers {status.name}: ask again later")
        return Piece(Role.NVIDIA_OCSP, answer.content, answer.url)


def manifest_names(kind: DeviceKind, item: DeviceItem) -> tuple[str, ...]:
    """By which names the RIM service knows the manifests of a device's firmware and driver.

    Raises:
        EvidenceError: the report does not say what runs there.
    """
    report = DeviceReport.decode(item.report)
    firmware = _word(report.vbios_version.replace(".", "")).upper()
    if kind is DeviceKind.SWITCH:
        return (f"NV_SWITCH_BIOS_{_SWITCH_BOARD}_{firmware}",)
    board = "_".join(_word(report.opaque.get(entry, b"").rstrip(b"\0").decode("ascii", "replace")) for entry in _BOARD)
    return f"NV_GPU_VBIOS_{board.upper()}_{firmware}", f"NV_GPU_DRIVER_{_model(item)}_{_word(report.driver_version)}"


def _model(item: DeviceItem) -> str:
    """As the device's own certificate has it, such as "GH100"; a manifest's name has no more than that."""
    ordered = [certificates.load(der) for der in item.chain[:2]]
    names = ordered[-1].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return _word(str(names[0].value).partition(" ")[0].replace("_", "") if names else "")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise CollectionError(f"the device calls something {text[:40]!r}, which is in no manifest's name")
    return text


def _signers(manifest: Piece) -> tuple[bytes, ...]:
    """DER, leaf first: who signed, unchecked."""
    try:
        found = [_decoded(each) for each in _texts(parse(manifest.content))]
        for der in found:
            certificates.load(der)
    except EvidenceError as error:
        raise HostileAnswer(f"{manifest.source} answers with a manifest that cannot be read: {error}") from error
    if not found:
        raise HostileAnswer(f"{manifest.source} answers with a manifest that nobody signed")
    return tuple(found)


def _texts(element: Element) -> Iterator[str]:
    if element.name[1] == _DSIG_CERTIFICATE:
        yield element.text
    for child in element.elements:
        yield from _texts(child)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise MalformedRim("a certificate is not base64") from None
