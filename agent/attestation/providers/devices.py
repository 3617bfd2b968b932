"""Evidence of the devices beside a CPU, with what their vendor says of them: one seam, for whoever makes a node's evidence."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.attestation.collection.errors import CollectionError
from agent.attestation.errors import EvidenceError, ProviderError
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import COLLATERAL_TYPE, Collateral
from agent.attestation.providers.kept import keep, recalled
from agent.attestation.providers.nvml import NvmlGpus

COLLATERAL_FILE: Final = "nvidia.cbor"

Collects = Callable[[Sequence[Quote]], Awaitable[tuple[Collateral, tuple[str, ...]]]]
"""NVIDIA's collateral for devices, and what of it could not be had."""


@dataclass(frozen=True, slots=True)
class Attested:
    """What evidence carries besides the CPU's."""

    devices: tuple[Quote, ...] = ()
    """In the order of their nonces."""
    collateral: Quote | None = None


class DeviceEvidence(ABC):
    """Speaks for the devices of one machine."""

    @abstractmethod
    async def attest(self, report_data: bytes) -> Attested:
        """Evidence chained from the CPU's `report_data`, 64 bytes.

        Raises:
            ProviderError: it cannot be made, or nobody could check it; the text says what to look at.
        """


class GpuEvidence(DeviceEvidence):
    """NVIDIA's GPUs; `collect` asks NVIDIA, None: nobody is asked. What NVIDIA said last is kept in `folder`."""

    def __init__(self, gpus: NvmlGpus, collect: Collects | None, folder: Path) -> None:
        self._gpus = gpus
        self._collect = collect
        self._file = folder / COLLATERAL_FILE

    async def attest(self, report_data: bytes) -> Attested:
        devices = await self._gpus.attest(report_data)
        collateral, missing = await self._collateral(devices)
        if missing and collateral.rims == ():
            raise ProviderError(f"NVIDIA's manifests for these GPUs are not to be had ({'; '.join(missing)}): nobody could check their evidence")
        return Attested(devices, Quote(COLLATERAL_TYPE, collateral.encode()))

    async def _collateral(self, devices: Sequence[Quote]) -> tuple[Collateral, tuple[str, ...]]:
        found = Collateral()
        missing: tuple[str, ...] = ("no vendor's service is asked",)
        if self._collect is not None:
            try:
                found, missing = await self._collect(devices)
            except CollectionError as error:
                missing = (str(error),)
            if not missing:
                await keep(self._file, found.encode())
                return found, ()
        kept = await recalled(self._file)
        with suppress(EvidenceError):
            found = found if kept is None else Collateral.decode(kept)
        return found, missing
