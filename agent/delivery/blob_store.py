"""Where ciphertexts and evidence lie: a seam of two methods, content-addressed, untrusted.

A store may lose, delay or swap bytes; `fetch` checks the digest, so the worst it can do is refuse service.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from agent.delivery.errors import BlobMissing, BlobTampered, BlobTooLarge
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId

MAX_BLOB: Final = 65 * 1024 * 1024
"""Bytes; the largest output is 65,536 chunks of 1,024 bytes, and sealing adds less than a mebibyte."""


class BlobStore(ABC):
    """Subclasses move bytes; naming and checking them is done here, once."""

    async def put(self, content: bytes) -> BlobId:
        """Keep `content` and return its name; putting the same bytes twice is no error.

        Raises:
            BlobTooLarge: over `MAX_BLOB` bytes, or over what the store takes.
            StoreFull, StoreUnreachable: the store does not keep it.
        """
        blob = blob_digest(content)
        if len(content) > MAX_BLOB:
            raise BlobTooLarge(blob, f"{len(content)} bytes, at most {MAX_BLOB}")
        await self.write(blob, content)
        return blob

    async def fetch(self, blob: BlobId, *, limit: int) -> bytes:
        """The content of `blob`, checked, at most `limit` bytes.

        Raises:
            BlobMissing, BlobTampered, BlobTooLarge, StoreUnreachable
        """
        content = await self.read(blob, limit)
        if len(content) > limit:
            raise BlobTooLarge(blob, f"over {limit} bytes")
        if blob_digest(content) != blob:
            raise BlobTampered(blob, "the content has another digest")
        return content

    @abstractmethod
    async def write(self, blob: BlobId, content: bytes) -> None:
        """Keep `content`, whose name is `blob`; for `put` only.

        Raises:
            BlobTooLarge, StoreFull, StoreUnreachable
        """

    @abstractmethod
    async def read(self, blob: BlobId, limit: int) -> bytes:
        """At most `limit` + 1 bytes, unchecked; for `fetch` only.

        Raises:
            BlobMissing: the store says it has none.
            StoreUnreachable: the store says nothing that counts.
        """


@dataclass(frozen=True, slots=True)
class BlobStatistics:
    """What lies in a store."""

    blobs: int
    bytes: int


class LocalBlobStore(BlobStore):
    """A store on this machine: it also knows what it holds, and can forget it."""

    @abstractmethod
    async def size(self, blob: BlobId) -> int | None:
        """Bytes of `blob`, None if it is not here."""

    @abstractmethod
    async def discard(self, blob: BlobId) -> None:
        """Forget `blob`; no error if it is not here."""

    @abstractmethod
    async def statistics(self) -> BlobStatistics:
        """Counts for quotas and /metrics."""


class MemoryBlobStore(LocalBlobStore):
    """The twin for tests; `content` is public so that a test can lose or spoil a blob."""

    def __init__(self) -> None:
        self.content: dict[BlobId, bytes] = {}

    async def write(self, blob: BlobId, content: bytes) -> None:
        self.content[blob] = content

    async def read(self, blob: BlobId, limit: int) -> bytes:
        try:
            return self.content[blob][: limit + 1]
        except KeyError:
            raise BlobMissing(blob, "not in memory") from None

    async def size(self, blob: BlobId) -> int | None:
        content = self.content.get(blob)
        return None if content is None else len(content)

    async def discard(self, blob: BlobId) -> None:
        self.content.pop(blob, None)

    async def statistics(self) -> BlobStatistics:
        return BlobStatistics(blobs=len(self.content), bytes=sum(map(len, self.content.values())))
