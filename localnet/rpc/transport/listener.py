"""One port for everything: plaintext or TLS, HTTP/2 or HTTP/1.1, told apart by the first bytes."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol, cast

from localnet.rpc.transport.http1 import Http1Protocol
from localnet.rpc.transport.http2 import Http2Calls, http2_protocol
from localnet.rpc.transport.limits import Limits
from localnet.rpc.transport.methods import MethodTable
from localnet.rpc.transport.tasks import Tasks
from localnet.rpc.transport.web import WebApplication

log = logging.getLogger(__name__)

TLS_HANDSHAKE: Final = b"\x16"
"""First byte of a TLS ClientHello record (RFC 8446, section 5.1)."""
HTTP2_PREFACE: Final = b"PRI "
"""RFC 9113, section 3.4."""
BACKLOG: Final = 128


class Busy(Protocol):
    """Tells whether a connection has a call under way."""

    @property
    def busy(self) -> bool: ...


class Connection(asyncio.Protocol):
    """Passes a transport's events on to the protocol that its first bytes, or ALPN, ask for."""

    def __init__(self, listener: "Listener") -> None:
        self._listener: Final = listener
        self._inner: asyncio.Protocol | None = None
        self._calls: Busy | None = None
        self._buffer = b""
        self._last_data = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._calls is not None and self._calls.busy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._listener.opened(self)
        self._watch = asyncio.get_running_loop().call_later(self._listener.limits.first_bytes, self._check)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        chosen = tls.selected_alpn_protocol() if tls is not None else None
        if chosen is not None:
            self._choose(http2=chosen == "h2")

    def data_received(self, data: bytes) -> None:
        self._last_data = asyncio.get_running_loop().time()
        if self._inner is not None:
            self._inner.data_received(data)
            return
        self._buffer += data
        start = self._buffer[: len(HTTP2_PREFACE)]
        if start == HTTP2_PREFACE:
            self._choose(http2=True)
        elif not HTTP2_PREFACE.startswith(start):
            self._choose(http2=False)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._inner is not None:
            self._inner.connection_lost(exc)
        self._listener.closed(self)

    def _choose(self, *, http2: bool) -> None:
        self._inner, self._calls = self._listener.http2() if http2 else self._listener.http1()
        self._inner.connection_made(self.transport)
        if self._buffer:
            buffered, self._buffer = self._buffer, b""
            self._inner.data_received(buffered)

    def _check(self) -> None:
        """Close a connection that never said what it speaks, or has been idle for long."""
        loop, idle = asyncio.get_running_loop(), self._listener.limits.idle
        if self._calls is None:
            self.transport.abort()
        elif not self.busy and loop.time() - self._last_data >= idle:
            if self.transport.get_write_buffer_size():
                self.transport.abort()  # the peer reads nothing: a polite close would never end
            else:
                self.transport.close()
        else:
            self._watch = loop.call_later(idle, self._check)


class Listener:
    """Accepts connections from `open` until `close`."""

    def __init__(
        self, methods: MethodTable, application: WebApplication, context: ssl.SSLContext, limits: Limits
    ) -> None:
        self.limits: Final = limits
        self._methods: Final = methods
        self._application: Final = application
        self._context: Final = context
        self._arriving: Final = Tasks()
        self._serving: Final = Tasks()
        self._connections: Final[set[Connection]] = set()
        self._none_left: Final = asyncio.Event()
        self._none_left.set()
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    def open(self, host: str, port: int) -> int:
        """Listen on `host` and `port` (0: any free one); returns the port."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._socket))
        return cast("int", self._socket.getsockname()[1])

    async def close(self) -> None:
        """Return when every connection is closed; calls under way have `limits.grace` seconds to end."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        await self._arriving.close(grace=0.0)
        for connection in tuple(self._connections):
            if not connection.busy:
                connection.transport.close()
        await self._serving.close(self.limits.grace)
        for connection in tuple(self._connections):
            connection.transport.close()
        try:
            async with asyncio.timeout(self.limits.grace):
                await self._none_left.wait()
        except TimeoutError:  # peers that do not read what is left for them
            for connection in tuple(self._connections):
                connection.transport.abort()
            await self._none_left.wait()

    def http1(self) -> tuple[asyncio.Protocol, Busy]:
        """The protocol of a new HTTP/1.1 connection."""
        protocol = Http1Protocol(self._application, self._serving, self.limits)
        return protocol, protocol

    def http2(self) -> tuple[asyncio.Protocol, Busy]:
        """The protocol of a new HTTP/2 connection."""
        calls = Http2Calls(self._methods, self._application, self._serving, self.limits)
        return http2_protocol(calls), calls

    def opened(self, connection: Connection) -> None:
        """Count `connection` in."""
        self._connections.add(connection)
        self._none_left.clear()

    def closed(self, connection: Connection) -> None:
        """Count `connection` out."""
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(listening)
            if len(self._connections) >= self.limits.connections:
                log.warning("connection refused: %d are open", len(self._connections))
                accepted.close()
                continue
            self._arriving.start(self._admit(accepted))

    async def _admit(self, accepted: socket.socket) -> None:
        """Peek at the first byte: TLS or not."""
        loop = asyncio.get_running_loop()
        try:
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self.limits.first_bytes):
                await _readable(loop, accepted)
            first = accepted.recv(1, socket.MSG_PEEK)
            if not first:
                accepted.close()
                return
            tls = self._context if first == TLS_HANDSHAKE else None
            await loop.connect_accepted_socket(
                lambda: Connection(self),
                accepted,
                ssl=tls,
                ssl_handshake_timeout=self.limits.first_bytes if tls else None,
                ssl_shutdown_timeout=self.limits.grace if tls else None,
            )
        except (OSError, TimeoutError) as broken:
            log.debug("connection given up before its first byte: %s", broken)
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise


async def _readable(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> None:
    readable: asyncio.Future[None] = loop.create_future()
    settle: Callable[[], None] = lambda: None if readable.done() else readable.set_result(None)  # noqa: E731
    loop.add_reader(accepted, settle)
    try:
        await readable
    finally:
        loop.remove_reader(accepted)
