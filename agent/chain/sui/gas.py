"""The sender's coins: each pays for one transaction at a time, so several transactions run at once without a conflict.

A coin is free, leased (a transaction is being made with it) or held (a transaction of unknown fate names it). What a
coin's newest version is, is learned from the effects of the transaction that it paid for; after any failure it is asked
of the chain anew. A version that might be stale is never offered.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.chain.errors import InsufficientFunds
from agent.chain.sui.names import ObjectRef, to_hex
from agent.chain.sui.transaction import MAX_PAYMENT
from agent.chain.transaction_log import TxDigest
from agent.protocol.units import Address, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class Coin:
    """One Coin<SUI> at one version."""

    ref: ObjectRef
    balance: Mist


@dataclass(frozen=True, slots=True)
class GasStatistics:
    """A moment's picture for /metrics."""

    free: int
    """Coins that no transaction uses."""
    leased: int
    """Coins of transactions being made or under way."""
    held: int
    """Coins of transactions whose fate is not known."""
    free_mist: Mist
    """Sum of the free coins."""
    waiting: int
    """Transactions that wait for a coin."""
    refreshed: int
    """Coins asked of the chain anew since the start."""


class GasPool:
    """The coins of one address. All methods are for one event loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._free: dict[ObjectId, Coin] = {}
        self._leased: dict[ObjectId, Coin] = {}
        self._held: dict[ObjectId, TxDigest] = {}
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._waiting = self._refreshed = 0

    async def lease(self, need: Mist) -> tuple[Coin, ...]:
        """Coins worth at least `need` together; the smallest single one that suffices, else few large ones.

        First come, first served: who needs much is not overtaken for ever by those who need little. One of `release`,
        `replace`, `forget` or `hold` must follow.

        Raises:
            InsufficientFunds: all coins together are worth less, those of unknown fate not counted.
        """
        self._waiting += 1
        try:
            async with self._turn:
                while True:
                    chosen = self._choose(need)
                    if chosen:
                        for coin in chosen:
                            self._leased[coin.ref.id] = self._free.pop(coin.ref.id)
                        return chosen
                    self._check_total(need)
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._waiting -= 1

    def sweep(self, least: Mist, taken: int) -> tuple[Coin, ...]:
        """Lease the free coins below `least` too, to be merged into the `taken` coins that pay."""
        dust = [coin for coin in self._free.values() if coin.balance < least][: MAX_PAYMENT - taken]
        for coin in dust:
            self._leased[coin.ref.id] = self._free.pop(coin.ref.id)
        return tuple(dust)

    def release(self, coins: Iterable[Coin]) -> None:
        """Nothing was sent: the coins are as they were."""
        for coin in coins:
            self._unlease(coin)
            self._free[coin.ref.id] = coin

    def replace(self, coins: Iterable[Coin], left: Coin | None) -> None:
        """The transaction was executed: `left` is what became of all of them, None if that is not known."""
        for coin in coins:
            self._unlease(coin)
        if left is not None:
            self._free[left.ref.id] = left

    def forget(self, coins: Iterable[Coin]) -> None:
        """The coins' versions are in doubt; `offer` brings them back once the chain was asked."""
        self.replace(coins, None)

    def hold(self, coins: Iterable[Coin], digest: TxDigest) -> None:
        """The transaction `digest` may take effect or not: its coins serve no other."""
        for coin in coins:
            self._unlease(coin)
            self._held[coin.ref.id] = digest

    def hold_ids(self, ids: Iterable[ObjectId], digest: TxDigest) -> None:
        """As `hold`, for what a transaction of an earlier run names."""
        for identifier in ids:
            self._free.pop(identifier, None)
            self._held[identifier] = digest

    def holder(self, identifier: ObjectId) -> TxDigest | None:
        """The transaction of unknown fate that names this object."""
        return self._held.get(identifier)

    def unhold(self, digest: TxDigest) -> tuple[ObjectId, ...]:
        """The fate of `digest` is known: returns the ids to ask the chain about."""
        ids = tuple(identifier for identifier, holder in self._held.items() if holder == digest)
        for identifier in ids:
            del self._held[identifier]
        self._changed.set()
        return ids

    def offer(self, coins: Iterable[Coin]) -> None:
        """Coins as the chain has them now. Those leased or held stay so; an older version than known is ignored."""
        for coin in coins:
            identifier = coin.ref.id
            known = self._free.get(identifier)
            newer = known is not None and known.ref.version > coin.ref.version
            if identifier in self._leased or identifier in self._held or newer:
                continue
            self._free[identifier] = coin
            self._refreshed += 1
        self._changed.set()

    def worth(self, least: Mist) -> int:
        """How many coins, free or leased, have `least` Mist or more."""
        return sum(coin.balance >= least for coin in (*self._free.values(), *self._leased.values()))

    def statistics(self) -> GasStatistics:
        """Counts at this moment."""
        total = Mist(sum(coin.balance for coin in self._free.values()))
        return GasStatistics(
            len(self._free), len(self._leased), len(self._held), total, self._waiting, self._refreshed
        )

    def _choose(self, need: Mist) -> tuple[Coin, ...]:
        by_balance = sorted(self._free.values(), key=lambda coin: (coin.balance, coin.ref.id))
        for coin in by_balance:
            if coin.balance >= need:
                return (coin,)
        return _fewest(by_balance[::-1][:MAX_PAYMENT], need)

    def _check_total(self, need: Mist) -> None:
        total = sum(coin.balance for coin in (*self._free.values(), *self._leased.values()))
        if total < need or not self._leased:
            raise InsufficientFunds(to_hex(self._address), need, total)

    def _unlease(self, coin: Coin) -> None:
        del self._leased[coin.ref.id]
        self._changed.set()


def _fewest(largest_first: Sequence[Coin], need: Mist) -> tuple[Coin, ...]:
    total = 0
    for count, coin in enumerate(largest_first, 1):
        total += coin.balance
        if total >= need:
            return tuple(largest_first[:count])
    return ()
