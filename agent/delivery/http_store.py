"""Blobs over HTTP: `PUT` and `GET <base>/v1/blobs/<id in hex>`, as `agent.delivery.server` answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Final, TypeVar

import httpx

from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError, BlobMissing, BlobTooLarge, StoreFull, StoreUnreachable
from agent.protocol.units import BlobId

T = TypeVar("T")

PATH: Final = "/v1/blobs/"
_KEPT: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})


@dataclass(frozen=True, slots=True)
class Retry:
    """How patiently a store is asked again: after `first` seconds, twice that, up to `ceiling`, each shortened by
    chance.
    """

    attempts: int = 5
    first: float = 0.25
    ceiling: float = 5.0

    def delays(self, chance: Random) -> Iterator[float]:
        """Seconds to wait between the attempts, one fewer than those."""
        for attempt in range(self.attempts - 1):
            yield min(self.first * 2**attempt, self.ceiling) * chance.uniform(0.5, 1.0)


class HttpBlobStore(BlobStore):
    """One remote store. The client is the caller's to configure and to close; it must not follow redirects."""

    def __init__(
        self,
        base: str,
        client: httpx.AsyncClient,
        retry: Retry | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Random | None = None,
    ) -> None:
        self._base = base.rstrip("/")
        self._client = client
        self._retry = retry or Retry()
        self._sleep = sleep
        # spreads retries out in time; nothing secret depends on it
        self._chance = chance or Random()  # noqa: S311

    async def write(self, blob: BlobId, content: bytes) -> None:
        await self._patiently(lambda: self._put(blob, content))

    async def read(self, blob: BlobId, limit: int) -> bytes:
        # a missing blob is asked for again a few times: its owner may be a moment behind its transaction
        return await self._patiently(lambda: self._get(blob, limit))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        for delay in self._retry.delays(self._chance):
            try:
                return await ask()
            except (BlobMissing, StoreUnreachable):
                await self._sleep(delay)
        return await ask()

    async def _put(self, blob: BlobId, content: bytes) -> None:
        try:
            answer = await self._client.put(self._url(blob), content=content)
        except httpx.HTTPError as error:
            raise self._unreachable(blob, error) from error
        if answer.status_code not in _KEPT:
            raise self._refused(blob, answer.status_code)

    async def _get(self, blob: BlobId, limit: int) -> bytes:
        # unpacking would let a small answer grow without limit
        headers = {"Accept-Encoding": "identity"}
        content = bytearray()
        try:
            async with self._client.stream("GET", self._url(blob), headers=headers) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise self._refused(blob, answer.status_code)
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > limit:
                        break
        except httpx.HTTPError as error:
            raise self._unreachable(blob, error) from error
        return bytes(content[: limit + 1])

    def _url(self, blob: BlobId) -> str:
        return f"{self._base}{PATH}{blob.hex()}"

    def _unreachable(self, blob: BlobId, error: httpx.HTTPError) -> BlobError:
        return StoreUnreachable(blob, f"{self._base} gives no answer ({type(error).__name__})")

    def _refused(self, blob: BlobId, status: int) -> BlobError:
        match status:
            case HTTPStatus.NOT_FOUND:
                return BlobMissing(blob, f"{self._base} has none")
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                return BlobTooLarge(blob, f"larger than {self._base} takes")
            case HTTPStatus.INSUFFICIENT_STORAGE:
                return StoreFull(blob, f"{self._base} is full: use another store")
            case _:
                return StoreUnreachable(blob, f"{self._base} answered {status}")
