"""HTTP/1.1 connections, for gRPC-web and the JSON routes: h11 keeps the rules, this moves the bytes."""

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import Any, Final, cast

import h11

from localnet.rpc.transport.limits import Limits
from localnet.rpc.transport.tasks import Tasks
from localnet.rpc.transport.web import HttpRequest, HttpResponse, WebApplication

log = logging.getLogger(__name__)

READ: Final = 65_536


class Http1Protocol(asyncio.StreamReaderProtocol):
    """Serves the requests of one connection, one after the other; ends with the connection."""

    def __init__(self, application: WebApplication, tasks: Tasks, limits: Limits) -> None:
        self._reader: Final = asyncio.StreamReader(limit=READ)
        super().__init__(self._reader)
        self._application: Final = application
        self._tasks: Final = tasks
        self._limits: Final = limits
        self._serving: asyncio.Task[None] | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        writer = asyncio.StreamWriter(
            cast("asyncio.WriteTransport", transport), self, self._reader, asyncio.get_running_loop()
        )
        self._serving = self._tasks.start(self._serve(writer))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._serving is not None:
            self._serving.cancel()

    async def _serve(self, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._serve_one(connection, writer):
                connection.start_next_cycle()
        except (h11.RemoteProtocolError, ConnectionError) as broken:
            log.debug("HTTP/1.1 connection given up: %s", broken)
        except asyncio.CancelledError:
            writer.transport.abort()  # a peer that does not read would keep `close` waiting
            raise
        finally:
            self.busy = False
            writer.close()

    async def _serve_one(self, connection: h11.Connection, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow on this connection."""
        try:
            request = await self._read_request(connection, writer)
        except h11.RemoteProtocolError as malformed:
            await self._write(connection, writer, _refusal(malformed.error_status_hint, str(malformed)))
            return False
        if request is None:
            return False
        self.busy = True
        response = await self._application.respond(request)
        await self._write(connection, writer, response)
        self.busy = False
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _read_request(self, connection: h11.Connection, writer: asyncio.StreamWriter) -> HttpRequest | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    writer.write(_bytes(connection.send(h11.InformationalResponse(status_code=100, headers=[]))))
                connection.receive_data(await self._reader.read(READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _body_limit(self._limits):
                    raise h11.RemoteProtocolError(f"over {self._limits.request} bytes", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
                return HttpRequest(head.method.decode("ascii"), head.target.decode("ascii"), headers, bytes(body))
            else:
                return None

    async def _write(self, connection: h11.Connection, writer: asyncio.StreamWriter, response: HttpResponse) -> None:
        headers: list[tuple[str, str]] = list(response.headers)
        if isinstance(response.body, bytes):
            headers.append(("content-length", str(len(response.body))))
        else:
            headers.append(("transfer-encoding", "chunked"))
        head = _bytes(connection.send(h11.Response(status_code=response.status, headers=headers)))
        if isinstance(response.body, bytes):
            body = _bytes(connection.send(h11.Data(data=response.body)))
            writer.write(head + body + _bytes(connection.send(h11.EndOfMessage())))
        else:
            writer.write(head)
            async with aclosing(cast("Any", response.body)) as pieces:
                async for piece in pieces:
                    writer.write(_bytes(connection.send(h11.Data(data=piece))))
                    await writer.drain()
            writer.write(_bytes(connection.send(h11.EndOfMessage())))
        with suppress(ConnectionError):
            await writer.drain()


def _body_limit(limits: Limits) -> int:
    """Base64 makes a third more of it, and a frame has a prefix."""
    return limits.request * 4 // 3 + 64


def _bytes(sent: bytes | None) -> bytes:
    return sent or b""


def _refusal(status: int, reason: str) -> HttpResponse:
    return HttpResponse(status, (("content-type", "text/plain"), ("connection", "close")), f"{reason}\n".encode())
