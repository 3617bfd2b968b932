"""Where collected bytes lie: content-addressed, so that an audit years later knows it reads the same."""

import os
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from agent.attestation.collection.errors import ArchiveError
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId

PARTIAL: Final = ".partial-"
"""How files begin that are being written; one that stays was interrupted, and nobody reads it."""


class Archive(ABC):
    """Subclasses keep bytes; naming and checking them is done here, once."""

    def put(self, content: bytes) -> BlobId:
        """Keep `content` and return its name; what lies here already, unspoilt, is not written again.

        Raises:
            ArchiveError: they cannot be kept.
        """
        blob = blob_digest(content)
        try:
            self.get(blob, len(content))
        except ArchiveError:
            self.write(blob, content)
        return blob

    def get(self, blob: BlobId, limit: int) -> bytes:
        """The content of `blob`, checked, at most `limit` bytes.

        Raises:
            ArchiveError: not here, larger, or spoilt.
        """
        content = self.read(blob, limit)
        if len(content) > limit:
            raise ArchiveError(f"{blob.hex()} has more than {limit} bytes: nothing that was collected has")
        if blob_digest(content) != blob:
            raise ArchiveError(f"{blob.hex()} is spoilt, its content has another digest: collect it again, or restore a copy")
        return content

    @abstractmethod
    def write(self, blob: BlobId, content: bytes) -> None:
        """Keep `content`, whose name is `blob`; for `put` only."""

    @abstractmethod
    def read(self, blob: BlobId, limit: int) -> bytes:
        """At most `limit` + 1 bytes, unchecked; for `get` only."""


class MemoryArchive(Archive):
    """The twin for tests; `content` is public so that a test can lose or spoil a blob."""

    def __init__(self) -> None:
        self.content: dict[BlobId, bytes] = {}

    def write(self, blob: BlobId, content: bytes) -> None:
        self.content[blob] = content

    def read(self, blob: BlobId, limit: int) -> bytes:
        try:
            return self.content[blob][: limit + 1]
        except KeyError:
            raise ArchiveError(f"{blob.hex()} is not in memory") from None


class DirectoryArchive(Archive):
    """A file for each blob, named by its digest in hex."""

    def __init__(self, root: Path) -> None:
        self._root: Final = root

    def write(self, blob: BlobId, content: bytes) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            replace_file(self._root / blob.hex(), content)
        except OSError as error:
            raise ArchiveError(f"{self._root} does not keep {blob.hex()} ({error.strerror}): look at the disk") from error

    def read(self, blob: BlobId, limit: int) -> bytes:
        try:
            return read_file(self._root / blob.hex(), limit)
        except OSError as error:
            raise ArchiveError(f"{self._root} has no {blob.hex()} ({error.strerror}): collect it again, or restore a copy") from error


def read_file(path: Path, limit: int) -> bytes:
    """At most `limit` + 1 bytes of `path`.

    Raises:
        OSError: it cannot be read, or is no file: an archive from elsewhere may have a pipe there, which never ends.
    """
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")
    with path.open("rb") as file:
        return file.read(limit + 1)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all, also across a crash.

    Raises:
        OSError
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Else a crash could forget the new name of a file that is already reported as kept."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
