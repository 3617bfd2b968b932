import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from agent.delivery.blob_store import MemoryBlobStore
from agent.delivery.server import Allowance, BlobServer
from agent.protocol.blob import blob_digest
from agent.telemetry.http import HttpServer

QUOTA = Allowance(blob=1000, total=2500)


def _path(content: bytes) -> str:
    return f"/v1/blobs/{blob_digest(content).hex()}"


@pytest.fixture
def store() -> MemoryBlobStore:
    return MemoryBlobStore()


@pytest.fixture
async def server(store: MemoryBlobStore) -> AsyncIterator[HttpServer]:
    async with BlobServer(store, QUOTA).serving("127.0.0.1", 0) as serving:
        yield serving


@pytest.fixture
async def client(server: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as opened:
        yield opened


async def test_kept_blob_is_served_as_octets(client: httpx.AsyncClient) -> None:
    assert (await client.put(_path(b"a"), content=b"a")).status_code == 201
    assert (await client.put(_path(b"a"), content=b"a")).status_code == 200
    answer = await client.get(_path(b"a"))
    assert (answer.content, answer.headers["Content-Type"]) == (b"a", "application/octet-stream")


async def test_content_under_another_name_is_not_kept(client: httpx.AsyncClient, store: MemoryBlobStore) -> None:
    assert (await client.put(_path(b"a"), content=b"b")).status_code == 400
    assert store.content == {}


async def test_blob_over_the_size_limit_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    content = bytes(5_000_000)
    assert (await client.put(_path(content), content=content)).status_code == 413


async def test_quota_is_not_passed_even_by_many_at_once(client: httpx.AsyncClient, store: MemoryBlobStore) -> None:
    blobs = [bytes([i]) * 1000 for i in range(6)]
    answers = await asyncio.gather(*(client.put(_path(blob), content=blob) for blob in blobs))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 507, 507, 507, 507]
    assert sum(map(len, store.content.values())) == 2000


async def test_what_lay_in_the_store_before_counts_in_the_quota(
    client: httpx.AsyncClient, store: MemoryBlobStore
) -> None:
    await store.put(bytes(2000))
    assert (await client.put(_path(b"x" * 600), content=b"x" * 600)).status_code == 507
    assert (await client.put(_path(b"x" * 500), content=b"x" * 500)).status_code == 201


async def test_refused_blob_gives_its_room_back(client: httpx.AsyncClient) -> None:
    for _ in range(5):
        assert (await client.put(_path(b"?"), content=bytes(1000))).status_code == 400
    assert (await client.put(_path(bytes(1000)), content=bytes(1000))).status_code == 201


async def test_same_blob_put_by_many_at_once_is_kept_once_and_counted_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.put(_path(bytes(900)), content=bytes(900)) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    other = b"y" * 1000
    assert (await client.put(_path(other), content=other)).status_code == 201


@pytest.mark.parametrize(
    "path", ["/", "/v1/blobs/", "/v1/blobs/../../etc/passwd", "/v1/blobs/" + "G" * 64, "/v1/blobs/" + "A" * 64]
)
async def test_path_that_names_no_blob_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.delete(_path(b"a"))).status_code == 405


async def test_body_without_a_length_is_refused(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"

    assert (await client.put(_path(b"a"), content=parts())).status_code == 411


async def test_server_says_that_it_is_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).status_code == 200
