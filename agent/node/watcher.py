"""Follows the chain's events from the durable cursor.

The cursor moves only together with what its events caused, so whatever a crash cuts off comes again. What a page woke
goes to the runner through its bounded queue: when the node cannot keep up, the watcher stops reading instead of piling
up.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from agent.chain.port import Chain, EventPage
from agent.node.backoff import Backoff
from agent.node.clock import Clock
from agent.node.journal import DutyRow, Effect, Journal
from agent.protocol.events import Event

Route = Callable[[Event], Sequence[Effect]]
"""What an event means for this node; pure."""


@dataclass(frozen=True, slots=True)
class WatcherStatistics:
    """A moment's picture for /metrics."""

    pages: int
    """Pages taken since the start."""
    events: int
    """Events in them, ours or not."""
    failures: int
    """Times that following broke off and began again."""
    seconds_since_page: float | None
    """How long ago the last page came; None before the first."""


class Watcher:
    """One follower of `chain`, named `follower` in the journal."""

    def __init__(
        self,
        follower: str,
        *,
        chain: Chain,
        journal: Journal,
        route: Route,
        wake: Callable[[Iterable[DutyRow]], Awaitable[None]],
        clock: Clock,
        random: Random,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    ) -> None:
        self._follower = follower
        self._chain = chain
        self._journal = journal
        self._route = route
        self._wake = wake
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._pages = self._events = self._failures = 0
        self._last: float | None = None
        self._log = structlog.get_logger("agent.node.watcher")

    async def run(self) -> None:
        """Follow until cancelled; an endpoint that fails is asked again, with growing waits, from the cursor."""
        attempt = 0
        while True:
            pages = self._pages
            try:
                await self._follow()
                self._log.info("the event stream ended")
            except Exception as error:  # noqa: BLE001 - whatever the endpoint did, the cursor knows where to go on
                self._failures += 1
                self._log.warning("following events failed", error=f"{type(error).__name__}: {error}")
            attempt = 0 if self._pages > pages else attempt + 1
            await self._clock.sleep(self._backoff.delay(attempt, self._random))

    def statistics(self) -> WatcherStatistics:
        """Counts at this moment."""
        since = None if self._last is None else self._clock.seconds() - self._last
        return WatcherStatistics(self._pages, self._events, self._failures, since)

    async def _follow(self) -> None:
        known = await self._journal.cursor(self._follower)
        async for page in self._chain.events(after=known):
            await self._take(page)

    async def _take(self, page: EventPage) -> None:
        events = [(each.digest, each.index, self._route(each.event)) for each in page.events]
        woken = await self._journal.take(self._follower, events, page.cursor, now=await self._chain.now())
        self._pages += 1
        self._events += len(events)
        self._last = self._clock.seconds()
        await self._wake(woken)
