"""What vendors said last, kept beside the node: so that a service which is down does not end a node's attestation.

Nothing here is trusted: all of it is signed by the vendor, judged by verifiers at their own time, and refused once it lapsed.
"""

import asyncio
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.report import SnpReport
from agent.attestation.collection.errors import CollectionError
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.collateral import MAX_COLLATERAL, Collateral
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.tcb import Platform
from agent.attestation.providers.endorser import Endorser

MAX_KEPT: Final = max(1024 * 1024, MAX_COLLATERAL)


class KeptEndorser(Endorser):
    """Asks `inner`, keeps its answers in `folder`, and falls back on them where it has none now."""

    def __init__(self, inner: Endorser, folder: Path) -> None:
        self._inner = inner
        self._folder = folder

    async def intel(self, quote: Quote) -> Collateral | None:
        file = self._folder / f"intel-{quote.tee.name.lower()}-{Platform.of(quote).kind.hex()}.cbor"
        try:
            found = await self._inner.intel(quote)
        except CollectionError:
            kept = await _collateral(file)
            if kept is None:
                raise
            return kept
        if found is None:
            return await _collateral(file)
        await keep(file, found.encode())
        return found

    async def amd(self, report: bytes, chain: tuple[bytes, ...]) -> SnpQuote:
        parsed = SnpReport.decode(report)
        # a certificate is of one chip at one patch level
        name = sha256(parsed.chip_id + parsed.reported_tcb + parsed.signing_key.name.encode()).hexdigest()
        file = self._folder / f"amd-{name[:32]}.cbor"
        try:
            found = await self._inner.amd(report, chain)
        except (CollectionError, EvidenceError) as error:
            kept = await recalled(file)
            if kept is None:
                raise
            with suppress(EvidenceError):
                known = SnpQuote.decode(kept)
                return SnpQuote(report, known.chain, known.crl)
            raise error from None
        await keep(file, found.encode())
        return found


async def _collateral(file: Path) -> Collateral | None:
    kept = await recalled(file)
    with suppress(EvidenceError):
        return None if kept is None else Collateral.decode(kept)
    return None


async def keep(file: Path, content: bytes) -> None:
    """Write `content` to `file` whole or not at all; that it cannot be kept is no reason to stop."""

    def write() -> None:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_suffix(".new")
            new.write_bytes(content)
            new.replace(file)

    await asyncio.to_thread(write)


async def recalled(file: Path) -> bytes | None:
    """What was kept in `file`; None if nothing, or more than anybody keeps."""

    def read() -> bytes | None:
        try:
            with file.open("rb") as opened:
                content = opened.read(MAX_KEPT + 1)
        except OSError:
            return None
        return content if len(content) <= MAX_KEPT else None

    return await asyncio.to_thread(read)
