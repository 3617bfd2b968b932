"""How each platform of a machine is opened: its devices, sockets and services."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha384
from typing import Final

import httpx

from agent.attestation.errors import ProviderError
from agent.attestation.providers.azure_metadata import AzureMetadata
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.detect import Platform, dstack_socket
from agent.attestation.providers.dstack import DstackAgent, DstackProvider
from agent.attestation.providers.endorser import Endorser
from agent.attestation.providers.machine import Machine
from agent.attestation.providers.nsm import NitroProvider
from agent.attestation.providers.selftest import Opens
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.providers.tsm_guests import SnpProvider, TdxProvider
from agent.attestation.providers.vtpm import VtpmProvider
from agent.attestation.simulated_platform import SimulatedPlatform
from agent.protocol.units import Millis

_SECONDS: Final = 30.0
_NO_CODE: Final = sha384(b"enclavia: a simulated platform on trial").digest()
"""What such a platform says it measured: no policy allows it, and all zeros would be debug mode."""


def opens(
    machine: Machine, endorser: Endorser, now: Callable[[], Millis], simulated: SimulatedPlatform | None = None
) -> Mapping[Platform, Opens]:
    """The providers of `machine`, each opened where its context is entered; a `simulated` platform only if given."""

    @asynccontextmanager
    async def tdx() -> AsyncIterator[EvidenceProvider]:
        yield await TdxProvider.open(machine.tsm, endorser)

    @asynccontextmanager
    async def snp() -> AsyncIterator[EvidenceProvider]:
        yield await SnpProvider.open(machine.tsm, endorser, machine.sev_key)

    @asynccontextmanager
    async def nitro() -> AsyncIterator[EvidenceProvider]:
        yield await NitroProvider.open(machine.nsm)

    @asynccontextmanager
    async def dstack() -> AsyncIterator[EvidenceProvider]:
        socket = dstack_socket(machine)
        if socket is None:
            raise ProviderError("dstack's socket went away: mount it into the container")
        async with DstackAgent.at(socket) as agent:
            yield await DstackProvider.open(agent, endorser)

    @asynccontextmanager
    async def azure() -> AsyncIterator[EvidenceProvider]:
        # a link-local service: no proxy may come between
        async with httpx.AsyncClient(base_url=machine.metadata, timeout=_SECONDS, follow_redirects=False, trust_env=False) as client:
            yield await VtpmProvider.open(machine.tpm, AzureMetadata(client), endorser)

    @asynccontextmanager
    async def pretending() -> AsyncIterator[EvidenceProvider]:
        if simulated is None:
            raise ProviderError("no simulated platform was given")
        yield SimulatedProvider(simulated, _NO_CODE, now)

    return {
        Platform.TDX: tdx,
        Platform.SEV_SNP: snp,
        Platform.NITRO: nitro,
        Platform.DSTACK: dstack,
        Platform.AZURE: azure,
        Platform.SIMULATED: pretending,
    }
