"""The host's own time: for waits only, never for deadlines.

Deadlines are the chain's (`Chain.now`); this clock says how long to wait until then. Its twin moves by hand.
"""

import asyncio
import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final


class Timer:
    """A call to come; `cancel` makes it not come."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Forget the call; harmless after it was made."""
        self.cancelled = True

    def fire(self) -> None:
        """Make the call, once, unless cancelled."""
        if not self.cancelled:
            self.cancelled = True
            self._call()


class Clock(ABC):
    """Subclasses say what time it is and call back later; sleeping is done here, once."""

    @abstractmethod
    def seconds(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    @abstractmethod
    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call `call` once, in the event loop, after `seconds`."""

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 or less only yields to others."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await woken
        finally:
            timer.cancel()


class SystemClock(Clock):
    """The event loop's monotonic clock."""

    def seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        asyncio.get_running_loop().call_later(seconds, timer.fire)
        return timer


class ManualClock(Clock):
    """The twin: stands still until `advance`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = 0
        self._timers: list[tuple[float, int, Timer]] = []

    def seconds(self) -> float:
        return self._now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        self._order += 1
        heapq.heappush(self._timers, (self._now + seconds, self._order, timer))
        return timer

    @property
    def pending(self) -> int:
        """Calls still to come."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def next_due(self) -> float | None:
        """Seconds until the next call, None when none is to come."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self._now) if self._timers else None

    def advance(self, seconds: float) -> None:
        """Move on, making every call that falls due on the way in its order."""
        until: Final = self._now + seconds
        while self._timers and self._timers[0][0] <= until:
            due, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, due)
            timer.fire()
        self._now = until
