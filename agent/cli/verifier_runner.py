"""A committee member's process from its directory: key, wallet, chain, stores, peers."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from random import SystemRandom
from typing import Final

import httpx

from agent.attestation.policy_document import load_policy
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.deployment import Deployment
from agent.chain.sui.keys import Wallet
from agent.cli.connect import Endpoint, open_endpoint
from agent.delivery.stores import BlobStores, connect
from agent.node.clock import SystemClock
from agent.node.errors import ConfigError
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.verifier import HttpPeer, Member, Orders, SignatureBoard, SignatureCollector, VerifierService
from agent.node.verifier.config import CONFIG_FILE, VerifierConfig
from agent.node.verifier.member import MemberKeyFile

JOURNAL_FILE: Final = "verifier.db"
HTTP_SECONDS: Final = 30.0


def member_of(config: VerifierConfig) -> Member:
    """The member that `config` describes.

    Raises:
        ConfigError: its key, a policy or the simulated root cannot be used.
        PolicyError: a policy document is none.
    """
    section = config.committee
    key = MemberKeyFile.load(config.path(section.key))
    policies = [load_policy(_read(config, file)) for file in section.policies]
    verifiers = [*HARDWARE]
    if section.simulated_root is not None:
        verifiers.append(SimulatedVerifier(_read(config, section.simulated_root)))
    return Member(key, policies, verifiers)


async def run_verifier(directory: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError, WalletError, DeploymentError, JournalError: it cannot start; the text says what to do.
    """
    config = VerifierConfig.load(directory)
    member = member_of(config)
    wallet = Wallet.load(config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))
    async with AsyncExitStack() as stack:
        journal = await Journal.open(config.directory / JOURNAL_FILE)
        stack.push_async_callback(journal.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        ca = None if config.chain.ca is None else config.path(config.chain.ca)
        chain = await stack.enter_async_context(
            open_endpoint(Endpoint(config.chain.endpoint, ca), deployment, wallet, JournalTransactionLog(journal))
        )
        board = SignatureBoard(member.public_key)
        host, _, port = config.committee.listen.rpartition(":")
        await stack.enter_async_context(board.serving(host, int(port)))
        archive = connect(config.evidence.archive, http)
        stores = {uri: connect(uri, http) for uri in config.evidence.stores}
        service = VerifierService(
            member,
            SignatureCollector(board, [HttpPeer(url, http) for url in config.committee.peers]),
            Orders(config.directory),
            chain=chain,
            journal=journal,
            stores=BlobStores({**stores, config.evidence.archive: archive}),
            archive=archive,
            clock=SystemClock(),
            random=SystemRandom(),
        )
        await _until_stopped(service)


async def _until_stopped(service: VerifierService) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run())
        await stop.wait()
        running.cancel()


def _read(config: VerifierConfig, file: Path) -> bytes:
    try:
        return config.path(file).read_bytes()
    except OSError as error:
        raise ConfigError(config.directory / CONFIG_FILE, (f"{file} cannot be read: {error.strerror}",)) from None
