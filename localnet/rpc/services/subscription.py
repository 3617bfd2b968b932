"""SubscriptionService: streams that begin at the tip and cannot resume; List* methods are for what came before."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Final

from localnet.rpc.cursors import Place
from localnet.rpc.filters import event_filter, transaction_filter
from localnet.rpc.masks import Mask
from localnet.rpc.node import Node
from localnet.rpc.services.ledger import (
    CHECKPOINT_DEFAULT,
    EVENT_DEFAULT,
    TRANSACTION_DEFAULT,
    LedgerService,
)
from localnet.rpc.stubs import v2
from localnet.rpc.transport.methods import Service


class SubscriptionService(Service):
    """One subscriber per stream; frames without an item tell how far the stream is."""

    name: ClassVar[str] = "SubscriptionService"

    def __init__(self, node: Node, ledger: LedgerService) -> None:
        self._node: Final = node
        self._ledger: Final = ledger

    async def subscribe_checkpoints(self, request: Any) -> AsyncIterator[Any]:
        """Every checkpoint, or those in which a transaction passes the filter."""
        mask, test = Mask.parse(request.read_mask, CHECKPOINT_DEFAULT), transaction_filter(request.filter)
        tip = self._node.checkpoint().sequence
        with self._node.subscriptions.subscribe("SubscribeCheckpoints", tip) as subscriber:
            if request.filter is not None:
                yield v2.SubscribeCheckpointsResponse(cursor=tip)
            async for number in subscriber.checkpoints():
                passes = request.filter is None or any(map(test, self._ledger.transactions(number)))
                found = self._ledger.checkpoint(self._node.checkpoint(number), mask) if passes else None
                yield v2.SubscribeCheckpointsResponse(cursor=number, checkpoint=found)

    async def subscribe_transactions(self, request: Any) -> AsyncIterator[Any]:
        """Transactions that pass the filter."""
        mask, test = Mask.parse(request.read_mask, TRANSACTION_DEFAULT), transaction_filter(request.filter)
        tip = self._node.checkpoint().sequence
        with self._node.subscriptions.subscribe("SubscribeTransactions", tip) as subscriber:
            yield v2.SubscribeTransactionsResponse(watermark=_covered(tip))
            async for number in subscriber.checkpoints():
                for index, executed in enumerate(self._ledger.transactions(number)):
                    if test(executed):
                        yield v2.SubscribeTransactionsResponse(
                            transaction=self._ledger.transaction(executed, mask),
                            watermark=_at(Place(number, index)),
                        )
                yield v2.SubscribeTransactionsResponse(watermark=_covered(number))

    async def subscribe_events(self, request: Any) -> AsyncIterator[Any]:
        """Events that pass the filter."""
        mask, test = Mask.parse(request.read_mask, EVENT_DEFAULT), event_filter(request.filter)
        tip = self._node.checkpoint().sequence
        with self._node.subscriptions.subscribe("SubscribeEvents", tip) as subscriber:
            yield v2.SubscribeEventsResponse(watermark=_covered(tip))
            async for number in subscriber.checkpoints():
                for place, executed, event in self._ledger.events(number):
                    if test(event):
                        yield v2.SubscribeEventsResponse(
                            event=self._ledger.event(executed, event, mask), watermark=_at(place)
                        )
                yield v2.SubscribeEventsResponse(watermark=_covered(number))


def _covered(number: int) -> Any:
    """All of a checkpoint has been given."""
    return v2.Watermark(cursor=Place(number).cursor(), checkpoint=number)


def _at(place: Place) -> Any:
    """Everything up to `place` has been given, and all of the checkpoint before its own."""
    before = place.checkpoint - 1 if place.checkpoint else None
    return v2.Watermark(cursor=place.cursor(), checkpoint=before)
