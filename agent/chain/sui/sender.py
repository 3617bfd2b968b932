"""From calls to effects: look up, lease coins, try in a dry run, budget, sign, broadcast, put the coins back.

RPCs of one submission in the usual case: SimulateTransaction, ExecuteTransaction. Versions of caps and of coins are
known from the effects before; gas price and initial versions of shared objects are remembered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from agent.chain.errors import (
    ChainError,
    InsufficientFunds,
    Malformed,
    NotFound,
    Refused,
    Rejected,
    StaleObject,
    TransactionError,
    Unsettled,
)
from agent.chain.sui.broadcast import Broadcaster, rejection
from agent.chain.sui.effects import cost_of, effects_of, failure_of, gas_coin_of, ran_out_of_gas, written_by
from agent.chain.sui.encoding import Known, Needs
from agent.chain.sui.gas import Coin, GasPool
from agent.chain.sui.keys import Wallet
from agent.chain.sui.names import ObjectRef, to_hex, transaction_digest
from agent.chain.sui.pysui_parts import FieldMask, Message, v2
from agent.chain.sui.state import State
from agent.chain.sui.transaction import GAS, Gas, Transaction, owned_inputs
from agent.chain.sui.wire import Wire
from agent.chain.transaction_log import TxDigest
from agent.protocol.units import Mist, ObjectId

MAX_BUDGET: Final = 50_000_000_000
"""Mist of one transaction's budget (Sui's `max_tx_gas`)."""
PRICE_KEPT_S: Final = 300.0
"""How long a reference gas price is believed; it changes with the epoch."""

Make = Callable[[Known], Transaction]
"""Encodes a transaction once what it needs is known."""


LANE: Final = Mist(300_000_000)
LEAST: Final = Mist(50_000_000)


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """How the wallet's coins are cut, and what is reckoned with. Amounts are Mist."""

    lanes: int = 4
    """Transactions that may run at the same time without waiting for a coin."""
    lane: Mist = LANE
    """What a lane is given; less if the wallet has less."""
    least: Mist = LEAST
    """What a transaction is reckoned to need before the dry run says more; a coin below is no lane."""


