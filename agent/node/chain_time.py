"""The chain's time as this host last heard it: exact when asked, good enough for waits in between."""

from agent.chain.port import Chain
from agent.node.clock import Clock
from agent.protocol.units import Millis


class ChainTime:
    """Remembers the last answer of `Chain.now` together with when it came."""

    def __init__(self, chain: Chain, clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self._known = Millis(0)
        self._at = 0.0

    async def now(self) -> Millis:
        """The chain's clock, asked anew.

        Raises:
            ChainError: the endpoint does not answer.
        """
        self._known = await self._chain.now()
        self._at = self._clock.seconds()
        return self._known

    def estimate(self) -> Millis:
        """The last answer plus what passed here since; 0 before the first. For waits and for the journal's stamps, not
        for deadlines.
        """
        return Millis(self._known + max(0, int((self._clock.seconds() - self._at) * 1000)) if self._known else 0)
