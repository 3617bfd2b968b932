"""The compiled contracts on a localnet, a dApp with the real SDK, and nodes whose keys the test holds, as a broken TEE would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.chain.calls import (
    Advance,
    Attest,
    AuditCommit,
    Commit,
    CreateNetwork,
    Heartbeat,
    LaunchRoster,
    PublishOutput,
    RegisterNode,
    RequestChallenge,
    Reveal,
    UpdateWeight,
)
from agent.chain.deployment import Deployment
from agent.chain.port import MemoryTransactionLog
from agent.chain.sui import Deployer, Endpoint, GasPolicy, PackageCode, PoolTerms, SuiChain, SuiSettings, Wallet
from agent.client.requester import Requester
from agent.client.store import FileRequesterStore
from agent.delivery.blob_store import MemoryBlobStore
from agent.enclave.sealing import data_key_info, open_body, open_data_key, parse_input, read_body, seal_output
from agent.protocol import keys
from agent.protocol.blob import BLOB_CHUNK, BLOB_HALF, blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.events import ChallengeIssued, NodeRegistered
from agent.protocol.records import MemberView, Params, TaskView
from agent.protocol.statements import FORGED, NO_SALT, AuditStatement, CommitStatement, TeeKind, VerdictStatement
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId
from localnet.ledger.clock import ManualClock
from localnet.rpc.localnet import Localnet

SUI = 10**9
SECOND = 1_000
BYTECODE = Path(__file__).parents[3] / "contracts" / "sui" / "bytecode"
POLICY, MANIFEST = Digest(b"p" * 32), Digest(b"m" * 32)
FAR = Millis(10**15)
NODES = 7
PARAMS = Params(
    min_stake=Mist(10 * SUI), executor_lock=Mist(SUI), auditor_lock=Mist(SUI // 2), audit_reserve=Mist(2 * SUI), bounty=Mist(500_000),
    delivery_bond=Mist(SUI // 10), max_price=Mist(20_000_000), auditors=2, dispute_seats=3, jail_strikes=3, audit_probability=0,
    input_ms=Millis(60 * SECOND), commit_ms=Millis(30 * SECOND), delivery_ms=Millis(20 * SECOND), ticket_ms=Millis(20 * SECOND),
    handoff_ms=Millis(20 * SECOND), audit_ms=Millis(20 * SECOND), reveal_ms=Millis(20 * SECOND), grace_ms=Millis(2 * SECOND),
    period_ms=Millis(100 * SECOND), unbonding_ms=Millis(1_000 * SECOND), challenge_ms=Millis(60 * SECOND), heartbeat_ms=Millis(20 * SECOND),
    jail_ms=Millis(60 * SECOND), rotation_ms=Millis(100 * SECOND), timelock_ms=Millis(50 * SECOND),
    absence_bps=2_000, undecided_bps=1_000, victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000, cost_bps=0, controlled_bps=3_333,
)  # fmt: skip
"""No task is audited by chance: with work that costs nothing, a lie gains nothing."""
TERMS = PoolTerms(MANIFEST, 1, Mist(10_000_000), Mist(4_000_000), Mist(1_000_000), depth=4)


def entropy(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=32).digest()


@dataclass
class Judged:
    ok: bool = True
    simulated: bool = True


class AnyEvidence:
    """Evidence is not what these tests are about."""

    async def of(self, *_: object) -> Judged:
        return Judged()


@dataclass
class Node:
    """A member whose enclave the test plays."""

    index: int
    chain: SuiChain
    node: NodeId
    slot: Slot
    operator_cap: ObjectId
    sign: Ed25519PrivateKey
    hpke: X25519PrivateKey

    async def commit(self, task: TaskView, blobs: MemoryBlobStore, *, output: bytes, committed: bytes | None = None, **how: bytes) -> bytes:
        """Commit to `committed` and seal `output`; returns the sealed output, which is not delivered yet."""
        parsed = parse_input(blobs.content[task.input_digest])
        data_key = open_data_key(parsed, self.hpke, data_key_info(task.network, task.id, self.node, 1))
        read_body(open_body(parsed, data_key, task.network, task.id))
        leaf_key = how.get("leaf_key", keys.leaf_key(data_key, task.id))
        sealed = how.get("sealed") or seal_output(output, data_key, task.output_pk, task.id, self.node)
        root = output_root(leaf_key, task.id, output if committed is None else committed)
        posted = commitment(task.id, self.node, root, keys.salt(data_key, task.id, self.node))
        digest = blob_digest(sealed)
        statement = CommitStatement(task.network, task.id, self.node, 1, task.input_digest, posted, digest, 16)
        call = Commit(task.id, posted, digest, 16, self.sign.sign(statement.signing_bytes()))
        await self.chain.submit(call, purpose="commit")
        return sealed

    async def publish(self, task: TaskId, sealed: bytes) -> None:
        chunks = [sealed[at : at + BLOB_CHUNK] for at in range(0, len(sealed), BLOB_CHUNK)]
        for index, chunk in enumerate(chunks):
            last = index == len(chunks) - 1
            call = PublishOutput(task, self.operator_cap, index, chunk[:BLOB_HALF], chunk[BLOB_HALF:], last=last)
            await self.chain.submit(call, purpose="publish")


@dataclass
class Stage:
    localnet: Localnet
    endpoint: Endpoint
    deployment: Deployment
    stack: AsyncExitStack
    folder: Path
    dapp: SuiChain
    admin: SuiChain
    verifier: Ed25519PrivateKey
    blobs: MemoryBlobStore = field(default_factory=MemoryBlobStore)
    nodes: list[Node] = field(default_factory=list)

    def requester(self, **more: Any) -> Requester:
        """A process of the dApp; the next one has the same store."""
        store = FileRequesterStore(self.folder / "tasks")
        return Requester(self.dapp, self.blobs, "memory", AnyEvidence(), store=store, **more)

    def executor(self, task: TaskView) -> Node:
        return self.at(task.executor.slot)

    def at(self, slot: Slot) -> Node:
        return next(each for each in self.nodes if each.slot == slot)

    async def join(self, index: int) -> Node:
        wallet = Wallet(entropy(f"node {index}"))
        self.localnet.faucet(wallet.address, 100 * SUI)
        chain = await self.open(wallet)
        registered = await chain.submit(RegisterNode(Mist(20 * SUI)), purpose="register")
        event = registered.event(NodeRegistered)
        cap = registered.created_one("member::NodeOperatorCap").id
        sign, hpke = Ed25519PrivateKey.from_private_bytes(entropy(f"sign {index}")), X25519PrivateKey.from_private_bytes(entropy(f"hpke {index}"))
        issued = (await chain.submit(RequestChallenge(cap), purpose="challenge")).event(ChallengeIssued)
        public = (hpke.public_key().public_bytes_raw(), sign.public_key().public_bytes_raw())
        verdict = VerdictStatement(
            Address(self.deployment.network.id), Address(self.deployment.pool.id), event.node, 1, issued.challenge, BlobId(b"e" * 32),
            TeeKind.SIMULATED, b"M" * 48, MANIFEST, *public, FAR, POLICY,
        )  # fmt: skip
        signature = self.verifier.sign(verdict.signing_bytes())
        attest = Attest(event.slot, BlobId(b"e" * 32), 0, b"M" * 48, *public, FAR, POLICY, 1, (0,), (signature,))
        await chain.submit(attest, UpdateWeight(event.slot), purpose="attest")
        node = Node(index, chain, event.node, event.slot, cap, sign, hpke)
        self.nodes.append(node)
        return node

    async def open(self, wallet: Wallet) -> SuiChain:
        settings = SuiSettings(gas=GasPolicy(lanes=1))
        opened = await SuiChain.open(self.endpoint, self.deployment, wallet=wallet, log=MemoryTransactionLog(), settings=settings)
        return await self.stack.enter_async_context(opened)

    async def member(self, slot: Slot) -> MemberView:
        found = await self.dapp.member(slot)
        assert found is not None
        return found

    async def pass_time(self, seconds: float) -> None:
        """In steps short enough for the network to count as alive."""
        left = int(seconds * SECOND)
        while left:
            step = min(left, 15 * SECOND)
            self.localnet.advance(step)
            left -= step
            await self.admin.submit(Heartbeat(), purpose="heartbeat")

    async def vote(self, task: TaskId, root: bytes = FORGED) -> None:
        """Have every seat of the round under way commit to `root` and reveal it."""
        view = await self.dapp.task(task)
        seated = view.rounds[-1]
        for place, seat in enumerate(seated.seats):
            salt = entropy(f"salt {place}")
            posted = commitment(task, seat.node, root, salt + NO_SALT)
            statement = AuditStatement(view.network, task, seat.node, seat.key_epoch, seated.kind, view.input_digest, posted)
            call = AuditCommit(task, place, posted, self.at(seat.slot).sign.sign(statement.signing_bytes()))
            await self.at(seat.slot).chain.submit(call, purpose="audit_commit")
        for place, seat in enumerate(seated.seats):
            await self.at(seat.slot).chain.submit(Reveal(task, place, Digest(root), entropy(f"salt {place}"), NO_SALT), purpose="reveal")

    async def let_pass(self, task: TaskId) -> None:
        """Let the window under way pass, and end it."""
        view = await self.dapp.task(task)
        network, clock = await self.dapp.network(), await self.dapp.now()
        left = view.deadline + view.params.grace_ms - network.protocol_time(clock)
        await self.pass_time(left / SECOND + 1)
        await self.admin.submit(Advance(task), purpose="advance")


@asynccontextmanager
async def staged(folder: Path, *, params: Params = PARAMS, nodes: int = NODES) -> AsyncIterator[Stage]:
    """A launched Network with attested members."""
    async with AsyncExitStack() as stack:
        localnet = await stack.enter_async_context(Localnet(clock=ManualClock(), seed=b"client"))
        endpoint = Endpoint(localnet.url)
        verifier = Ed25519PrivateKey.from_private_bytes(entropy("verifier"))
        admin, dapp = Wallet(entropy("admin")), Wallet(entropy("dapp"))
        for wallet in (admin, dapp):
            localnet.faucet(wallet.address, 100 * SUI)
        network = CreateNetwork(params, allow_simulated=True, policy=POLICY, verifiers=(verifier.public_key().public_bytes_raw(),), threshold=1)
        async with Deployer(endpoint, admin) as deployer:
            deployment = await deployer.deploy(PackageCode.load(BYTECODE), network, TERMS)
        stage = Stage(localnet, endpoint, deployment, stack, folder, None, None, verifier)  # type: ignore[arg-type]
        stage.dapp, stage.admin = await stage.open(dapp), await stage.open(admin)
        async with asyncio.TaskGroup() as group:
            for index in range(nodes):
                group.create_task(stage.join(index))
        assert deployment.admin_cap is not None
        await stage.admin.submit(LaunchRoster(deployment.admin_cap), purpose="launch")
        yield stage

