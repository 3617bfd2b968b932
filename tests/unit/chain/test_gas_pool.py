import asyncio

import pytest

from agent.chain.errors import InsufficientFunds
from agent.chain.sui.gas import Coin, GasPool
from agent.chain.sui.names import ObjectRef
from agent.chain.transaction_log import TxDigest
from agent.protocol.units import Address, Mist, ObjectId

DIGEST = TxDigest("digest")


def coin(number: int, balance: int, version: int = 1) -> Coin:
    return Coin(ObjectRef(ObjectId(bytes([number]) * 32), version, bytes(32)), Mist(balance))


@pytest.fixture
def pool() -> GasPool:
    pool = GasPool(Address(b"\1" * 32))
    pool.offer([coin(1, 10), coin(2, 20), coin(3, 30)])
    return pool


async def test_smallest_sufficient_coin_is_leased(pool: GasPool) -> None:
    assert await pool.lease(Mist(11)) == (coin(2, 20),)


async def test_few_large_coins_are_leased_where_one_does_not_suffice(pool: GasPool) -> None:
    assert await pool.lease(Mist(45)) == (coin(3, 30), coin(2, 20))


async def test_a_coin_is_leased_once(pool: GasPool) -> None:
    first, second = await pool.lease(Mist(5)), await pool.lease(Mist(5))
    assert first != second
    assert pool.statistics().leased == 2


async def test_need_beyond_all_coins_is_refused(pool: GasPool) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        await pool.lease(Mist(61))
    assert (refused.value.needed, refused.value.available) == (61, 60)


async def test_held_coins_are_not_waited_for(pool: GasPool) -> None:
    pool.hold(await pool.lease(Mist(30)), DIGEST)
    with pytest.raises(InsufficientFunds):
        await pool.lease(Mist(31))


async def test_who_needs_much_is_not_overtaken(pool: GasPool) -> None:
    leased = await pool.lease(Mist(30))
    order = []

    async def want(name: str, need: int) -> None:
        coins = await pool.lease(Mist(need))
        order.append(name)
        pool.release(coins)

    async with asyncio.TaskGroup() as group:
        group.create_task(want("much", 60))
        await asyncio.sleep(0)
        group.create_task(want("little", 5))
        await asyncio.sleep(0)
        assert pool.statistics().waiting == 2
        pool.release(leased)
    assert order == ["much", "little"]


async def test_waiting_that_is_cancelled_leaves_nothing_behind(pool: GasPool) -> None:
    leased = await pool.lease(Mist(60))
    waiting = asyncio.create_task(pool.lease(Mist(5)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    pool.release(leased)
    assert pool.statistics().waiting == 0
    assert len(await pool.lease(Mist(60))) == 3


async def test_spent_coin_is_replaced_by_what_is_left(pool: GasPool) -> None:
    pool.replace(await pool.lease(Mist(50)), coin(3, 41, version=2))
    assert pool.statistics().free_mist == 51


async def test_older_version_than_known_is_ignored(pool: GasPool) -> None:
    pool.replace(await pool.lease(Mist(30)), coin(3, 25, version=5))
    pool.offer([coin(3, 30, version=1)])
    assert await pool.lease(Mist(25)) == (coin(3, 25, version=5),)


async def test_leased_and_held_coins_cannot_be_offered(pool: GasPool) -> None:
    pool.hold(await pool.lease(Mist(30)), DIGEST)
    await pool.lease(Mist(20))
    pool.offer([coin(2, 20), coin(3, 30)])
    statistics = pool.statistics()
    assert (statistics.free, statistics.leased, statistics.held) == (1, 1, 1)


async def test_coin_comes_back_once_the_fate_is_known(pool: GasPool) -> None:
    pool.hold(await pool.lease(Mist(30)), DIGEST)
    assert pool.holder(coin(3, 30).ref.id) == DIGEST
    (identifier,) = pool.unhold(DIGEST)
    assert identifier == coin(3, 30).ref.id
    pool.offer([coin(3, 28, version=2)])
    assert pool.statistics().free_mist == 58


async def test_coins_named_by_an_earlier_run_are_held(pool: GasPool) -> None:
    pool.hold_ids([coin(1, 10).ref.id], DIGEST)
    assert pool.statistics().free == 2


async def test_dust_is_swept_with_the_payment(pool: GasPool) -> None:
    paying = await pool.lease(Mist(30))
    dust = pool.sweep(Mist(15), len(paying))
    assert dust == (coin(1, 10),)
    assert pool.statistics().free == 1
