"""A sealed output that was put on chain, out of the transactions that did it: docs/spec/protocol.md §6, Delivery [C5].

Events say which transactions; the chunks are their arguments. What is put together has the digest that the executor
committed to, so an endpoint can withhold it, but not forge it.
"""

from contextlib import aclosing
from typing import Final

from agent.chain.deployment import Deployment
from agent.chain.errors import Malformed, NotFound
from agent.chain.sui.listing import EventListing
from agent.chain.sui.names import from_base58, transaction_digest
from agent.chain.sui.pacing import Pace
from agent.chain.sui.position import Position
from agent.chain.sui.pysui_parts import FieldMask, v2
from agent.chain.sui.transaction import MoveCall, move_calls
from agent.chain.sui.wire import Wire
from agent.chain.transaction_log import TxDigest
from agent.protocol.bcs import BcsError, Reader
from agent.protocol.blob import blob_digest
from agent.protocol.events import ChunkPublished
from agent.protocol.records import TaskView
from agent.protocol.units import TaskId

MAX_CHUNKS: Final = 64
"""Of one output, as the contracts limit it."""
MAX_TRANSACTION: Final = 256_000
"""Bytes of one transaction; Sui takes 128 KiB."""
PLACES: Final = {"publish_output": 3, "submit_output": 2}
"""Where the index stands among the arguments; head, tail and whether it is the last follow."""


class Publications:
    """Reads published outputs of one deployment through one endpoint."""

    def __init__(self, wire: Wire, deployment: Deployment, pace: Pace, *, page: int, idle_s: float) -> None:
        self._wire = wire
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
        chunks: list[bytes] = []
        read: dict[TxDigest, dict[int, bytes]] = {}
        for index, digest in enumerate(await self._transactions(task.id)):
            if digest not in read:
                read[digest] = await self._chunks_in(digest, task.id)
            if index not in read[digest]:
                raise NotFound(f"chunk {index} is no argument of transaction {digest}: a contract made it, ask its author")
            chunks.append(read[digest][index])
        if not chunks or blob_digest(b"".join(chunks)) != task.sealed_output_digest:
            raise NotFound("the endpoint does not have all transactions of this output: use one with more history")
        return tuple(chunks)

    async def _transactions(self, task: TaskId) -> list[TxDigest]:
        """Which transaction put up each chunk for good: an index again drops what came after it."""
        found: list[TxDigest] = []
        async with aclosing(self._listing.to_tip(Position(self._since - 1))) as pages:
            async for _, events in pages:
                for each in events:
                    event = each.event
                    if isinstance(event, ChunkPublished) and event.task == task and event.index < MAX_CHUNKS:
                        found[event.index :] = [each.digest]
        return found

    async def _chunks_in(self, digest: TxDigest, task: TaskId) -> dict[int, bytes]:
        request = v2.GetTransactionRequest(digest=digest, read_mask=FieldMask(paths=["digest", "transaction.bcs"]))
        answer = await self._wire.call("LedgerService/GetTransaction", request, v2.GetTransactionResponse)
        found = answer.transaction.transaction if answer.transaction is not None else None
        tx_bytes = found.bcs.value if found is not None and found.bcs is not None else None
        if not tx_bytes or len(tx_bytes) > MAX_TRANSACTION or transaction_digest(tx_bytes) != digest:
            raise Malformed(f"asked for transaction {digest}, got something else: use another endpoint")
        from_base58(digest)
        try:
            calls = move_calls(tx_bytes)
        except ValueError as error:
            raise Malformed(f"transaction {digest} cannot be read: use another endpoint") from error
        return dict(_chunk(call) for call in calls if _publishes(call, task))


def _publishes(call: MoveCall, task: TaskId) -> bool:
    start = PLACES.get(call.function)
    return (
        call.module == "delivery"
        and start is not None
        and len(call.arguments) > start + 3
        and call.arguments[0] == bytes(task)
        and all(value is not None for value in call.arguments[start : start + 4])
    )


def _chunk(call: MoveCall) -> tuple[int, bytes]:
    index, head, tail, _ = call.arguments[PLACES[call.function] :][:4]
    assert index is not None
    assert head is not None
    assert tail is not None
    try:
        return int.from_bytes(index, "little"), _octets(head) + _octets(tail)
    except BcsError as error:
        raise Malformed(f"a published chunk cannot be read ({error}): use another endpoint") from error


def _octets(encoded: bytes) -> bytes:
    reader = Reader(encoded)
    return reader.take(reader.length(MAX_TRANSACTION))