class Sender:
    """Transactions of one wallet through one endpoint, for the package with versions `packages`."""

    def __init__(
        self,
        wire: Wire,
        wallet: Wallet,
        state: State,
        broadcaster: Broadcaster,
        packages: Collection[ObjectId],
        policy: GasPolicy,
    ) -> None:
        self._wire = wire
        self._wallet = wallet
        self._state = state
        self._broadcaster = broadcaster
        self._packages = packages
        self._policy = policy
        self.gas: Final = GasPool(wallet.address)
        self._opened = False
        self._opening = asyncio.Lock()
        self._unsettled: set[TxDigest] = set()
        self._doubted: set[ObjectId] = set()
        self._locks: dict[ObjectId, asyncio.Lock] = {}
        self._references: dict[ObjectId, ObjectRef] = {}
        self._price: tuple[int, float] | None = None
        self._logger = structlog.get_logger("agent.chain.sender")

    async def send(self, needs: Needs, make: Make, purpose: str) -> Message:
        """Have it executed; returns the executed transaction, which took effect.

        Raises:
            As `Chain.submit`.
        """
        await self._ready()
        async with self._locked(needs.owned):
            try:
                return await self._attempt(needs, make, purpose)
            except StaleObject as error:
                if error.digest is not None:
                    raise
                # nothing was broadcast; what was out of date is asked for anew
                return await self._attempt(needs, make, purpose)

    async def recover(self) -> tuple[TxDigest, ...]:
        """Settle what the log has pending; returns what is still of unknown fate. What it names stays held."""
        async with self._opening:
            return await self._recover()

    async def _ready(self) -> None:
        async with self._opening:
            if self._unsettled or not self._opened:
                await self._recover()
            if not self._opened:
                self.gas.offer(await self._state.coins(self._wallet.address))
                self._opened = True
            if self._doubted:
                await self._ask_again(self._doubted)
                self._doubted.clear()
            if self.gas.worth(self._policy.least) < self._policy.lanes:
                await self._split()

    async def _recover(self) -> tuple[TxDigest, ...]:
        unknown = {entry.digest: entry for entry in await self._broadcaster.recover()}
        for digest in self._unsettled - unknown.keys():
            self._doubted.update(self.gas.unhold(digest))
        for digest, entry in unknown.items():
            self.gas.hold_ids(owned_inputs(entry.tx_bytes), digest)
        self._unsettled = set(unknown)
        return tuple(unknown)

    async def _split(self) -> None:
        """Cut the coins into lanes, where they are worth it; coins too small to pay alone are merged on the way."""
        policy, free = self._policy, self.gas.statistics()
        missing = policy.lanes - self.gas.worth(policy.least)
        lane = Mist(min(policy.lane, free.free_mist // (2 * policy.lanes)))
        if lane < policy.least or free.leased:
            return

        def make(_: Known) -> Transaction:
            transaction = Transaction()
            coins = transaction.split(GAS, [lane] * missing)
            transaction.transfer([transaction.result(coins, each) for each in range(missing)], self._wallet.address)
            return transaction

        cut = Needs(frozenset(), frozenset(), Mist(lane * missing))
        try:
            executed = await self._attempt(cut, make, "split gas coins", sweep=True)
        except (InsufficientFunds, TransactionError) as error:
            # more lanes are a convenience: go on with those there are
            self._logger.warning("gas coins not split", reason=str(error))
            return
        await self._ask_again(written_by(executed))

    async def _attempt(self, needs: Needs, make: Make, purpose: str, *, sweep: bool = False) -> Message:
        transaction = make(await self._look_up(needs))
        try:
            coins, gas = await self._try_out(transaction, needs.spends, sweep=sweep)
        except TransactionError:
            self._forget(needs)
            raise
        tx_bytes = transaction.encode(self._wallet.address, gas)
        digest = transaction_digest(tx_bytes)
        try:
            executed = await self._broadcaster.send(tx_bytes, self._wallet.sign(tx_bytes), purpose)
        except Rejected:
            self._forget(needs)
            await self._doubt(coins)
            raise
        except BaseException:
            # cancelled, no answer, or a log that failed: it may be pending, and `_recover` finds out
            self._forget(needs)
            self.gas.hold(coins, digest)
            self.gas.hold_ids(needs.owned, digest)
            self._unsettled.add(digest)
            raise
        failure = failure_of(executed, self._packages, digest)
        await self._put_back(coins, executed, Mist(0) if failure else needs.spends)
        written = written_by(executed)
        self._references.update({each: written[each] for each in needs.owned if each in written})
        if failure is not None:
            self._forget(needs)
            raise failure
        return executed

    async def _look_up(self, needs: Needs) -> Known:
        for each in needs.owned:
            holder = self.gas.holder(each)
            if holder is not None:
                raise Unsettled(f"a transaction with {to_hex(each)} is of unknown fate: wait until it is known", holder)
        shared = {each: await self._state.initial_version(each) for each in needs.shared}
        for each in needs.owned - self._references.keys():
            self._references[each] = await self._state.reference(each)
        return Known(shared, {each: self._references[each] for each in needs.owned})

    async def _try_out(
        self, transaction: Transaction, spends: Mist, *, sweep: bool
    ) -> tuple[tuple[Coin, ...], Gas]:
        """Coins, leased, and a budget under which the dry run takes effect."""
        price = await self._gas_price()
        need = Mist(spends + self._policy.least)
        while True:
            coins = await self._coins(need)
            if sweep:
                coins += self.gas.sweep(self._policy.least, len(coins))
            payment = tuple(coin.ref for coin in coins)
            most = min(MAX_BUDGET, sum(coin.balance for coin in coins) - spends)
            try:
                simulated = await self._simulate(transaction, Gas(payment, price, most))
                budget = 4 * most if ran_out_of_gas(simulated) and most < MAX_BUDGET else self._budget(simulated, price)
            except StaleObject:
                await self._doubt(coins)
                raise
            except BaseException:
                self.gas.release(coins)
                raise
            if budget <= most:
                return coins, Gas(payment, price, budget)
            self.gas.release(coins)
            need = Mist(spends + budget)

    def _budget(self, simulated: Message, price: int) -> int:
        failure = failure_of(simulated, self._packages, None)
        if failure is not None:
            raise failure
        # objects may have grown a little by the time it is executed; what is not used is not charged
        return min(MAX_BUDGET, cost_of(simulated).gross * 6 // 5 + 2_000 * price)

    async def _simulate(self, transaction: Transaction, gas: Gas) -> Message:
        request = v2.SimulateTransactionRequest(
            transaction=v2.Transaction(bcs=v2.Bcs(value=transaction.encode(self._wallet.address, gas))),
            read_mask=FieldMask(paths=["transaction.effects"]),
            do_gas_selection=False,
        )
        method = "TransactionExecutionService/SimulateTransaction"
        try:
            answer = await self._wire.call(method, request, v2.SimulateTransactionResponse)
        except (Refused, NotFound) as error:
            raise rejection(error, None) from error
        effects_of(answer.transaction)
        return answer.transaction

    async def _gas_price(self) -> int:
        now = asyncio.get_running_loop().time()
        if self._price is None or now - self._price[1] > PRICE_KEPT_S:
            request = v2.GetEpochRequest(read_mask=FieldMask(paths=["reference_gas_price"]))
            answer = await self._wire.call("LedgerService/GetEpoch", request, v2.GetEpochResponse)
            if answer.epoch is None or not answer.epoch.reference_gas_price:
                raise Malformed("an epoch without a gas price: use another endpoint")
            self._price = (answer.epoch.reference_gas_price, now)
        return self._price[0]

    async def _coins(self, need: Mist) -> tuple[Coin, ...]:
        try:
            return await self.gas.lease(need)
        except InsufficientFunds:
            # coins may have come in from elsewhere meanwhile
            self.gas.offer(await self._state.coins(self._wallet.address))
            return await self.gas.lease(need)

    async def _put_back(self, coins: tuple[Coin, ...], executed: Message, spent: Mist) -> None:
        left = gas_coin_of(executed)
        if left is None or left.id != coins[0].ref.id:
            await self._doubt(coins)
            return
        balance = sum(coin.balance for coin in coins) - cost_of(executed).net - spent
        self.gas.replace(coins, Coin(left, Mist(balance)))

    async def _doubt(self, coins: Iterable[Coin]) -> None:
        """The versions of leased coins are not sure: ask, now or before the next transaction."""
        ids = [coin.ref.id for coin in coins]
        self.gas.forget(coins)
        try:
            await self._ask_again(ids)
        except BaseException as error:
            self._doubted.update(ids)
            if not isinstance(error, ChainError):
                raise

    async def _ask_again(self, ids: Iterable[ObjectId]) -> None:
        self.gas.offer(await self._state.coins_again(tuple(ids), self._wallet.address))

    def _forget(self, needs: Needs) -> None:
        self._price = None
        for each in needs.owned:
            self._references.pop(each, None)

    @asynccontextmanager
    async def _locked(self, owned: Iterable[ObjectId]) -> AsyncIterator[None]:
        """Two transactions with the same owned object at the same version would be an equivocation."""
        async with AsyncExitStack() as stack:
            for each in sorted(owned):
                await stack.enter_async_context(self._locks.setdefault(each, asyncio.Lock()))
            yield
