"""LedgerService: objects, transactions, checkpoints, and lists of what happened."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, TypeVar

from localnet.ledger.errors import NotFound as NotInLedger
from localnet.ledger.model import (
    Checkpoint,
    Event,
    ExecutedTransaction,
    Object,
    ObjectId,
    Package,
    TransactionDigest,
    Version,
)
from localnet.movevm.types import short_address
from localnet.rpc.cursors import Place
from localnet.rpc.digests import base58, parse_digest
from localnet.rpc.errors import InvalidArgument, NotFound, RpcError
from localnet.rpc.filters import event_filter, transaction_filter
from localnet.rpc.history import Limit, Step, Window, walk, window_of
from localnet.rpc.masks import Mask
from localnet.rpc.node import Node
from localnet.rpc.render.checkpoints import checkpoint_message
from localnet.rpc.render.events import event_message
from localnet.rpc.render.objects import object_message
from localnet.rpc.render.transactions import executed_message, timestamp
from localnet.rpc.resolution import MAX_BUDGET
from localnet.rpc.stubs import StatusMessage, v2
from localnet.rpc.transport.methods import Service
from localnet.rpc.type_tags import parse_address

_T = TypeVar("_T")

SERVER: Final = "enclavia-localnet/0.1"
CHAIN: Final = "enclavia-localnet"
PROTOCOL_VERSION: Final = 100
MAX_BATCH: Final = 50

OBJECT_DEFAULT: Final = "object_id,version,digest"
TRANSACTION_DEFAULT: Final = "digest"
CHECKPOINT_DEFAULT: Final = "sequence_number,digest"
EVENT_DEFAULT: Final = "event_type"

EVENTS: Final = Limit(50, 1_000)
TRANSACTIONS: Final = Limit(50, 500)
CHECKPOINTS: Final = Limit(10, 100)
"""Limits of Sui's full node (`rpc.ledger-history`)."""

PROTOCOL_ATTRIBUTES: Final = {
    "max_tx_gas": str(MAX_BUDGET),
    "max_tx_size_bytes": "131072",
    "max_arguments": "512",
    "max_gas_payment_objects": "256",
    "max_input_objects": "2048",
    "max_programmable_tx_commands": "1024",
    "max_pure_argument_size": "16384",
    "max_type_arguments": "16",
    "max_type_argument_depth": "16",
    "max_modules_in_publish": "64",
    "max_move_object_size": "256000",
    "max_num_event_emit": "1024",
    "max_move_package_size": "102400",
}


