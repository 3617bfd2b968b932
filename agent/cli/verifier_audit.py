"""`enclavia verifier audit` and `enclavia verifier status`: what a committee did, and how a member is."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.policy_document import MAX_DOCUMENT, load_policy
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.deployment import Deployment
from agent.chain.port import MemoryTransactionLog
from agent.chain.sui.keys import Wallet
from agent.cli.connect import Endpoint, open_endpoint
from agent.cli.user_files import read_regular
from agent.cli.verifier_runner import HTTP_SECONDS, JOURNAL_FILE, member_of
from agent.delivery.stores import connect
from agent.node.errors import ConfigError
from agent.node.journal import Journal
from agent.node.verifier.audit import Audited, Auditor
from agent.node.verifier.board import name_of
from agent.node.verifier.config import VerifierConfig
from agent.node.verifier.member import policies_in_force
from agent.node.verifier.orders import Orders
from agent.node.verifier.peers import HttpPeer, PeerUnreachable
from agent.protocol.statements import RevocationReason, RevocationStatement
from agent.protocol.units import Address, Mist, NodeId, Slot

if TYPE_CHECKING:
    from agent.node.verifier.member import Member
    from agent.protocol.records import NetworkView

LOW_FUNDS = Mist(10**9)
"""Below one SUI a member is told to fill up: a verdict costs about a hundredth."""

PEER_SECONDS = 5.0


async def audit(
    endpoint: Endpoint,
    deployment: Path,
    policies: Sequence[Path],
    stores: Sequence[str],
    simulated_root: Path | None,
    slot: int | None,
) -> tuple[Audited, ...]:
    """Every record of the deployment's Pool, judged again.

    Raises:
        DeploymentError, PolicyError, ChainError, OSError, ValueError: something given cannot be used.
    """
    known = [load_policy(read_regular(file, "--policy", MAX_DOCUMENT + 1)) for file in policies]
    verifiers: list[EvidenceVerifier] = [*HARDWARE]
    if simulated_root is not None:
        verifiers.append(SimulatedVerifier(read_regular(simulated_root, "--simulated-root", MAX_CERTIFICATE + 1)))
    # nothing is sent: any key will do
    wallet, log = Wallet.generate(), MemoryTransactionLog()
    async with (
        httpx.AsyncClient(timeout=HTTP_SECONDS) as http,
        open_endpoint(endpoint, Deployment.load(deployment), wallet, log) as chain,
    ):
        auditor = Auditor(chain, [connect(each, http) for each in stores], known, verifiers)
        return tuple([each async for each in auditor.records(None if slot is None else Slot(slot))])


async def status(directory: Path) -> dict[str, Any]:
    """How the member of `directory` is; `problems` is empty where nothing is to be done.

    Raises:
        ConfigError, WalletError, DeploymentError, PolicyError, ChainError
    """
    config = VerifierConfig.load(directory)
    member = member_of(config)
    wallet, deployment = Wallet.load(config.path(config.wallet.file)), Deployment.load(config.path(config.chain.deployment))
    ca = None if config.chain.ca is None else config.path(config.chain.ca)
    async with open_endpoint(Endpoint(config.chain.endpoint, ca), deployment, wallet, MemoryTransactionLog()) as chain:
        network, clock, balance = await chain.network(), await chain.now(), await chain.balance()
    problems: list[str] = []
    place = _place(member, network, problems)
    in_force = policies_in_force(network, clock)
    problems += [
        f"policy {digest.hex()} is in force and not loaded: put its document into [committee] policies"
        for digest in in_force
        if digest not in member.policies
    ]
    if balance < LOW_FUNDS:
        problems.append(f"{balance} Mist are left for gas: send SUI to 0x{wallet.address.hex()}")
    peers = await _peers(config, deployment, problems)
    orders = await asyncio.to_thread(_orders, directory, problems)
    return {
        "key": member.public_key.hex(),
        "address": "0x" + wallet.address.hex(),
        "balance_mist": balance,
        "committee": network.committee.epoch,
        "place": place,
        "threshold": f"{network.threshold} of {len(network.verifiers)}",
        "policies": [f"{digest.hex()} {'loaded' if digest in member.policies else 'NOT LOADED'}" for digest in in_force],
        "peers": peers,
        "orders": orders,
        **await _duties(directory, problems),
        "problems": problems,
    }


def _place(member: "Member", network: "NetworkView", problems: list[str]) -> int | None:
    if member.public_key in network.verifiers:
        return network.verifiers.index(member.public_key)
    problems.append(f"key {member.public_key.hex()} is not in the committee of epoch {network.committee.epoch}: have the administrator propose it")
    return None


async def _peers(config: VerifierConfig, deployment: Deployment, problems: list[str]) -> list[str]:
    """Who answers; asked for a statement that nobody signed."""
    nothing = RevocationStatement(
        Address(deployment.network.id), Address(deployment.pool.id), NodeId(bytes(32)), 0, RevocationReason.OTHER
    )
    name = name_of(nothing)

    async def ask(url: str, http: httpx.AsyncClient) -> str:
        try:
            async with asyncio.timeout(PEER_SECONDS):
                await HttpPeer(url, http).offer(name)
        except (PeerUnreachable, TimeoutError) as error:
            problems.append(f"peer {url} does not answer ({error or 'silent'}): is it running, is the address right?")
            return f"{url} SILENT"
        return f"{url} answers"

    async with httpx.AsyncClient(timeout=HTTP_SECONDS) as http:
        return list(await asyncio.gather(*(ask(url, http) for url in config.committee.peers)))


def _orders(directory: Path, problems: list[str]) -> list[str]:
    orders = Orders(directory)
    try:
        found = [(order.name, order.why or "by its person") for order in orders.revocations()]
        return [f"{name}: {why}" for name, why in found] + [order.name for order in orders.rulings()]
    except ConfigError as error:
        problems.append(str(error))
        return []


async def _duties(directory: Path, problems: list[str]) -> dict[str, Any]:
    journal = await Journal.peek(directory / JOURNAL_FILE)
    if journal is None:
        problems.append("the service was never started here: run `enclavia verifier run`")
        return {"open": 0, "failing": [], "refused": []}
    try:
        rows = await journal.open_duties()
        refused = [f"{row.key}: {row.reason}" for row in await journal.recent_duties(20) if row.state == "abandoned"]
    finally:
        await journal.close()
    failing = [f"{row.key}: {row.reason}" for row in rows if row.failures]
    problems += [f"duty {each}" for each in failing]
    return {"open": len(rows), "failing": failing, "refused": refused}
