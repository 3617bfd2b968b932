"""Runs duties: takes due rows, steps them, writes every change down before the next step.

A duty's failure stays its own: it is logged, noted in the row, tried again with growing waits, and abandoned once its
deadline has passed. Only a journal that fails stops the runner: without it nothing may be done.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

import structlog

from agent.attestation.errors import AttestationError
from agent.chain.errors import ChainError, Overtaken
from agent.chain.port import Chain
from agent.delivery.errors import BlobError, UnknownStore
from agent.enclave.errors import EnclaveError
from agent.node.backoff import Backoff
from agent.node.chain_time import ChainTime
from agent.node.clock import Clock
from agent.node.duties.duty import ABANDONED, Busy, Duty, Moved, Step, Wait
from agent.node.errors import NodeError, Unmeetable
from agent.node.journal import NO_DEADLINE, DutyKey, DutyRow, Journal
from agent.node.work_queue import QueueStatistics, WorkQueue
from agent.protocol.units import Millis

QUEUE_CAPACITY: Final = 256
EXPECTED: Final = (AttestationError, BlobError, ChainError, EnclaveError, NodeError, UnknownStore)
"""Failures that their text explains; any other is a defect of ours and is logged with its traceback."""

MIN_WAIT_S: Final = 0.05
LOOK_AGAIN_S: Final = 60.0
"""A duty that waits for an event is looked at this often all the same."""

LONGEST_WAIT_S: Final = 3_600.0
"""A duty that waits for a time is looked at this often all the same: clocks drift."""


@dataclass(frozen=True, slots=True)
class RunnerStatistics:
    """A moment's picture for /metrics."""

    queue: QueueStatistics
    """Rows ready, held and waiting."""
    steps: int
    """Steps that went well, since the start."""
    failures: int
    """Steps that failed, since the start."""
    abandoned: int
    """Duties abandoned, since the start."""


class DutyRunner:
    """Steps the rows of a journal with `workers` at the same time."""

    def __init__(
        self,
        duties: Iterable[Duty],
        *,
        chain: Chain,
        time: ChainTime,
        journal: Journal,
        clock: Clock,
        random: Random,
        workers: int,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
        capacity: int = QUEUE_CAPACITY,
    ) -> None:
        self._duties: Mapping[str, Duty] = {duty.kind: duty for duty in duties}
        self._chain = chain
        self._time = time
        self._journal = journal
        self._clock = clock
        self._random = random
        self._workers = workers
        self._backoff = backoff
        self._queue: WorkQueue[DutyKey] = WorkQueue(clock, capacity=capacity)
        self._busy: dict[DutyKey, int] = {}
        self._steps = self._failures = self._abandoned = 0
        self._draining = False
        self._log = structlog.get_logger("agent.node.runner")

    async def run(self) -> None:
        """Step rows until cancelled; begins with every row that the journal has open."""
        for row in await self._journal.open_duties():
            self._queue.add_now(row.key, deadline=row.deadline)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._workers):
                    workers.create_task(self._work())
        finally:
            self._queue.close()

    async def wake(self, rows: Iterable[DutyRow]) -> None:
        """Look at `rows` soon; waits while the queue is full."""
        for row in rows:
            await self._queue.add(row.key, deadline=row.deadline)

    async def drain(self) -> None:
        """Begin no further step; returns once no step is under way."""
        self._draining = True
        await self._queue.idle()

    def statistics(self) -> RunnerStatistics:
        """Counts at this moment."""
        return RunnerStatistics(self._queue.statistics(), self._steps, self._failures, self._abandoned)

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._advance(key)
            finally:
                self._queue.done(key)
                self._wake_busy()

    async def _advance(self, key: DutyKey) -> None:
        """Step one row until it waits, fails or is closed."""
        row = await self._journal.duty(key)
        while row is not None and not row.closed and not self._draining:
            step = await self._step(row)
            match step:
                case Moved(row=moved):
                    if moved.state != row.state:
                        self._log.info("duty", duty=str(key), was=row.state, now=moved.state, reason=moved.reason)
                    self._abandoned += moved.state == ABANDONED
                    await self._journal.save(moved, now=self._time.estimate())
                    row = moved
                case Wait(until=until):
                    if row.failures:
                        await self._journal.save(row.recovered(), now=self._time.estimate())
                    self._later(row, self._seconds_until(until))
                    return
                case Busy():
                    self._busy[key] = row.deadline
                    return
                case None:
                    return

    async def _step(self, row: DutyRow) -> Step | None:
        """The duty's next step; None if it failed, which is noted then."""
        try:
            step = await self._duties[row.key.kind].step(row)
        except Overtaken as error:
            self._log.debug("overtaken", duty=str(row.key), error=str(error))
            self._later(row, self._backoff.delay(0, self._random))
            return None
        except Unmeetable as error:
            self._log.error("duty cannot be met", duty=str(row.key), state=row.state, reason=str(error))
            return Moved(row.close(ABANDONED, str(error)))
        except Exception as error:  # noqa: BLE001 - one duty's failure, of any kind, must not stop the others
            return await self._failed(row, error)
        self._steps += 1
        return step

    async def _failed(self, row: DutyRow, error: Exception) -> Step | None:
        self._failures += 1
        reason = f"{type(error).__name__}: {error}"
        self._log.warning(
            "step failed",
            duty=str(row.key),
            state=row.state,
            failures=row.failures + 1,
            error=reason,
            digest=getattr(error, "digest", None),
            exc_info=None if isinstance(error, EXPECTED) else error,
        )
        if await self._is_late(row):
            return Moved(row.close(ABANDONED, reason))
        await self._journal.save(row.failed(reason), now=self._time.estimate())
        self._later(row, self._backoff.delay(row.failures, self._random))
        return None

    async def _is_late(self, row: DutyRow) -> bool:
        if row.deadline == NO_DEADLINE:
            return False
        try:
            stall = (await self._chain.network()).stall_ms
            return await self._time.now() - stall >= row.deadline
        except Exception as error:  # noqa: BLE001 - without the chain's time nothing is given up
            self._log.warning("the chain gives no time", error=f"{type(error).__name__}: {error}")
            return False

    def _seconds_until(self, moment: Millis | None) -> float:
        now = self._time.estimate()
        if moment is None or not now:
            return LOOK_AGAIN_S
        return min(LONGEST_WAIT_S, max(MIN_WAIT_S, (moment - now) / 1000))

    def _later(self, row: DutyRow, seconds: float) -> None:
        self._queue.add_later(row.key, seconds=seconds, deadline=row.deadline)

    def _wake_busy(self) -> None:
        busy, self._busy = self._busy, {}
        for key, deadline in busy.items():
            self._queue.add_now(key, deadline=deadline)
