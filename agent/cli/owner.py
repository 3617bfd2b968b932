"""The chain as the owner of one node sees it: read only, or signing with one wallet at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from agent.chain.deployment import Deployment
from agent.chain.port import Chain, MemoryTransactionLog
from agent.chain.sui.keys import Wallet
from agent.cli.connect import open_chain
from agent.node.config import NodeConfig
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.register import Registrar
from agent.node.supervisor import JOURNAL_FILE

OWNER_JOURNAL: Final = "owner.db"
"""Transactions of an owner's wallet of its own; that of the node's wallet is the node's journal."""


@asynccontextmanager
async def looking(directory: Path) -> AsyncIterator[tuple[NodeConfig, Chain]]:
    """The chain for reading; a running node does not mind."""
    config = NodeConfig.load(directory)
    wallet, deployment = Wallet.load(config.path(config.wallet.file)), Deployment.load(config.path(config.chain.deployment))
    async with open_chain(config, deployment, wallet, MemoryTransactionLog()) as chain:
        yield config, chain


@asynccontextmanager
async def owning(directory: Path, wallet_file: Path | None) -> AsyncIterator[tuple[NodeConfig, Registrar]]:
    """The owner's acts, signed by `wallet_file`, or by the node's wallet; with that the node has to be stopped, since two
    signers of one address lose money.

    Raises:
        JournalInUse: the node runs, and no other wallet was given.
    """
    config = NodeConfig.load(directory)
    wallet = Wallet.load(wallet_file or config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))
    journal = await Journal.open(config.directory / (OWNER_JOURNAL if wallet_file else JOURNAL_FILE))
    try:
        log = JournalTransactionLog(journal)
        async with open_chain(config, deployment, wallet, log) as chain:
            yield config, Registrar(config.directory, chain, log)
    finally:
        await journal.close()
