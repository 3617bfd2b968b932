"""A localnet with the compiled contracts, three members of a committee, each as `enclavia verifier run` runs it, and one node."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from node_world import MANIFEST, CodeLauncher

from agent.attestation.policy import Policy
from agent.attestation.policy_document import dump_policy
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.calls import CreateNetwork
from agent.chain.deployment import Deployment
from agent.chain.port import MemoryTransactionLog
from agent.chain.sui import Deployer, Endpoint, PackageCode, PoolTerms, SuiChain, Wallet
from agent.cli.demo import world
from agent.cli.verifier_runner import JOURNAL_FILE, run_verifier
from agent.delivery.file_store import FileBlobStore
from agent.delivery.stores import BlobStores
from agent.enclave.launcher import Launcher
from agent.node.clock import SystemClock
from agent.node.config import NodeConfig
from agent.node.journal import Journal
from agent.node.register import Registrar
from agent.node.supervisor import Node
from agent.node.verifier.config import VerifierConfig
from agent.node.verifier.member import MemberKeyFile
from agent.protocol.units import BlobId, Millis, Mist, Slot
from localnet.rpc.localnet import Localnet

NOW = Millis(time.time_ns() // 1_000_000)
AUTHORITY = SimulatedAuthority.create("localnet", NOW, Random(1).randbytes)
BYTECODE = Path(__file__).parents[3] / "contracts" / "sui" / "bytecode"
SUI = 10**9
MEMBERS, THRESHOLD = 3, 2


class Stage:
    """A localnet with our contracts, a committee's directories, and one node's."""

    def __init__(self, folder: Path, localnet: Localnet, deployment: Deployment, chain: SuiChain, policies: Sequence[Policy]) -> None:
        self.folder = folder
        self.policies = policies
        self.localnet = localnet
        self.deployment = deployment
        self.chain = chain
        self.blobs = FileBlobStore(folder / "blobs")
        self.wallet = Wallet(b"\x21" * 32)

    def member(self, number: int) -> Path:
        return self.folder / f"member-{number}"

    def simulated(self, code: bytes) -> Node:
        """A node whose platform, a simulated one, measures `code`."""

        class Measured(CodeLauncher):
            async def launch(self, config: Any) -> Any:
                launched = await super().launch(config)
                launched.measurement = code
                return launched

        platform = AUTHORITY.platform("node", NOW, Random(0).randbytes)
        return self.node(Measured(), SimulatedProvider(platform, code, _now))

    def node(self, launcher: Launcher, provider: EvidenceProvider) -> Node:
        """The registered node, on that platform."""

        @asynccontextmanager
        async def connect(log: Any) -> AsyncIterator[SuiChain]:
            async with await SuiChain.open(Endpoint(self.localnet.url), self.deployment, wallet=self.wallet, log=log) as opened:
                yield opened

        url = f"file://{self.folder}/blobs"
        return Node(
            NodeConfig.load(self.folder / "node"), connect=connect, stores=BlobStores({url: self.blobs}), home=self.blobs, launcher=launcher,
            provider=provider, clock=SystemClock(), random=Random(0),
        )  # fmt: skip

    async def serve(self, node: Node, until: Callable[[], Awaitable[bool]]) -> None:
        """Run `node` until it is so."""
        running = asyncio.ensure_future(node.run())
        await self.until(until)
        node.stop()
        await running

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(120):
            while not await true():
                await asyncio.sleep(0.05)

    async def key_epoch(self) -> int:
        """Of the record that counts; 0: none."""
        member = await self.chain.member(Slot(0))
        record = None if member is None else member.current()
        return 0 if record is None else record.key_epoch

    def evidence(self) -> list[BlobId]:
        """What lies in the node's store."""
        return [BlobId(bytes.fromhex(file.name)) for file in (self.folder / "blobs").rglob("*") if len(file.name) == 64]

    async def refused(self) -> list[str]:
        """Why members refused evidence."""
        reasons = []
        for number in range(MEMBERS):
            journal = await Journal.peek(self.member(number) / JOURNAL_FILE)
            if journal is None:
                continue
            reasons += [row.reason or "" for row in await journal.recent_duties(9) if row.state == "abandoned"]
            await journal.close()
        return reasons


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@asynccontextmanager
async def committee(
    folder: Path, *policies: Policy, hardware: Sequence[EvidenceVerifier] = HARDWARE, tee_mask: int = 1, **changes: Any
) -> AsyncIterator[Stage]:
    """Everything but the node runs. Members load all of `policies`, the first is in force; `changes` are parameters."""
    keys = []
    for number in range(MEMBERS):
        (folder / f"member-{number}").mkdir()
        keys.append(MemberKeyFile.create(folder / f"member-{number}" / "member.key").public_key().public_bytes_raw())
    (folder / "node").mkdir()
    async with AsyncExitStack() as stack:
        localnet = await stack.enter_async_context(Localnet(seed=b"committee"))
        endpoint, admin = Endpoint(localnet.url), Wallet(b"\x01" * 32)
        localnet.faucet(admin.address, 100 * SUI)
        params = replace(world.params("0.5"), **changes)
        network = CreateNetwork(params, allow_simulated=True, policy=policies[0].digest(), verifiers=tuple(keys), threshold=THRESHOLD)
        terms = PoolTerms(MANIFEST, tee_mask, world.PRICE, world.AUDITOR_FEE, world.RESERVATION_FEE, depth=3)
        async with Deployer(endpoint, admin) as deployer:
            deployment = await deployer.deploy(PackageCode.load(BYTECODE), network, terms)
        chain = await stack.enter_async_context(await SuiChain.open(endpoint, deployment, wallet=admin, log=MemoryTransactionLog()))
        stage = Stage(folder, localnet, deployment, chain, policies)
        furnish(stage)
        await register(stage)
        members = [asyncio.ensure_future(run_verifier(stage.member(number), hardware)) for number in range(MEMBERS)]
        try:
            yield stage
        finally:
            for each in members:
                each.cancel()
            await asyncio.gather(*members, return_exceptions=True)


