import asyncio
from dataclasses import replace

import pytest
from call_examples import CAP, DEPLOYMENT, TASK
from fake_full_node import NET, FakeFullNode
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pysui.sui.sui_bcs import bcs

from agent.chain.calls import Deposit, Heartbeat, Leave, Settle
from agent.chain.errors import (
    Aborted,
    BadSignature,
    ExecutionFailed,
    InsufficientFunds,
    NotFound,
    Rejected,
    SimulationFailed,
    StaleObject,
    Unsettled,
    WalletError,
    WrongChain,
    WrongState,
)
from agent.chain.sui import GasPolicy, SuiChain, SuiSettings, Wallet
from agent.chain.sui.names import to_hex
from agent.chain.transaction_log import MemoryTransactionLog, TxStatus
from agent.protocol.units import Mist, Slot

SUI = 10**9


def refuse(method: str, status: Status, text: str, times: int = 1):
    """A hook that fails `method` so many times."""
    left = [times]

    def hook(called: str, request: object) -> None:
        if called == method and left[0]:
            left[0] -= 1
            raise GRPCError(status, text)

    return hook


def payments(node: FakeFullNode) -> list[tuple[str, ...]]:
    found = []
    for tx_bytes in node.executions():
        payment = bcs.TransactionData.deserialize(tx_bytes).value.GasData.Payment
        found.append(tuple(each.ObjectID.to_address_str() for each in payment))
    return found


def budgets(node: FakeFullNode) -> list[int]:
    return [bcs.TransactionData.deserialize(each).value.GasData.Budget for each in node.executions()]


