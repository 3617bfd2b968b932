import asyncio
from collections.abc import Iterable
from random import Random

import pytest
from chain_twin import POOL, record
from node_world import Crash, World

from agent.chain.errors import Unreachable
from agent.chain.memory import MemoryChain
from agent.node.clock import ManualClock
from agent.node.duties.audit import AUDIT
from agent.node.duties.crank import CRANK
from agent.node.duties.execute import EXECUTE
from agent.node.journal import DutyKey, DutyRow, Journal, Open, Wake
from agent.node.routing import route
from agent.node.watcher import Watcher
from agent.protocol import events as e
from agent.protocol.units import Slot, TaskId

TASK = TaskId(b"\x01" * 32)
REAPED = e.Reaped(TASK)
BELL = DutyKey("bell", TASK)


def ring(_: e.Event) -> list[Open]:
    return [Open(DutyRow(BELL, "ringing"))]


def crash(_: object) -> list[Open]:
    raise Crash


class Bench:
    def __init__(self, journal: Journal, route=ring) -> None:
        self.chain = MemoryChain()
        self.clock = ManualClock()
        self.journal = journal
        self.woken: list[DutyRow] = []
        self.watcher = Watcher(
            "node", chain=self.chain, journal=journal, route=route, wake=self.wake, clock=self.clock, random=Random(0)
        )

    async def wake(self, rows: Iterable[DutyRow]) -> None:
        self.woken += rows

    async def until(self, reached) -> None:
        running = asyncio.ensure_future(self.watcher.run())
        while not reached():
            await asyncio.sleep(0)
            due = self.clock.next_due()
            if due is not None:
                self.clock.advance(due)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_page_lost_in_a_crash_comes_again(world: World) -> None:
    journal = await world.journal()
    first = Bench(journal, crash)
    first.chain.emit(REAPED)
    with pytest.raises(Crash):
        await first.watcher.run()
    assert await journal.cursor("node") is None
    second = Bench(journal)
    second.chain.happened = first.chain.happened
    await second.until(lambda: second.woken)
    assert [row.key for row in second.woken] == [BELL]


async def test_a_page_taken_before_a_crash_is_in_the_journal_for_the_next_start(world: World) -> None:
    journal = await world.journal()
    first = Bench(journal)
    first.watcher._wake = crash
    first.chain.emit(REAPED)
    with pytest.raises(Crash):
        await first.watcher.run()
    assert [row.key for row in await journal.open_duties()] == [BELL]


async def test_a_follower_goes_on_behind_its_cursor(world: World) -> None:
    journal = await world.journal()
    first = Bench(journal)
    first.chain.emit(REAPED)
    await first.until(lambda: first.woken)
    second = Bench(journal)
    second.chain.happened = first.chain.happened
    second.chain.emit(e.Reaped(TaskId(b"\x02" * 32)))
    await second.until(lambda: second.watcher.statistics().events)
    assert second.watcher.statistics().events == 1


async def test_an_endpoint_that_fails_is_asked_again_from_the_cursor(world: World) -> None:
    bench = Bench(await world.journal())
    bench.chain.emit(REAPED)
    follow, failures = bench.chain.events, 3

    def events(after):
        nonlocal failures
        if failures:
            failures -= 1
            raise Unreachable("no answer")
        return follow(after)

    bench.chain.events = events
    await bench.until(lambda: bench.woken)
    assert bench.watcher.statistics().failures == 3


async def test_a_full_queue_stops_the_reading_of_further_events(world: World) -> None:
    bench = Bench(await world.journal())
    for _ in range(5):
        bench.chain.emit(REAPED)
    room = asyncio.Event()

    async def full(rows: Iterable[DutyRow]) -> None:
        await room.wait()
        bench.woken += rows

    watcher = Watcher(
        "node", chain=bench.chain, journal=bench.journal, route=ring, wake=full, clock=bench.clock, random=Random(0)
    )
    running = asyncio.ensure_future(watcher.run())
    while not watcher.statistics().pages:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert watcher.statistics().pages == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def opened(world: World, event: e.Event) -> list[tuple[str, bytes, int]]:
    node = world.nodes[0] if world.nodes else await world.node(0)
    return [tuple(effect.row.key) for effect in route(event, node.me) if isinstance(effect, Open)]


async def test_an_input_for_this_node_opens_its_execution(world: World) -> None:
    node = await world.node(0)
    event = record_event(e.InputPosted, task=TASK, pool=POOL, node=node.me.node)
    assert await opened(world, event) == [(EXECUTE, TASK, 0), (CRANK, TASK, 0)]


async def test_an_input_in_another_pool_opens_nothing(world: World) -> None:
    node = await world.node(0)
    event = record_event(e.InputPosted, task=TASK, pool=b"\x66" * 32, node=node.me.node)
    assert list(route(event, node.me)) == []


async def test_a_seat_in_a_round_opens_an_audit_of_that_round(world: World) -> None:
    node = await world.node(0)
    event = record_event(e.RoundBegun, task=TASK, pool=POOL, round=2, nodes=(b"\x01" * 32, node.me.node))
    assert await opened(world, event) == [(AUDIT, TASK, 2), (CRANK, TASK, 0)]


async def test_a_drawn_auditor_begins_the_audit_that_its_executor_may_fear(world: World) -> None:
    await world.node(0)
    audited = record_event(e.Committed, task=TASK, pool=POOL, panel=(Slot(0),), audited=True)
    assert await opened(world, audited) == [(CRANK, TASK, 0)]
    assert await opened(world, record_event(e.Committed, task=TASK, pool=POOL, panel=(Slot(0),))) == []


async def test_every_event_of_a_task_wakes_what_is_open_for_it(world: World) -> None:
    node = await world.node(0)
    for kind in (e.TicketIssued, e.HandedOff, e.RevealsOpen, e.AuditCommitted, e.Disputed, e.Decided, e.Settled):
        assert Wake(TASK) in route(record_event(kind, task=TASK, pool=POOL), node.me)


async def test_an_event_of_a_newer_package_means_nothing(world: World) -> None:
    node = await world.node(0)
    assert list(route(e.UnknownEvent("task", "Novelty", b""), node.me)) == []


def record_event(kind, /, **known):
    return record(kind, **known)
