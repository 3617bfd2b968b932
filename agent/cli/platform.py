"""The platform that speaks for a node's enclave: which one, how it is opened, and how the enclave is started on it."""

import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agent.attestation.collection.endorser import NetworkEndorser
from agent.attestation.collection.errors import BadAddress
from agent.attestation.collection.fetcher import host_of
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.detect import Platform, detect, preferred
from agent.attestation.providers.devices import DeviceEvidence, GpuEvidence
from agent.attestation.providers.endorser import Endorser, HostEndorser
from agent.attestation.providers.guest_key import GuestKey
from agent.attestation.providers.kept import KeptEndorser
from agent.attestation.providers.machine import Machine
from agent.attestation.providers.opening import opens
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated_platform import SimulatedPlatform
from agent.cli.attest_services import client, services
from agent.enclave.identity import Measurement
from agent.enclave.launcher import Launcher, ProcessLauncher
from agent.enclave.measurement import measure
from agent.node.config import CONFIG_FILE, NodeConfig
from agent.node.errors import ConfigError
from agent.protocol.units import Millis

PLATFORM_FILE: Final = "platform.cbor"
"""A simulated platform, as `enclavia` localnets hand it out; hardware needs no such file."""

KEPT: Final = "collateral"
"""Folder in a node's directory: what vendors said last."""

_WITHOUT_NETWORK: Final = (
    "a Nitro enclave has no network, and the node runs beside its enclave: a node on Nitro is not supported yet. "
    "Nitro evidence is verified, natively on chain too; run the node in a confidential guest (SEV-SNP, TDX)"
)


@dataclass(frozen=True, slots=True)
class NodePlatform:
    """What vouches for a node's enclave."""

    platform: Platform
    provider: EvidenceProvider
    launcher: Launcher
    devices: DeviceEvidence | None = None
    survives: bool = True
    """Whether sealed state can be opened after the agent was restarted; False: it makes new keys and attests them."""


def load_platform(directory: Path) -> SimulatedPlatform:
    """The simulated platform of a node.

    Raises:
        ConfigError: there is none, or it cannot be used.
    """
    file = directory / PLATFORM_FILE
    try:
        return SimulatedPlatform.decode(file.read_bytes())
    except FileNotFoundError:
        raise ConfigError(file, ("is not there: get a simulated platform from the administrator of a localnet, or set [tee] platform",)) from None
    except (OSError, Malformed) as error:
        raise ConfigError(file, (f"not a simulated platform: {error}",)) from None


@asynccontextmanager
async def open_platform(config: NodeConfig, machine: Machine | None = None) -> AsyncIterator[NodePlatform]:
    """The platform that `config` names, or the one of this machine, for as long as the body runs.

    Raises:
        ConfigError: there is no such platform here; the text says what was looked for.
        ProviderError: it is there and cannot be opened.
    """
    machine = machine or Machine(environment=os.environ)
    platform = await _chosen(config, machine)
    if platform is Platform.SIMULATED:
        provider = SimulatedProvider(load_platform(config.directory), measure(config.enclave.workload), _now)
        yield NodePlatform(platform, provider, ProcessLauncher(provider.sealing_key))
        return
    async with AsyncExitStack() as stack:
        tee = config.tee
        _check_addresses(config)
        asked = None
        if not tee.offline:
            http = await stack.enter_async_context(client())
            asked = services(http, tee.intel_pccs, tee.amd_kds, tee.nvidia_rim, tee.nvidia_ocsp)
        kept = config.directory / KEPT
        inner: Endorser = HostEndorser() if asked is None else NetworkEndorser(asked.intel, asked.amd)
        opened = await stack.enter_async_context(opens(machine, KeptEndorser(inner, kept), _now)[platform]())
        launcher, survives = _launcher(opened, GuestKey(machine, config.directory, secrets.token_bytes))
        devices = GpuEvidence(machine.gpus, None if asked is None else asked.nvidia.collateral, kept) if tee.gpus else None
        if not survives:
            structlog.get_logger("agent.cli.platform").warning(
                "sealed state ends with the agent: every restart makes new keys and attests them",
                why="this platform derives no keys, and /run is no memory without swap",
            )
        yield NodePlatform(platform, opened, launcher, devices, survives)


def _check_addresses(config: NodeConfig) -> None:
    tee = config.tee
    for name, url in {"intel_pccs": tee.intel_pccs, "amd_kds": tee.amd_kds, "nvidia_rim": tee.nvidia_rim, "nvidia_ocsp": tee.nvidia_ocsp}.items():
        try:
            if url is not None:
                host_of(url)
        except BadAddress as error:
            raise ConfigError(config.directory / CONFIG_FILE, (f"tee.{name}: {error}",)) from None


async def _chosen(config: NodeConfig, machine: Machine) -> Platform:
    wanted = config.tee.platform
    if wanted == "simulated" or (wanted == "auto" and (config.directory / PLATFORM_FILE).exists()):
        return Platform.SIMULATED
    found = await detect(machine)
    try:
        platform = preferred(found) if wanted == "auto" else Platform(wanted)
    except ProviderError as error:
        text = f"tee.platform: {error}; on a localnet, put the administrator's {PLATFORM_FILE} into the directory"
        raise ConfigError(config.directory / CONFIG_FILE, (text,)) from None
    if platform is Platform.NITRO:
        raise ConfigError(config.directory / CONFIG_FILE, (f"tee.platform: {_WITHOUT_NETWORK}",))
    here = next(each for each in found if each.platform is platform)
    if not here.present:
        raise ConfigError(config.directory / CONFIG_FILE, (f"tee.platform: {platform} is not on this machine ({here.reason}); see docs/hardware.md",))
    if here.simulated:
        raise ConfigError(config.directory / CONFIG_FILE, (f"tee.platform: {here.reason}; a node takes no simulator for hardware",))
    return platform


def _launcher(provider: EvidenceProvider, guest: GuestKey) -> tuple[Launcher, bool]:
    """How enclaves are started in the guest that `provider` speaks for, and whether what they seal outlives the agent."""
    measured = Measurement(provider.measurement)
    try:
        provider.sealing_key(measured)
    except ProviderError:
        return ProcessLauncher(guest.sealing_key, measured=measured), guest.survives
    return ProcessLauncher(provider.sealing_key, measured=measured), True


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)