class LedgerService(Service):
    """Reads of the ledger."""

    name: ClassVar[str] = "LedgerService"

    def __init__(self, node: Node) -> None:
        self._node: Final = node
        self._ledger: Final = node.ledger
        self._epoch_start: Final = node.checkpoint(node.ledger.oldest_checkpoint).timestamp

    async def get_service_info(self, _: Any) -> Any:
        """Which chain this is and how far it is."""
        checkpoint, lowest = self._node.checkpoint(), self._ledger.oldest_checkpoint
        return v2.GetServiceInfoResponse(
            chain_id=base58(self._ledger.chain_identifier),
            chain=CHAIN,
            epoch=checkpoint.epoch,
            checkpoint_height=checkpoint.sequence,
            timestamp=timestamp(checkpoint.timestamp),
            lowest_available_checkpoint=lowest,
            lowest_available_checkpoint_objects=lowest,
            server=SERVER,
        )

    async def get_epoch(self, request: Any) -> Any:
        """The current epoch; the localnet has one that never ends."""
        mask = Mask.parse(request.read_mask, "epoch")
        if request.epoch is not None and request.epoch != self._ledger.epoch:
            raise NotFound(f"epoch {request.epoch} does not exist, the current one is {self._ledger.epoch}")
        price, start = self._ledger.reference_gas_price, self._epoch_start
        epoch = {
            "epoch": lambda: self._ledger.epoch,
            "first_checkpoint": lambda: 0,
            "start": lambda: timestamp(start),
            "reference_gas_price": lambda: price,
            "protocol_config": lambda: v2.ProtocolConfig(
                protocol_version=PROTOCOL_VERSION, attributes=dict(PROTOCOL_ATTRIBUTES)
            ),
            "system_state": lambda: v2.SystemState(
                version=2,
                epoch=self._ledger.epoch,
                protocol_version=PROTOCOL_VERSION,
                reference_gas_price=price,
                safe_mode=False,
                epoch_start_timestamp_ms=start,
            ),
        }
        return v2.GetEpochResponse(epoch=mask.build(v2.Epoch, epoch))

    async def get_object(self, request: Any) -> Any:
        """One object, the current version if none is named."""
        thing = self._object(request)
        return v2.GetObjectResponse(
            object=object_message(self._ledger, thing, Mask.parse(request.read_mask, OBJECT_DEFAULT))
        )

    async def batch_get_objects(self, request: Any) -> Any:
        """Objects in the order asked for; each may be an error of its own."""
        mask = Mask.parse(request.read_mask, OBJECT_DEFAULT)
        return v2.BatchGetObjectsResponse(
            objects=_batch(
                request.requests,
                lambda one: v2.GetObjectResult(object=object_message(self._ledger, self._object(one), mask)),
                lambda status: v2.GetObjectResult(error=status),
            )
        )

    async def get_transaction(self, request: Any) -> Any:
        """One transaction."""
        mask = Mask.parse(request.read_mask, TRANSACTION_DEFAULT)
        return v2.GetTransactionResponse(transaction=self._by_digest(request.digest, mask))

    async def batch_get_transactions(self, request: Any) -> Any:
        """Transactions in the order asked for; each may be an error of its own."""
        mask = Mask.parse(request.read_mask, TRANSACTION_DEFAULT)
        return v2.BatchGetTransactionsResponse(
            transactions=_batch(
                request.digests,
                lambda digest: v2.GetTransactionResult(transaction=self._by_digest(digest, mask)),
                lambda status: v2.GetTransactionResult(error=status),
            )
        )

    async def get_checkpoint(self, request: Any) -> Any:
        """A checkpoint by number or digest, else the latest."""
        mask = Mask.parse(request.read_mask, CHECKPOINT_DEFAULT)
        if request.digest is not None:
            checkpoint = self._checkpoint_with(parse_digest(request.digest))
        else:
            checkpoint = self._node.checkpoint(request.sequence_number)
        return v2.GetCheckpointResponse(checkpoint=self.checkpoint(checkpoint, mask))

    async def list_checkpoints(self, request: Any) -> AsyncIterator[Any]:
        """Checkpoints in which a transaction passes the filter."""
        mask, test = Mask.parse(request.read_mask, CHECKPOINT_DEFAULT), transaction_filter(request.filter)

        def items(number: int) -> list[tuple[Place, Checkpoint]]:
            checkpoint = self._node.checkpoint(number)
            passes = request.filter is None or any(map(test, self.transactions(number)))
            return [(Place(number), checkpoint)] if passes else []

        async for step in _paced(window_of(self._ledger, request, CHECKPOINTS), items):
            found = None if step.item is None else self.checkpoint(step.item, mask)
            yield v2.ListCheckpointsResponse(checkpoint=found, watermark=step.watermark(), end=_end(step))

    async def list_transactions(self, request: Any) -> AsyncIterator[Any]:
        """Transactions that pass the filter."""
        mask, test = Mask.parse(request.read_mask, TRANSACTION_DEFAULT), transaction_filter(request.filter)

        def items(number: int) -> list[tuple[Place, ExecutedTransaction]]:
            found = enumerate(self.transactions(number))
            return [(Place(number, index), executed) for index, executed in found if test(executed)]

        async for step in _paced(window_of(self._ledger, request, TRANSACTIONS), items):
            found = None if step.item is None else self.transaction(step.item, mask)
            yield v2.ListTransactionsResponse(transaction=found, watermark=step.watermark(), end=_end(step))

    async def list_events(self, request: Any) -> AsyncIterator[Any]:
        """Events that pass the filter."""
        mask, test = Mask.parse(request.read_mask, EVENT_DEFAULT), event_filter(request.filter)

        def items(number: int) -> list[tuple[Place, tuple[ExecutedTransaction, Event]]]:
            found = self.events(number)
            return [(place, (executed, event)) for place, executed, event in found if test(event)]

        async for step in _paced(window_of(self._ledger, request, EVENTS), items):
            found = None if step.item is None else self.event(*step.item, mask)
            yield v2.ListEventsResponse(event=found, watermark=step.watermark(), end=_end(step))

    # ---- shared with the subscriptions

    def checkpoint(self, checkpoint: Checkpoint, mask: Mask) -> Any:
        """A checkpoint as a message."""
        return checkpoint_message(
            checkpoint, lambda below: [self.transaction(one, below) for one in self.transactions(checkpoint.sequence)], mask
        )

    def transaction(self, executed: ExecutedTransaction, mask: Mask) -> Any:
        """A transaction as a message."""
        return executed_message(self._ledger, executed, self._node.signatures(executed.digest), mask)

    def event(self, executed: ExecutedTransaction, event: Event, mask: Mask) -> Any:
        """An event as a message."""
        return event_message(self._ledger, event, executed.placement, mask)

    def transactions(self, number: int) -> Sequence[ExecutedTransaction]:
        """Those of a checkpoint."""
        return self._node.transactions_of(number)

    def events(self, number: int) -> Iterator[tuple[Place, ExecutedTransaction, Event]]:
        """Those of a checkpoint."""
        for index, executed in enumerate(self.transactions(number)):
            for event in executed.events:
                yield Place(number, index, event.sequence), executed, event

    def _by_digest(self, text: str | None, mask: Mask) -> Any:
        return self.transaction(self._node.transaction(TransactionDigest(parse_digest(text))), mask)

    def _object(self, request: Any) -> Object | Package:
        object_id = parse_address(request.object_id)
        version = None if request.version is None else Version(request.version)
        try:
            return self._ledger.object(ObjectId(object_id), version)
        except NotInLedger:
            at = "" if version is None else f" at version {version}"
            raise NotFound(f"object {short_address(object_id)}{at} not found") from None

    def _checkpoint_with(self, digest: bytes) -> Checkpoint:
        tip = self._node.checkpoint().sequence
        for number in range(tip, self._ledger.oldest_checkpoint - 1, -1):
            checkpoint = self._node.checkpoint(number)
            if checkpoint.digest == digest:
                return checkpoint
        raise NotFound(f"checkpoint {base58(digest)} does not exist")


YIELD_EVERY: Final = 64
"""Checkpoints walked through without letting other calls run."""


async def _paced(window: Window, items: Callable[[int], list[tuple[Place, _T]]]) -> AsyncIterator[Step[_T]]:
    walked = 0
    for step in walk(window, items):
        if step is not None:
            yield step
            continue
        walked += 1
        if walked % YIELD_EVERY == 0:
            await asyncio.sleep(0)


def _end(step: Step[Any]) -> Any:
    return None if step.end is None else v2.QueryEnd(reason=step.end)


def _batch(asked: list[_T], found: Callable[[_T], Any], failed: Callable[[Any], Any]) -> list[Any]:
    if len(asked) > MAX_BATCH:
        raise InvalidArgument(f"{len(asked)} in one batch, at most {MAX_BATCH} are taken")
    results = []
    for one in asked:
        try:
            results.append(found(one))
        except RpcError as refused:
            results.append(failed(StatusMessage(code=refused.status.value, message=refused.message)))
    return results
