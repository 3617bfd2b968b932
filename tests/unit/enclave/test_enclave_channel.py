import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from agent.enclave.channel import BACKLOG, MemoryChannel, SeqpacketChannel
from agent.enclave.errors import EnclaveDead, FrameError, MessageTooLarge
from agent.enclave.frames import split

Pair = tuple[SeqpacketChannel, SeqpacketChannel]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours, theirs = (SeqpacketChannel(end) for end in ends)
    yield ours, theirs
    ours.close()
    theirs.close()


async def test_messages_larger_than_a_packet_arrive_whole_and_in_order(pair: Pair) -> None:
    ours, theirs = pair
    messages = [b"\x01" * 1_000_000, b"", b"\x02" * 300_000]

    async def send() -> None:
        for message in messages:
            await ours.send(message)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        received = [await theirs.receive() for _ in messages]
    assert received == messages


async def test_a_reader_that_lags_loses_nothing(pair: Pair) -> None:
    ours, theirs = pair
    for number in range(3 * BACKLOG):
        await ours.send(bytes([number]))
        await asyncio.sleep(0)
    assert theirs.statistics().waiting <= BACKLOG
    assert [await theirs.receive() for _ in range(3 * BACKLOG)] == [bytes([number]) for number in range(3 * BACKLOG)]


async def test_a_cancelled_receive_loses_no_message(pair: Pair) -> None:
    ours, theirs = pair
    waiting = asyncio.ensure_future(theirs.receive())
    await asyncio.sleep(0)
    await ours.send(b"kept")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await theirs.receive() == b"kept"


async def test_a_send_cancelled_half_way_leaves_the_channel_usable(pair: Pair) -> None:
    ours, theirs = pair
    sending = asyncio.ensure_future(ours.send(b"\x01" * 4_000_000))
    await asyncio.sleep(0)  # the kernel's buffer is full, nobody has read
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await asyncio.gather(ours.send(b"after"), asyncio.sleep(0))
    assert await theirs.receive() == b"after"


async def test_the_other_side_closing_is_a_typed_error(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    with pytest.raises(EnclaveDead):
        await ours.receive()
    with pytest.raises(EnclaveDead):
        await ours.send(b"anybody?")


async def test_what_came_before_the_end_is_still_received(pair: Pair) -> None:
    ours, theirs = pair
    await theirs.send(b"last words")
    theirs.close()
    assert await ours.receive() == b"last words"
    with pytest.raises(EnclaveDead):
        await ours.receive()


async def test_broken_framing_ends_the_channel() -> None:
    raw, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = SeqpacketChannel(end)
    raw.send(b"junk")
    for _ in range(2):
        with pytest.raises(FrameError):
            await channel.receive()
    channel.close()
    raw.close()


async def test_an_announced_giant_is_refused() -> None:
    raw, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = SeqpacketChannel(end, limit=100)
    raw.send(next(split(bytes(101))))
    with pytest.raises(MessageTooLarge):
        await channel.receive()
    channel.close()
    raw.close()


async def test_the_twin_answers_and_dies_alike() -> None:
    twin = MemoryChannel(lambda message: message[::-1])
    await twin.send(b"abc")
    assert await twin.receive() == b"cba"
    twin.kill()
    with pytest.raises(EnclaveDead):
        await twin.send(b"abc")
    with pytest.raises(EnclaveDead):
        await twin.receive()
