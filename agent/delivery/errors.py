"""What can go wrong between a blob and who needs it.

Each carries the blob it is about, except `UnknownStore`, which carries the URI.

    BlobError
    ├── BlobMissing       the store answered that it has no such blob (it may come: try again until the deadline)
    ├── BlobTampered      the bytes are not the ones named: never ask this store for this blob again
    ├── BlobTooLarge      more bytes than the caller, or the store, allows
    ├── StoreFull         the store keeps nothing more
    └── StoreUnreachable  no answer that counts: network, timeout, or a fault of the store
    UnknownStore          a URI that leads to no store configured here
"""

from typing import Final

from agent.protocol.units import BlobId


class BlobError(Exception):
    """A blob could not be had, or not be kept."""

    def __init__(self, blob: BlobId, reason: str) -> None:
        super().__init__(f"blob {blob.hex()[:16]}…: {reason}")
        self.blob: Final = blob


class BlobMissing(BlobError):
    """The store has no such blob now."""


class BlobTampered(BlobError):
    """The store served other bytes."""


class BlobTooLarge(BlobError):
    """The blob is larger than allowed."""


class StoreFull(BlobError):
    """The store's quota is used up."""


class StoreUnreachable(BlobError):
    """The store gave no answer that counts."""


class UnknownStore(Exception):
    """No store is configured for this URI."""

    def __init__(self, uri: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no blob store is configured for {uri[:100]!r}, only for {', '.join(known)}: add it if you trust it"
        )
        self.uri: Final = uri
