"""One endpoint of Sui's gRPC API: unary calls and streams with time and size limits, every failure typed.

Plaintext for `http://`, TLS for `https://`. The connection is made when first used, inside the running event loop, and
replaced when an answer did not come in time: a half-open one would swallow every further call.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
from grpclib.client import Channel
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from agent.chain.errors import ChainError, Malformed, NotFound, Refused, Unreachable, Unsupported
from agent.chain.sui.pysui_parts import Message

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of one message; Sui's own servers send at most 4 MiB by default, a full checkpoint may be larger."""

_REFUSALS: Final = {
    Status.INVALID_ARGUMENT,
    Status.FAILED_PRECONDITION,
    Status.OUT_OF_RANGE,
    Status.PERMISSION_DENIED,
    Status.UNAUTHENTICATED,
    Status.ALREADY_EXISTS,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a full node listens."""

    url: str
    ca: Path | None = None
    """PEM file with a further certificate authority to trust."""

    def connect(self) -> Channel:
        """A connection, not yet made.

        Raises:
            Unreachable: the URL or the CA file cannot be used.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{self.url} is no endpoint: write http:// or https://, a host, and its port")
        secure = parts.scheme == "https"
        try:
            return Channel(parts.hostname, parts.port or (443 if secure else 80), ssl=self._tls() if secure else None)
        except (ValueError, OSError) as error:
            raise Unreachable(f"{self.url} cannot be used as an endpoint: {error}") from error

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=certifi.where())
        context.load_default_certs()
        if self.ca is not None:
            context.load_verify_locations(self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        return context


class Wire:
    """Calls to one endpoint. One instance belongs to one event loop."""

    def __init__(self, endpoint: Endpoint, *, answer_s: float = 20.0) -> None:
        self.endpoint: Final = endpoint
        self._answer_s = answer_s
        self._channel: Channel | None = None
        self._users: dict[Channel, int] = {}
        self._closed = False

    async def call(
        self, method: str, request: Message, answer: type[Message], *, seconds: float | None = None
    ) -> Message:
        """The answer of `Service/Method` within `seconds`.

        Raises:
            NotFound, Refused, Unsupported, Unreachable, Malformed
        """
        async with self._channel_for(method) as channel:
            kind = Cardinality.UNARY_UNARY
            async with (
                asyncio.timeout(seconds or self._answer_s),
                channel.request(f"/sui.rpc.v2.{method}", kind, type(request), answer) as stream,
            ):
                await stream.send_message(request, end=True)
                _limit(stream)
                message = await stream.recv_message()
                if message is None:
                    # the status that explains it comes with the trailers
                    await stream.recv_trailing_metadata()
                    raise Malformed(f"{method} was answered with nothing: use another endpoint")
                return message

    async def stream(
        self, method: str, request: Message, answer: type[Message], *, idle_s: float
    ) -> AsyncGenerator[Message, None]:
        """Every message of `Service/Method`; Unreachable once none comes for `idle_s`.

        Raises:
            As `call`.
        """
        async with self._channel_for(method) as channel:
            kind = Cardinality.UNARY_STREAM
            async with channel.request(f"/sui.rpc.v2.{method}", kind, type(request), answer) as stream:
                async with asyncio.timeout(idle_s):
                    await stream.send_message(request, end=True)
                _limit(stream)
                while True:
                    async with asyncio.timeout(idle_s):
                        message = await stream.recv_message()
                    if message is None:
                        return
                    yield message

    def close(self) -> None:
        """Close every connection; calls under way fail with Unreachable."""
        self._closed = True
        for channel in {*self._users, *([self._channel] if self._channel else [])}:
            channel.close()
        self._channel = None

    @asynccontextmanager
    async def _channel_for(self, method: str) -> AsyncIterator[Channel]:
        if self._closed:
            raise Unreachable("this connection was closed")
        channel = self._channel = self._channel or self.endpoint.connect()
        self._users[channel] = self._users.get(channel, 0) + 1
        try:
            yield channel
        except TimeoutError as error:
            self._channel = None if self._channel is channel else self._channel
            raise Unreachable(f"{self.endpoint.url} did not answer {method} in time") from error
        except GRPCError as error:
            raise _meaning(error, method, self.endpoint.url) from error
        except (StreamTerminatedError, ProtocolError, OSError, AssertionError) as error:
            # an AssertionError is grpclib's word for a message cut off
            raise Unreachable(f"{self.endpoint.url} broke off {method}: {error}") from error
        except (ValueError, TypeError, KeyError, IndexError, EOFError, NotImplementedError) as error:
            raise Malformed(f"{self.endpoint.url} answered {method} with what cannot be read: {error}") from error
        finally:
            self._users[channel] -= 1
            if not self._users[channel]:
                del self._users[channel]
                if channel is not self._channel:
                    channel.close()


def _limit(stream: Any) -> None:
    # grpclib takes messages of any size; its stream is private, and its version is pinned by pysui
    receive = stream._stream.recv_data  # noqa: SLF001

    async def limited(size: int) -> bytes:
        if size > MAX_ANSWER:
            raise Malformed(f"an answer of {size} bytes, at most {MAX_ANSWER} are taken: use another endpoint")
        data: bytes = await receive(size)
        return data

    stream._stream.recv_data = limited  # noqa: SLF001


def _meaning(error: GRPCError, method: str, url: str) -> ChainError:
    text = f"{url} on {method}: {error.message or error.status.name}"[:2_000]
    if error.status is Status.NOT_FOUND:
        return NotFound(text)
    if error.status is Status.UNIMPLEMENTED:
        return Unsupported(text)
    if error.status in _REFUSALS:
        return Refused(text)
    return Unreachable(text)
