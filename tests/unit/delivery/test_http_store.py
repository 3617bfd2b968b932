from collections.abc import AsyncIterator
from random import Random

import httpx
import pytest

from agent.delivery.errors import BlobError, BlobMissing, BlobTooLarge, StoreFull, StoreUnreachable
from agent.delivery.http_store import HttpBlobStore, Retry
from agent.protocol.blob import blob_digest

CONTENT = b"content"
BLOB = blob_digest(CONTENT)


def _sent(content: bytes) -> AsyncIterator[bytes]:
    """A body that comes over the network: in parts, once."""

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]

    return parts()


class Remote:
    """A remote store that answers from a list, then for ever with the last of it."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def store(self, attempts: int = 4) -> HttpBlobStore:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return HttpBlobStore("http://store/", client, Retry(attempts=attempts), self.sleep, Random(1))


async def test_missing_blob_is_asked_for_until_it_comes() -> None:
    remote = Remote(httpx.Response(404), httpx.ConnectError("down"), httpx.Response(200, content=_sent(CONTENT)))
    assert await remote.store().fetch(BLOB, limit=100) == CONTENT
    assert len(remote.slept) == 2


async def test_patience_ends_and_waits_grow_to_a_ceiling() -> None:
    remote = Remote(httpx.Response(404))
    with pytest.raises(BlobMissing):
        await remote.store(attempts=9).fetch(BLOB, limit=100)
    assert len(remote.requests) == 9
    wanted = [0.25, 0.5, 1, 2, 4, 5, 5, 5]
    assert all(most / 2 <= slept <= most for slept, most in zip(remote.slept, wanted, strict=True))


async def test_blob_is_asked_for_by_its_name_in_hex() -> None:
    remote = Remote(httpx.Response(200, content=_sent(CONTENT)))
    await remote.store().fetch(BLOB, limit=100)
    assert str(remote.requests[0].url) == f"http://store/v1/blobs/{BLOB.hex()}"


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [(413, BlobTooLarge, 1), (507, StoreFull, 1), (500, StoreUnreachable, 4), (302, StoreUnreachable, 4)],
)
async def test_refusal_to_keep_is_told_and_only_faults_are_tried_again(
    status: int, error: type[BlobError], attempts: int
) -> None:
    remote = Remote(httpx.Response(status))
    with pytest.raises(error):
        await remote.store().put(CONTENT)
    assert len(remote.requests) == attempts


async def test_endless_answer_is_cut_at_the_limit() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield bytes(1000)

    remote = Remote(httpx.Response(200, content=endless()))
    with pytest.raises(BlobTooLarge):
        await remote.store().fetch(BLOB, limit=5000)
    assert read <= 7000


async def test_packed_answer_is_not_unpacked() -> None:
    import gzip

    packed = gzip.compress(bytes(10_000_000))
    remote = Remote(httpx.Response(200, content=_sent(packed), headers={"Content-Encoding": "gzip"}))
    assert await remote.store().read(BLOB, 100_000) == packed
    assert remote.requests[0].headers["Accept-Encoding"] == "identity"


async def test_store_that_never_answers_is_unreachable() -> None:
    with pytest.raises(StoreUnreachable, match="ReadTimeout"):
        await Remote(httpx.ReadTimeout("slow")).store().fetch(BLOB, limit=10)