async def test_call_that_takes_effect_gives_a_receipt_and_is_settled(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    log = MemoryTransactionLog()
    chain = await open_chain(log)
    receipt = await chain.submit(Heartbeat(), purpose="test")
    assert receipt.gas == NET
    assert receipt.digest in node.executed
    assert log.settled == {receipt.digest: TxStatus.SUCCEEDED}
    assert await chain.balance() == SUI - NET == node.balance(wallet.address)


async def test_usual_submission_is_two_requests(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    chain = await open_chain()
    await chain.submit(Heartbeat(), purpose="first")
    node.calls.clear()
    for _ in range(3):
        await chain.submit(Heartbeat(), purpose="next")
    assert [name for name, _ in node.calls] == ["SimulateTransaction", "ExecuteTransaction"] * 3


async def test_abort_in_the_dry_run_is_typed_and_costs_nothing(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.share(to_hex(TASK), f"{to_hex(DEPLOYMENT.package)}::task::Task")
    node.on_call = lambda module, function: ("task", 2, function)
    log = MemoryTransactionLog()
    with pytest.raises(WrongState) as refused:
        await (await open_chain(log)).submit(Settle(TASK), purpose="test")
    assert (refused.value.function, refused.value.command, refused.value.digest) == ("settle", 0, None)
    assert node.count("ExecuteTransaction") == 0
    assert log.entries == {}
    assert node.balance(wallet.address) == SUI


async def test_abort_on_chain_carries_the_digest_and_is_settled(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)

    def overtaken(method: str, request: object) -> None:
        if method == "ExecuteTransaction":
            node.on_call = lambda module, function: ("task", 12, function)

    node.before = overtaken
    log = MemoryTransactionLog()
    chain = await open_chain(log)
    with pytest.raises(Aborted) as refused:
        await chain.submit(Deposit(Slot(0), Mist(SUI // 2)), purpose="test")
    assert chain.gas_statistics().free_mist == SUI - NET
    assert log.settled == {refused.value.digest: TxStatus.FAILED}
    node.before = lambda *_: None
    node.on_call = lambda *_: []
    await chain.submit(Heartbeat(), purpose="the coin is known at its new version")
    assert await chain.balance() == SUI - 2 * NET


async def test_abort_of_another_package_names_it(node: FakeFullNode, wallet: Wallet, open_chain, monkeypatch):
    node.fund(wallet.address, SUI)
    node.on_call = lambda *_: ("balance", 2, "split")
    monkeypatch.setattr("fake_full_node.DEPLOYMENT", replace(DEPLOYMENT, package=bytes(31) + b"\2"))
    with pytest.raises(Aborted) as refused:
        await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert refused.value.module == f"0x{2:064x}::balance"


async def test_failure_without_abort_in_the_dry_run(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.extra_computation = 10**12
    with pytest.raises((SimulationFailed, InsufficientFunds)):
        await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert node.count("ExecuteTransaction") == 0


async def test_failure_without_abort_on_chain(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)

    def dearer(method: str, request: object) -> None:
        node.extra_computation = 10**9 if method == "ExecuteTransaction" else 0

    node.before = dearer
    with pytest.raises(ExecutionFailed, match="INSUFFICIENT_GAS"):
        await (await open_chain()).submit(Heartbeat(), purpose="test")


async def test_budget_follows_the_dry_run_with_a_margin(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert budgets(node) == [3_000_000 * 6 // 5 + 2_000_000]


async def test_transactions_run_at_the_same_time_on_coins_of_their_own(
    node: FakeFullNode, wallet: Wallet, open_chain, settings: SuiSettings
):
    node.fund(wallet.address, 10 * SUI)
    chain = await open_chain(settings=replace(settings, gas=GasPolicy(lanes=4)))
    await chain.submit(Heartbeat(), purpose="opens the pool")
    node.gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chain.submit(Heartbeat(), purpose=f"{each}")) for each in range(12)]
        while node.running < 4:
            await asyncio.sleep(0)
        assert chain.gas_statistics().leased == 4
        node.gate.set()
    assert node.most_running == 4
    assert len({each.result().digest for each in tasks}) == 12
    used = [each for payment in payments(node)[2:] for each in payment]
    assert len(set(used)) == 4
    assert chain.gas_statistics().leased == 0
    assert await chain.balance() == 10 * SUI - 14 * NET


async def test_large_payment_takes_several_coins_and_the_balance_stays_exact(
    node: FakeFullNode, wallet: Wallet, open_chain
):
    node.fund(wallet.address, 2 * SUI, 2 * SUI, 2 * SUI)
    chain = await open_chain()
    await chain.submit(Deposit(Slot(0), Mist(5 * SUI)), purpose="stake")
    assert len(payments(node)[0]) == 3
    assert chain.gas_statistics().free_mist == SUI - NET == node.balance(wallet.address)


async def test_wallet_without_enough_says_how_much_is_missing(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    with pytest.raises(InsufficientFunds, match="send SUI to it") as refused:
        await (await open_chain()).submit(Deposit(Slot(0), Mist(5 * SUI)), purpose="stake")
    assert refused.value.available == SUI
    assert refused.value.needed > 5 * SUI


async def test_coin_that_came_in_meanwhile_is_found(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    chain = await open_chain()
    await chain.submit(Heartbeat(), purpose="opens the pool")
    node.fund(wallet.address, 9 * SUI)
    await chain.submit(Deposit(Slot(0), Mist(5 * SUI)), purpose="stake")


async def test_dear_transaction_gets_a_larger_coin_than_expected(node: FakeFullNode, wallet: Wallet, open_chain):
    node.extra_computation = 800_000_000
    small, large = node.fund(wallet.address, 60_000_000, 5 * SUI)
    await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert payments(node) == [(large,)]
    assert small in node.objects


async def test_dust_is_merged_when_lanes_are_cut(node: FakeFullNode, wallet: Wallet, open_chain, settings: SuiSettings):
    node.fund(wallet.address, 10 * SUI, 10, 11, 12)
    chain = await open_chain(settings=replace(settings, gas=GasPolicy(lanes=3)))
    await chain.submit(Heartbeat(), purpose="test")
    assert len(payments(node)[0]) == 4
    assert chain.gas_statistics().free == 3
    assert chain.gas_statistics().free_mist == node.balance(wallet.address)


async def test_coin_used_elsewhere_is_asked_for_again(node: FakeFullNode, wallet: Wallet, open_chain):
    (coin,) = node.fund(wallet.address, SUI)
    chain = await open_chain()
    await chain.submit(Heartbeat(), purpose="first")
    node.touch(coin)
    await chain.submit(Heartbeat(), purpose="second")
    assert node.count("ExecuteTransaction") == 2


async def test_cap_used_elsewhere_is_asked_for_again(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.own(to_hex(CAP), "cap", wallet.address)
    chain = await open_chain()
    await chain.submit(Leave(CAP), purpose="first")
    node.touch(to_hex(CAP))
    await chain.submit(Leave(CAP), purpose="second")
    assert node.count("ExecuteTransaction") == 2


async def test_transactions_with_one_cap_take_turns(
    node: FakeFullNode, wallet: Wallet, open_chain, settings: SuiSettings
):
    node.fund(wallet.address, 10 * SUI)
    node.own(to_hex(CAP), "cap", wallet.address)
    chain = await open_chain(settings=replace(settings, gas=GasPolicy(lanes=4)))
    async with asyncio.TaskGroup() as group:
        for each in range(5):
            group.create_task(chain.submit(Leave(CAP), purpose=f"{each}"))
    assert node.most_running == 1
    # the split of coins, and each call once: no version was used twice
    assert node.count("ExecuteTransaction") == 6


async def test_lost_answer_is_looked_up_and_not_executed_twice(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.after = refuse("ExecuteTransaction", Status.UNAVAILABLE, "gone")
    log = MemoryTransactionLog()
    receipt = await (await open_chain(log)).submit(Heartbeat(), purpose="test")
    assert len(node.executed) == len(node.executions()) == 1
    assert log.settled == {receipt.digest: TxStatus.SUCCEEDED}


async def test_lost_request_is_sent_again_as_the_same_bytes(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.before = refuse("ExecuteTransaction", Status.UNAVAILABLE, "not now", times=2)
    await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert len(node.executions()) == 3
    assert len(set(node.executions())) == 1


async def test_refusal_drops_the_transaction_and_frees_the_coin(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.before = refuse("ExecuteTransaction", Status.INVALID_ARGUMENT, "no")
    log = MemoryTransactionLog()
    chain = await open_chain(log)
    with pytest.raises(Rejected) as refused:
        await chain.submit(Heartbeat(), purpose="test")
    assert log.settled == {refused.value.digest: TxStatus.DROPPED}
    await chain.submit(Heartbeat(), purpose="again")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Object 0x1 is not available for consumption, current version: 7", StaleObject),
        ("Object (0x1) already locked by a different transaction", StaleObject),
        ("Invalid user signature", BadSignature),
    ],
)
async def test_refusals_are_told_apart(node: FakeFullNode, wallet: Wallet, open_chain, text: str, kind: type):
    node.fund(wallet.address, SUI)
    node.before = refuse("ExecuteTransaction", Status.FAILED_PRECONDITION, text)
    with pytest.raises(kind):
        await (await open_chain()).submit(Heartbeat(), purpose="test")


async def test_node_that_lags_is_given_time(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    lagging = "Could not find the referenced object 0x1 at version Some(5)"
    node.before = refuse("ExecuteTransaction", Status.FAILED_PRECONDITION, lagging, times=2)
    await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert len(set(node.executions())) == 1


async def test_refusal_after_a_lost_answer_is_not_believed_before_a_look(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    node.after = refuse("ExecuteTransaction", Status.UNAVAILABLE, "gone")
    hidden = refuse("GetTransaction", Status.UNAVAILABLE, "gone")

    def second_time(method: str, request: object) -> None:
        hidden(method, request)
        if method == "ExecuteTransaction" and len(node.executions()) == 2:
            raise GRPCError(Status.FAILED_PRECONDITION, "not available for consumption, current version: 9")

    node.before = second_time
    receipt = await (await open_chain()).submit(Heartbeat(), purpose="test")
    assert receipt.digest in node.executed


async def test_unknown_fate_holds_the_coin_until_it_is_known(node: FakeFullNode, wallet: Wallet, open_chain):
    first, second = node.fund(wallet.address, SUI, 2 * SUI)
    down = [True]

    def dark(method: str, request: object) -> None:
        if down[0] and method in ("ExecuteTransaction", "GetTransaction"):
            raise GRPCError(Status.UNAVAILABLE, "dark")

    node.before = dark
    log = MemoryTransactionLog()
    chain = await open_chain(log)
    with pytest.raises(Unsettled) as unknown:
        await chain.submit(Heartbeat(), purpose="test")
    assert [each.digest for each in await log.pending()] == [unknown.value.digest]
    assert chain.gas_statistics().held == 1
    assert await chain.recover() == (unknown.value.digest,)
    down[0] = False
    await chain.submit(Heartbeat(), purpose="next")
    assert len(node.executed) == 2
    assert chain.gas_statistics().held == 0
    assert set(log.settled.values()) == {TxStatus.SUCCEEDED}
    assert await chain.balance() == 3 * SUI - 2 * NET
    assert chain.gas_statistics().free_mist == 3 * SUI - 2 * NET


async def test_cap_of_a_transaction_of_unknown_fate_serves_no_other(
    node: FakeFullNode, wallet: Wallet, open_chain, settings: SuiSettings
):
    node.fund(wallet.address, SUI, SUI)
    node.own(to_hex(CAP), "cap", wallet.address)
    chain = await open_chain()

    def dark(method: str, request: object) -> None:
        if method in ("ExecuteTransaction", "GetTransaction"):
            raise GRPCError(Status.UNAVAILABLE, "dark")

    node.before = dark
    with pytest.raises(Unsettled) as first:
        await chain.submit(Leave(CAP), purpose="first")
    sent = len(set(node.executions()))
    with pytest.raises(Unsettled) as second:
        await chain.submit(Leave(CAP), purpose="second")
    assert second.value.digest == first.value.digest
    assert len(set(node.executions())) == sent == 1


async def test_who_waits_for_a_cap_of_unknown_fate_does_not_get_it(
    node: FakeFullNode, wallet: Wallet, open_chain, settings: SuiSettings
):
    node.fund(wallet.address, SUI, SUI)
    node.own(to_hex(CAP), "cap", wallet.address)
    chain = await open_chain(settings=replace(settings, gas=GasPolicy(lanes=2)))
    await chain.submit(Heartbeat(), purpose="opens the pool")
    before = len(node.executions())

    def dark(method: str, request: object) -> None:
        if method in ("ExecuteTransaction", "GetTransaction"):
            raise GRPCError(Status.UNAVAILABLE, "dark")

    node.before = dark
    both = [chain.submit(Leave(CAP), purpose=f"{each}") for each in range(2)]
    ends = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in ends] == [Unsettled, Unsettled]
    assert len(set(node.executions()[before:])) == 1


async def test_submission_cancelled_after_the_broadcast_is_settled_by_the_next(
    node: FakeFullNode, wallet: Wallet, open_chain
):
    node.fund(wallet.address, SUI)
    log = MemoryTransactionLog()
    chain = await open_chain(log)
    node.gate.clear()
    task = asyncio.create_task(chain.submit(Heartbeat(), purpose="cancelled"))
    while not node.running:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chain.gas_statistics().held == 1
    node.gate.set()
    await chain.submit(Heartbeat(), purpose="next")
    assert len(node.executed) == 2
    assert await log.pending() == []


class Killed(BaseException):
    """The process ends here."""


class LogOfAKilledProcess(MemoryTransactionLog):
    """Keeps the entry, then dies, as kill -9 between record and broadcast would have it."""

    async def record(self, *args) -> None:
        await super().record(*args)
        raise Killed


async def test_process_killed_between_record_and_broadcast_sends_the_same_bytes_at_its_next_start(
    node: FakeFullNode, wallet: Wallet, open_chain
):
    node.fund(wallet.address, SUI)
    dying = LogOfAKilledProcess()
    with pytest.raises(Killed):
        await (await open_chain(dying)).submit(Heartbeat(), purpose="test")
    assert node.executions() == []
    (entry,) = await dying.pending()
    log = MemoryTransactionLog()
    log.entries = dying.entries
    chain = await open_chain(log)
    assert await chain.recover() == ()
    assert node.executions() == [entry.tx_bytes]
    assert log.settled == {entry.digest: TxStatus.SUCCEEDED}


async def test_restart_after_execution_finds_the_effects_and_executes_nothing_again(
    node: FakeFullNode, wallet: Wallet, open_chain
):
    node.fund(wallet.address, SUI)
    log = MemoryTransactionLog()
    await (await open_chain(log)).submit(Heartbeat(), purpose="test")
    log.settled.clear()
    chain = await open_chain(log)
    await chain.submit(Heartbeat(), purpose="after the restart")
    assert len(node.executed) == 2
    assert await log.pending() == []


async def test_restart_does_not_take_a_refused_repetition_for_a_failure(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    log = MemoryTransactionLog()
    receipt = await (await open_chain(log)).submit(Heartbeat(), purpose="test")
    log.settled.clear()
    stale = "not available for consumption, current version: 9"
    node.before = refuse("ExecuteTransaction", Status.FAILED_PRECONDITION, stale)
    assert await (await open_chain(log)).recover() == ()
    assert log.settled == {receipt.digest: TxStatus.SUCCEEDED}


async def test_restart_drops_what_can_never_take_effect(node: FakeFullNode, wallet: Wallet, open_chain):
    (coin,) = node.fund(wallet.address, SUI)
    dying = LogOfAKilledProcess()
    with pytest.raises(Killed):
        await (await open_chain(dying)).submit(Heartbeat(), purpose="test")
    node.touch(coin)
    log = MemoryTransactionLog()
    log.entries = dying.entries
    assert await (await open_chain(log)).recover() == ()
    assert list(log.settled.values()) == [TxStatus.DROPPED]
    assert node.executed == {}


async def test_call_about_a_task_that_is_not_there(node: FakeFullNode, wallet: Wallet, open_chain):
    node.fund(wallet.address, SUI)
    with pytest.raises(NotFound):
        await (await open_chain()).submit(Settle(TASK), purpose="test")


async def test_endpoint_of_another_chain_is_refused(endpoint, wallet: Wallet):
    other = replace(DEPLOYMENT, chain_id="another")
    with pytest.raises(WrongChain, match="correct the endpoint"):
        await SuiChain.open(endpoint, other, wallet=wallet)


async def test_chain_without_a_wallet_reads_but_does_not_submit(endpoint):
    async with await SuiChain.open(endpoint, DEPLOYMENT) as chain:
        with pytest.raises(WalletError, match="only reads"):
            await chain.submit(Heartbeat(), purpose="test")