def furnish(stage: Stage) -> None:
    """Configuration, wallets and policy of members and node."""
    blobs = f"file://{stage.folder}/blobs"
    ports = free_ports(MEMBERS)
    for number in range(MEMBERS):
        folder = stage.member(number)
        wallet = Wallet(bytes([0x31 + number]) * 32)
        wallet.save(folder / "wallet.json")
        stage.localnet.faucet(wallet.address, 10 * SUI)
        stage.deployment.save(folder / "deployment.json")
        files = [f"policy-{version}.json" for version in range(len(stage.policies))]
        for file, policy in zip(files, stage.policies, strict=True):
            (folder / file).write_bytes(dump_policy(policy))
        (folder / "root.der").write_bytes(AUTHORITY.root)
        peers = [f"http://127.0.0.1:{port}" for other, port in enumerate(ports) if other != number]
        (folder / VerifierConfig.FILE).write_text(
            f'[chain]\nendpoint = "{stage.localnet.url}"\n[evidence]\narchive = "file://{folder}/archive"\nstores = ["{blobs}"]\n'
            f'[committee]\npolicies = {files!r}\nsimulated_root = "root.der"\nlisten = "127.0.0.1:{ports[number]}"\npeers = {peers!r}\n'
        )
    stage.localnet.faucet(stage.wallet.address, 100 * SUI)
    stage.deployment.save(stage.folder / "node" / "deployment.json")
    (stage.folder / "node" / NodeConfig.FILE).write_text(
        f'[chain]\nendpoint = "{stage.localnet.url}"\n[blobs]\nurl = "{blobs}"\n[stake]\npool = "0x{stage.deployment.pool.id.hex()}"\n'
        'amount = "20 SUI"\n[enclave]\nworkload = "sha256-stream"\n'
    )


async def register(stage: Stage) -> None:
    log = MemoryTransactionLog()
    async with await SuiChain.open(Endpoint(stage.localnet.url), stage.deployment, wallet=stage.wallet, log=log) as chain:
        await Registrar(stage.folder / "node", chain, log).register(Mist(20 * SUI))


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)
