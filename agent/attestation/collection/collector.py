"""Collects for one file of evidence what a later audit needs, and keeps it with an index."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.report import REPORT_SIZE, SnpReport
from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.errors import CollectionError
from agent.attestation.collection.index import Index, Item
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService
from agent.attestation.collection.pieces import Gathering, Piece, Tell
from agent.attestation.collection.store import Store
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.errors import EvidenceError, UnknownKind
from agent.attestation.evidence import Quote, evidence_digest
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE, IntelEvidence
from agent.attestation.nitro import MEDIA_TYPE as NITRO_TYPE
from agent.attestation.raw import Beside, read_file
from agent.attestation.simulated import MEDIA_TYPE as SIMULATED_TYPE
from agent.attestation.vtpm.evidence import SNP_TYPE as VTPM_SNP_TYPE
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.attestation.vtpm.evidence import VtpmEvidence
from agent.protocol.units import Millis

COMPLETE: Final = frozenset({NITRO_TYPE, SIMULATED_TYPE})
"""Kinds that bring their whole chain under a pinned root: nothing is collected for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Whom to ask."""

    intel: IntelService
    amd: AmdService
    nvidia: NvidiaService


class Collector:
    """Asks `services`, keeps in `store`; `now` dates the collection, `tell` hears how far it is."""

    def __init__(self, services: Services, store: Store, now: Callable[[], Millis], tell: Tell = lambda _: None) -> None:
        self._services = services
        self._store = store
        self._now = now
        self._tell = tell

    async def collect(self, data: bytes) -> Index:
        """What was collected for the evidence `data`: ours, or a vendor's file. What could not be had is named in it.

        Raises:
            EvidenceError: `data` is no evidence that can be read.
            ArchiveError: the store does not keep what was collected.
        """
        cpu, devices = _parts(data)
        into = Gathering(self._tell)
        if cpu is not None and cpu.media_type not in COMPLETE:
            try:
                await self._cpu(cpu, into)
            except CollectionError as error:
                into.miss(f"CPU: {error}")
        if devices:
            try:
                await self._services.nvidia.collect(devices, into)
            except CollectionError as error:
                into.miss(f"devices: {error}")
        items = tuple(dict.fromkeys(self._kept(piece) for piece in into.pieces))
        index = Index(evidence=evidence_digest(data).hex(), collected_at=self._now(), items=items, missing=tuple(into.missing))
        self._store.add(index)
        return index

    def _kept(self, piece: Piece) -> Item:
        blob = self._store.archive.put(piece.content)
        return Item(
            role=piece.role, subject=piece.subject, digest=blob.hex(), size=len(piece.content), source=piece.source,
            valid_from=piece.window.begins, valid_until=piece.window.ends,
        )  # fmt: skip

    async def _cpu(self, cpu: Quote, into: Gathering) -> None:
        match cpu.media_type:
            case media_type if media_type in {TDX_TYPE, SGX_TYPE}:
                await self._intel(cpu.content, into)
            case media_type if media_type == DSTACK_TYPE:
                await self._services.intel.collect(DstackEvidence.decode(cpu.content).intel.quote, into)
            case media_type if media_type == VTPM_TDX_TYPE:
                await self._intel(VtpmEvidence.decode(cpu.content).cpu, into)
            case media_type if media_type == VTPM_SNP_TYPE:
                await self._amd(VtpmEvidence.decode(cpu.content).cpu, into)
            case media_type if media_type == SNP_TYPE:
                await self._amd(cpu.content, into)
            case media_type:
                raise UnknownKind(f"no collateral is known for evidence of type {media_type[:80]!r}")

    async def _intel(self, content: bytes, into: Gathering) -> None:
        await self._services.intel.collect(IntelEvidence.decode(content).quote, into)

    async def _amd(self, content: bytes, into: Gathering) -> None:
        if len(content) == REPORT_SIZE:
            await self._services.amd.collect(SnpReport.decode(content), (), into)
            return
        parts = SnpQuote.decode(content)
        await self._services.amd.collect(SnpReport.decode(parts.report), parts.chain, into)


def _parts(data: bytes) -> tuple[Quote | None, tuple[Quote, ...]]:
    if len(data) == REPORT_SIZE:
        try:
            SnpReport.decode(data)
        except EvidenceError:
            pass
        else:
            # bare, its certificates are just what is looked for
            return Quote(SNP_TYPE, data), ()
    file = read_file(data, Beside())
    return file.cpu, file.devices
