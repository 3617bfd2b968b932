"""Wakes whoever waits for a task when the chain says something about it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.chain.errors import ChainError
from agent.chain.port import Chain, Cursor
from agent.protocol.units import TaskId

RETRY_S = 1.0
"""Between attempts to follow the chain again."""


class TaskFeed:
    """Follows the chain's events; truth is read from the chain, this only says when to look."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._changed: defaultdict[TaskId, asyncio.Event] = defaultdict(asyncio.Event)
        self._followed = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        cursor: Cursor | None = None
        while True:
            try:
                async for page in self._chain.events(cursor):
                    for each in page.events:
                        task = getattr(each.event, "task", None)
                        if task is not None:
                            self._wake(task)
                    cursor = page.cursor
                    self._followed += len(page.events)
            except ChainError:
                # the waiters look at the chain themselves now and then: nothing is lost meanwhile
                await asyncio.sleep(RETRY_S)

    async def changed(self, task: TaskId, within_s: float) -> None:
        """Return once something happened to `task` since the last call, at the latest after `within_s` seconds."""
        event = self._changed[task]
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            pass
        event.clear()

    def forget(self, task: TaskId) -> None:
        """Nobody waits for `task` any more."""
        self._changed.pop(task, None)

    def statistics(self) -> int:
        """Events followed so far."""
        return self._followed

    def _wake(self, task: TaskId) -> None:
        if task in self._changed:
            self._changed[task].set()

    @asynccontextmanager
    async def following(self) -> AsyncIterator["TaskFeed"]:
        """Run beside the body."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.run())
            try:
                yield self
            finally:
                running.cancel()
