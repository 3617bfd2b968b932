"""A requester out of the files and addresses of a dApp, on Sui."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from agent.attestation.policy_document import load_policy
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.deployment import Deployment
from agent.chain.file_log import FileTransactionLog
from agent.chain.sui import Endpoint, SuiChain, Wallet
from agent.client.evidence import EvidenceCheck
from agent.client.requester import Requester
from agent.client.store import FileRequesterStore
from agent.delivery.stores import connect as connect_blobs

HTTP_S: Final = 30.0
"""Until a blob store counts as unreachable."""


@asynccontextmanager
async def connect(
    endpoint: str,
    deployment: str | Path,
    wallet: str | Path,
    *,
    blobs: str,
    policy: str | Path,
    directory: str | Path,
    complain: bool = False,
    verifiers: Sequence[EvidenceVerifier] = HARDWARE,
    ca: Path | None = None,
) -> AsyncIterator[Requester]:
    """A requester that follows the chain while the body runs.

    Args:
        endpoint: of a full node, `https://…`.
        deployment: file of the network, as its administrator publishes it.
        wallet: file of the key that pays.
        blobs: where sealed inputs are put and outputs fetched, `https://…`; executors and auditors have to reach it.
        policy: file of the attestation policy by which *you* accept an executor.
        directory: keeps your tasks' secrets and transactions of unknown fate; one process at a time.
        complain: see `Requester`.
        verifiers: of evidence; simulated evidence is refused unless one for it is named.
        ca: PEM file of a further certificate authority.

    Raises:
        WrongChain, WalletError, DeploymentError, PolicyError, StoreError, Unreachable: the text says what to correct.
    """
    known, key = Deployment.load(Path(deployment)), Wallet.load(Path(wallet))
    own = load_policy(Path(policy).read_bytes())  # noqa: ASYNC240  a small file, once
    store, log = FileRequesterStore(Path(directory) / "tasks"), FileTransactionLog(Path(directory) / "transactions")
    async with (
        httpx.AsyncClient(timeout=HTTP_S) as http,
        await SuiChain.open(Endpoint(endpoint, ca), known, wallet=key, log=log) as chain,
    ):
        place = connect_blobs(blobs, http)
        evidence = EvidenceCheck(chain, place, own, verifiers)
        async with Requester(chain, place, blobs, evidence, store=store, complain=complain).following() as requester:
            yield requester
