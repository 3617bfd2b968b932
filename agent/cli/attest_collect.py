"""`enclavia attest collateral`: asks the vendors for what an audit will need, and keeps it."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.attest_inputs import content
from agent.cli.attest_services import KDS, OCSP, PCCS, RIM, check_addresses, client, services
from agent.cli.printing import printable
from agent.cli.user_files import write_regular

if TYPE_CHECKING:
    from agent.attestation.collection.index import Index
    from agent.protocol.units import Millis

_CLOSE: Final = 4096
"""Bytes read beyond the limit, so that a larger file is refused as such and not cut."""

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def collateral(
    file: Annotated[Path, typer.Argument(help="Evidence: ours, or a vendor's own file.")],
    store: Annotated[Path, typer.Option("--store", help="The directory of the archive; made if missing.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write our evidence again, with what was collected inside.")] = None,
    intel_pccs: PCCS = None,
    amd_kds: KDS = None,
    nvidia_rim: RIM = None,
    nvidia_ocsp: OCSP = None,
    as_json: JSON = False,
) -> None:
    """Keep what an audit of FILE will need. Exit code 0: all of it; 1: something is missing, and the index says what; 2: wrong usage,
    FILE is no evidence, or the archive does not keep anything.
    """
    from agent.attestation.collection.collector import Collector  # noqa: PLC0415
    from agent.attestation.collection.errors import ArchiveError  # noqa: PLC0415
    from agent.attestation.collection.replay import kept_for, replayed  # noqa: PLC0415
    from agent.attestation.collection.store import Store  # noqa: PLC0415
    from agent.attestation.errors import EvidenceError  # noqa: PLC0415
    from agent.attestation.raw import MAX_FILE  # noqa: PLC0415

    check_addresses(intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp)
    data = content(file, "FILE", MAX_FILE + _CLOSE)
    if out is not None:
        _check_ours(data)
    kept = Store(store)
    watched = sys.stderr.isatty() and not as_json

    def tell(line: str) -> None:
        if watched:
            typer.echo(printable(line), err=True)

    async def collect() -> "Index":
        async with client() as asking:
            return await Collector(services(asking, intel_pccs, amd_kds, nvidia_rim, nvidia_ocsp), kept, _now, tell).collect(data)

    try:
        index = asyncio.run(collect())
        if out is not None:
            write_regular(out, replayed(data, kept_for(data, kept, index.collected_at)), "--out")
    except EvidenceError as error:
        raise typer.BadParameter(printable(str(error)), param_hint="FILE") from None
    except ArchiveError as error:
        raise typer.BadParameter(printable(str(error)), param_hint="--store") from None
    if as_json:
        typer.echo(index.encode().decode().strip())
    else:
        for line in _lines(index, store):
            typer.echo(printable(line))
    raise typer.Exit(1 if index.missing else 0)


def _check_ours(data: bytes) -> None:
    from agent.attestation.errors import EvidenceError  # noqa: PLC0415
    from agent.attestation.evidence import Evidence  # noqa: PLC0415

    try:
        Evidence.decode(data)
    except EvidenceError:
        raise typer.BadParameter(
            "FILE is not our evidence, and a vendor's file has no room for collateral: give `attest verify` the store instead", param_hint="--out"
        ) from None


def _lines(index: "Index", store: Path) -> Iterator[str]:
    for item in index.items:
        yield f"kept     {item.role:18} {item.size:7} bytes  {item.digest[:16]}  {item.window}  {item.source}"
    for each in index.missing:
        yield f"MISSING  {each}"
    if not index.items and not index.missing:
        yield "nothing to collect: evidence of this kind brings its whole chain"
    yield f"store    {store}, evidence {index.evidence}"


def _now() -> "Millis":
    from agent.protocol.units import Millis  # noqa: PLC0415

    return Millis(int(datetime.now(UTC).timestamp() * 1000))
