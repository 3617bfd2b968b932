"""NVIDIA's services: manifests of drivers and firmware (RIM), and whether certificates still hold (OCSP).

Source: NVIDIA, "RIM service" and nvtrust. Addresses that stand in certificates are never asked: evidence is a stranger's.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from agent.attestation import certificates
from agent.attestation.collection.errors import CollectionError, HostileAnswer, Unproven, proving
from agent.attestation.collection.fetcher import Fetcher, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.collection.pieces import Gathering, Piece
from agent.attestation.collection.window import Window
from agent.attestation.errors import Malformed
from agent.attestation.evidence import Quote
from agent.attestation.nvidia.canonical_xml import MAX_XML, Element, parse
from agent.attestation.nvidia.device import check_device, from_root
from agent.attestation.nvidia.errors import MalformedRim, Revoked
from agent.attestation.nvidia.evidence import Collateral, DeviceItem, DeviceKind
from agent.attestation.nvidia.ocsp import MAX_RESPONSE, OcspResponses
from agent.attestation.nvidia.report import DeviceReport, Opaque
from agent.attestation.nvidia.rim import check_rim
from agent.attestation.nvidia.roots import NVIDIA_ROOTS, NvidiaRoots
from agent.protocol.units import Millis

RIM_SERVICE: Final = "https://rim.attestation.nvidia.com"
OCSP_SERVICE: Final = "https://ocsp.ndis.nvidia.com"

_MAX_ANSWER: Final = 2 * MAX_XML
_OCSP_TYPES: Final = ("application/ocsp-response",)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,31}")
_DSIG_CERTIFICATE: Final = "X509Certificate"
_BOARD: Final = (Opaque.PROJECT, Opaque.PROJECT_SKU, Opaque.CHIP_SKU)
_SWITCH_BOARD: Final = "5612_0002_890"
"""Switches do not report their board; NVIDIA's verifiers name this one for all LS10."""


@dataclass(frozen=True, slots=True)
class ManifestName:
    """A manifest that a device's report calls for."""

    name: str
    """As the RIM service knows it."""
    model: str
    """What the manifest has to speak of, such as "GH100", and below which version."""
    version: str


class NvidiaService:
    """The services at `rim` and `ocsp`; `roots` complete chains that came without."""

    def __init__(
        self, fetcher: Fetcher, rim: str = RIM_SERVICE, ocsp: str = OCSP_SERVICE, roots: NvidiaRoots = NVIDIA_ROOTS
    ) -> None:
        self._fetcher: Final = fetcher
        self._rim: Final = rim.rstrip("/")
        self._ocsp: Final = ocsp
        self._roots: Final = roots

    async def collect(self, devices: Sequence[Quote], into: Gathering) -> None:
        """Gather manifests and OCSP responses for `devices`, each once.

        Raises:
            Unproven: a device's certificates are not NVIDIA's; nothing was asked.
            Malformed: a device's item cannot be read.
        """
        items = [(DeviceKind(each.media_type), DeviceItem.decode(each.content)) for each in devices]
        chains: list[tuple[bytes, ...]] = []
        for place, (_, item) in enumerate(items):
            with proving(f"device {place} itself"):
                # the last certificate is the device's own word on its firmware; no authority answers for it
                chains.append(_proven_chain(item.chain, self._roots.device)[:-1])
        for wanted in dict.fromkeys(name for kind, item in items for name in manifest_names(kind, item)):
            manifests = await into.take(f"manifest {wanted.name}", self._manifest(wanted))
            chains += [from_root(_signers(manifest.content), self._roots.rim) for manifest in manifests]
        for issuer, subject in dict.fromkeys(pair for chain in chains for pair in pairwise(chain)):
            await into.take(f"OCSP response for {_said(subject)}", self._status(subject, issuer))

    async def collateral(self, devices: Sequence[Quote]) -> tuple[Collateral, tuple[str, ...]]:
        """What `collect` gathers, in the form that verifiers read, and what of it could not be had.

        Raises:
            Unproven, Malformed: as `collect` does.
        """
        into = Gathering()
        await self.collect(devices, into)
        rims, answers = (tuple(piece.content for piece in into.pieces if piece.role is role) for role in (Role.NVIDIA_RIM, Role.NVIDIA_OCSP))
        return Collateral(rims, answers), tuple(into.missing)

    async def _manifest(self, wanted: ManifestName) -> Sequence[Piece]:
        answer = await self._fetcher.fetch(Wanted(f"{self._rim}/v1/rim/{wanted.name}", _MAX_ANSWER, ("application/json",)))
        try:
            fields: Any = json.loads(answer.content)
            rim = base64.b64decode(fields["rim"], validate=True)
            stated = fields.get("sha256")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise HostileAnswer(f"{answer.url} answers without a manifest") from None
        if len(rim) > MAX_XML:
            raise HostileAnswer(f"{answer.url} answers with a manifest of {len(rim)} bytes, at most {MAX_XML}")
        if type(stated) is str and stated.lower() not in {sha256(rim).hexdigest(), ""}:
            raise HostileAnswer(f"{answer.url} answers with a manifest of another digest than it states")
        with proving(answer.url):
            window = Window.of(*map(certificates.load, from_root(_signers(rim), self._roots.rim)))
            found = check_rim(rim, self._roots.rim, window.begins)
        if (found.model, found.version) != (wanted.model, wanted.version):
            given = f"{found.model[:20]} {found.version[:40]}"
            raise Unproven(f"{answer.url} gives the manifest of {given}, asked for was {wanted.model} {wanted.version}")
        return (Piece(role=Role.NVIDIA_RIM, subject=wanted.name, content=rim, source=answer.url, window=window),)

    async def _status(self, subject: bytes, issuer: bytes) -> Sequence[Piece]:
        certificate, authority = certificates.load(subject), certificates.load(issuer)
        question = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, SHA384()).build().public_bytes(Encoding.DER)
        answer = await self._fetcher.fetch(Wanted(self._ocsp, MAX_RESPONSE, _OCSP_TYPES, question, "application/ocsp-request"))
        try:
            found = ocsp.load_der_ocsp_response(answer.content)
        except ValueError:
            raise HostileAnswer(f"{answer.url} answers with something else than an OCSP response") from None
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise CollectionError(f"{answer.url} answers {found.response_status.name}: ask again later")
        with proving(answer.url):
            window = _proven_answer(answer.content, certificate, authority)
        return (Piece(role=Role.NVIDIA_OCSP, subject=_said(subject), content=answer.content, source=answer.url, window=window),)


