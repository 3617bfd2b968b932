"""A node process from its directory: wallet, chain, stores, platform.

Used by `enclavia node run` and, with other parts, by the demo's misbehaving nodes.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from agent.attestation.errors import Malformed
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated_platform import SimulatedPlatform
from agent.chain.deployment import Deployment
from agent.chain.port import Chain
from agent.chain.sui.keys import Wallet
from agent.chain.transaction_log import TransactionLog
from agent.cli.connect import open_chain
from agent.delivery.stores import BlobStores, connect
from agent.enclave.launcher import Launcher, ProcessLauncher
from agent.enclave.measurement import measure
from agent.node.config import NodeConfig
from agent.node.errors import ConfigError
from agent.node.identity import IDENTITY_FILE
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.register import Registrar
from agent.node.supervisor import JOURNAL_FILE, Node
from agent.protocol.units import Millis

PLATFORM_FILE: Final = "platform.cbor"
"""A simulated platform, as `enclavia` localnets hand it out; hardware needs no such file."""


def load_platform(directory: Path) -> SimulatedPlatform:
    """The simulated platform of a node.

    Raises:
        ConfigError: there is none, or it cannot be used.
    """
    file = directory / PLATFORM_FILE
    try:
        return SimulatedPlatform.decode(file.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            file, ("no TEE hardware is supported yet and there is no simulated platform: get one from the administrator of a localnet",)
        ) from None
    except (OSError, Malformed) as error:
        raise ConfigError(file, (f"not a simulated platform: {error}",)) from None


def provider_of(config: NodeConfig) -> EvidenceProvider:
    """The platform that speaks for this node's enclaves. SIMULATED."""
    return SimulatedProvider(load_platform(config.directory), measure(config.enclave.workload), lambda: Millis(time.time_ns() // 1_000_000))


async def run_node(
    directory: Path, *, launcher: Callable[[EvidenceProvider], Launcher] = lambda provider: ProcessLauncher(provider.sealing_key)
) -> None:
    """Run the node of `directory` until SIGTERM or SIGINT; registers it first, with the stake of node.toml, if it is not registered.

    Raises:
        ConfigError, IdentityError, WalletError, DeploymentError: it cannot start; the text says what to do.
    """
    config = NodeConfig.load(directory)
    wallet = Wallet.load(config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))
    provider = provider_of(config)
    if not (directory / IDENTITY_FILE).exists():
        await register(config, wallet, deployment)

    @asynccontextmanager
    async def chain(log: TransactionLog) -> AsyncIterator[Chain]:
        async with open_chain(config, deployment, wallet, log) as opened:
            yield opened

    async with httpx.AsyncClient(timeout=30.0) as http:
        home = connect(config.blobs.url, http)
        node = Node(
            config, connect=chain, stores=BlobStores({config.blobs.url: home}), home=home, launcher=launcher(provider), provider=provider
        )
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, node.stop)
        await node.run()


async def register(config: NodeConfig, wallet: Wallet, deployment: Deployment) -> None:
    """Stake and become a member; the journal makes sure that this happens once."""
    journal = await Journal.open(config.directory / JOURNAL_FILE)
    try:
        log = JournalTransactionLog(journal)
        async with open_chain(config, deployment, wallet, log) as chain:
            await Registrar(config.directory, chain, log).register(config.stake.amount)
    finally:
        await journal.close()
