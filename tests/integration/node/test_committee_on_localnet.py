"""Three members of a committee, each as `enclavia verifier run` runs it, against the compiled contracts: two of them make a
node's record, none makes one for code that the policy does not know, two of them end it.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha384
from pathlib import Path
from random import Random
from typing import Any

import pytest
from node_world import CODE, MANIFEST, POLICY, CodeLauncher

from agent.attestation.policy_document import dump_policy
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.chain.calls import CreateNetwork
from agent.chain.deployment import Deployment
from agent.chain.port import MemoryTransactionLog
from agent.chain.sui import Deployer, Endpoint, PackageCode, PoolTerms, SuiChain, Wallet
from agent.cli.demo import world
from agent.cli.verifier_runner import JOURNAL_FILE, run_verifier
from agent.delivery.file_store import FileBlobStore
from agent.delivery.stores import BlobStores
from agent.node.clock import SystemClock
from agent.node.config import NodeConfig
from agent.node.journal import Journal
from agent.node.register import Registrar
from agent.node.supervisor import Node
from agent.node.verifier.config import VerifierConfig
from agent.node.verifier.member import MemberKeyFile
from agent.node.verifier.orders import Orders, RevocationOrder
from agent.protocol.statements import RevocationReason
from agent.protocol.units import Millis, Mist, Slot
from localnet.rpc.localnet import Localnet

NOW = Millis(time.time_ns() // 1_000_000)
AUTHORITY = SimulatedAuthority.create("localnet", NOW, Random(1).randbytes)
BYTECODE = Path(__file__).parents[3] / "contracts" / "sui" / "bytecode"
SUI = 10**9
MEMBERS, THRESHOLD = 3, 2


class Stage:
    """A localnet with our contracts, a committee's directories, and one node's."""

    def __init__(self, folder: Path, localnet: Localnet, deployment: Deployment, chain: SuiChain) -> None:
        self.folder = folder
        self.localnet = localnet
        self.deployment = deployment
        self.chain = chain
        self.blobs = FileBlobStore(folder / "blobs")
        self.wallet = Wallet(b"\x21" * 32)

    def member(self, number: int) -> Path:
        return self.folder / f"member-{number}"

    def node(self, code: bytes) -> Node:
        """A node whose platform measures `code`."""

        class Launcher(CodeLauncher):
            async def launch(self, config: Any) -> Any:
                launched = await super().launch(config)
                launched.measurement = code
                return launched

        @asynccontextmanager
        async def connect(log: Any) -> AsyncIterator[SuiChain]:
            async with await SuiChain.open(Endpoint(self.localnet.url), self.deployment, wallet=self.wallet, log=log) as opened:
                yield opened

        url = f"file://{self.folder}/blobs"
        platform = AUTHORITY.platform("node", NOW, Random(0).randbytes)
        return Node(
            NodeConfig.load(self.folder / "node"), connect=connect, stores=BlobStores({url: self.blobs}), home=self.blobs, launcher=Launcher(),
            provider=SimulatedProvider(platform, code, lambda: Millis(time.time_ns() // 1_000_000)), clock=SystemClock(), random=Random(0),
        )  # fmt: skip

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await true():
                await asyncio.sleep(0.05)

    async def key_epoch(self) -> int:
        """Of the record that counts; 0: none."""
        member = await self.chain.member(Slot(0))
        record = None if member is None else member.current()
        return 0 if record is None else record.key_epoch

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


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything but the node runs."""
    keys = []
    for number in range(MEMBERS):
        (tmp_path / f"member-{number}").mkdir()
        keys.append(MemberKeyFile.create(tmp_path / f"member-{number}" / "member.key").public_key().public_bytes_raw())
    (tmp_path / "node").mkdir()
    async with AsyncExitStack() as stack:
        localnet = await stack.enter_async_context(Localnet(seed=b"committee"))
        endpoint, admin = Endpoint(localnet.url), Wallet(b"\x01" * 32)
        localnet.faucet(admin.address, 100 * SUI)
        network = CreateNetwork(world.params("0.5"), allow_simulated=True, policy=POLICY.digest(), verifiers=tuple(keys), threshold=THRESHOLD)
        terms = PoolTerms(MANIFEST, 1, world.PRICE, world.AUDITOR_FEE, world.RESERVATION_FEE, depth=3)
        async with Deployer(endpoint, admin) as deployer:
            deployment = await deployer.deploy(PackageCode.load(BYTECODE), network, terms)
        chain = await stack.enter_async_context(
            await SuiChain.open(endpoint, deployment, wallet=admin, log=MemoryTransactionLog())
        )
        stage = Stage(tmp_path, localnet, deployment, chain)
        furnish(stage)
        await register(stage)
        members = [asyncio.ensure_future(run_verifier(stage.member(number))) for number in range(MEMBERS)]
        yield stage
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
        (folder / "policy.json").write_bytes(dump_policy(POLICY))
        (folder / "root.der").write_bytes(AUTHORITY.root)
        peers = [f"http://127.0.0.1:{port}" for other, port in enumerate(ports) if other != number]
        (folder / VerifierConfig.FILE).write_text(
            f'[chain]\nendpoint = "{stage.localnet.url}"\n[evidence]\narchive = "file://{folder}/archive"\nstores = ["{blobs}"]\n'
            f'[committee]\nsimulated_root = "root.der"\nlisten = "127.0.0.1:{ports[number]}"\npeers = {peers!r}\n'
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


async def serve(stage: Stage, code: bytes, until: Callable[[], Awaitable[bool]]) -> None:
    """Run the node until it is so."""
    node = stage.node(code)
    running = asyncio.ensure_future(node.run())
    await stage.until(until)
    node.stop()
    await running


async def test_two_of_three_members_make_a_record_and_end_it(stage: Stage) -> None:
    async def attested() -> bool:
        return await stage.key_epoch() == 1

    await serve(stage, CODE, attested)
    member = await stage.chain.member(Slot(0))
    assert member is not None
    assert (member.attestation.measurement, member.attestation.policy) == (CODE, POLICY.digest())
    archives = [FileBlobStore(stage.member(number) / "archive") for number in range(MEMBERS)]
    held = [await archive.size(member.attestation.evidence_digest) is not None for archive in archives]
    assert sum(held) >= THRESHOLD, "what a member vouches for it archives first"

    for number in (0, 2):
        Orders(stage.member(number)).give(RevocationOrder(member.node, Slot(0), 1, RevocationReason.HARDWARE))

    async def revoked() -> bool:
        return await stage.key_epoch() == 0

    await stage.until(revoked)
    await stage.until(lambda: _gone(stage))


async def _gone(stage: Stage) -> bool:
    return not any(Orders(stage.member(number)).revocations() for number in (0, 2))


async def test_code_that_the_policy_does_not_know_is_never_recorded(stage: Stage) -> None:
    async def refused_by_all() -> bool:
        return len(await stage.refused()) == MEMBERS

    await serve(stage, sha384(b"other code").digest(), refused_by_all)
    assert await stage.key_epoch() == 0
    assert all("measurement" in reason for reason in await stage.refused())
