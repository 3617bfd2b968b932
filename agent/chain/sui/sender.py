"""From calls to effects: look up, lease coins, try in a dry run, budget, sign, broadcast, put the coins back.

RPCs of one submission in the usual case: SimulateTransaction, ExecuteTransaction. Versions of caps and of coins are
known from the effects before; gas price and initial versions of shared objects are remembered.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from agent.chain.errors import InsufficientFunds, Malformed, NotFound, Refused, Rejected, StaleObject
from agent.chain.sui.broadcast import Broadcaster, rejection
from agent.chain.sui.effects import cost_of, effects_of, failure_of, gas_coin_of, ran_out_of_gas, written_by
from agent.chain.sui.encoding import Known, Needs
from agent.chain.sui.gas import Coin, GasPool
from agent.chain.sui.keys import Wallet
from agent.chain.sui.names import ObjectRef, transaction_digest
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


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """How the wallet's coins are cut, and what is reckoned with. Amounts are Mist."""

    lanes: int = 4
    """Transactions that may run at the same time without waiting for a coin."""
    lane: Mist = Mist(300_000_000)
    """What a lane is given; less if the wallet has less."""
    least: Mist = Mist(50_000_000)
    """What a transaction is reckoned to need before the dry run says more."""


class Sender:
    """Transactions of one wallet through one endpoint."""

    def __init__(
        self,
        wire: Wire,
        wallet: Wallet,
        state: State,
        broadcaster: Broadcaster,
        package: Callable[[], ObjectId],
        policy: GasPolicy,
    ) -> None:
        self._wire = wire
        self._wallet = wallet
        self._state = state
        self._broadcaster = broadcaster
        self._package = package
        self._policy = policy
        self.gas: Final = GasPool(wallet.address)
        self._opened = False
        self._opening = asyncio.Lock()
        self._unsettled: set[TxDigest] = set()
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
                # nothing was broadcast: the references were old, and have been dropped
                return await self._attempt(needs, make, purpose)

    async def recover(self) -> tuple[TxDigest, ...]:
        """Settle what the log has pending; returns what is still of unknown fate. Its coins stay held."""
        async with self._opening:
            return await self._recover()

    async def _ready(self) -> None:
        async with self._opening:
            if self._unsettled or not self._opened:
                await self._recover()
            if not self._opened:
                self.gas.offer(await self._state.coins(self._wallet.address))
                self._opened = True
            if self.gas.worth(self._policy.least) < self._policy.lanes:
                await self._split()

    async def _recover(self) -> tuple[TxDigest, ...]:
        unknown = {entry.digest: entry for entry in await self._broadcaster.recover()}
        for digest in self._unsettled - unknown.keys():
            await self._ask_again(self.gas.unhold(digest))
        for digest, entry in unknown.items():
            self.gas.hold_ids(owned_inputs(entry.tx_bytes), digest)
        self._unsettled = set(unknown)
        return tuple(unknown)

    async def _split(self) -> None:
        """Cut the largest coins into lanes, where they are worth it."""
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
            executed = await self._attempt(cut, make, "split gas coins")
        except (InsufficientFunds, StaleObject) as error:
            # more lanes are a convenience: go on with those there are
            self._logger.warning("gas coins not split", reason=str(error))
            return
        new = [each.id for each in written_by(executed).values() if each.id not in self._references]
        await self._ask_again(new)

    async def _attempt(self, needs: Needs, make: Make, purpose: str) -> Message:
        known = await self._look_up(needs)
        transaction = make(known)
        price = await self._gas_price()
        async with self._leased(needs.spends, transaction, price) as lease:
            tx_bytes = transaction.encode(self._wallet.address, lease.gas)
            digest = transaction_digest(tx_bytes)
            lease.broadcast(digest)
            try:
                executed = await self._broadcaster.send(tx_bytes, self._wallet.sign(tx_bytes), purpose)
            except Rejected:
                lease.rejected()
                self._forget(needs)
                raise
            lease.executed(executed)
        self._references.update({key: each for key, each in written_by(executed).items() if key in needs.owned})
        failure = failure_of(executed, self._package(), digest)
        if failure is not None:
            self._forget(needs)
            raise failure
        return executed

    async def _look_up(self, needs: Needs) -> Known:
        shared = {each: await self._state.initial_version(each) for each in needs.shared}
        for each in needs.owned - self._references.keys():
            self._references[each] = await self._state.reference(each)
        return Known(shared, {each: self._references[each] for each in needs.owned})

    def _forget(self, needs: Needs) -> None:
        for each in needs.owned:
            self._references.pop(each, None)
        self._price = None

    @asynccontextmanager
    async def _leased(self, spends: Mist, transaction: Transaction, price: int) -> AsyncIterator["_Lease"]:
        """Coins and a budget under which the dry run of `transaction` takes effect."""
        need = Mist(spends + self._policy.least)
        while True:
            coins = await self._coins(need)
            lease = _Lease(self, coins, spends)
            try:
                most = min(MAX_BUDGET, lease.worth - spends)
                simulated = await self._simulate(transaction, lease.payment(price, most))
                if ran_out_of_gas(simulated) and most < MAX_BUDGET:
                    need = Mist(spends + 4 * most)
                    continue
                failure = failure_of(simulated, self._package(), None)
                if failure is not None:
                    raise failure
                budget = _budget(simulated, price)
                if budget > most:
                    need = Mist(spends + budget)
                    continue
                lease.gas = lease.payment(price, budget)
                yield lease
                return
            except StaleObject as error:
                if error.digest is None:
                    lease.doubted = True
                raise
            finally:
                await lease.end()

    async def _coins(self, need: Mist) -> tuple[Coin, ...]:
        try:
            return await self.gas.lease(need)
        except InsufficientFunds:
            # coins may have come in from elsewhere meanwhile
            self.gas.offer(await self._state.coins(self._wallet.address))
            return await self.gas.lease(need)

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
            self._price = None
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

    async def _ask_again(self, ids: Iterable[ObjectId]) -> None:
        self.gas.offer(await self._state.coins_again(list(ids), self._wallet.address))

    @asynccontextmanager
    async def _locked(self, owned: Iterable[ObjectId]) -> AsyncIterator[None]:
        """Two transactions with the same owned object at the same version would be an equivocation."""
        async with AsyncExitStack() as stack:
            for each in sorted(owned):
                await stack.enter_async_context(self._locks.setdefault(each, asyncio.Lock()))
            yield
