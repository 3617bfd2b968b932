"""The enclaves of one node: one for each key epoch, each kept alive until no duty needs its keys.

An enclave serves a single key epoch, and a task is pinned to one. So a renewed attestation starts a second enclave
beside the first, and the first is retired when its last task has ended. Keys survive a crash in a sealed file that only
the same code on the same platform opens; it is written before anything that the enclave made is made public.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import structlog

from agent.enclave.client import EnclaveClient
from agent.enclave.errors import ChannelError, EnclaveStartFailed, EnclaveTimeout, MalformedMessage, StateRefused
from agent.enclave.identity import EnclaveConfig, EnclaveIdentity
from agent.enclave.orders import BindingRequest, Bound
from agent.node.backoff import Backoff
from agent.node.clock import Clock
from agent.node.errors import EnclaveDown, EnclaveResting, KeysLost
from agent.node.identity import write_atomically

T = TypeVar("T")

GONE: Final = (ChannelError, MalformedMessage, EnclaveStartFailed)
"""After one of these the enclave is not used any further; another takes its place, with its sealed state."""


TIMEOUTS_IN_A_ROW: Final = 3
"""Unanswered requests after which an enclave is taken for stuck: one long computation may cost those behind it their time."""


@dataclass(frozen=True, slots=True)
class EnclaveStatistics:
    """A moment's picture for /metrics."""

    running: tuple[int, ...]
    """Key epochs whose enclave is up."""
    starts: int
    """Enclaves started since the node was."""
    failures: int
    """Starts and answers that failed in a row."""


class Enclaves:
    """Starts, keeps, restarts and retires; every request to an enclave goes through `ask`."""

    def __init__(
        self,
        directory: Path,
        workload: str,
        new_client: Callable[[], EnclaveClient],
        *,
        clock: Clock,
        random: Random,
        restarts: int,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    ) -> None:
        self._directory = directory
        self._workload = workload
        self._new_client = new_client
        self._clock = clock
        self._random = random
        self._restarts = restarts
        self._backoff = backoff
        self._running: dict[int, tuple[EnclaveClient, EnclaveIdentity]] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._starts = self._failures = self._timeouts = 0
        self._last = ""
        self._rest_until = 0.0
        self._gave_up = asyncio.Event()
        self._log = structlog.get_logger("agent.node.enclaves")

    async def begin(self, epoch: int) -> EnclaveIdentity:
        """An enclave for `epoch`, with the keys it had if it was kept before, else with new ones.

        Raises:
            EnclaveError: it does not start; tried again by whoever calls again.
        """
        async with self._lock(epoch):
            return (await self._serve(epoch, fresh=True))[1]

    async def ask(self, epoch: int, request: Callable[[EnclaveClient], Awaitable[T]]) -> T:
        """The answer of the enclave of `epoch`, restarted with its keys if it had died.

        Raises:
            KeysLost: its keys were never kept, or do not open any more.
            EnclaveResting: it failed lately and is not started again yet.
            EnclaveError: it declined, or died over this request.
        """
        async with self._lock(epoch):
            client, _ = await self._serve(epoch, fresh=False)
        try:
            answer = await request(client)
        except GONE as error:
            await self._drop(epoch, client, error)
            raise
        except EnclaveTimeout as error:
            self._timeouts += 1
            if self._timeouts >= TIMEOUTS_IN_A_ROW:
                await self._drop(epoch, client, error)
            raise
        self._failures = self._timeouts = 0
        return answer

    async def identity(self, epoch: int) -> EnclaveIdentity:
        """The public face of the enclave of `epoch`. Raises as `ask` does."""
        async with self._lock(epoch):
            return (await self._serve(epoch, fresh=False))[1]

    async def bind(self, epoch: int, request: BindingRequest) -> Bound:
        """What the enclave of `epoch` lets itself be attested for; its keys are kept before anybody learns of them.

        Raises as `ask` does.
        """
        bound = await self.ask(epoch, lambda client: client.bind(request))
        await self.keep(epoch)
        return bound

    async def keep(self, epoch: int) -> None:
        """Write keys and tasks of `epoch` to its sealed file, durably [H5]. Raises as `ask` does."""
        state = await self.ask(epoch, lambda client: client.seal_state())
        await asyncio.to_thread(write_atomically, self._file(epoch), state)

    def kept(self) -> tuple[int, ...]:
        """Key epochs that have a sealed file."""
        files = self._directory.glob("enclave-*.sealed")
        return tuple(sorted(int(file.stem.removeprefix("enclave-")) for file in files))

    async def retire(self, epoch: int) -> None:
        """Stop the enclave of `epoch` and remove its file: nothing can be done with these keys ever again."""
        async with self._lock(epoch):
            running = self._running.pop(epoch, None)
            if running is not None:
                await running[0].close()
            self._file(epoch).unlink(missing_ok=True)
        self._log.info("enclave retired", key_epoch=epoch)

    async def close(self) -> None:
        """Stop every enclave; their files stay."""
        while self._running:
            _, (client, _) = self._running.popitem()
            await client.close()

    async def watch(self) -> None:
        """Wait until restarting was given up.

        Raises:
            EnclaveDown: always, then.
        """
        await self._gave_up.wait()
        raise EnclaveDown(self._failures, self._last)

    def statistics(self) -> EnclaveStatistics:
        """Counts at this moment."""
        return EnclaveStatistics(tuple(sorted(self._running)), self._starts, self._failures)

    async def _serve(self, epoch: int, *, fresh: bool) -> tuple[EnclaveClient, EnclaveIdentity]:
        known = self._running.get(epoch)
        if known is not None:
            return known
        state = await asyncio.to_thread(self._read, epoch)
        if state is None and not fresh:
            raise KeysLost(epoch, "they were never kept")
        if self._clock.seconds() < self._rest_until:
            raise EnclaveResting(self._failures, self._last)
        client = self._new_client()
        try:
            identity = await client.start(EnclaveConfig(self._workload, state))
        except StateRefused as error:
            raise KeysLost(epoch, str(error)) from error
        except GONE as error:
            self._note_failure(error)
            raise
        self._starts += 1
        self._running[epoch] = client, identity
        self._log.info("enclave started", key_epoch=epoch, restored=state is not None)
        return self._running[epoch]

    async def _drop(self, epoch: int, client: EnclaveClient, error: Exception) -> None:
        self._note_failure(error)
        self._log.warning("enclave is gone", key_epoch=epoch, error=f"{type(error).__name__}: {error}")
        async with self._lock(epoch):
            if epoch in self._running and self._running[epoch][0] is client:
                del self._running[epoch]
                await client.close()

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        self._last = f"{type(error).__name__}: {error}"
        self._rest_until = self._clock.seconds() + self._backoff.delay(self._failures - 1, self._random)
        if self._failures > self._restarts:
            self._gave_up.set()

    def _lock(self, epoch: int) -> asyncio.Lock:
        return self._locks.setdefault(epoch, asyncio.Lock())

    def _read(self, epoch: int) -> bytes | None:
        try:
            return self._file(epoch).read_bytes()
        except FileNotFoundError:
            return None

    def _file(self, epoch: int) -> Path:
        return self._directory / f"enclave-{epoch}.sealed"
