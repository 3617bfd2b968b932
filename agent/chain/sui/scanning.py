"""Events by `GetCheckpoint`, one checkpoint after another: for endpoints that do not index events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from agent.chain.deployment import Deployment
from agent.chain.errors import ChainError, Malformed, NotFound, Refused, Unsupported
from agent.chain.port import MAX_PAGE, ChainEvent, EventPage
from agent.chain.sui.effects import events_of, millis
from agent.chain.sui.listing import POLL, QUIET_CHECKPOINTS
from agent.chain.sui.names import from_base58
from agent.chain.sui.pacing import Pace
from agent.chain.sui.position import Position, Progress
from agent.chain.sui.pysui_parts import FieldMask, Message, v2
from agent.chain.sui.wire import Wire
from agent.chain.transaction_log import TxDigest

MAX_TRANSACTIONS: Final = 20_000
"""Transactions of one checkpoint; Sui's own limit is 10,000."""

_FIELDS: Final = ("sequence_number", "summary.timestamp", "transactions.digest", "transactions.events")


class CheckpointScan:
    """The events of one deployment as they lie in checkpoints."""

    def __init__(self, wire: Wire, deployment: Deployment, pace: Pace, *, idle_s: float) -> None:
        self._wire = wire
        self._packages = deployment.packages
        self._pace = pace
        self._idle_s = idle_s

    async def follow(self, position: Position) -> AsyncGenerator[Progress, None]:
        """From `position` on, for ever.

        Raises:
            NotFound: what follows `position` is pruned.
            Unreachable, Malformed, Refused
        """
        kept = position.covered
        while True:
            number = position.covered + 1
            checkpoint = await self._checkpoint(number)
            if checkpoint is None:
                await self._check_kept(number)
                await self._wait_for(number)
                continue
            events = self._events_in(checkpoint)
            for start in range(0, max(0, len(events) - MAX_PAGE), MAX_PAGE):
                # not the end of the checkpoint: who resumes here gets the checkpoint again
                yield Progress(position, EventPage(events[start : start + MAX_PAGE], position.cursor()))
            position = Position(number)
            rest = events[(len(events) - 1) // MAX_PAGE * MAX_PAGE :] if events else ()
            worth = bool(events) or number - kept >= QUIET_CHECKPOINTS
            kept = number if worth else kept
            yield Progress(position, EventPage(rest, position.cursor()) if worth else None)

    async def _checkpoint(self, number: int) -> Message | None:
        request = v2.GetCheckpointRequest(sequence_number=number, read_mask=FieldMask(paths=list(_FIELDS)))
        try:
            answer = await self._wire.call("LedgerService/GetCheckpoint", request, v2.GetCheckpointResponse)
        except NotFound:
            return None
        checkpoint = answer.checkpoint
        if checkpoint is None or checkpoint.sequence_number != number:
            raise Malformed(f"asked for checkpoint {number}, got another: use another endpoint")
        if len(checkpoint.transactions) > MAX_TRANSACTIONS:
            raise Malformed(f"checkpoint {number} has too many transactions: use another endpoint")
        return checkpoint

    def _events_in(self, checkpoint: Message) -> tuple[ChainEvent, ...]:
        timestamp = millis(checkpoint.summary.timestamp) if checkpoint.summary is not None else None
        found = []
        for each in checkpoint.transactions:
            from_base58(each.digest)
            for index, module, event in events_of(each, self._packages):
                digest = TxDigest(each.digest)
                found.append(ChainEvent(event, module, digest, index, checkpoint.sequence_number, timestamp))
        return tuple(found)

    async def _check_kept(self, number: int) -> None:
        request = v2.GetServiceInfoRequest()
        answer = await self._wire.call("LedgerService/GetServiceInfo", request, v2.GetServiceInfoResponse)
        lowest = answer.lowest_available_checkpoint or 0
        if number < lowest:
            raise NotFound(f"checkpoint {number} is pruned, the oldest is {lowest}: use an endpoint with more history")

    async def _wait_for(self, number: int) -> None:
        """Return once checkpoint `number` is there, or may be."""
        request = v2.SubscribeCheckpointsRequest(read_mask=FieldMask(paths=["sequence_number"]))
        method = "SubscriptionService/SubscribeCheckpoints"
        frames = self._wire.stream(method, request, v2.SubscribeCheckpointsResponse, idle_s=self._idle_s)
        try:
            async with aclosing(frames):
                async for frame in frames:
                    if frame.cursor is not None and frame.cursor >= number:
                        return
            await self._pace.pause(0)
        except (Unsupported, Refused):
            await self._pace.pause(POLL)
        except ChainError:
            # silent for long, or broken: look without it
            await self._pace.pause(0)
