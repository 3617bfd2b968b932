"""Walks through the ledger's history for List* methods: bounds, order, limit, and why a walk ended.

Rules: comments of `QueryOptions`, `Watermark` and `QueryEnd` in `sui.rpc.v2`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from localnet.ledger.ledger import Ledger
from localnet.rpc.cursors import Place, parse_cursor
from localnet.rpc.errors import InvalidArgument, NotFound
from localnet.rpc.stubs import v2

_T = TypeVar("_T")

SCAN: Final = 20_000
"""Checkpoints that one request walks through; then the client resumes."""


class Options(Protocol):
    """The fields that all List* requests share."""

    start_checkpoint: int | None
    end_checkpoint: int | None
    options: Any


@dataclass(frozen=True, slots=True)
class Limit:
    """Items per request."""

    default: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a request asks for: places strictly between `after` and `before`, in checkpoints `first` to `last`."""

    after: Place | None
    before: Place | None
    first: int
    last: int
    descending: bool
    limit: int
    end: Any
    """Why the walk ends if nothing else ends it."""


@dataclass(frozen=True, slots=True)
class Step(Generic[_T]):
    """One frame: an item, or progress, or the end."""

    place: Place
    item: _T | None
    covered: int | None
    """Checkpoint up to which, in the walk's direction, everything has been given."""
    end: Any | None = None

    def watermark(self) -> Any:
        """As a message."""
        return v2.Watermark(cursor=self.place.cursor(), checkpoint=self.covered)


def window_of(ledger: Ledger, request: Options, limit: Limit) -> Window:
    """The window that `request` asks for.

    Raises:
        InvalidArgument: a cursor of another server.
        NotFound: a cursor points at what has been pruned.
    """
    options = request.options if request.options is not None else v2.QueryOptions()
    descending = options.ordering == v2.Ordering.DESCENDING
    tip, lowest = ledger.checkpoint().sequence, ledger.oldest_checkpoint
    reason = v2.QueryEndReason
    after = parse_cursor(options.after) if options.after else None
    if after is not None and after.checkpoint < lowest - 1 and not descending:
        raise NotFound(f"the cursor points at checkpoint {after.checkpoint}, the oldest one kept is {lowest}")
    before = parse_cursor(options.before) if options.before else None
    start = max(request.start_checkpoint or 0, lowest)
    stop = tip if request.end_checkpoint is None else min(request.end_checkpoint - 1, tip)
    if request.end_checkpoint == 0:
        raise InvalidArgument("end_checkpoint is exclusive and 0 leaves nothing to list")
    first = start if after is None else max(start, after.checkpoint)
    last = stop if before is None else min(stop, before.checkpoint)
    if descending:
        end = reason.CURSOR_BOUND if after is not None and after.checkpoint >= start else reason.CHECKPOINT_BOUND
    elif before is not None and before.checkpoint <= stop:
        end = reason.CURSOR_BOUND
    else:
        bounded = request.end_checkpoint is not None and request.end_checkpoint <= tip
        end = reason.CHECKPOINT_BOUND if bounded else reason.LEDGER_TIP
    return Window(
        after=after,
        before=before,
        first=first,
        last=last,
        descending=descending,
        limit=min(options.limit or limit.default, limit.maximum),
        end=end,
    )


def walk(window: Window, items: Callable[[int], list[tuple[Place, _T]]]) -> Iterator[Step[_T] | None]:
    """Frames of a list, and None after each checkpoint; `items` gives those of one checkpoint, ascending."""
    numbers = range(window.first, window.last + 1)
    given, scanned, covered = 0, 0, None
    for number in reversed(numbers) if window.descending else numbers:
        if scanned == SCAN:
            resume = Place(number + 1, 0, 0) if window.descending else Place(number - 1)
            yield Step(resume, None, covered, v2.QueryEndReason.SCAN_LIMIT)
            return
        scanned += 1
        found = items(number)
        for place, item in reversed(found) if window.descending else found:
            if not _inside(window, place):
                continue
            given += 1
            if given == window.limit:
                yield Step(place, item, covered, v2.QueryEndReason.ITEM_LIMIT)
                return
            yield Step(place, item, covered)
        covered = number
        yield None
    yield Step(_bound(window), None, covered, window.end)


def _inside(window: Window, place: Place) -> bool:
    return (window.after is None or window.after < place) and (window.before is None or place < window.before)


def _bound(window: Window) -> Place:
    """The cursor of a walk that reached its end."""
    if window.descending:
        return window.after or Place(window.first, 0, 0)
    if window.before is not None and window.end == v2.QueryEndReason.CURSOR_BOUND:
        return window.before
    reached = Place(max(window.last, 0))
    return reached if window.after is None else max(window.after, reached)
