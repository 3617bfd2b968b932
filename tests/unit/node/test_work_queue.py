import asyncio

import pytest

from agent.node.clock import ManualClock
from agent.node.work_queue import WorkQueue

LATE, SOON = 200, 100


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> WorkQueue[str]:
    return WorkQueue(clock, capacity=2)


async def test_the_nearest_deadline_is_taken_first(queue: WorkQueue[str]) -> None:
    await queue.add("late", deadline=LATE)
    await queue.add("soon", deadline=SOON)
    assert [await queue.get(), await queue.get()] == ["soon", "late"]


async def test_a_key_added_twice_is_taken_once(queue: WorkQueue[str]) -> None:
    await queue.add("row", deadline=SOON)
    await queue.add("row", deadline=SOON)
    await queue.get()
    assert queue.statistics().ready == 0


async def test_a_key_added_while_it_is_held_comes_back_after_done(queue: WorkQueue[str]) -> None:
    await queue.add("row", deadline=SOON)
    held = await queue.get()
    await queue.add("row", deadline=SOON)
    assert queue.statistics().ready == 0
    queue.done(held)
    assert await queue.get() == "row"


async def test_a_full_queue_makes_its_producer_wait(queue: WorkQueue[str]) -> None:
    await queue.add("a", deadline=1)
    await queue.add("b", deadline=2)
    producer = asyncio.create_task(queue.add("c", deadline=3))
    await asyncio.sleep(0)
    assert (producer.done(), queue.statistics().blocked) == (False, 1)
    await queue.get()
    await producer
    assert queue.statistics().ready == 2


async def test_a_producer_cancelled_while_waiting_has_added_nothing(queue: WorkQueue[str]) -> None:
    await queue.add("a", deadline=1)
    await queue.add("b", deadline=2)
    producer = asyncio.create_task(queue.add("c", deadline=3))
    await asyncio.sleep(0)
    producer.cancel()
    await asyncio.gather(producer, return_exceptions=True)
    assert [await queue.get(), await queue.get(), queue.statistics().ready] == ["a", "b", 0]


async def test_of_two_times_the_earlier_holds(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_later("row", seconds=10, deadline=SOON)
    queue.add_later("row", seconds=5, deadline=SOON)
    queue.add_later("row", seconds=60, deadline=SOON)
    clock.advance(4.9)
    assert queue.statistics().ready == 0
    clock.advance(0.2)
    assert (queue.statistics().ready, queue.statistics().later) == (1, 0)


async def test_adding_a_key_now_cancels_its_timer(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_later("row", seconds=5, deadline=SOON)
    await queue.add("row", deadline=SOON)
    queue.done(await queue.get())
    clock.advance(10)
    assert queue.statistics().ready == 0


async def test_a_closed_queue_leaves_no_timer(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_later("row", seconds=5, deadline=SOON)
    queue.close()
    assert clock.pending == 0


async def test_every_waiting_worker_gets_a_key(queue: WorkQueue[str]) -> None:
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    await queue.add("a", deadline=1)
    await queue.add("b", deadline=2)
    assert sorted([await worker for worker in workers]) == ["a", "b"]
