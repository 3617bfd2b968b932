"""A small blob server: what several processes of a localnet or a demonstration share.

    PUT /v1/blobs/<hex>   201 kept, 200 was here, 400 other digest, 409 being written, 413 too large, 507 quota used up
    GET /v1/blobs/<hex>   200 the bytes, 404 none
    GET /health           200

Anyone who reaches it may write until the quota is used up: put it on localhost, or behind a proxy that asks who it is.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from agent.delivery.blob_store import MAX_BLOB, LocalBlobStore
from agent.delivery.errors import BlobMissing, StoreFull, StoreUnreachable
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId
from agent.telemetry.http import Answer, HttpRefusal, HttpServer, Limits, Request

PATH: Final = "/v1/blobs/"
OCTETS: Final = "application/octet-stream"
_HEX_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a server keeps at most, in bytes."""

    blob: int = MAX_BLOB
    total: int = 4 * 1024**3


class BlobServer:
    """Answers requests out of `store`; `serving` binds it to a port."""

    def __init__(self, store: LocalBlobStore, allowance: Allowance | None = None) -> None:
        self._store = store
        self._allowance = allowance or Allowance()
        self._used: int | None = None
        self._being_written: set[BlobId] = set()

    def serving(self, host: str, port: int, limits: Limits | None = None) -> HttpServer:
        """An HTTP server for this store; serves inside its `async with`."""
        return HttpServer(self.answer, host, port, limits or Limits(connections=16))

    async def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        if request.path == "/health":
            return Answer(HTTPStatus.OK, b"ok\n")
        blob = _blob_in(request.path)
        match request.method:
            case "GET":
                return await self._get(blob)
            case "PUT":
                return await self._put(blob, request)
            case _:
                raise HttpRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "GET or PUT")

    async def _get(self, blob: BlobId) -> Answer:
        try:
            return Answer(HTTPStatus.OK, await self._store.read(blob, self._allowance.blob), OCTETS)
        except BlobMissing:
            raise HttpRefusal(HTTPStatus.NOT_FOUND, "no such blob") from None
        except StoreUnreachable as error:
            raise HttpRefusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error

    async def _put(self, blob: BlobId, request: Request) -> Answer:
        length = request.content_length(self._allowance.blob)
        if blob in self._being_written:
            raise HttpRefusal(HTTPStatus.CONFLICT, "another client is writing it, ask again")
        self._being_written.add(blob)
        try:
            present = await self._store.size(blob) is not None
            if not present:
                await self._reserve(length)
            try:
                await self._keep(blob, await request.body(self._allowance.blob))
            except BaseException:
                if not present:
                    self._release(length)
                raise
        finally:
            self._being_written.discard(blob)
        return Answer(HTTPStatus.OK, b"was here\n") if present else Answer(HTTPStatus.CREATED, b"kept\n")

    async def _keep(self, blob: BlobId, content: bytes) -> None:
        if blob_digest(content) != blob:
            raise HttpRefusal(HTTPStatus.BAD_REQUEST, "the content has another digest than the path names")
        try:
            await self._store.write(blob, content)
        except StoreFull as error:
            raise HttpRefusal(HTTPStatus.INSUFFICIENT_STORAGE, str(error)) from error

    async def _reserve(self, length: int) -> None:
        """Count `length` bytes before they are read, so that many writers at once cannot pass the quota together."""
        if self._used is None:
            found = (await self._store.statistics()).bytes
            # another request may have counted meanwhile
            self._used = found if self._used is None else self._used
        if self._used + length > self._allowance.total:
            raise HttpRefusal(HTTPStatus.INSUFFICIENT_STORAGE, f"the quota of {self._allowance.total} bytes is used up")
        self._used += length

    def _release(self, length: int) -> None:
        assert self._used is not None, "released after it was reserved"
        self._used -= length


def _blob_in(path: str) -> BlobId:
    name = path.removeprefix(PATH)
    if name == path or len(name) != _HEX_DIGITS or name.strip("0123456789abcdef"):
        raise HttpRefusal(HTTPStatus.NOT_FOUND, f"wants {PATH}<64 lower-case hex digits>")
    return BlobId(bytes.fromhex(name))
