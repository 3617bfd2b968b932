"""What is due now: keys, each held by one worker at a time, the nearest deadline first.

A key says only *look at this row again*; what to do is decided from the journal and the chain by whoever gets it. So a
key that is added twice before it is taken is one key, and one added while its row is being worked on comes back once
the worker is done. The queue can lose nothing that matters: after a crash it is filled again from the journal.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.node.clock import Clock, Timer

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """A moment's picture for /metrics."""

    ready: int
    """Keys waiting for a worker."""
    held: int
    """Keys that a worker has."""
    later: int
    """Keys that wait for their time."""
    capacity: int
    """Keys ready at which `add` begins to wait."""
    blocked: int
    """Callers of `add` that wait now."""


class WorkQueue(Generic[Key]):
    """Bounded for producers: `add` waits while `capacity` keys are ready. Timers and returning keys never wait."""

    def __init__(self, clock: Clock, *, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a work queue needs a capacity of at least 1")
        self._clock = clock
        self._capacity = capacity
        self._ready: dict[Key, int] = {}
        self._held: set[Key] = set()
        self._again: dict[Key, int] = {}
        self._later: dict[Key, tuple[float, Timer]] = {}
        self._blocked = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def add(self, key: Key, *, deadline: int) -> None:
        """Have `key` looked at now; waits for room. Cancelled while waiting, the key was not added."""
        while not self._room.is_set() and key not in self._ready and key not in self._held:
            self._blocked += 1
            try:
                await self._room.wait()
            finally:
                self._blocked -= 1
        self.add_now(key, deadline=deadline)

    def add_now(self, key: Key, *, deadline: int) -> None:
        """As `add`, without waiting: for keys that the queue knew already, whose number is bounded elsewhere."""
        self._forget_timer(key)
        if key in self._held:
            self._again[key] = deadline
            return
        self._ready[key] = deadline
        self._note()

    def add_later(self, key: Key, *, seconds: float, deadline: int) -> None:
        """Have `key` looked at in `seconds`, or sooner if somebody adds it; of two times the earlier holds."""
        due = self._clock.seconds() + seconds
        known = self._later.get(key)
        if known is not None and known[0] <= due:
            return
        self._forget_timer(key)
        self._later[key] = (due, self._clock.call_later(seconds, lambda: self._due(key, deadline)))

    async def get(self) -> Key:
        """Take the ready key with the nearest deadline; `done` must follow."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = min(self._ready, key=self._ready.__getitem__)
        del self._ready[key]
        self._held.add(key)
        self._idle.clear()
        self._note()
        return key

    def done(self, key: Key) -> None:
        """Let others have `key` again."""
        self._held.discard(key)
        if not self._held:
            self._idle.set()
        if key in self._again:
            self.add_now(key, deadline=self._again.pop(key))

    async def idle(self) -> None:
        """Wait until no worker holds a key."""
        await self._idle.wait()

    def close(self) -> None:
        """Drop every timer; nothing comes later any more."""
        for _, timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def statistics(self) -> QueueStatistics:
        """Counts at this moment."""
        return QueueStatistics(len(self._ready), len(self._held), len(self._later), self._capacity, self._blocked)

    def _due(self, key: Key, deadline: int) -> None:
        self._later.pop(key, None)
        self.add_now(key, deadline=deadline)

    def _forget_timer(self, key: Key) -> None:
        known = self._later.pop(key, None)
        if known is not None:
            known[1].cancel()

    def _note(self) -> None:
        if self._ready:
            self._wake.set()
        if len(self._ready) < self._capacity:
            self._room.set()
        else:
            self._room.clear()