def _proven_chain(chain: Sequence[bytes], root: bytes) -> tuple[bytes, ...]:
    """Root first, and proved to lead there while all of it was valid."""
    if not chain:
        raise Malformed("a device without certificates")
    ordered = from_root(chain, root)
    check_device(chain, root, Window.of(*map(certificates.load, ordered)).begins)
    return ordered


def _proven_answer(der: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Window:
    """When the response in `der`, which vouches for `certificate` or says that it is revoked, counts."""
    answers = OcspResponses((der,))
    found = ocsp.load_der_ocsp_response(der)
    begins, ends = found.this_update_utc, found.next_update_utc
    since = Millis(int(begins.timestamp()) * 1000)
    try:
        vouched = answers.covers(certificate, issuer, since)
    except Revoked:
        # worth more than any other answer: it is kept, and no verifier lets it pass
        return Window(since, None)
    if not vouched or ends is None:
        raise Malformed("an OCSP response that does not say whether the certificate asked about holds, and until when")
    return Window.between(begins, ends)


def _said(der: bytes) -> str:
    """A certificate, shortly: its holder and number."""
    found = certificates.load(der)
    names = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return f"{str(names[0].value)[:60] if names else 'a certificate'}, number {found.serial_number:x}"


def manifest_names(kind: DeviceKind, item: DeviceItem) -> tuple[ManifestName, ...]:
    """The manifests of a device's firmware and driver.

    Raises:
        EvidenceError, CollectionError: the report does not say what runs there.
    """
    report = DeviceReport.decode(item.report)
    model, firmware = _model(item), report.vbios_version
    short = _word(firmware.replace(".", "")).upper()
    if kind is DeviceKind.SWITCH:
        return (ManifestName(f"NV_SWITCH_BIOS_{_SWITCH_BOARD}_{short}", model, firmware),)
    board = "_".join(_word(report.opaque.get(entry, b"").rstrip(b"\0").decode("ascii", "replace")) for entry in _BOARD)
    driver = _word(report.driver_version)
    return (
        ManifestName(f"NV_GPU_VBIOS_{board.upper()}_{short}", model, firmware),
        ManifestName(f"NV_GPU_DRIVER_{model}_{driver}", model, driver),
    )


def _model(item: DeviceItem) -> str:
    """As the device's own certificate has it, such as "GH100"; a manifest's name has no more than that."""
    ordered = [certificates.load(der) for der in item.chain[:2]]
    names = ordered[-1].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return _word(str(names[0].value).partition(" ")[0].replace("_", "") if names else "")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise CollectionError(f"the device calls something {text[:40]!r}, which is in no manifest's name")
    return text


def _signers(manifest: bytes) -> tuple[bytes, ...]:
    """DER, leaf first: who says to have signed.

    Raises:
        Malformed: nobody does, or it cannot be read.
    """
    found = tuple(_decoded(each) for each in _texts(parse(manifest)))
    if not found:
        raise MalformedRim("nobody signed it")
    return found


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
