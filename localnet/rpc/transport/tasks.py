"""Tasks with an owner: nothing a server starts outlives it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final


class Tasks:
    """Runs coroutines that callbacks start; `close` waits for them, then cancels.

    A TaskGroup would do where a coroutine starts them; protocol callbacks are none.
    """

    def __init__(self) -> None:
        self._running: Final[set[asyncio.Task[None]]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work`, which handles its own errors."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def close(self, grace: float) -> None:
        """Return when every task has ended; those that last longer than `grace` seconds are cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
