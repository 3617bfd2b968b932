import asyncio
from random import Random
from typing import ClassVar, Self

import pytest
from chain_twin import record

from agent.chain.errors import Unreachable, WrongState
from agent.chain.memory import MemoryChain
from agent.node.chain_time import ChainTime
from agent.node.clock import ManualClock
from agent.node.duties.duty import Busy, Duty, Moved, Step, Wait
from agent.node.errors import Unmeetable
from agent.node.journal import NO_DEADLINE, DutyKey, DutyRow, Journal
from agent.node.runner import LOOK_AGAIN_S, DutyRunner
from agent.protocol.records import NetworkView

KEY = DutyKey("scripted", b"\x01" * 32)


class ScriptedDuty(Duty):
    kind: ClassVar[str] = "scripted"

    def __init__(self, *script: Step | Exception) -> None:
        self.script = list(script)
        self.seen: list[DutyRow] = []

    async def step(self, row: DutyRow) -> Step:
        self.seen.append(row)
        step = self.script.pop(0) if self.script else Wait()
        if isinstance(step, Exception):
            raise step
        return step


class Bench:
    """A runner over one scripted duty."""

    def __init__(self, journal: Journal, duty: Duty, **options: int) -> None:
        self.clock = ManualClock()
        self.chain = MemoryChain()
        self.chain.views.network = record(NetworkView)
        self.journal = journal
        self.duty = duty
        self.runner = DutyRunner(
            [duty], chain=self.chain, time=ChainTime(self.chain, self.clock), journal=journal, clock=self.clock,
            random=Random(0), workers=2, **options,
        )  # fmt: skip

    async def rest(self) -> None:
        """Let the runner do everything that takes no time."""
        for _ in range(3):
            await asyncio.sleep(0)
        while (queue := self.runner.statistics().queue).ready or queue.held or not self.duty.seen:
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.chain.clock += round(seconds * 1000)
        await self.rest()

    async def __aenter__(self) -> Self:
        self.running = asyncio.ensure_future(self.runner.run())
        await self.rest()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.running


@pytest.fixture
async def journal():
    journal = await Journal.memory()
    yield journal
    await journal.close()


async def begun(journal: Journal, *, deadline: int = NO_DEADLINE) -> DutyRow:
    row = DutyRow(KEY, "first", deadline=deadline)
    await journal.begin([row], now=0)
    return row


async def test_every_change_is_written_before_the_next_step(journal: Journal) -> None:
    row = await begun(journal)
    written: list[str] = []

    class Watching(ScriptedDuty):
        async def step(self, row: DutyRow) -> Step:
            known = await journal.duty(KEY)
            written.append(known.state if known else "")
            return await super().step(row)

    async with Bench(journal, Watching(Moved(row.to("second")), Moved(row.to("third")))):
        assert written == ["first", "second", "third"]


async def test_a_failed_step_is_tried_again_with_growing_waits(journal: Journal) -> None:
    await begun(journal)
    duty = ScriptedDuty(*[Unreachable("no answer")] * 6)
    async with Bench(journal, duty) as bench:
        waits = []
        for tries in range(1, 6):
            waited = 0.0
            while len(duty.seen) == tries:
                due = bench.clock.next_due()
                assert due is not None
                waited += due
                await bench.pass_time(due)
            waits.append(waited)
        assert waits[-1] > waits[0]
        assert [row.failures for row in duty.seen] == [0, 1, 2, 3, 4, 5]
        assert duty.seen[-1].reason == "Unreachable: no answer"


async def test_a_duty_that_fails_past_its_deadline_is_abandoned_with_the_reason(journal: Journal) -> None:
    await begun(journal, deadline=1)
    async with Bench(journal, ScriptedDuty(Unreachable("no answer"))) as bench:
        row = await journal.duty(KEY)
        assert row is not None
        assert (row.closed, row.state, row.reason) == (True, "abandoned", "Unreachable: no answer")
        assert bench.runner.statistics().abandoned == 1


async def test_nothing_is_abandoned_while_the_chain_gives_no_time(journal: Journal) -> None:
    await begun(journal, deadline=1)
    duty = ScriptedDuty(Unreachable("no answer"))
    bench = Bench(journal, duty)
    bench.chain.views.network = None
    async with bench:
        row = await journal.duty(KEY)
        assert row is not None
        assert not row.closed


async def test_what_cannot_be_met_is_abandoned_at_once(journal: Journal) -> None:
    await begun(journal)
    async with Bench(journal, ScriptedDuty(Unmeetable("the keys are lost"))):
        row = await journal.duty(KEY)
        assert row is not None
        assert (row.state, row.reason) == ("abandoned", "the keys are lost")


async def test_being_overtaken_is_no_failure(journal: Journal) -> None:
    await begun(journal)
    duty = ScriptedDuty(WrongState("task", 2))
    async with Bench(journal, duty) as bench:
        assert bench.runner.statistics().failures == 0
        await bench.pass_time(60)
        assert len(duty.seen) == 2


async def test_a_defect_of_a_duty_stops_that_duty_only(journal: Journal) -> None:
    await begun(journal)
    await journal.begin([DutyRow(DutyKey("unknown", b"x"), "first")], now=0)
    duty = ScriptedDuty(ZeroDivisionError("a defect"))
    async with Bench(journal, duty) as bench:
        assert bench.runner.statistics().failures >= 1
        assert not bench.running.done()


async def test_a_waiting_duty_is_looked_at_when_its_time_has_come(journal: Journal) -> None:
    await begun(journal)
    duty = ScriptedDuty()
    bench = Bench(journal, duty)
    duty.script = [Wait(bench.chain.clock + 5_000)]
    await bench.chain.now()
    async with bench:
        await bench.pass_time(LOOK_AGAIN_S)
        assert len(duty.seen) >= 2


async def test_a_duty_that_waits_for_an_event_is_looked_at_now_and_then(journal: Journal) -> None:
    await begun(journal)
    duty = ScriptedDuty(Wait(), Wait(), Wait())
    async with Bench(journal, duty) as bench:
        await bench.pass_time(LOOK_AGAIN_S)
        await bench.pass_time(LOOK_AGAIN_S)
        assert len(duty.seen) == 3


async def test_a_duty_for_which_the_enclave_is_busy_is_stepped_once_another_step_ends(journal: Journal) -> None:
    await begun(journal)
    duty = ScriptedDuty(Busy())
    async with Bench(journal, duty) as bench:
        assert len(duty.seen) >= 2
        assert bench.runner.statistics().failures == 0


async def test_draining_finishes_the_step_under_way_and_begins_no_other(journal: Journal) -> None:
    row = await begun(journal)
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow(ScriptedDuty):
        async def step(self, row: DutyRow) -> Step:
            entered.set()
            await go_on.wait()
            return await super().step(row)

    duty = Slow(Moved(row.to("second")), Moved(row.to("third")))
    bench = Bench(journal, duty)
    running = asyncio.ensure_future(bench.runner.run())
    await entered.wait()
    draining = asyncio.ensure_future(bench.runner.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    go_on.set()
    await draining
    known = await journal.duty(KEY)
    assert (known.state if known else "", len(duty.seen)) == ("second", 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
