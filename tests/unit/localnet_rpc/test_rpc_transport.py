"""One port for every protocol, and what it refuses; the services behind it are made up here."""

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from localnet.rpc.errors import NotFound, Unavailable
from localnet.rpc.stubs import v2
from localnet.rpc.transport.certificates import Certificates, issue
from localnet.rpc.transport.frames import frame
from localnet.rpc.transport.limits import Limits
from localnet.rpc.transport.listener import Listener
from localnet.rpc.transport.methods import MethodTable, Service
from localnet.rpc.transport.web import WebApplication

INFO = "/sui.rpc.v2.LedgerService/GetServiceInfo"
OBJECT = "/sui.rpc.v2.LedgerService/GetObject"
EVENTS = "/sui.rpc.v2.LedgerService/ListEvents"
CHECKPOINTS = "/sui.rpc.v2.SubscriptionService/SubscribeCheckpoints"


class MadeUpLedger(Service):
    name: ClassVar[str] = "LedgerService"

    async def get_service_info(self, _: Any) -> Any:
        return v2.GetServiceInfoResponse(chain_id="made up")

    async def get_object(self, request: Any) -> Any:
        raise NotFound(f"object {request.object_id} – 100 % missing")

    async def get_epoch(self, _: Any) -> Any:
        raise ValueError("a bug")

    async def get_checkpoint(self, _: Any) -> Any:
        await asyncio.Event().wait()

    async def list_events(self, _: Any) -> AsyncIterator[Any]:
        for number in range(3):
            yield v2.ListEventsResponse(event=v2.Event(checkpoint=number))


class MadeUpSubscriptions(Service):
    name: ClassVar[str] = "SubscriptionService"

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.open = 0

    async def subscribe_checkpoints(self, _: Any) -> AsyncIterator[Any]:
        self.open += 1
        try:
            yield v2.SubscribeCheckpointsResponse(cursor=1)
            await self.stopping.wait()
            raise Unavailable("the localnet is shutting down")
        finally:
            self.open -= 1


@dataclass
class Served:
    port: int
    certificates: Certificates
    subscriptions: MadeUpSubscriptions
    listener: Listener

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def trusting(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.certificates.authority)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture
def serve(certificates: Certificates) -> Serve:
    @asynccontextmanager
    async def served(limits: Limits | None = None) -> AsyncIterator[Served]:
        limits = limits or Limits()
        subscriptions = MadeUpSubscriptions()
        methods = MethodTable([MadeUpLedger(), subscriptions])

        async def echo(body: Any) -> Any:
            return {"got": body}

        application = WebApplication(methods, {("POST", "/echo"): echo}, limits.request)
        listener = Listener(methods, application, certificates.server_context(), limits)
        port = listener.open("127.0.0.1", 0)
        try:
            yield Served(port, certificates, subscriptions, listener)
        finally:
            subscriptions.stopping.set()
            await listener.close()

    return served


@asynccontextmanager
async def channel(served: Served, *, tls: bool) -> AsyncIterator[Channel]:
    connected = Channel("127.0.0.1", served.port, ssl=served.trusting("h2") if tls else None)
    try:
        yield connected
    finally:
        connected.close()


def web(path: str, message: bytes = b"", *, text: bool = False) -> dict[str, Any]:
    body = frame(message)
    return {
        "url": path,
        "content": b64encode(body) if text else body,
        "headers": {"content-type": "application/grpc-web-text" if text else "application/grpc-web+proto"},
    }


