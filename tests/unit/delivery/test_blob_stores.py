"""What every store promises, asked of each: memory, files, and HTTP against our own server."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from agent.delivery import blob_store
from agent.delivery.blob_store import BlobStore, MemoryBlobStore
from agent.delivery.errors import BlobMissing, BlobTampered, BlobTooLarge
from agent.delivery.file_store import FileBlobStore
from agent.delivery.http_store import HttpBlobStore, Retry
from agent.delivery.server import BlobServer
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId

SEALED = b"sealed input" * 3000
BLOB = blob_digest(SEALED)

Spoil = Callable[[BlobId, bytes], None]


@pytest.fixture(params=["memory", "file", "http"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[BlobStore, Spoil]]:
    """A store, and a way to put wrong bytes under a name."""
    if request.param == "file":

        def spoil(blob: BlobId, content: bytes) -> None:
            (tmp_path / blob[:1].hex() / blob.hex()).write_bytes(content)

        yield FileBlobStore(tmp_path), spoil
        return
    memory = MemoryBlobStore()

    def spoil_memory(blob: BlobId, content: bytes) -> None:
        memory.content[blob] = content

    if request.param == "memory":
        yield memory, spoil_memory
        return
    async with BlobServer(memory).serving("127.0.0.1", 0) as server, httpx.AsyncClient() as client:
        yield HttpBlobStore(server.url, client, Retry(attempts=1)), spoil_memory


async def test_what_was_put_is_fetched_under_the_digest_of_the_protocol(pair: tuple[BlobStore, Spoil]) -> None:
    store, _ = pair
    assert await store.put(SEALED) == BLOB
    assert await store.fetch(BLOB, limit=len(SEALED)) == SEALED


@pytest.mark.parametrize("content", [b"", b"\0", bytes(16_384), bytes(16_385)], ids=len)
async def test_blobs_of_every_shape_come_back(pair: tuple[BlobStore, Spoil], content: bytes) -> None:
    store, _ = pair
    assert await store.fetch(await store.put(content), limit=len(content)) == content


async def test_putting_twice_is_no_error(pair: tuple[BlobStore, Spoil]) -> None:
    store, _ = pair
    assert await store.put(SEALED) == await store.put(SEALED)


async def test_swapped_bytes_are_noticed(pair: tuple[BlobStore, Spoil]) -> None:
    store, spoil = pair
    await store.put(SEALED)
    spoil(BLOB, b"X" + SEALED[1:])
    with pytest.raises(BlobTampered):
        await store.fetch(BLOB, limit=len(SEALED))


async def test_spoilt_blob_is_repaired_by_putting_it_again(pair: tuple[BlobStore, Spoil]) -> None:
    store, spoil = pair
    await store.put(SEALED)
    spoil(BLOB, b"X" + SEALED[1:])
    await store.put(SEALED)
    assert await store.fetch(BLOB, limit=len(SEALED)) == SEALED


async def test_blob_over_the_limit_is_refused(pair: tuple[BlobStore, Spoil]) -> None:
    store, _ = pair
    await store.put(SEALED)
    with pytest.raises(BlobTooLarge):
        await store.fetch(BLOB, limit=len(SEALED) - 1)


async def test_lost_blob_is_missing_not_tampered(pair: tuple[BlobStore, Spoil]) -> None:
    store, _ = pair
    with pytest.raises(BlobMissing) as lost:
        await store.fetch(BLOB, limit=100)
    assert lost.value.blob == BLOB


async def test_blob_larger_than_any_output_is_not_put(
    pair: tuple[BlobStore, Spoil], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = pair
    monkeypatch.setattr(blob_store, "MAX_BLOB", 10)
    with pytest.raises(BlobTooLarge):
        await store.put(bytes(11))
