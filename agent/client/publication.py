"""A sealed output on its way onto the chain, put there by the requester: docs/spec/protocol.md §6, Delivery."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from agent.chain.calls import SubmitOutput
from agent.protocol.blob import BLOB_CHUNK, BLOB_HALF
from agent.protocol.tags import BLOB
from agent.protocol.units import Digest, TaskId

CHUNKS_AT_ONCE: Final = 6
"""Calls of one transaction: Sui takes 128 KiB, six chunks leave room for everything else."""


def next_calls(task: TaskId, sealed: bytes, leaves: Sequence[Digest]) -> tuple[SubmitOutput, ...]:
    """What puts up the next chunks of `sealed`, where `leaves` are up already; those that differ are put up again."""
    chunks = [sealed[at : at + BLOB_CHUNK] for at in range(0, len(sealed), BLOB_CHUNK)]
    first = 0
    # the last one is always sent: it is what the contract checks all of them at
    while first < min(len(chunks) - 1, len(leaves)) and leaves[first] == _leaf(first, chunks[first]):
        first += 1
    return tuple(
        SubmitOutput(task, index, chunks[index][:BLOB_HALF], chunks[index][BLOB_HALF:], last=index == len(chunks) - 1)
        for index in range(first, min(len(chunks), first + CHUNKS_AT_ONCE))
    )


def _leaf(index: int, chunk: bytes) -> Digest:
    # docs/spec/protocol.md §2, blob_digest: over the hashes of both halves
    halves = _hash(chunk[:BLOB_HALF]) + _hash(chunk[BLOB_HALF:])
    return Digest(_hash(BLOB + index.to_bytes(4, "little") + halves))


def _hash(content: bytes) -> bytes:
    return blake2b(content, digest_size=32).digest()
