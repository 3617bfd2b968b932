from pathlib import Path

import httpx
import pytest

from agent.delivery.blob_store import MemoryBlobStore
from agent.delivery.errors import UnknownStore
from agent.delivery.file_store import FileBlobStore
from agent.delivery.http_store import HttpBlobStore
from agent.delivery.stores import BlobStores, connect

OURS = "http://127.0.0.1:9100"


async def test_blob_is_fetched_from_the_store_that_the_chain_names() -> None:
    memory = MemoryBlobStore()
    blob = await memory.put(b"sealed")
    stores = BlobStores({OURS: memory, "http://elsewhere": MemoryBlobStore()})
    assert await stores.fetch(OURS.encode() + b"/", blob, limit=100) == b"sealed"


@pytest.mark.parametrize(
    "uri",
    [
        b"",
        b"http://169.254.169.254/latest",
        b"http://127.0.0.1:9100@evil",
        b"http://127.0.0.1:9100/../x",
        b"file:///etc",
        b"\xff\xfe",
        b"h" * 100_000,
    ],
)
def test_uri_that_nobody_configured_reaches_nothing(uri: bytes) -> None:
    with pytest.raises(UnknownStore, match="add it if you trust it"):
        BlobStores({OURS: MemoryBlobStore()}).at(uri)


async def test_configured_uris_become_stores(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as client:
        assert isinstance(connect("https://blobs.example/", client), HttpBlobStore)
        store = connect(tmp_path.as_uri() + "/with%20space", client)
    assert isinstance(store, FileBlobStore)
    await store.put(b"x")
    assert (tmp_path / "with space").is_dir()


@pytest.mark.parametrize("uri", ["", "ftp://host", "file://host/dir", "file:dir", "http://", "/just/a/path"])
async def test_other_uris_are_refused_at_start(uri: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="is no blob store"):
            connect(uri, client)
