"""The whole adapter against a localnet that runs the compiled contracts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent.chain.calls import (
    Advance,
    Call,
    ClaimFees,
    CreateNetwork,
    Deposit,
    FundAudits,
    Heartbeat,
    Leave,
    OpenTask,
    RegisterNode,
    RequestChallenge,
    SetPaused,
    UpdateWeight,
    Withdraw,
)
from agent.chain.deployment import Deployment
from agent.chain.errors import (
    Aborted,
    InsufficientFunds,
    NotFound,
    Paused,
    RosterTooSmall,
    StakeTooSmall,
    Unbonding,
    WrongChain,
    WrongPayment,
)
from agent.chain.faucet import request_gas
from agent.chain.port import ChainEvent, Cursor, Receipt
from agent.chain.sui import Deployer, Endpoint, GasPolicy, PackageCode, PoolTerms, SuiChain, SuiSettings, Wallet
from agent.chain.sui.position import Position
from agent.chain.transaction_log import MemoryTransactionLog, TransactionLog, TxStatus
from agent.protocol.deterrence import quote
from agent.protocol.events import ChallengeIssued, NodeRegistered, PoolCreated, WeightQueued
from agent.protocol.records import Params, Prices
from agent.protocol.units import Digest, Millis, Mist, ObjectId, Slot, TaskId
from localnet.ledger.clock import ManualClock
from localnet.rpc.localnet import Localnet

SUI = 10**9
BYTECODE = Path(__file__).parents[3] / "contracts" / "sui" / "bytecode"
MINUTE = Millis(60_000)
PARAMS = Params(
    min_stake=Mist(10 * SUI), executor_lock=Mist(2 * SUI), auditor_lock=Mist(SUI), audit_reserve=Mist(2 * SUI), bounty=Mist(SUI // 1_000),
    delivery_bond=Mist(2 * SUI), max_price=Mist(SUI // 10), auditors=2, dispute_seats=3, jail_strikes=3, audit_probability=1 << 63,
    input_ms=MINUTE, commit_ms=MINUTE, delivery_ms=MINUTE, ticket_ms=MINUTE, handoff_ms=MINUTE, audit_ms=MINUTE, reveal_ms=MINUTE,
    grace_ms=Millis(1_000), period_ms=Millis(10 * MINUTE), unbonding_ms=Millis(60 * MINUTE), challenge_ms=Millis(10 * MINUTE),
    heartbeat_ms=MINUTE, jail_ms=MINUTE, rotation_ms=Millis(40 * MINUTE), timelock_ms=Millis(5 * MINUTE),
    absence_bps=1_000, undecided_bps=5_000, victim_bps=2_000, panel_bps=3_000, treasury_bps=1_000, cost_bps=5_000, controlled_bps=3_000,
)  # fmt: skip
NETWORK = CreateNetwork(PARAMS, allow_simulated=True, policy=Digest(b"p" * 32), verifiers=(b"v" * 32,), threshold=1)
TERMS = PoolTerms(Digest(b"m" * 32), 1, Mist(SUI // 10), Mist(SUI // 100), Mist(SUI // 200), depth=6)

QUOTE = quote(PARAMS, Prices(TERMS.price, TERMS.auditor_fee, TERMS.reservation_fee), Mist(0))


@dataclass
class Stage:
    localnet: Localnet
    endpoint: Endpoint
    admin: Wallet
    deployment: Deployment
    stack: AsyncExitStack
    logs: list[MemoryTransactionLog] = field(default_factory=list)

    async def chain(self, wallet: Wallet, *, log: TransactionLog | None = None, lanes: int = 1, funds: int = 0) -> SuiChain:
        if funds:
            self.localnet.faucet(wallet.address, funds)
        settings = SuiSettings(gas=GasPolicy(lanes=lanes))
        log = log or MemoryTransactionLog()
        return await self.stack.enter_async_context(
            await SuiChain.open(self.endpoint, self.deployment, wallet=wallet, log=log, settings=settings)
        )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        localnet = await stack.enter_async_context(Localnet(clock=ManualClock(), seed=b"adapter"))
        endpoint = Endpoint(localnet.url)
        admin = Wallet(b"\x01" * 32)
        localnet.faucet(admin.address, 100 * SUI)
        async with Deployer(endpoint, admin) as deployer:
            deployment = await deployer.deploy(PackageCode.load(BYTECODE), NETWORK, TERMS)
        yield Stage(localnet, endpoint, admin, deployment, stack)


@pytest.fixture
async def chain(stage: Stage) -> SuiChain:
    return await stage.chain(Wallet(b"\x02" * 32), funds=1_000 * SUI)


async def registered(chain: SuiChain) -> tuple[Receipt, ObjectId, ObjectId]:
    receipt = await chain.submit(RegisterNode(PARAMS.min_stake), purpose="register")
    caps = [receipt.created_one(f"member::{name}").id for name in ("NodeOwnerCap", "NodeOperatorCap")]
    return receipt, caps[0], caps[1]


async def take(chain: SuiChain, count: int, after: Cursor | None = None) -> tuple[list[ChainEvent], Cursor]:
    found: list[ChainEvent] = []
    async with asyncio.timeout(30), aclosing(chain.events(after)) as pages:
        async for page in pages:
            found += page.events
            if len(found) >= count:
                return found, page.cursor
    raise AssertionError("the stream ended")


async def test_deployment_names_what_is_on_the_chain(stage: Stage, chain: SuiChain):
    network, pool, roster = await chain.network(), await chain.pool(), await chain.roster()
    assert (network.id, network.params, network.verifiers) == (stage.deployment.network.id, PARAMS, (b"v" * 32,))
    assert (pool.id, pool.network, pool.price) == (stage.deployment.pool.id, network.id, TERMS.price)
    assert (pool.roster, pool.queue) == (stage.deployment.roster.id, stage.deployment.queue.id)
    assert (roster.pool, roster.depth) == (pool.id, 6)
    assert stage.deployment.chain_id == stage.localnet.chain_id


async def test_everything_works_over_tls_too(stage: Stage, chain: SuiChain):
    endpoint = Endpoint(stage.localnet.tls_url, stage.localnet.ca_file)
    async with await SuiChain.open(endpoint, stage.deployment) as other:
        assert await other.network() == await chain.network()


async def test_registered_node_is_a_member_with_its_caps(chain: SuiChain):
    receipt, owner_cap, operator_cap = await registered(chain)
    event = receipt.event(NodeRegistered)
    member = await chain.member(event.slot)
    assert member is not None
    assert (member.node, member.stake, member.operator) == (event.node, PARAMS.min_stake, chain.address)
    assert await chain.member(Slot(event.slot + 1)) is None
    assert [cap.id for cap in await chain.caps("NodeOwnerCap")] == [owner_cap]
    assert [(cap.id, cap.node) for cap in await chain.caps("NodeOperatorCap")] == [(operator_cap, event.node)]


async def test_balance_is_exact_after_every_kind_of_payment(chain: SuiChain):
    before = await chain.balance()
    receipt, owner_cap, _ = await registered(chain)
    spent = PARAMS.min_stake + receipt.gas
    for call, cost in ((Deposit(Slot(0), Mist(7)), 7), (FundAudits(Mist(9)), 9), (ClaimFees(owner_cap), 0)):
        receipt = await chain.submit(call, purpose="pay")
        spent += cost + receipt.gas
    assert await chain.balance() == before - spent


async def test_challenge_is_drawn_by_the_chain(chain: SuiChain):
    _, _, operator_cap = await registered(chain)
    receipt = await chain.submit(RequestChallenge(operator_cap), purpose="challenge")
    issued = receipt.event(ChallengeIssued)
    member = await chain.member(issued.slot)
    assert member is not None
    assert len(issued.challenge) == 32
    assert member.challenge == issued.challenge


async def test_leaving_node_gets_its_stake_back_after_unbonding(stage: Stage, chain: SuiChain):
    _, owner_cap, _ = await registered(chain)
    await chain.submit(Leave(owner_cap), purpose="leave")
    with pytest.raises(Unbonding):
        await chain.submit(Withdraw(owner_cap), purpose="too early")
    stage.localnet.advance(PARAMS.unbonding_ms)
    before = await chain.balance()
    receipt = await chain.submit(Withdraw(owner_cap), purpose="withdraw")
    assert await chain.balance() == before + PARAMS.min_stake - receipt.gas


async def test_time_is_the_chains(stage: Stage, chain: SuiChain):
    before = await chain.now()
    stage.localnet.advance(12_345)
    assert await chain.now() == before + 12_345


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (RegisterNode(Mist(5)), StakeTooSmall),
        (OpenTask(Mist(1)), WrongPayment),
        (OpenTask(QUOTE), RosterTooSmall),
    ],
)
async def test_refusals_are_typed_and_free(chain: SuiChain, call: Call, error: type[Aborted]):
    await chain.submit(Heartbeat(), purpose="opens the pool")
    before = await chain.balance()
    with pytest.raises(error) as refused:
        await chain.submit(call, purpose="refused")
    assert refused.value.digest is None
    assert refused.value.function
    assert await chain.balance() == before


async def test_pause_stops_new_tasks(stage: Stage, chain: SuiChain):
    admin = await stage.chain(stage.admin)
    assert stage.deployment.admin_cap is not None
    await admin.submit(SetPaused(stage.deployment.admin_cap, paused=True), purpose="pause")
    with pytest.raises(Paused):
        await chain.submit(OpenTask(QUOTE), purpose="open")


async def test_task_that_is_not_there_is_not_found(chain: SuiChain):
    with pytest.raises(NotFound):
        await chain.task(TaskId(b"\7" * 32))
    with pytest.raises(NotFound):
        await chain.submit(Advance(TaskId(b"\7" * 32)), purpose="advance")


async def test_many_transactions_of_one_address_run_at_once(stage: Stage):
    chain = await stage.chain(Wallet(b"\x03" * 32), lanes=5, funds=100 * SUI)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chain.submit(FundAudits(Mist(each)), purpose=f"{each}")) for each in range(1, 31)]
    receipts = [task.result() for task in tasks]
    assert len({receipt.digest for receipt in receipts}) == 30
    assert (await chain.pool()).audit_fund == sum(range(1, 31))
    statistics = chain.gas_statistics()
    assert (statistics.leased, statistics.held) == (0, 0)
    assert statistics.free >= 5
    assert statistics.free_mist == await chain.balance()


async def test_two_processes_of_one_wallet_recover_from_each_others_changes(stage: Stage):
    wallet = Wallet(b"\x03" * 32)
    first, second = await stage.chain(wallet, funds=10 * SUI), await stage.chain(wallet)
    for each in (first, second, first, second):
        await each.submit(Heartbeat(), purpose="heartbeat")


async def test_stake_beyond_the_wallet_says_what_is_missing(stage: Stage):
    chain = await stage.chain(Wallet(b"\x03" * 32), funds=3 * SUI)
    with pytest.raises(InsufficientFunds):
        await chain.submit(RegisterNode(PARAMS.min_stake), purpose="register")


async def test_coins_from_the_faucet_pay_at_once(stage: Stage):
    wallet = Wallet(b"\x04" * 32)
    gifts = await request_gas(stage.localnet.url, wallet.address)
    chain = await stage.chain(wallet)
    assert await chain.balance() == sum(gift.amount for gift in gifts)
    await chain.submit(Heartbeat(), purpose="heartbeat")


class Killed(BaseException):
    """The process ends here."""


class DyingLog(MemoryTransactionLog):
    """Dies between record and broadcast."""

    async def record(self, *args) -> None:
        await super().record(*args)
        raise Killed


async def test_killed_process_finishes_its_transaction_at_the_next_start(stage: Stage):
    wallet = Wallet(b"\x03" * 32)
    dying = DyingLog()
    chain = await stage.chain(wallet, log=dying, funds=10 * SUI)
    with pytest.raises(Killed):
        await chain.submit(FundAudits(Mist(77)), purpose="fund audits")
    assert (await chain.pool()).audit_fund == 0
    log = MemoryTransactionLog()
    log.entries = dying.entries
    restarted = await stage.chain(wallet, log=log)
    assert await restarted.recover() == ()
    assert (await restarted.pool()).audit_fund == 77
    assert list(log.settled.values()) == [TxStatus.SUCCEEDED]
    log.settled.clear()
    await (await stage.chain(wallet, log=log)).submit(Heartbeat(), purpose="after a second kill")
    assert (await restarted.pool()).audit_fund == 77


async def test_events_are_followed_from_the_deployment_and_from_a_cursor(chain: SuiChain):
    await registered(chain)
    found, cursor = await take(chain, 2)
    kinds = [type(each.event) for each in found]
    assert NodeRegistered in kinds
    assert kinds.index(PoolCreated) < kinds.index(NodeRegistered)
    waiting = asyncio.create_task(take(chain, 1, after=cursor))
    await chain.submit(UpdateWeight(Slot(0)), purpose="weight")
    (event, *_), _ = await waiting
    assert isinstance(event.event, WeightQueued)
    assert event.module == "member"


async def test_checkpoints_tell_the_same_events_as_the_index(stage: Stage, chain: SuiChain):
    await registered(chain)
    for _ in range(3):
        await chain.submit(Deposit(Slot(0), Mist(1)), purpose="deposit")
    listed, _ = await take(chain, 5)
    scan = chain._watcher._scan
    scanned: list[ChainEvent] = []
    async with asyncio.timeout(30), aclosing(scan.follow(Position(stage.deployment.since - 1))) as steps:
        async for step in steps:
            scanned += step.page.events if step.page else ()
            if len(scanned) >= len(listed):
                break
    assert [replace(each, timestamp=None) for each in scanned] == listed
    assert all(each.timestamp is not None for each in scanned)


async def test_deployment_file_of_another_chain_is_refused(stage: Stage):
    with pytest.raises(WrongChain):
        await SuiChain.open(stage.endpoint, replace(stage.deployment, chain_id="other"))
