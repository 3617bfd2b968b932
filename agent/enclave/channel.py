"""The one connection between host and enclave: a seam of three methods.

`SeqpacketChannel` is a Unix socket pair (vsock on hardware has the same shape: packets, no names, no descriptors
passed). `MemoryChannel` is the twin for tests: it answers from a function in this process.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.enclave.errors import ChannelError, EnclaveDead
from agent.enclave.frames import MAX_MESSAGE, PACKET, Assembler, split

BACKLOG: Final = 8
"""Whole messages kept for a slow reader before packets are left in the kernel."""


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What went through a channel so far."""

    sent: int
    """Messages handed to the other side."""
    received: int
    """Messages that came back whole."""
    waiting: int
    """Of those, not yet taken by `receive`."""


class EnclaveChannel(ABC):
    """Carries whole messages in order; one that fails is never used again."""

    @abstractmethod
    async def send(self, message: bytes) -> None:
        """Hand over `message`. Cancelled half way, the message is lost and the channel stays usable.

        Raises:
            MessageTooLarge: more than the channel carries; nothing was sent.
            EnclaveDead: the other side is gone.
        """

    @abstractmethod
    async def receive(self) -> bytes:
        """The next message. Cancellation loses nothing.

        Raises:
            MessageTooLarge, FrameError: the other side broke the rules; the channel is spent.
            EnclaveDead: the other side is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the connection; the other side sees its end. Closing twice is no error."""

    @abstractmethod
    def statistics(self) -> ChannelStatistics:
        """Counts for /metrics."""


class SeqpacketChannel(EnclaveChannel):
    """The host's end of a SOCK_SEQPACKET pair, inside a running event loop."""

    def __init__(self, end: socket.socket, limit: int = MAX_MESSAGE) -> None:
        end.setblocking(False)
        self._end = end
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._assembler = Assembler(limit)
        self._messages: deque[bytes] = deque()
        self._failure: ChannelError | None = None
        self._arrival = asyncio.Event()
        self._reading = False
        self._sent = self._received = 0
        self._read()

    async def send(self, message: bytes) -> None:
        for packet in split(message, self._limit):
            try:
                await self._loop.sock_sendall(self._end, packet)
            except OSError as error:
                raise EnclaveDead(f"the enclave does not take messages any more ({error.strerror})") from error
        self._sent += 1

    async def receive(self) -> bytes:
        while not self._messages:
            if self._failure is not None:
                raise self._failure
            self._arrival.clear()
            await self._arrival.wait()
        message = self._messages.popleft()
        self._read()
        return message

    def close(self) -> None:
        self._pause()
        if self._failure is None:
            self._failure = EnclaveDead("the channel was closed on this side")
        self._arrival.set()
        self._end.close()

    def statistics(self) -> ChannelStatistics:
        return ChannelStatistics(sent=self._sent, received=self._received, waiting=len(self._messages))

    def _read(self) -> None:
        if not self._reading and self._failure is None:
            self._loop.add_reader(self._end, self._on_packet)
            self._reading = True

    def _pause(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._end)
            self._reading = False

    # a callback and not `sock_recv`: a receive cancelled just after its packet came would lose the packet
    def _on_packet(self) -> None:
        try:
            packet = self._end.recv(PACKET + 1)
            if not packet:
                self._fail(EnclaveDead("the enclave closed its end: it crashed, was killed or was stopped"))
                return
            message = self._assembler.add(packet)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(EnclaveDead(f"the channel broke ({error.strerror})"))
            return
        except ChannelError as error:
            self._fail(error)
            return
        if message is not None:
            self._messages.append(message)
            self._received += 1
            self._arrival.set()
            if len(self._messages) >= BACKLOG:
                self._pause()

    def _fail(self, failure: ChannelError) -> None:
        self._pause()
        self._failure = failure
        self._arrival.set()


class MemoryChannel(EnclaveChannel):
    """The twin: `serve` answers each message; `kill` is the crash that a test wants."""

    def __init__(self, serve: Callable[[bytes], bytes], limit: int = MAX_MESSAGE) -> None:
        self._serve = serve
        self._limit = limit
        self._answers: deque[bytes] = deque()
        self._arrival = asyncio.Event()
        self._dead = False
        self._sent = self._received = 0

    async def send(self, message: bytes) -> None:
        if self._dead:
            raise EnclaveDead("the enclave in memory was killed")
        whole = self._carry(message)
        self._sent += 1
        self._answers.append(self._carry(self._serve(whole)))
        self._received += 1
        self._arrival.set()

    async def receive(self) -> bytes:
        while not self._answers:
            if self._dead:
                raise EnclaveDead("the enclave in memory was killed")
            self._arrival.clear()
            await self._arrival.wait()
        return self._answers.popleft()

    def close(self) -> None:
        self.kill()

    def kill(self) -> None:
        """Answer nothing from now on."""
        self._dead = True
        self._answers.clear()
        self._arrival.set()

    def statistics(self) -> ChannelStatistics:
        return ChannelStatistics(sent=self._sent, received=self._received, waiting=len(self._answers))

    def _carry(self, message: bytes) -> bytes:
        assembler = Assembler(self._limit)
        whole = [assembler.add(packet) for packet in split(message, self._limit)][-1]
        assert whole is not None, "split and Assembler disagree"
        return whole
