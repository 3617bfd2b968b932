import asyncio
from http import HTTPStatus

import pytest

from agent.telemetry.http import MAX_HEAD, Answer, HttpServer, Limits, Request


async def _echo(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, f"{request.method} {request.path} ".encode() + await request.body(100))


async def _raw(server: HttpServer, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_request_is_answered_with_its_body() -> None:
    async with HttpServer(_echo, "127.0.0.1", 0) as server:
        answer = await _raw(server, b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nPUT /x abc")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", b"400"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", b"413"),
        (b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"PUT / HTTP/1.1\r\nContent-Length: " + b"9" * 50 + b"\r\n\r\n", b"411"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", b"411"),
        (b"PUT / HTTP/1.1\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (MAX_HEAD + 100) + b"\r\n\r\n", b"431"),
    ],
    ids=lambda part: part.decode("latin-1")[:48],
)
async def test_malformed_request_is_refused(sent: bytes, status: bytes) -> None:
    async with HttpServer(_echo, "127.0.0.1", 0) as server:
        assert (await _raw(server, sent)).split(b" ")[1] == status


async def test_silent_connection_is_dropped_and_counted() -> None:
    async with HttpServer(_echo, "127.0.0.1", 0, Limits(seconds=0.05)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        writer.close()
        assert server.statistics().failed == 1


async def test_fault_of_a_handler_is_an_answer_that_names_its_kind_only() -> None:
    async def broken(_: Request) -> Answer:
        raise ValueError("prompt of a user")

    async with HttpServer(broken, "127.0.0.1", 0) as server:
        answer = await _raw(server, b"GET / HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"prompt" not in answer


async def test_connections_beyond_the_limit_are_told_to_come_back() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> Answer:
        entered.set()
        await leave.wait()
        return Answer(HTTPStatus.OK)

    async with HttpServer(slow, "127.0.0.1", 0, Limits(connections=1)) as server, asyncio.TaskGroup() as group:
        first = group.create_task(_raw(server, b"GET / HTTP/1.1\r\n\r\n"))
        await entered.wait()
        assert (await _raw(server, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503")
        leave.set()
    assert first.result().startswith(b"HTTP/1.1 200")


async def test_leaving_ends_open_connections() -> None:
    entered = asyncio.Event()

    async def endless(_: Request) -> Answer:
        entered.set()
        await asyncio.Event().wait()
        return Answer(HTTPStatus.OK)

    async with HttpServer(endless, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await entered.wait()
        assert server.statistics().open == 1
    assert await reader.read() == b""
    writer.close()
