"""A committee member's process from its directory: key, wallet, chain, stores, peers."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import SystemRandom
from typing import Final

import httpx

from agent.attestation.collection.store import Store
from agent.attestation.policy import Policy
from agent.attestation.policy_document import load_policy
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.verifier import EvidenceVerifier
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
KEY_BYTES: Final = 32


def member_of(config: VerifierConfig, hardware: Sequence[EvidenceVerifier] = HARDWARE) -> Member:
    """The member that `config` describes; `hardware` verifies evidence, under the vendors' roots unless a test says otherwise.

    Raises:
        ConfigError: its key, a policy or the simulated root cannot be used.
        PolicyError: a policy document is none.
    """
    section = config.committee
    key = MemberKeyFile.load(config.path(section.key))
    verifiers = [*hardware]
    if section.simulated_root is not None:
        verifiers.append(SimulatedVerifier(_read(config, section.simulated_root)))
    return Member(key, policies_of(config), verifiers)


def policies_of(config: VerifierConfig) -> tuple[Policy, ...]:
    """The policies that `config` names, as their files are now.

    Raises:
        ConfigError: a file cannot be read, or a signer is no key.
        PolicyError: a document is none, or is not signed by whom it should be.
    """
    section = config.committee
    try:
        signers = [bytes.fromhex(each) for each in section.policy_signers]
    except ValueError:
        signers = [b""]
    if any(len(each) != KEY_BYTES for each in signers):
        raise ConfigError(config.directory / CONFIG_FILE, ("committee.policy_signers: a key is 64 hexadecimal digits",))
    return tuple(load_policy(_read(config, file), signers) for file in section.policies)


async def run_verifier(directory: Path, hardware: Sequence[EvidenceVerifier] = HARDWARE) -> None:
    """Serve until SIGTERM or SIGINT; `hardware` as in `member_of`.

    Raises:
        ConfigError, WalletError, DeploymentError, JournalError: it cannot start; the text says what to do.
    """
    config = VerifierConfig.load(directory)
    member = member_of(config, hardware)
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
            places=tuple(stores.values()),
            reload=lambda: policies_of(config),
            collateral=None if config.evidence.collateral is None else Store(config.path(config.evidence.collateral)),
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
