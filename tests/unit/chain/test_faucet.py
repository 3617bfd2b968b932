import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from agent.chain.errors import FaucetError
from agent.chain.faucet import Gift, request_gas
from agent.protocol.units import Address

ME = Address(b"\x0a" * 32)
SENT = {"status": "Success", "coins_sent": [{"amount": 10**10, "id": "0x1", "transferTxDigest": "9xY"}]}


@asynccontextmanager
async def faucet(status: str, body: bytes, seen: list[bytes] | None = None) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = await reader.readexactly(length)
        if seen is not None:
            seen.extend([head, content])
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    handler: Callable[..., Awaitable[None]] = answer
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_faucet_is_asked_as_suis_are() -> None:
    seen: list[bytes] = []
    async with faucet("200 OK", json.dumps(SENT).encode(), seen) as url:
        assert await request_gas(url + "/", ME) == (Gift("0x1", 10**10, "9xY"),)
    assert seen[0].startswith(b"POST /v2/gas HTTP/1.1")
    assert json.loads(seen[1]) == {"FixedAmountRequest": {"recipient": "0x" + "0a" * 32}}


async def test_a_localnet_can_be_asked_for_an_amount() -> None:
    seen: list[bytes] = []
    async with faucet("200 OK", json.dumps(SENT).encode(), seen) as url:
        await request_gas(url, ME, amount=7)
    assert json.loads(seen[1])["FixedAmountRequest"]["amount"] == 7


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        ("429 Too Many Requests", b"", "enough for now"),
        ("503 Service Unavailable", b"closed", "answered 503: closed"),
        ("200 OK", b"<html>", "cannot be read"),
        ("200 OK", b"[]", "cannot be read"),
        ("200 OK", b'{"status": {"Failure": "no funds"}}', "no funds"),
        ("200 OK", b" " * ((1 << 20) + 1), "more than"),
    ],
)
async def test_faucet_that_gives_nothing_says_why(status: str, body: bytes, text: str) -> None:
    async with faucet(status, body) as url:
        with pytest.raises(FaucetError, match=text):
            await request_gas(url, ME)


async def test_faucet_that_is_not_there() -> None:
    async with faucet("200 OK", b"") as url:
        pass
    with pytest.raises(FaucetError, match="does not answer"):
        await request_gas(url, ME)
