"""Events by `ListEvents`, which resumes anywhere; `SubscribeEvents`, which cannot, only says when to look again."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Final

from agent.chain.deployment import Deployment
from agent.chain.errors import ChainError, Malformed, Refused, Unreachable, Unsupported
from agent.chain.port import MAX_PAGE, ChainEvent, EventPage
from agent.chain.sui.effects import event_of
from agent.chain.sui.names import from_base58, to_hex
from agent.chain.sui.pacing import Pace
from agent.chain.sui.position import MAX_RESUME, Position, Progress
from agent.chain.sui.pysui_parts import FieldMask, Message, v2
from agent.chain.sui.wire import Wire
from agent.chain.transaction_log import TxDigest
from agent.protocol.units import ObjectId

QUIET_CHECKPOINTS: Final = 500
"""Checkpoints without an event of ours after which an empty page moves the cursor."""
CATCH_UP: Final = 8
"""How often the index is asked again where a subscription has seen more than it."""
POLL: Final = 3
"""Attempt number whose pause separates looks where nothing can be subscribed to: about a second."""

_FIELDS: Final = (
    "event_type",
    "contents",
    "checkpoint",
    "transaction_digest",
    "transaction_index",
    "event_index",
)


class EventListing:
    """The events of one deployment as an indexing endpoint lists them; those of one `kind`, or all."""

    def __init__(
        self,
        wire: Wire,
        deployment: Deployment,
        pace: Pace,
        *,
        page: int,
        idle_s: float,
        kind: str | None = None,
    ) -> None:
        self._wire = wire
        self._packages = deployment.packages
        self._filter = _filter(deployment, kind)
        self._pace = pace
        self._limit = min(page, MAX_PAGE)
        self._idle_s = idle_s

    async def follow(self, start: Position) -> AsyncGenerator[Progress, None]:
        """From `start` on, for ever.

        Raises:
            Unsupported: the endpoint does not index events.
            NotFound: what follows `start` is pruned.
            Unreachable, Malformed, Refused
        """
        position, kept = start, start.covered
        wake_up = _WakeUp(self._wire, self._filter, self._pace, self._idle_s)
        async with aclosing(wake_up):
            while True:
                for attempt in range(CATCH_UP):
                    async with aclosing(self.to_tip(position)) as pages:
                        async for position, events in pages:
                            worth = bool(events) or position.covered - kept >= QUIET_CHECKPOINTS
                            kept = position.covered if worth else kept
                            yield Progress(position, EventPage(events, position.cursor()) if worth else None)
                    if position.covered >= wake_up.seen:
                        break
                    await self._pace.pause(attempt)
                await wake_up.wait(position.covered)

    async def to_tip(self, position: Position) -> AsyncGenerator[tuple[Position, tuple[ChainEvent, ...]], None]:
        """From `position` to what is the newest now.

        Raises:
            As `follow`.
        """
        limits = (v2.QueryEndReason.ITEM_LIMIT, v2.QueryEndReason.SCAN_LIMIT)
        while True:
            begun = position
            position, events, end = await self._page(position)
            yield position, events
            if end not in limits:
                return
            if position == begun:
                raise Unreachable("the list of events does not get on: ask again later, or use another endpoint")

    async def _page(self, position: Position) -> tuple[Position, tuple[ChainEvent, ...], int]:
        request = v2.ListEventsRequest(
            read_mask=FieldMask(paths=list(_FIELDS)),
            start_checkpoint=position.covered + 1 if position.resume is None else None,
            filter=self._filter,
            options=v2.QueryOptions(limit=self._limit, after=position.resume),
        )
        events: list[ChainEvent] = []
        last: tuple[int, ...] = ()
        end = None
        frames = self._wire.stream(
            "LedgerService/ListEvents", request, v2.ListEventsResponse, idle_s=self._idle_s
        )
        async with aclosing(frames):
            async for frame in frames:
                position = _advanced(position, frame.watermark)
                if frame.event is not None:
                    events.append(_placed(frame.event, self._packages))
                    place = (frame.event.checkpoint, frame.event.transaction_index or 0, frame.event.event_index)
                    if place <= last or len(events) > self._limit:
                        raise Malformed("events out of order, or more than asked for: use another endpoint")
                    last = place
                end = frame.end.reason if frame.end is not None else None
        if end is None:
            raise Unreachable("the list of events broke off: ask again")
        return position, tuple(events), end


class _WakeUp:
    """A subscription that says when there may be something new."""

    def __init__(self, wire: Wire, wanted: Message, pace: Pace, idle_s: float) -> None:
        self.seen = -1
        """The last checkpoint of which it told an event."""
        self._wire = wire
        self._wanted = wanted
        self._pace = pace
        self._idle_s = idle_s
        self._frames: AsyncGenerator[Message, None] | None = None
        self._broken = 0

    async def wait(self, covered: int) -> None:
        """Return when there is an event behind checkpoint `covered`, when there may be one, or when nobody can say."""
        try:
            if self._frames is None:
                self._frames = self._subscribe()
                # from the first frame on nothing is missed; what was before it, one more look finds
                self._note(await anext(self._frames))
                return
            while not self._note(await anext(self._frames)) or self.seen <= covered:
                pass
        except (Unsupported, Refused):
            await self.aclose()
            await self._pace.pause(POLL)
        except (ChainError, StopAsyncIteration):
            # silent for long, or broken: look without it, then subscribe anew
            await self.aclose()
            await self._pace.pause(self._broken)
            self._broken += 1

    async def aclose(self) -> None:
        """Unsubscribe."""
        if self._frames is not None:
            await self._frames.aclose()
            self._frames = None

    def _subscribe(self) -> AsyncGenerator[Message, None]:
        request = v2.SubscribeEventsRequest(read_mask=FieldMask(paths=["checkpoint"]), filter=self._wanted)
        method = "SubscriptionService/SubscribeEvents"
        return self._wire.stream(method, request, v2.SubscribeEventsResponse, idle_s=self._idle_s)

    def _note(self, frame: Message) -> bool:
        self._broken = 0
        if frame.event is None or frame.event.checkpoint is None:
            return False
        self.seen = max(self.seen, frame.event.checkpoint)
        return True


def _filter(deployment: Deployment, kind: str | None) -> Message:
    # by type, not by emitting module: that one would name the dApp's package where a dApp's contract called ours
    names = (to_hex(package) if kind is None else f"{to_hex(package)}::{kind}" for package in sorted(deployment.packages))
    terms = (v2.EventLiteral(event_type=v2.EventTypeFilter(event_type=name)) for name in names)
    return v2.EventFilter(terms=[v2.EventTerm(literals=[term]) for term in terms])


def _advanced(position: Position, watermark: Message | None) -> Position:
    if watermark is None or not watermark.cursor or len(watermark.cursor) > MAX_RESUME:
        raise Malformed("a list of events without a cursor to resume from: use another endpoint")
    covered = position.covered if watermark.checkpoint is None else max(position.covered, watermark.checkpoint)
    return Position(covered, bytes(watermark.cursor))


def _placed(event: Message, packages: Collection[ObjectId]) -> ChainEvent:
    decoded = event_of(event, packages)
    if decoded is None or event.checkpoint is None or event.event_index is None:
        raise Malformed("an event of another package, or without its place: use another endpoint")
    from_base58(event.transaction_digest)
    return ChainEvent(
        event=decoded[1],
        module=decoded[0],
        digest=TxDigest(event.transaction_digest),
        index=event.event_index,
        checkpoint=event.checkpoint,
        timestamp=None,
    )
