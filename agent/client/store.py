"""What a requester must not lose: the secrets of its tasks, written before anything is sent that depends on them.

Without its secrets an output opens for nobody, and a dispute of the delivery cannot be led. They are as confidential as
the texts that were sent: the data key opens the sealed input, which lies where anybody can read it.
"""

import os
import stat
import tempfile
from abc import ABC, abstractmethod
from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from agent.client.errors import StoreError
from agent.enclave import cbor
from agent.enclave.codec import from_value, to_value
from agent.enclave.errors import MalformedMessage
from agent.enclave.sealing import TaskSecrets
from agent.protocol.units import Address, BlobId, Mist, NodeId, Slot, TaskId

FORMAT: Final = 1
SUFFIX: Final = ".task"
LONGEST_FILE: Final = 4 * 1024 * 1024
"""Bytes: a text and a sealed output of a mebibyte each, and their frame."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An input that was sealed for one enclave, whether or not it was posted. Each has secrets of its own."""

    node: NodeId
    slot: Slot
    key_epoch: int
    sign_pk: bytes
    """Of the enclave, out of the evidence that was verified."""
    simulated: bool
    """True: no hardware keeps the operator from reading the input."""
    input_digest: BlobId
    secrets: TaskSecrets = field(repr=False)


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """All that is kept of one task."""

    task: TaskId
    paid: Mist
    """The escrow."""
    text: str | None = field(default=None, repr=False)
    """Until an input is posted."""
    tee_mask: int = 0
    denied: tuple[Address, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """Which of them was posted, its digest on chain tells."""
    sealed_output: bytes = field(default=b"", repr=False)
    """What was delivered, once there is something to complain of; empty before."""

    def posted(self, input_digest: BlobId) -> "Attempt | None":
        """The attempt with this digest."""
        return next((each for each in self.attempts if each.input_digest == input_digest), None)

    def with_attempt(self, attempt: Attempt) -> "TaskEntry":
        """With one attempt more."""
        return replace(self, attempts=(*self.attempts, attempt))


class RequesterStore(ABC):
    """Subclasses keep entries over a crash; each method returns once that is so. One process at a time."""

    @abstractmethod
    async def save(self, entry: TaskEntry) -> None:
        """Keep `entry` in place of the one before.

        Raises:
            StoreError: it cannot be kept; nothing that depends on it may be sent.
        """

    @abstractmethod
    async def load(self, task: TaskId) -> TaskEntry | None:
        """The entry of `task`; None if there is none.

        Raises:
            StoreError: there is one, and it cannot be read.
        """

    @abstractmethod
    async def tasks(self) -> Sequence[TaskId]:
        """Every task that has an entry."""

    @abstractmethod
    async def drop(self, task: TaskId) -> None:
        """Forget `task`; no error if it is not here."""


class MemoryRequesterStore(RequesterStore):
    """The twin: forgets with its process, so it is for tests and for dApps that can afford it."""

    def __init__(self) -> None:
        self.entries: dict[TaskId, TaskEntry] = {}

    async def save(self, entry: TaskEntry) -> None:
        self.entries[entry.task] = entry

    async def load(self, task: TaskId) -> TaskEntry | None:
        return self.entries.get(task)

    async def tasks(self) -> Sequence[TaskId]:
        return tuple(self.entries)

    async def drop(self, task: TaskId) -> None:
        self.entries.pop(task, None)


class FileRequesterStore(RequesterStore):
    """A directory with one file a task, which only its owner can read."""

    def __init__(self, directory: Path) -> None:
        """Make `directory` if it is not there.

        Raises:
            StoreError: it cannot be made, or others can read it.
        """
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(directory.stat().st_mode)
        except OSError as error:
            raise StoreError(TaskId(b""), f"{directory} cannot be used ({error}): choose another directory") from error
        if mode & 0o077:
            raise StoreError(TaskId(b""), f"{directory} has mode {mode:04o}, others can read what you send: run `chmod 700 {directory}`")

    async def save(self, entry: TaskEntry) -> None:
        content = cbor.encode({"format": FORMAT, "entry": to_value(entry)})
        try:
            await to_thread(self._write, self._file(entry.task), content)
        except OSError as error:
            raise StoreError(entry.task, f"its secrets cannot be kept ({error}): make room, then try again") from error

    async def load(self, task: TaskId) -> TaskEntry | None:
        file = self._file(task)
        try:
            return _decoded(await to_thread(_read, file))
        except FileNotFoundError:
            return None
        except (OSError, MalformedMessage) as error:
            raise StoreError(task, f"{file} cannot be read ({error}): restore it from a backup") from error

    async def tasks(self) -> Sequence[TaskId]:
        names = await to_thread(lambda: sorted(file.stem for file in self._directory.glob(f"*{SUFFIX}")))
        return tuple(TaskId(bytes.fromhex(name)) for name in names)

    async def drop(self, task: TaskId) -> None:
        await to_thread(self._file(task).unlink, missing_ok=True)

    def _file(self, task: TaskId) -> Path:
        return self._directory / f"{task.hex()}{SUFFIX}"

    def _write(self, file: Path, content: bytes) -> None:
        # a temporary file has mode 0600 from its first moment on
        with tempfile.NamedTemporaryFile("wb", dir=self._directory, prefix="part-", delete=False) as part:
            try:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(file)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if mode & 0o077:
            raise PermissionError(f"mode {mode:04o}, others can read it: run `chmod 600 {file}`")
        return opened.read(LONGEST_FILE)


def _decoded(content: bytes) -> TaskEntry:
    value = cbor.decode(content)
    if type(value) is not dict or value.get("format") != FORMAT or "entry" not in value:
        raise MalformedMessage(f"not a task of format {FORMAT}")
    return from_value(TaskEntry, value["entry"])
