"""Our package's events in chain order: from the endpoint's index, or from its checkpoints where it has none."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from agent.chain.deployment import Deployment
from agent.chain.errors import Unreachable, Unsupported
from agent.chain.port import Cursor, EventPage
from agent.chain.sui.listing import EventListing
from agent.chain.sui.pacing import Pace
from agent.chain.sui.position import Position
from agent.chain.sui.scanning import CheckpointScan
from agent.chain.sui.wire import Wire


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """How events are asked for."""

    page: int = 200
    """Events asked for at once."""
    idle_s: float = 30.0
    """A stream silent for so long is given up; then one looks without it."""
    failures: int = 6
    """Failures in a row after which `events` raises."""


class EventWatcher:
    """Follows one deployment through one endpoint."""

    def __init__(self, wire: Wire, deployment: Deployment, pace: Pace, policy: WatchPolicy) -> None:
        self._since = deployment.since
        self._pace = pace
        self._policy = policy
        self._listing = EventListing(wire, deployment, pace, page=policy.page, idle_s=policy.idle_s)
        self._scan = CheckpointScan(wire, deployment, pace, idle_s=policy.idle_s)

    async def events(self, after: Cursor | None) -> AsyncGenerator[EventPage, None]:
        """As `Chain.events`; an endpoint that fails now and then is asked again here, one that is down is the caller's.

        Raises:
            Unreachable: `failures` times in a row.
            NotFound: what follows `after` is pruned.
            Malformed, Refused, Unsupported
        """
        position = Position(self._since - 1) if after is None else Position.read(after)
        source: EventListing | CheckpointScan = self._listing
        failures = 0
        while True:
            begun = position
            try:
                async with aclosing(source.follow(position)) as steps:
                    async for step in steps:
                        position = step.position
                        if step.page is not None:
                            yield step.page
            except Unsupported:
                if source is self._scan:
                    raise
                source = self._scan
            except Unreachable:
                failures = 1 if position != begun else failures + 1
                if failures >= self._policy.failures:
                    raise
                await self._pace.pause(failures - 1)
