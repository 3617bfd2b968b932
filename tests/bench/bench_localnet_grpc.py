"""`commit` of our contract through the gRPC server: BCS decoded, Ed25519 signature checked, executed, effects rendered; and how long a localnet takes to start."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from figures import figure

from agent.chain.calls import AssignAndPostInput, Attest, Commit, CreateNetwork, LaunchRoster, OpenTask, RegisterNode, RequestChallenge, UpdateWeight
from agent.chain.deployment import Deployment
from agent.chain.port import Chain, MemoryTransactionLog
from agent.chain.sui import Endpoint, GasPolicy, PoolTerms, SuiChain, SuiSettings, Wallet
from agent.chain.sui.encoding import Known, encode
from agent.chain.sui.names import RANDOM
from agent.chain.sui.pysui_parts import FieldMask, v2
from agent.chain.sui.state import State
from agent.chain.sui.transaction import Gas
from agent.chain.sui.wire import Wire
from agent.cli.connect import deploy, request_sui
from agent.cli.demo import world
from agent.protocol.commitment import commitment
from agent.protocol.deterrence import quote
from agent.protocol.events import ChallengeIssued, NodeRegistered, TaskOpened
from agent.protocol.statements import CommitStatement, TeeKind, VerdictStatement
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, TaskId

NODES, TASKS, LANES, AT_ONCE = 7, 200, 8, 16
FAR = Millis(10**15)
POLICY, MANIFEST, INPUT, OUTPUT = Digest(b"p" * 32), Digest(b"m" * 32), BlobId(b"i" * 32), BlobId(b"o" * 32)


def label(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=32).digest()


async def main() -> None:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "localnet"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        endpoint = Endpoint(json.loads(process.stdout.readline())["url"])
        figure("localnet_start_seconds", time.perf_counter() - began, "s", what="process started to serving, framework loaded, genesis made")
        await measure(endpoint)
    finally:
        process.terminate()
        process.wait()


async def measure(endpoint: Endpoint) -> None:
    wallet, verifier = Wallet.generate(), Ed25519PrivateKey.generate()
    for _ in range(4):
        await request_sui(endpoint, wallet.address, Mist(10**14))
    hour = 3_600_000
    # all commits are signed before the first is sent
    patient = replace(world.params("0.5"), commit_ms=Millis(hour), period_ms=Millis(3 * hour), unbonding_ms=Millis(9 * hour))
    network = CreateNetwork(patient, allow_simulated=True, policy=POLICY, verifiers=(verifier.public_key().public_bytes_raw(),), threshold=1)
    deployment = await deploy(endpoint, wallet, network, PoolTerms(MANIFEST, 1, world.PRICE, world.AUDITOR_FEE, world.RESERVATION_FEE, 4))
    settings = SuiSettings(gas=GasPolicy(lanes=LANES, lane=Mist(10**12)))
    async with await SuiChain.open(endpoint, deployment, wallet=wallet, log=MemoryTransactionLog(), settings=settings) as chain:
        signers = [await join(endpoint, chain.deployment, index, verifier) for index in range(NODES)]
        assert deployment.admin_cap is not None
        await chain.submit(LaunchRoster(deployment.admin_cap), purpose="launch")
        tasks = [await running(chain) for _ in range(TASKS)]
        commits = []
        for task, slot in tasks:
            node, key = signers[slot]
            posted = commitment(task, node, b"r" * 32, b"s" * 32)
            statement = CommitStatement(Address(deployment.network.id), task, node, 1, INPUT, posted, OUTPUT, 16)
            commits.append(Commit(task, posted, OUTPUT, 16, key.sign(statement.signing_bytes())))
        signed = await sign(endpoint, chain, commits)
    wire = Wire(endpoint)
    turn = asyncio.Semaphore(AT_ONCE)

    async def execute(tx_bytes: bytes, signature: bytes) -> None:
        request = v2.ExecuteTransactionRequest(
            transaction=v2.Transaction(bcs=v2.Bcs(value=tx_bytes)), signatures=[v2.UserSignature(bcs=v2.Bcs(value=signature))],
            read_mask=FieldMask(paths=["digest", "effects.status"]),
        )  # fmt: skip
        async with turn:
            answer = await wire.call("TransactionExecutionService/ExecuteTransaction", request, v2.ExecuteTransactionResponse)
        assert answer.transaction.effects.status.success, answer.transaction.effects.status

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for each in signed:
            group.create_task(execute(*each))
    seconds = time.perf_counter() - began
    wire.close()
    figure(
        "localnet_grpc_tx_per_second", TASKS / seconds, "tx/s", call="task::commit", transactions=TASKS, at_once=AT_ONCE,
        note="ExecuteTransaction alone, signed before; client and server share the cores",
    )  # fmt: skip


async def sign(endpoint: Endpoint, chain: SuiChain, commits: list[Commit]) -> list[tuple[bytes, bytes]]:
    """Each commit as a signed transaction of a coin of its own."""
    payer = Wallet.generate()
    for _ in commits:
        await request_sui(endpoint, payer.address, Mist(10**10))
    wire = Wire(endpoint)
    state = State(wire, chain.deployment)
    coins = await state.coins(payer.address)
    random = await state.initial_version(RANDOM)
    signed = []
    for call, coin in zip(commits, coins, strict=True):
        known = Known(shared={ObjectId(call.task): await state.initial_version(ObjectId(call.task)), RANDOM: random})
        encoded = encode([call], chain.deployment, payer.address, known).encode(payer.address, Gas((coin.ref,), 1_000, 10**9))
        signed.append((encoded, payer.sign(encoded)))
    wire.close()
    return signed


async def join(endpoint: Endpoint, deployment: Deployment, index: int, verifier: Ed25519PrivateKey) -> tuple[NodeId, Ed25519PrivateKey]:
    """A node of an operator of its own."""
    wallet = Wallet.generate()
    await request_sui(endpoint, wallet.address, Mist(2 * 10**13))
    async with await SuiChain.open(endpoint, deployment, wallet=wallet, log=MemoryTransactionLog()) as chain:
        return await _join(chain, index, verifier)


async def _join(chain: Chain, index: int, verifier: Ed25519PrivateKey) -> tuple[NodeId, Ed25519PrivateKey]:
    receipt = await chain.submit(RegisterNode(Mist(10**13)), purpose="register")
    registered, cap = receipt.event(NodeRegistered), receipt.created_one("member::NodeOperatorCap")
    challenge = (await chain.submit(RequestChallenge(cap.id), purpose="challenge")).event(ChallengeIssued)
    key = Ed25519PrivateKey.from_private_bytes(label(f"key {index}"))
    public, hpke = key.public_key().public_bytes_raw(), label(f"hpke {index}")
    deployment = chain.deployment
    verdict = VerdictStatement(
        Address(deployment.network.id), Address(deployment.pool.id), registered.node, 1, challenge.challenge, BlobId(b"e" * 32), TeeKind.SIMULATED,
        b"M" * 48, MANIFEST, hpke, public, FAR, POLICY,
    )  # fmt: skip
    signature = verifier.sign(verdict.signing_bytes())
    attest = Attest(registered.slot, BlobId(b"e" * 32), TeeKind.SIMULATED, b"M" * 48, hpke, public, FAR, POLICY, 1, (0,), (signature,))
    await chain.submit(attest, UpdateWeight(registered.slot), purpose="attest")
    return registered.node, key


async def running(chain: Chain) -> tuple[TaskId, int]:
    pool, network = await chain.pool(), await chain.network()
    price = quote(network.params, pool.prices, Mist(0))
    task = TaskId((await chain.submit(OpenTask(price), purpose="open")).event(TaskOpened).task)
    slot = (await chain.task(task)).candidates[0]
    member = await chain.member(slot)
    assert member is not None
    call = AssignAndPostInput(task, member.node, 1, "store", INPUT, Digest(b"k" * 32), b"x" * 32, 1)
    await chain.submit(call, purpose="post")
    return task, slot


if __name__ == "__main__":
    asyncio.run(main())
