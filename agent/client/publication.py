"""A sealed output on its way onto the chain, put there by the requester: docs/spec/protocol.md §6, Delivery."""

from collections.abc import Sequence
from typing import Final

from agent.chain.calls import SubmitOutput
from agent.protocol.blob import BLOB_HALF, blob_leaf, chunks_of
from agent.protocol.units import Digest, TaskId

CHUNKS_AT_ONCE: Final = 6
"""Calls of one transaction: Sui takes 128 KiB, six chunks leave room for everything else."""


def next_calls(task: TaskId, sealed: bytes, leaves: Sequence[Digest]) -> tuple[SubmitOutput, ...]:
    """What puts up the next chunks of `sealed`, where `leaves` are up already; those that differ are put up again."""
    chunks = chunks_of(sealed)
    first = 0
    # the last one is always sent: it is what the contract checks all of them at
    while first < min(len(chunks) - 1, len(leaves)) and leaves[first] == blob_leaf(first, chunks[first]):
        first += 1
    return tuple(
        SubmitOutput(task, index, chunks[index][:BLOB_HALF], chunks[index][BLOB_HALF:], last=index == len(chunks) - 1)
        for index in range(first, min(len(chunks), first + CHUNKS_AT_ONCE))
    )
