"""HTTP/2 connections: native gRPC, and for browsers that negotiate it gRPC-web and the JSON routes.

grpclib's own server has no limit on a request's size and hangs its streams at shutdown, so only its protocol layer
is used here.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any, Final, cast

from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.protocol import AbstractHandler, H2Protocol
from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError, StreamClosedError

from localnet.rpc.errors import InvalidArgument, RpcError
from localnet.rpc.transport.frames import PREFIX, encode_message, frame, message_length, timeout_of
from localnet.rpc.transport.limits import Limits
from localnet.rpc.transport.methods import MethodTable
from localnet.rpc.transport.tasks import Tasks
from localnet.rpc.transport.web import HttpRequest, WebApplication

log = logging.getLogger(__name__)

GRPC: Final = ("application/grpc", "application/grpc+proto")

_H2: Final = H2Configuration(
    client_side=False,
    header_encoding="utf-8",
    validate_outbound_headers=False,  # ours are well formed
    normalize_outbound_headers=False,
)


class Http2Calls(AbstractHandler):  # type: ignore[misc] # grpclib is untyped here
    """The calls of one connection, each a task."""

    def __init__(self, methods: MethodTable, application: WebApplication, tasks: Tasks, limits: Limits) -> None:
        self._methods: Final = methods
        self._application: Final = application
        self._tasks: Final = tasks
        self._limits: Final = limits
        self._running: Final[dict[Any, asyncio.Task[None]]] = {}

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return bool(self._running)

    def accept(self, stream: Any, headers: list[tuple[str, str]], release_stream: Callable[[], None]) -> None:
        """Start answering a stream; called by the protocol."""
        self._running[stream] = self._tasks.start(self._answer(stream, dict(headers), release_stream))

    def cancel(self, stream: Any) -> None:
        """The client reset `stream`."""
        task = self._running.get(stream)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """The connection is gone."""
        for task in self._running.values():
            task.cancel()

    async def _answer(self, stream: Any, headers: dict[str, str], release: Callable[[], None]) -> None:
        try:
            if headers.get(":method") == "POST" and headers.get("content-type") in GRPC:
                await self._grpc(stream, headers)
            else:
                await self._web(stream, headers)
        except (StreamClosedError, ProtocolError, ConnectionError) as broken:
            log.debug("HTTP/2 stream given up: %s", broken)
        except asyncio.CancelledError:
            if stream.closable:  # not the client's doing: it reads too slowly, or the time for shutting down is over
                stream.reset_nowait(ErrorCodes.ENHANCE_YOUR_CALM)
            raise
        finally:
            self._running.pop(stream, None)
            release()

    async def _grpc(self, stream: Any, headers: dict[str, str]) -> None:
        status, message = Status.OK, None
        head = [(":status", "200"), ("content-type", "application/grpc+proto")]
        try:
            request = await self._single_message(stream)
            timeout = timeout_of(headers.get("grpc-timeout"))
            async with aclosing(self._methods.call(headers[":path"], request, timeout)) as replies:
                async for reply in replies:
                    if head:
                        await stream.send_headers(head)
                        head = []
                    await stream.send_data(frame(reply))
        except RpcError as refused:
            status, message = refused.status, refused.message
        trailers = [*head, ("grpc-status", str(status.value))]
        if message:
            trailers.append(("grpc-message", encode_message(message)))
        await stream.send_headers(trailers, end_stream=True)
        if stream.closable:  # the client has not ended its side: tell it that nothing more is read
            stream.reset_nowait()

    async def _single_message(self, stream: Any) -> bytes:
        try:
            prefix = await stream.recv_data(PREFIX)
            if not prefix:
                raise InvalidArgument("the request holds no gRPC frame")
            length = message_length(prefix, self._limits.request)
            return cast("bytes", await stream.recv_data(length))
        except AssertionError:  # how grpclib says that the body ended early
            raise InvalidArgument("the request ends within a gRPC frame") from None

    async def _web(self, stream: Any, headers: dict[str, str]) -> None:
        body = bytearray()
        limit = self._limits.request * 4 // 3 + 64
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) <= limit:
            with suppress(AssertionError):  # less came than announced: the application refuses what is there
                body += await stream.recv_data(int(announced))
        plain = {name: value for name, value in headers.items() if not name.startswith(":")}
        request = HttpRequest(headers[":method"], headers[":path"], plain, bytes(body))
        response = await self._application.respond(request)
        await stream.send_headers([(":status", str(response.status)), *response.headers])
        if isinstance(response.body, bytes):
            await stream.send_data(response.body, end_stream=True)
            return
        async with aclosing(cast("Any", response.body)) as pieces:
            async for piece in pieces:
                await stream.send_data(piece)
        await stream.end()


def http2_protocol(calls: Http2Calls) -> asyncio.Protocol:
    """A protocol that hands its streams to `calls`."""
    return cast("asyncio.Protocol", H2Protocol(calls, Configuration().__for_server__(), _H2))
