"""What answers over plain HTTP: gRPC-web in text and binary, JSON routes, CORS; the same over HTTP/1.1 and HTTP/2."""

import binascii
import json
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from grpclib.const import Status

from localnet.rpc.errors import InvalidArgument, RpcError
from localnet.rpc.transport.frames import frame, single_message, timeout_of, trailer_frame
from localnet.rpc.transport.methods import MethodTable

log = logging.getLogger(__name__)

Route = Callable[[Any], Awaitable[Any]]
"""Takes the decoded JSON body (None for a GET), returns what becomes the JSON reply."""

TEXT: Final = "application/grpc-web-text"
BINARY: Final = "application/grpc-web"

CORS: Final = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "grpc-status,grpc-message,grpc-status-details-bin"),
)
HTTP_STATUS: Final = {
    Status.INVALID_ARGUMENT: 400,
    Status.NOT_FOUND: 404,
    Status.FAILED_PRECONDITION: 409,
    Status.RESOURCE_EXHAUSTED: 429,
    Status.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request with its whole body; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A body of bytes has a length; an iterator is sent as it comes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | AsyncIterator[bytes]


class WebApplication:
    """Answers every HTTP request that is not native gRPC."""

    def __init__(self, methods: MethodTable, routes: Mapping[tuple[str, str], Route], request_limit: int) -> None:
        self._methods: Final = methods
        self._routes: Final = routes
        self._limit: Final = request_limit

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """The response to `request`; never raises."""
        content_type = request.headers.get("content-type", "")
        if request.method == "OPTIONS":
            return _preflight(request)
        if request.method == "POST" and content_type.startswith(BINARY):
            text = content_type.startswith(TEXT)
            media = TEXT if text else "application/grpc-web+proto"
            frames = self._frames(request, text=text)
            body: bytes | AsyncIterator[bytes]
            if self._methods.streams(request.path):
                body = (b64encode(one) async for one in frames) if text else frames
            else:
                whole = b"".join([one async for one in frames])
                body = b64encode(whole) if text else whole
            return HttpResponse(200, (("content-type", media), *CORS), body)
        path = request.path.partition("?")[0]
        route = self._routes.get((request.method, path))
        if route is not None:
            return await self._json(route, request)
        if any(path == known for _, known in self._routes):
            return _json_reply(405, {"error": f"{path} does not take {request.method}"})
        if request.method == "POST" and path.startswith("/sui.rpc."):
            return _json_reply(415, {"error": f"content-type {content_type!r}: use application/grpc-web(-text)"})
        return _json_reply(404, {"error": f"nothing at {path}"})

    async def _frames(self, request: HttpRequest, *, text: bool) -> AsyncGenerator[bytes, None]:
        status, message = Status.OK, None
        try:
            body = _unbase64(request.body) if text else request.body
            payload = single_message(body, self._limit)
            timeout = timeout_of(request.headers.get("grpc-timeout"))
            async with aclosing(self._methods.call(request.path, payload, timeout)) as replies:
                async for reply in replies:
                    yield frame(reply)
        except RpcError as refused:
            status, message = refused.status, refused.message
        yield trailer_frame(status, message)

    async def _json(self, route: Route, request: HttpRequest) -> HttpResponse:
        try:
            return _json_reply(200, await route(_json_body(request.body)))
        except RpcError as refused:
            return _json_reply(HTTP_STATUS.get(refused.status, 500), {"error": refused.message})
        except Exception as bug:
            log.exception("%s %s failed", request.method, request.path)
            return _json_reply(500, {"error": f"failed in the localnet: {bug!r}"})


def _preflight(request: HttpRequest) -> HttpResponse:
    asked = request.headers.get("access-control-request-headers", "*")
    allowed = (
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", asked),
        ("access-control-max-age", "86400"),
    )
    return HttpResponse(204, (*CORS, *allowed), b"")


def _json_body(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as malformed:
        raise InvalidArgument(f"the body is not JSON: {malformed}") from None


def _json_reply(status: int, content: Any) -> HttpResponse:
    return HttpResponse(status, (("content-type", "application/json"), *CORS), json.dumps(content).encode())


def _unbase64(body: bytes) -> bytes:
    try:
        return b64decode(body, validate=True)
    except binascii.Error as malformed:
        raise InvalidArgument(f"grpc-web-text body is not base64: {malformed}") from None
