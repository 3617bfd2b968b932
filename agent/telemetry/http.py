"""A small HTTP/1.1 server on asyncio for the agent's own endpoints: one request per connection, everything bounded.

Not for the open internet: no TLS, no keep-alive, no chunked bodies. A node's operator puts it on localhost or behind
a proxy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Self

MAX_HEAD: Final = 16 * 1024
"""Bytes of request line and headers."""

LINGER_SECONDS: Final = 2.0
"""How long a client may go on sending what was refused already."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; the body is whole."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class HttpRefusal(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.answer: Final = Answer(status, text.encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose body is still to be read."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    _reader: asyncio.StreamReader = field(repr=False)

    def content_length(self, limit: int) -> int:
        """Bytes of the body, as announced.

        Raises:
            HttpRefusal: not announced, or over `limit`.
        """
        length = self.headers.get("content-length", "")
        if "transfer-encoding" in self.headers or not (length.isascii() and length.isdecimal() and len(length) < 20):
            raise HttpRefusal(HTTPStatus.LENGTH_REQUIRED, "send a Content-Length and no Transfer-Encoding")
        if int(length) > limit:
            raise HttpRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {limit} bytes")
        return int(length)

    async def body(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            HttpRefusal: as `content_length`, or the client hung up early.
        """
        try:
            return await self._reader.readexactly(self.content_length(limit))
        except asyncio.IncompleteReadError:
            raise HttpRefusal(HTTPStatus.BAD_REQUEST, "the body ended early") from None


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server gives away at most."""

    connections: int = 64
    """At once; further ones are answered 503."""
    seconds: float = 60.0
    """From connect to the last byte of the answer."""


@dataclass(frozen=True, slots=True)
class HttpStatistics:
    """What a server did so far."""

    open: int
    """Connections now."""
    answered: int
    """Requests answered, errors included."""
    failed: int
    """Connections that ended without an answer: too slow, or hung up."""


class HttpServer:
    """Serves `handler` while the `async with` block runs."""

    def __init__(self, handler: Handler, host: str, port: int, limits: Limits | None = None) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._limits = limits or Limits()
        self._connections: set[asyncio.Task[object]] = set()
        self._server: asyncio.Server | None = None
        self._closing = False
        self._answered = self._failed = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self._host, self._port, limit=MAX_HEAD)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None, "entered before it is left"
        self._closing = True
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port really bound; differs from the one asked for if that was 0."""
        assert self._server is not None, "asked inside the block"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Where to reach it."""
        return f"http://{self._host}:{self.port}"

    def statistics(self) -> HttpStatistics:
        """Counts for /metrics."""
        return HttpStatistics(open=len(self._connections), answered=self._answered, failed=self._failed)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this callback as a task"
        self._connections.add(task)
        try:
            async with asyncio.timeout(self._limits.seconds):
                answer = await self._answer(reader)
                writer.write(_encode(answer))
                await writer.drain()
                self._answered += 1
                await _linger(reader, writer)
        except (TimeoutError, ConnectionError, EOFError):
            self._failed += 1
        except asyncio.CancelledError:
            # cancelled by `__aexit__`, which waits for this task; asyncio would report a fault if it ended cancelled
            if not self._closing:
                raise
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            if len(self._connections) > self._limits.connections:
                return Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"too many connections, come back in a moment\n")
            return await self._handler(await _read_request(reader))
        except HttpRefusal as refusal:
            return refusal.answer
        except Exception as error:  # noqa: BLE001 - one bad request must not end the server
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}\n".encode())


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what the client still sends: closing on unread bytes resets the connection, and the answer is lost."""
    if writer.can_write_eof():
        writer.write_eof()
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while await reader.read(64 * 1024):
                pass
    except (TimeoutError, ConnectionError):
        pass  # it was answered; what it sends now is its own business


async def _read_request(reader: asyncio.StreamReader) -> Request:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        raise HttpRefusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"headers over {MAX_HEAD} bytes") from None
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise HttpRefusal(HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise HttpRefusal(HTTPStatus.BAD_REQUEST, f"header {name[:40]!r} is malformed or doubled")
        headers[name.lower()] = value.strip()
    return Request(words[0], words[1], headers, reader)


def _encode(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
        "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("latin-1") + answer.body
