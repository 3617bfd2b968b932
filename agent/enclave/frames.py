"""Messages cut into packets and put together again: pure, used on both sides of the channel.

A packet is `u32le total || u32le offset || chunk`. A packet with offset 0 begins a message; one left unfinished is
forgotten then, because a sender may be cancelled between two packets. Every other packet continues exactly where the
last one ended.
"""

from collections.abc import Iterator
from typing import Final

from agent.enclave.errors import FrameError, MessageTooLarge

HEADER: Final = 8
"""Bytes before the chunk of a packet."""

PACKET: Final = 128 * 1024
"""Largest packet, bytes, header included: well under the default buffer of a Unix socket."""

MAX_MESSAGE: Final = 4 * 1024 * 1024
"""Largest message, bytes: twice the largest sealed input with room to spare."""


def split(message: bytes, limit: int = MAX_MESSAGE) -> Iterator[bytes]:
    """The packets that carry `message`, at least one.

    Raises:
        MessageTooLarge: it has more than `limit` bytes.
    """
    if len(message) > limit:
        raise MessageTooLarge(len(message), limit)
    total = len(message).to_bytes(4, "little")
    step = PACKET - HEADER
    for offset in range(0, max(len(message), 1), step):
        yield total + offset.to_bytes(4, "little") + message[offset : offset + step]


class Assembler:
    """Puts packets of one direction together; memory is bounded by `limit`."""

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._limit = limit
        self._total = 0
        self._chunks = bytearray()
        self._open = False

    def add(self, packet: bytes) -> bytes | None:
        """The message that `packet` completes, or None.

        Raises:
            MessageTooLarge: it announces more than the limit; nothing of it was kept.
            FrameError: it has no header, continues nothing, or overruns its total.
        """
        if not HEADER <= len(packet) <= PACKET:
            raise FrameError(f"a packet of {len(packet)} bytes, {HEADER} to {PACKET} are possible")
        total = int.from_bytes(packet[:4], "little")
        offset = int.from_bytes(packet[4:8], "little")
        if total > self._limit:
            raise MessageTooLarge(total, self._limit)
        if offset == 0:
            self._total, self._open = total, True
            self._chunks.clear()
        if not self._open or total != self._total or offset != len(self._chunks):
            raise FrameError(f"a packet for {offset} of {total}, expected {len(self._chunks)} of {self._total}")
        chunk = packet[HEADER:]
        if offset + len(chunk) > total or (not chunk and total):
            raise FrameError(f"a packet at {offset} of {total} carries {len(chunk)} bytes")
        self._chunks += chunk
        if len(self._chunks) < total:
            return None
        self._open = False
        message = bytes(self._chunks)
        self._chunks = bytearray()
        return message
