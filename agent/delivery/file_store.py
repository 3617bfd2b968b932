"""Blobs as files: `<root>/<first byte in hex>/<id in hex>`, each either whole or absent, whatever crashes."""

import asyncio
import os
import secrets
from pathlib import Path
from typing import Final

from agent.delivery.blob_store import BlobStatistics, LocalBlobStore
from agent.delivery.errors import BlobMissing, StoreFull, StoreUnreachable
from agent.protocol.units import BlobId

ID_BYTES: Final = 32
_UNFINISHED: Final = ".unfinished-"
"""Begins the name of a file still being written; one left by a crash may be deleted when nothing runs."""


class FileBlobStore(LocalBlobStore):
    """Several processes may share one root: a blob's name is its content, so they can only agree."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def write(self, blob: BlobId, content: bytes) -> None:
        try:
            await asyncio.to_thread(self._write, blob, content)
        except OSError as error:
            raise StoreFull(blob, f"cannot be written below {self._root} ({error.strerror}): make room") from error

    async def read(self, blob: BlobId, limit: int) -> bytes:
        try:
            return await asyncio.to_thread(self._read, blob, limit)
        except FileNotFoundError:
            raise BlobMissing(blob, f"no file below {self._root}") from None
        except OSError as error:
            raise StoreUnreachable(blob, f"cannot be read below {self._root} ({error.strerror})") from error

    async def size(self, blob: BlobId) -> int | None:
        try:
            return (await asyncio.to_thread(self._path(blob).stat)).st_size
        except FileNotFoundError:
            return None

    async def discard(self, blob: BlobId) -> None:
        await asyncio.to_thread(self._path(blob).unlink, missing_ok=True)

    async def statistics(self) -> BlobStatistics:
        return await asyncio.to_thread(self._statistics)

    def _path(self, blob: BlobId) -> Path:
        # hex of exactly 32 bytes: no name from outside ever becomes a path
        if len(blob) != ID_BYTES:
            raise BlobMissing(blob, f"a blob id has {ID_BYTES} bytes, not {len(blob)}")
        return self._root / blob[:1].hex() / blob.hex()

    def _write(self, blob: BlobId, content: bytes) -> None:
        path = self._path(blob)
        if self._holds(path, content):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        # the rename itself lies in the directory, and so does the directory's own name in the root
        _sync_directory(path.parent)
        _sync_directory(self._root)

    @staticmethod
    def _holds(path: Path, content: bytes) -> bool:
        try:
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except FileNotFoundError:
            return False

    def _read(self, blob: BlobId, limit: int) -> bytes:
        with self._path(blob).open("rb") as file:
            return file.read(limit + 1)

    def _statistics(self) -> BlobStatistics:
        sizes = [path.stat().st_size for path in self._root.glob("??/*") if not path.name.startswith(_UNFINISHED)]
        return BlobStatistics(blobs=len(sizes), bytes=sum(sizes))


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
