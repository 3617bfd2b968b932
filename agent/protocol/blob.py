"""The name of stored bytes: docs/spec/protocol.md §2.

A Merkle root, so that a chunk of a blob can be proved on chain [C5].
"""

from hashlib import blake2b
from typing import Final

from agent.protocol.commitment import merkle_root
from agent.protocol.tags import BLOB
from agent.protocol.units import BlobId, Digest

BLOB_CHUNK: Final = 16_384
"""Bytes; two pure arguments of a transaction hold one."""
BLOB_HALF: Final = BLOB_CHUNK // 2
"""Bytes of a chunk's head; its tail is the rest."""
MAX_PUBLISHED_CHUNKS: Final = 64
"""Of a sealed output: what can be published on chain, 1 MiB."""


def blob_digest(content: bytes) -> BlobId:
    """The id of `content`; an empty blob is one empty chunk."""
    return BlobId(merkle_root([blob_leaf(index, chunk) for index, chunk in enumerate(chunks_of(content))]))


def chunks_of(content: bytes) -> tuple[bytes, ...]:
    """`content` in the chunks whose leaves make its digest; an empty blob is one empty chunk."""
    return tuple(content[at : at + BLOB_CHUNK] for at in range(0, len(content), BLOB_CHUNK)) or (b"",)


def blob_leaf(index: int, chunk: bytes) -> Digest:
    """The leaf of a chunk, over the hashes of its two halves: what a contract can compute without putting them together."""
    halves = _hash(chunk[:BLOB_HALF]) + _hash(chunk[BLOB_HALF:])
    return Digest(_hash(BLOB + index.to_bytes(4, "little") + halves))


def _hash(content: bytes) -> bytes:
    return blake2b(content, digest_size=32).digest()
