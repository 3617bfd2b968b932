"""Commitments to an output: keyed Merkle root, and the blinded commitment posted on chain.

Spec: docs/spec/protocol.md §2. The same vectors are checked by Move.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from agent.protocol.errors import CommitmentError, EmptyTree, OutputTooLarge
from agent.protocol.tags import BRANCH, COMMIT, LEAF
from agent.protocol.units import Digest, NodeId, TaskId

__all__ = [
    "CHUNK", "MAX_CHUNKS", "CommitmentError", "EmptyTree", "OutputTooLarge", "branch", "commitment", "leaf",
    "merkle_root", "output_root",
]  # fmt: skip

CHUNK: Final = 1_024
"""Bytes of one leaf."""
MAX_CHUNKS: Final = 65_536
"""Chunks in one output; the leaf index is a u32."""


def leaf(leaf_key: bytes, task: TaskId, index: int, chunk: bytes) -> Digest:
    """Hash one output chunk; keyed, so that a root of a guessable output tells nothing [C8].

    `index` binds its place, so that chunks cannot be reordered.
    """
    return _hash(leaf_key, LEAF, task, index.to_bytes(4, "little"), chunk)


def branch(left: bytes, right: bytes) -> Digest:
    """An inner node; its tag keeps it from passing for a leaf."""
    return _hash(BRANCH, left, right)


def merkle_root(leaves: Sequence[Digest]) -> Digest:
    """Binary root over `leaves`, in order; an odd one rises unpaired.

    Raises:
        EmptyTree: there is no leaf.
    """
    if not leaves:
        raise EmptyTree("no leaves: an empty output is one empty chunk")
    level = list(leaves)
    while len(level) > 1:
        paired = [branch(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def output_root(leaf_key: bytes, task: TaskId, output: bytes) -> Digest:
    """Root of a whole output, in chunks of 1,024 bytes; an empty one is one empty chunk.

    Raises:
        OutputTooLarge: more than 65,536 chunks, 64 MiB.
    """
    if len(output) > CHUNK * MAX_CHUNKS:
        raise OutputTooLarge(len(output), CHUNK * MAX_CHUNKS)
    chunks = [output[at : at + CHUNK] for at in range(0, len(output), CHUNK)] or [b""]
    return merkle_root([leaf(leaf_key, task, index, chunk) for index, chunk in enumerate(chunks)])


def commitment(task: TaskId, node: NodeId, root: bytes, salt: bytes) -> Digest:
    """What a node posts: `root`, blinded by `salt` and bound to the node.

    The executor's salt is 32 bytes; a panel member's is its own and the executor's, 64 bytes.
    """
    return _hash(COMMIT, task, node, root, salt)


def _hash(*parts: bytes) -> Digest:
    return Digest(blake2b(b"".join(parts), digest_size=32).digest())
