"""How long to wait before the endpoint is asked again. Sleep and chance are given, so tests wait for nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Pace:
    """Exponential waits with full jitter: many nodes do not return to a recovered endpoint in the same moment."""

    first_s: float = 0.2
    longest_s: float = 10.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)

    async def pause(self, attempt: int) -> None:
        """Wait after failure number `attempt`, counted from 0."""
        ceiling = min(self.longest_s, self.first_s * 2.0 ** min(attempt, 16))
        await self.sleep(self.random.uniform(ceiling / 4, ceiling))
