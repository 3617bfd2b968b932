"""Who waits for checkpoints. A subscriber reads them from the ledger's history, so its mailbox is a number."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from localnet.rpc.errors import ResourceExhausted, Unavailable

log = logging.getLogger(__name__)

SHUTTING_DOWN: Final = "the localnet is shutting down"


@dataclass(frozen=True, slots=True)
class SubscriptionStatistics:
    """For operators and tests."""

    open: int
    """Subscribers now."""
    dropped: int
    """Subscribers that read too slowly, since the start."""


class Subscriber:
    """One stream; `checkpoints` gives every number after the one at which it began."""

    def __init__(self, name: str, tip: int, task: asyncio.Task[object] | None) -> None:
        self.name: Final = name
        self.position = tip
        self._tip = tip
        self._news: Final = asyncio.Event()
        self._task: Final = task
        self._waiting = False
        self._ended: str | None = None
        self.dropped = False

    async def checkpoints(self) -> AsyncIterator[int]:
        """Numbers of checkpoints, in order and without gaps.

        Raises:
            Unavailable: the server is shutting down.
            ResourceExhausted: this subscriber was dropped.
        """
        while True:
            while self.position < self._tip:
                self._check()
                self.position += 1
                yield self.position
            self._check()
            self._news.clear()
            self._waiting = True
            try:
                await self._news.wait()
            finally:
                self._waiting = False

    def announce(self, tip: int, mailbox: int) -> None:
        """There are checkpoints up to `tip`."""
        self._tip = tip
        self._news.set()
        if tip - self.position > mailbox and not self._waiting and not self.dropped:
            self.dropped = True
            log.warning("subscriber %s dropped: it lags %d checkpoints", self.name, tip - self.position)
            if self._task is not None:
                self._task.cancel()  # it may be stuck in a write that the peer never reads

    def end(self, reason: str) -> None:
        """The server stops."""
        self._ended = reason
        self._news.set()

    def _check(self) -> None:
        if self.dropped:
            raise ResourceExhausted(f"subscriber {self.name} reads too slowly and was dropped: list what it missed")
        if self._ended is not None:
            raise Unavailable(self._ended)


class Subscriptions:
    """All subscribers."""

    def __init__(self, *, subscribers: int, mailbox: int) -> None:
        self._limit: Final = subscribers
        self._mailbox: Final = mailbox
        self._open: Final[set[Subscriber]] = set()
        self._opened = 0
        self._dropped = 0
        self._closed = False

    @contextmanager
    def subscribe(self, method: str, tip: int) -> Iterator[Subscriber]:
        """A subscriber to what comes after checkpoint `tip`.

        Raises:
            ResourceExhausted: there are too many.
            Unavailable: the server is shutting down.
        """
        if self._closed:
            raise Unavailable(SHUTTING_DOWN)
        if len(self._open) >= self._limit:
            raise ResourceExhausted(f"{self._limit} subscribers are the most this server takes")
        self._opened += 1
        subscriber = Subscriber(f"{method}#{self._opened}", tip, asyncio.current_task())
        self._open.add(subscriber)
        try:
            yield subscriber
        finally:
            self._open.discard(subscriber)

    def announce(self, tip: int) -> None:
        """There are checkpoints up to `tip`."""
        for subscriber in self._open:
            was_dropped = subscriber.dropped
            subscriber.announce(tip, self._mailbox)
            self._dropped += subscriber.dropped and not was_dropped

    def close(self) -> None:
        """End every stream with Unavailable; new ones are refused."""
        self._closed = True
        for subscriber in self._open:
            subscriber.end(SHUTTING_DOWN)

    def statistics(self) -> SubscriptionStatistics:
        """How many there are."""
        return SubscriptionStatistics(len(self._open), self._dropped)