def frames(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while body:
        length = int.from_bytes(body[1:5], "big")
        found.append((body[0], body[5 : 5 + length]))
        body = body[5 + length :]
    return found


INFO_FRAMES = [(0, bytes(v2.GetServiceInfoResponse(chain_id="made up"))), (0x80, b"grpc-status:0\r\n")]


@pytest.mark.parametrize("tls", [False, True])
async def test_native_grpc_is_answered(serve: Serve, *, tls: bool) -> None:
    async with serve() as served, channel(served, tls=tls) as connected:
        answer = await v2.LedgerServiceStub(connected).get_service_info(v2.GetServiceInfoRequest())
    assert answer.chain_id == "made up"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("text", [False, True])
async def test_grpc_web_is_answered_in_the_format_asked_for(
    serve: Serve, *, tls: bool, http2: bool, text: bool
) -> None:
    async with serve() as served:
        options: dict[str, Any] = {"http2": http2, "http1": not http2}
        base = served.tls_url if tls else served.url
        async with httpx.AsyncClient(base_url=base, verify=served.trusting(), **options) as client:
            response = await client.post(**web(INFO, text=text))
    body = b64decode(response.content) if text else response.content
    assert frames(body) == INFO_FRAMES
    assert response.headers["content-type"] == ("application/grpc-web-text" if text else "application/grpc-web+proto")


async def test_all_protocols_at_once_on_one_port(serve: Serve) -> None:
    async with (
        serve() as served,
        channel(served, tls=False) as plain,
        channel(served, tls=True) as secure,
        httpx.AsyncClient(base_url=served.url) as client,
        httpx.AsyncClient(base_url=served.tls_url, verify=served.trusting()) as secure_client,
    ):
        calls = [v2.LedgerServiceStub(one).get_service_info(v2.GetServiceInfoRequest()) for one in (plain, secure)]
        posts = [one.post(**web(INFO)) for one in (client, secure_client)]
        answers = await asyncio.gather(*calls, *posts)
    assert [answer.chain_id for answer in answers[:2]] == ["made up", "made up"]
    assert [frames(answer.content) for answer in answers[2:]] == [INFO_FRAMES, INFO_FRAMES]


async def test_a_request_that_comes_byte_by_byte_is_understood(serve: Serve) -> None:
    async with serve() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        body = frame(b"")
        head = f"POST {INFO} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\ncontent-length: {len(body)}\r\n\r\n"
        for byte in head.encode() + body:
            writer.write(bytes((byte,)))
            await writer.drain()
        assert await reader.readline() == b"HTTP/1.1 200 \r\n"
        writer.close()
        await writer.wait_closed()


async def test_errors_keep_status_and_message_over_native_grpc(serve: Serve) -> None:
    async with serve() as served, channel(served, tls=False) as connected:
        with pytest.raises(GRPCError) as refused:
            await v2.LedgerServiceStub(connected).get_object(v2.GetObjectRequest(object_id="0x7"))
    assert (refused.value.status, refused.value.message) == (Status.NOT_FOUND, "object 0x7 – 100 % missing")


async def test_errors_keep_status_and_message_over_grpc_web(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        response = await client.post(**web(OBJECT, bytes(v2.GetObjectRequest(object_id="0x7"))))
    assert frames(response.content) == [
        (0x80, b"grpc-status:5\r\ngrpc-message:object 0x7 %E2%80%93 100 %25 missing\r\n")
    ]


async def test_a_method_that_is_not_there_is_unimplemented_by_name(serve: Serve) -> None:
    async with serve() as served, channel(served, tls=False) as connected:
        with pytest.raises(GRPCError, match="NameService/LookupName") as refused:
            await v2.NameServiceStub(connected).lookup_name(v2.LookupNameRequest())
    assert refused.value.status is Status.UNIMPLEMENTED


async def test_a_bug_is_an_internal_error_and_the_server_goes_on(serve: Serve) -> None:
    async with serve() as served, channel(served, tls=False) as connected:
        stub = v2.LedgerServiceStub(connected)
        with pytest.raises(GRPCError) as refused:
            await stub.get_epoch(v2.GetEpochRequest())
        answer = await stub.get_service_info(v2.GetServiceInfoRequest())
    assert (refused.value.status, answer.chain_id) == (Status.INTERNAL, "made up")


@pytest.mark.parametrize("tls", [False, True])
async def test_streams_arrive_frame_by_frame_and_end(serve: Serve, *, tls: bool) -> None:
    async with serve() as served, channel(served, tls=tls) as connected:
        numbers = [e.event.checkpoint async for e in v2.LedgerServiceStub(connected).list_events(v2.ListEventsRequest())]
    assert numbers == [0, 1, 2]


async def test_streams_over_grpc_web_end_with_trailers(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        response = await client.post(**web(EVENTS))
    flags = [flag for flag, _ in frames(response.content)]
    assert flags == [0, 0, 0, 0x80]


async def test_the_callers_deadline_ends_a_call(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        request = web("/sui.rpc.v2.LedgerService/GetCheckpoint")
        request["headers"]["grpc-timeout"] = "1m"
        response = await client.post(**request)
    assert frames(response.content)[0][1].startswith(b"grpc-status:4\r\n")


@pytest.mark.parametrize("tls", [False, True])
async def test_a_message_over_the_limit_is_refused_and_named(serve: Serve, *, tls: bool) -> None:
    async with serve(Limits(request=100)) as served, channel(served, tls=tls) as connected:
        with pytest.raises(GRPCError, match="at most 100") as refused:
            await v2.LedgerServiceStub(connected).get_object(v2.GetObjectRequest(object_id="0x" + "7" * 200))
    assert refused.value.status is Status.RESOURCE_EXHAUSTED


async def test_a_body_over_the_limit_is_not_read(serve: Serve) -> None:
    async with serve(Limits(request=100)) as served, httpx.AsyncClient(base_url=served.url) as client:
        response = await client.post(**web(OBJECT, bytes(1_000)))
    assert response.status_code == 413


async def test_what_is_no_frame_is_an_invalid_argument(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        request = web(OBJECT) | {"content": b"\0\0"}
        response = await client.post(**request)
    assert frames(response.content)[0][1].startswith(b"grpc-status:3\r\n")


async def test_nonsense_on_the_port_is_answered_and_closed(serve: Serve) -> None:
    async with serve() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"what is this?\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        await writer.wait_closed()


async def test_a_browser_may_call(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        asked = {"origin": "http://dapp", "access-control-request-headers": "x-grpc-web,content-type"}
        preflight = await client.options(INFO, headers=asked)
        answer = await client.post(**web(INFO))
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "x-grpc-web,content-type"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "grpc-status" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("http2", [False, True])
async def test_json_routes_answer_and_refuse(serve: Serve, *, http2: bool) -> None:
    options: dict[str, Any] = {"http2": http2, "http1": not http2}
    async with serve() as served, httpx.AsyncClient(base_url=served.url, **options) as client:
        good = await client.post("/echo", json={"a": 1})
        bad = await client.post("/echo", content=b"{")
        wrong = await client.get("/echo")
        nowhere = await client.get("/nowhere")
    assert good.json() == {"got": {"a": 1}}
    assert [bad.status_code, wrong.status_code, nowhere.status_code] == [400, 405, 404]


async def test_a_connection_that_says_nothing_is_closed(serve: Serve) -> None:
    async with serve(Limits(first_bytes=0.01)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_a_connection_that_never_finishes_its_preface_is_closed(serve: Serve) -> None:
    async with serve(Limits(first_bytes=0.01)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"PRI")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_an_idle_connection_is_closed(serve: Serve) -> None:
    async with serve(Limits(first_bytes=0.05, idle=0.01)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 404")  # reads to the end: the server closed it
        writer.close()
        await writer.wait_closed()


async def test_connections_over_the_limit_are_closed_on_arrival(serve: Serve) -> None:
    async with serve(Limits(connections=1)) as served, channel(served, tls=False) as connected:
        await v2.LedgerServiceStub(connected).get_service_info(v2.GetServiceInfoRequest())
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        with pytest.raises((ConnectionError, AssertionError)):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert await reader.read()
        writer.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_shutdown_ends_streams_with_unavailable_and_leaves_no_task(serve: Serve, *, tls: bool) -> None:
    before = asyncio.all_tasks()
    async with serve() as served, channel(served, tls=tls) as connected:
        stream = v2.SubscriptionServiceStub(connected).subscribe_checkpoints(v2.SubscribeCheckpointsRequest())
        assert (await anext(stream)).cursor == 1
        closing = asyncio.ensure_future(close(served))
        with pytest.raises(GRPCError) as ended:
            await anext(stream)
        await closing
        assert ended.value.status is Status.UNAVAILABLE
        assert asyncio.all_tasks() == before


async def test_shutdown_ends_streams_over_grpc_web_with_unavailable(serve: Serve) -> None:
    async with serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        async with client.stream("POST", **web(CHECKPOINTS)) as response:
            pieces = response.aiter_raw()
            first = await anext(pieces)
            closing = asyncio.ensure_future(close(served))
            rest = b"".join([piece async for piece in pieces])
            await closing
    assert frames(first + rest)[-1][1].startswith(b"grpc-status:14\r\n")


async def test_shutdown_does_not_wait_for_idle_connections(serve: Serve) -> None:
    async with serve(Limits(grace=3_600)) as served, httpx.AsyncClient(base_url=served.url) as client:
        await client.post(**web(INFO))
        await served.listener.close()


async def test_a_call_that_will_not_end_is_cut_at_shutdown(serve: Serve) -> None:
    limits = replace(Limits(), grace=0.01)
    async with serve(limits) as served, httpx.AsyncClient(base_url=served.url) as client:
        hanging = asyncio.ensure_future(client.post(**web("/sui.rpc.v2.LedgerService/GetCheckpoint")))
        async with client.stream("POST", **web(CHECKPOINTS)) as response:
            await anext(response.aiter_raw())  # by now the other call is under way as well
            await served.listener.close()
        with pytest.raises(httpx.TransportError):
            await hanging


@pytest.mark.parametrize("tls", [False, True])
async def test_a_client_that_leaves_ends_its_stream(serve: Serve, *, tls: bool) -> None:
    async with serve() as served:
        async with channel(served, tls=tls) as connected:
            stream = v2.SubscriptionServiceStub(connected).subscribe_checkpoints(v2.SubscribeCheckpointsRequest())
            await anext(stream)
            assert served.subscriptions.open == 1
            await stream.aclose()
        async with asyncio.timeout(5):
            while served.subscriptions.open:
                await asyncio.sleep(0)


async def close(served: Served) -> None:
    served.subscriptions.stopping.set()
    await served.listener.close()
