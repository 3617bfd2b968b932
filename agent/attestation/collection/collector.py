"""Collects for one file of evidence what a later audit needs, and keeps it with an index."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.report import REPORT_SIZE, SnpReport
from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.errors import CollectionError
from agent.attestation.collection.index import Index, Item, Store
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService
from agent.attestation.collection.pieces import Piece
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
    """Asks `services`, keeps in `store`; `now` dates the collection."""

    def __init__(self, services: Services, store: Store, now: Callable[[], Millis]) -> None:
        self._services = services
        self._store = store
        self._now = now

    async def collect(self, data: bytes) -> Index:
        """What was collected for the evidence `data`: ours, or a vendor's file. What could not be had is named in it.

        Raises:
            EvidenceError: `data` is no evidence that can be read.
            ArchiveError: the store does not keep what was collected.
        """
        cpu, devices = _parts(data)
        pieces: list[Piece] = []
        missing: list[str] = []
        if cpu is not None and cpu.media_type not in COMPLETE:
            try:
                pieces += await self._cpu(cpu)
            except CollectionError as error:
                missing.append(f"CPU: {error}")
        if devices:
            try:
                found, lost = await self._services.nvidia.collect(devices)
            except CollectionError as error:
                missing.append(f"devices: {error}")
            else:
                pieces += found
                missing += lost
        items = tuple(dict.fromkeys(self._kept(piece) for piece in pieces))
        index = Index(evidence=evidence_digest(data).hex(), collected_at=self._now(), items=items, missing=tuple(missing))
        self._store.add(index)
        return index

    def _kept(self, piece: Piece) -> Item:
        blob = self._store.archive.put(piece.content)
        return Item(piece.role, blob.hex(), len(piece.content), piece.source)

    async def _cpu(self, cpu: Quote) -> tuple[Piece, ...]:
        match cpu.media_type:
            case media_type if media_type in {TDX_TYPE, SGX_TYPE}:
                return await self._intel(cpu.content)
            case media_type if media_type == DSTACK_TYPE:
                return (await self._services.intel.collect(DstackEvidence.decode(cpu.content).intel.quote)).pieces
            case media_type if media_type == VTPM_TDX_TYPE:
                return await self._intel(VtpmEvidence.decode(cpu.content).cpu)
            case media_type if media_type == VTPM_SNP_TYPE:
                return await self._amd(VtpmEvidence.decode(cpu.content).cpu)
            case media_type if media_type == SNP_TYPE:
                return await self._amd(cpu.content)
            case media_type:
                raise UnknownKind(f"no collateral is known for evidence of type {media_type[:80]!r}")

    async def _intel(self, content: bytes) -> tuple[Piece, ...]:
        return (await self._services.intel.collect(IntelEvidence.decode(content).quote)).pieces

    async def _amd(self, content: bytes) -> tuple[Piece, ...]:
        if len(content) == REPORT_SIZE:
            return await self._services.amd.collect(SnpReport.decode(content))
        parts = SnpQuote.decode(content)
        return await self._services.amd.collect(SnpReport.decode(parts.report), parts.chain)


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
