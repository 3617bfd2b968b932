"""A sealed output on its way onto the chain: which chunks are there already, and which calls put up the next ones
(docs/spec/protocol.md §6, Delivery [C5]).
"""

from collections.abc import Sequence
from typing import Final

from agent.chain.calls import PublishOutput
from agent.protocol.blob import BLOB_HALF, blob_leaf
from agent.protocol.units import Digest, ObjectId, TaskId

CHUNKS_AT_ONCE: Final = 6
"""Calls of one transaction: Sui takes 128 KiB, six chunks leave room for everything else."""


def published(leaves: Sequence[Digest], chunks: Sequence[bytes]) -> int:
    """How many of `chunks` are on chain: those in front that are equal. What somebody else put up wrongly is put up again."""
    count = 0
    for leaf, (index, chunk) in zip(leaves, enumerate(chunks), strict=False):
        if leaf != blob_leaf(index, chunk):
            break
        count += 1
    return count


def next_calls(task: TaskId, operator_cap: ObjectId, chunks: Sequence[bytes], first: int) -> tuple[PublishOutput, ...]:
    """What puts up the chunks from `first` on, as many as one transaction holds. A pure argument holds less than a chunk:
    each travels in its two halves.
    """
    upto = min(len(chunks), first + CHUNKS_AT_ONCE)
    return tuple(
        PublishOutput(task, operator_cap, index, chunks[index][:BLOB_HALF], chunks[index][BLOB_HALF:], index == len(chunks) - 1)
        for index in range(first, upto)
    )
