"""The verifier committee of the demo: three members of which two have to sign, each with its own key, wallet and journal,
in this process. They fetch each other's signatures over HTTP, as members on three continents would.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.policy import Policy
from agent.attestation.verifier import EvidenceVerifier
from agent.chain.port import Chain
from agent.chain.transaction_log import TransactionLog
from agent.delivery.blob_store import BlobStore
from agent.delivery.stores import BlobStores
from agent.node.clock import SystemClock
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.verifier import HttpPeer, Member, Orders, SignatureBoard, SignatureCollector, VerifierService

MEMBERS: Final = 3
THRESHOLD: Final = 2

Connect = Callable[[int, TransactionLog], AbstractAsyncContextManager[Chain]]
"""Opens the chain for the wallet of member number so and so."""


def new_keys() -> tuple[Ed25519PrivateKey, ...]:
    """A key for each member."""
    return tuple(Ed25519PrivateKey.generate() for _ in range(MEMBERS))


def public(keys: Sequence[Ed25519PrivateKey]) -> tuple[bytes, ...]:
    """What the Network is created with."""
    return tuple(key.public_key().public_bytes_raw() for key in keys)


@asynccontextmanager
async def serving(
    keys: Sequence[Ed25519PrivateKey],
    policy: Policy,
    verifiers: Sequence[EvidenceVerifier],
    directory: Path,
    connect: Connect,
    blobs: BlobStore,
    blob_uri: str,
    http: httpx.AsyncClient,
) -> AsyncIterator[None]:
    """All members at work while the body runs."""
    async with AsyncExitStack() as stack:
        boards = [SignatureBoard(key) for key in public(keys)]
        urls = [(await stack.enter_async_context(board.serving("127.0.0.1", 0))).url for board in boards]
        services = []
        for number, key in enumerate(keys):
            folder = directory / f"member-{number}"
            folder.mkdir()
            journal = await Journal.open(folder / "verifier.db")
            stack.push_async_callback(journal.close)
            chain = await stack.enter_async_context(connect(number, JournalTransactionLog(journal)))
            peers = [HttpPeer(url, http) for other, url in enumerate(urls) if other != number]
            service = VerifierService(
                Member(key, (policy,), verifiers), SignatureCollector(boards[number], peers), Orders(folder), chain=chain, journal=journal,
                stores=BlobStores({blob_uri: blobs}), archive=blobs, clock=SystemClock(), random=random.SystemRandom(),
            )  # fmt: skip
            services.append(service)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(service.run()) for service in services]
            try:
                yield
            finally:
                for each in running:
                    each.cancel()
