"""A sealed output that was put on chain, out of the events that hold it: docs/spec/protocol.md §6, Delivery [C5].

What is put together has the digest that the executor committed to, so an endpoint can withhold it, but not forge it.
"""

from contextlib import aclosing

from agent.chain.deployment import Deployment
from agent.chain.errors import NotFound
from agent.chain.sui.listing import EventListing
from agent.chain.sui.pacing import Pace
from agent.chain.sui.position import Position
from agent.chain.sui.wire import Wire
from agent.protocol.blob import MAX_PUBLISHED_CHUNKS, blob_digest
from agent.protocol.events import ChunkPublished
from agent.protocol.records import TaskView
from agent.protocol.units import TaskId


class Publications:
    """Reads published outputs of one deployment through one endpoint."""

    def __init__(self, wire: Wire, deployment: Deployment, pace: Pace, *, page: int, idle_s: float) -> None:
        self._since = deployment.since
        self._listing = EventListing(
            wire, deployment, pace, page=page, idle_s=idle_s, kind="delivery::ChunkPublished"
        )

    async def chunks_of(self, task: TaskView) -> tuple[bytes, ...]:
        """The chunks of `task`'s sealed output, in order; together they have its digest.

        Raises:
            NotFound: it was not put on chain, or the endpoint does not have all of it any more.
            Unsupported: the endpoint does not index events.
            Unreachable, Malformed, Refused
        """
        if not task.delivery.published:
            raise NotFound(f"the output of task 0x{task.id.hex()} was not put on chain")
        chunks = await self._chunks(task.id)
        if not chunks or blob_digest(b"".join(chunks)) != task.sealed_output_digest:
            raise NotFound("the endpoint does not have all events of this output: use one with more history")
        return tuple(chunks)

    async def _chunks(self, task: TaskId) -> list[bytes]:
        """Each chunk as it was put up for good: an index again drops what came after it."""
        found: list[bytes] = []
        async with aclosing(self._listing.to_tip(Position(self._since - 1))) as pages:
            async for _, events in pages:
                for each in events:
                    event = each.event
                    if isinstance(event, ChunkPublished) and event.task == task and event.index < MAX_PUBLISHED_CHUNKS:
                        found[event.index :] = [event.head + event.tail]
        return found
