"""A node process from its directory: wallet, chain, stores, platform.

Used by `enclavia node run` and, with other parts, by the demo's misbehaving nodes.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import structlog

from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.machine import Machine
from agent.chain.deployment import Deployment
from agent.chain.port import Chain
from agent.chain.sui.keys import Wallet
from agent.chain.transaction_log import TransactionLog
from agent.cli.connect import open_chain
from agent.cli.platform import NodePlatform, open_platform
from agent.delivery.stores import BlobStores, connect
from agent.enclave.launcher import Launcher
from agent.node.config import NodeConfig
from agent.node.identity import IDENTITY_FILE
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.register import Registrar
from agent.node.supervisor import JOURNAL_FILE, Node
from agent.protocol.statements import TeeKind


async def run_node(
    directory: Path, *, launcher: Callable[[EvidenceProvider], Launcher] | None = None, machine: Machine | None = None
) -> None:
    """Run the node of `directory` until SIGTERM or SIGINT; registers it first, with the stake of node.toml, if it is not registered.

    `launcher` starts other enclaves than the platform's own; `machine` is looked at for hardware, this one if None.

    Raises:
        ConfigError, IdentityError, WalletError, DeploymentError, ProviderError: it cannot start; the text says what to do.
    """
    config = NodeConfig.load(directory)
    wallet = Wallet.load(config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))
    async with open_platform(config, machine) as platform:
        if platform.provider.kind is TeeKind.SIMULATED:
            structlog.get_logger("agent.cli.runner").warning("SIMULATED: no hardware vouches for this node's enclave")
        await _run(config, wallet, deployment, platform, platform.launcher if launcher is None else launcher(platform.provider))


async def _run(config: NodeConfig, wallet: Wallet, deployment: Deployment, platform: NodePlatform, launcher: Launcher) -> None:
    if not (config.directory / IDENTITY_FILE).exists():
        await register(config, wallet, deployment)

    @asynccontextmanager
    async def chain(log: TransactionLog) -> AsyncIterator[Chain]:
        async with open_chain(config, deployment, wallet, log) as opened:
            yield opened

    async with httpx.AsyncClient(timeout=30.0) as http:
        home = connect(config.blobs.url, http)
        node = Node(
            config,
            connect=chain,
            stores=BlobStores({config.blobs.url: home}),
            home=home,
            launcher=launcher,
            provider=platform.provider,
            devices=platform.devices,
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
