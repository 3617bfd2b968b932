"""Checkpoints as messages."""

from collections.abc import Callable, Sequence
from typing import Any

from localnet.ledger.model import Checkpoint
from localnet.rpc.digests import base58
from localnet.rpc.masks import Mask
from localnet.rpc.render.effects import gas_message
from localnet.rpc.render.transactions import timestamp
from localnet.rpc.stubs import v2


def checkpoint_message(
    checkpoint: Checkpoint, transactions: Callable[[Mask], Sequence[Any]], mask: Mask
) -> Any:
    """A checkpoint, as far as `mask` wants it; `transactions` renders those in it.

    The localnet has no validators, so there are no signatures, and no BCS of summary or contents.

    Raises:
        InvalidArgument: the mask names an unknown field.
    """
    return mask.build(
        v2.Checkpoint,
        {
            "sequence_number": lambda: checkpoint.sequence,
            "digest": lambda: base58(checkpoint.digest),
            "summary": lambda: _summary(checkpoint),
            "contents": lambda: _contents(checkpoint),
            "transactions": lambda: list(transactions(mask.below("transactions"))),
        },
    )


def _summary(checkpoint: Checkpoint) -> Any:
    return v2.CheckpointSummary(
        digest=base58(checkpoint.digest),
        epoch=checkpoint.epoch,
        sequence_number=checkpoint.sequence,
        total_network_transactions=checkpoint.total_transactions,
        previous_digest=None if checkpoint.previous is None else base58(checkpoint.previous),
        epoch_rolling_gas_cost_summary=gas_message(checkpoint.gas),
        timestamp=timestamp(checkpoint.timestamp),
    )


def _contents(checkpoint: Checkpoint) -> Any:
    return v2.CheckpointContents(
        version=1,
        transactions=[
            v2.CheckpointedTransactionInfo(transaction=base58(transaction), effects=base58(effects))
            for transaction, effects in zip(checkpoint.transactions, checkpoint.effects, strict=True)
        ],
    )
