"""What happened: checkpoints, their transactions, their events; the oldest are dropped when there are too many."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from localnet.ledger.encoding import checkpoint_digest
from localnet.ledger.errors import NotFound, Pruned
from localnet.ledger.model import (
    Checkpoint,
    CheckpointDigest,
    EventCursor,
    ExecutedTransaction,
    GasSummary,
    Millis,
    Mist,
    Object,
    Package,
    PlacedEvent,
    TransactionDigest,
)


@dataclass(frozen=True, slots=True)
class Page:
    """One checkpoint with all that hangs on it."""

    checkpoint: Checkpoint
    transactions: tuple[ExecutedTransaction, ...]
    superseded: tuple[Object | Package, ...]
    """Object versions that nobody can read any more once this page is dropped."""
    size: int
    """Bytes of `superseded`."""


class History:
    """Appended to, and cut at the far end."""

    def __init__(self, chain: str, *, checkpoints: int, size: int) -> None:
        self._chain: Final = chain
        self._most: Final = checkpoints
        self._most_bytes: Final = size
        self._pages: deque[Page] = deque()
        self._first = 0
        """Sequence of the oldest page kept."""
        self._bytes = 0
        self._transactions: dict[TransactionDigest, ExecutedTransaction] = {}
        self._with_events: deque[int] = deque()
        self._total = 0

    @property
    def next_sequence(self) -> int:
        """Of the checkpoint to come."""
        return self._first + len(self._pages)

    @property
    def oldest(self) -> int:
        """Sequence of the oldest checkpoint kept."""
        return self._first

    def append(
        self, transactions: Sequence[ExecutedTransaction], superseded: Sequence[Object | Package], now: Millis
    ) -> list[Page]:
        """Add a checkpoint; returns the pages dropped for it."""
        previous = self._pages[-1].checkpoint if self._pages else None
        sequence, digests = self.next_sequence, tuple(executed.digest for executed in transactions)
        effects = tuple(executed.effects.digest for executed in transactions)
        digest = checkpoint_digest(
            self._chain, sequence, now, previous.digest if previous else None, digests, effects
        )
        self._total += len(transactions)
        gas = _sum_gas(previous.gas if previous else GasSummary(Mist(0), Mist(0), Mist(0), Mist(0)), transactions)
        checkpoint = Checkpoint(
            sequence, 0, now, digests, effects, self._total, gas, previous.digest if previous else None, digest
        )
        size = sum(len(old.contents) for old in superseded if isinstance(old, Object))
        self._pages.append(Page(checkpoint, tuple(transactions), tuple(superseded), size))
        self._bytes += size
        for executed in transactions:
            self._transactions[executed.digest] = executed
        if any(executed.events for executed in transactions):
            self._with_events.append(sequence)
        return self._prune()

    def _prune(self) -> list[Page]:
        dropped = []
        while len(self._pages) > 1 and (len(self._pages) > self._most or self._bytes > self._most_bytes):
            page = self._pages.popleft()
            self._first += 1
            self._bytes -= page.size
            for executed in page.transactions:
                del self._transactions[executed.digest]
            if self._with_events and self._with_events[0] < self._first:
                self._with_events.popleft()
            dropped.append(page)
        return dropped

    def transaction(self, digest: TransactionDigest) -> ExecutedTransaction:
        """Raises NotFound: unknown, or dropped."""
        try:
            return self._transactions[digest]
        except KeyError:
            raise NotFound(f"transaction {digest.hex()} has not run, or is older than the history kept") from None

    def has(self, digest: TransactionDigest) -> bool:
        """Whether a transaction with that digest has run."""
        return digest in self._transactions

    def checkpoint(self, sequence: int | None) -> Checkpoint:
        """Raises NotFound, Pruned."""
        return self._page(self.next_sequence - 1 if sequence is None else sequence).checkpoint

    def transactions_of(self, sequence: int) -> tuple[ExecutedTransaction, ...]:
        """Raises NotFound, Pruned."""
        return self._page(sequence).transactions

    def _page(self, sequence: int) -> Page:
        if 0 <= sequence < self._first:
            raise Pruned(f"checkpoint {sequence} is older than the history kept, which starts at {self._first}")
        if not self._first <= sequence < self.next_sequence:
            raise NotFound(f"there is no checkpoint {sequence} yet, the latest is {self.next_sequence - 1}")
        return self._pages[sequence - self._first]

    def events_after(self, cursor: EventCursor | None, limit: int) -> list[PlacedEvent]:
        """In chain order, strictly after `cursor`.

        Raises:
            Pruned: some that should come first are dropped.
        """
        start = 0 if cursor is None else cursor.checkpoint
        if cursor is not None and start < self._first - 1:
            raise Pruned(f"events after checkpoint {start} are older than the history kept, which starts at {self._first}")
        found: Iterator[PlacedEvent] = (
            placed for placed in self._events_from(start) if cursor is None or placed.cursor > cursor
        )
        return list(islice(found, limit))

    def _events_from(self, start: int) -> Iterator[PlacedEvent]:
        for at in range(bisect_left(self._with_events, start), len(self._with_events)):
            page = self._page(self._with_events[at])
            for index, executed in enumerate(page.transactions):
                for event in executed.events:
                    cursor = EventCursor(page.checkpoint.sequence, index, event.sequence)
                    yield PlacedEvent(cursor, event, page.checkpoint.timestamp)

    @property
    def last_digest(self) -> CheckpointDigest:
        """Of the latest checkpoint."""
        return self._pages[-1].checkpoint.digest


def _sum_gas(before: GasSummary, transactions: Sequence[ExecutedTransaction]) -> GasSummary:
    bills = [before, *(executed.effects.gas for executed in transactions)]
    return GasSummary(
        Mist(sum(bill.computation for bill in bills)),
        Mist(sum(bill.storage for bill in bills)),
        Mist(sum(bill.rebate for bill in bills)),
        Mist(sum(bill.non_refundable for bill in bills)),
    )
