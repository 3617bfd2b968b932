"""How long to wait before trying again: grows, is capped, and differs between nodes."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter over an exponential: `delay(n)` lies in [first / 2, first * 2^n], capped at `longest`.

    Jitter keeps a thousand nodes from asking a recovered endpoint in the same moment.
    """

    first: float = 0.5
    """Seconds of the first wait."""
    longest: float = 30.0
    """Seconds that no wait exceeds."""

    def delay(self, attempt: int, random: Random) -> float:
        """Seconds to wait after the failure number `attempt`, counted from 0."""
        ceiling = min(self.longest, self.first * 2.0 ** min(attempt, 32))
        return random.uniform(min(self.first / 2, ceiling), ceiling)
