import os
import stat
from pathlib import Path

import pytest

from agent.delivery.blob_store import BlobStatistics
from agent.delivery.errors import BlobMissing, StoreFull, StoreUnreachable
from agent.delivery.file_store import FileBlobStore
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId

CONTENT = b"content"
BLOB = blob_digest(CONTENT)


def _path(root: Path) -> Path:
    return root / BLOB[:1].hex() / BLOB.hex()


def _files(root: Path) -> list[Path]:
    return [entry for entry in root.rglob("*") if entry.is_file()]


async def test_crash_before_the_rename_leaves_no_blob_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(StoreFull):
        await FileBlobStore(tmp_path).put(CONTENT)
    assert _files(tmp_path) == []


async def test_content_reaches_the_disk_before_its_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    await FileBlobStore(tmp_path).put(CONTENT)
    assert steps == ["file", "rename", "directory", "directory"]


@pytest.mark.parametrize("name", [b"", b"../../../etc/passwd", b"\0" * 31, b"/" * 33])
async def test_name_that_is_no_digest_never_becomes_a_path(tmp_path: Path, name: bytes) -> None:
    with pytest.raises(BlobMissing):
        await FileBlobStore(tmp_path).fetch(BlobId(name), limit=10)


async def test_unfinished_files_are_neither_served_nor_counted(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path)
    await store.put(CONTENT)
    (_path(tmp_path).parent / ".unfinished-0011").write_bytes(b"half")
    assert await store.statistics() == BlobStatistics(blobs=1, bytes=len(CONTENT))


async def test_discarded_blob_is_gone_and_discarding_twice_is_no_error(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path)
    await store.put(CONTENT)
    assert await store.size(BLOB) == len(CONTENT)
    await store.discard(BLOB)
    await store.discard(BLOB)
    assert await store.size(BLOB) is None


async def test_two_stores_over_one_directory_share_blobs(tmp_path: Path) -> None:
    await FileBlobStore(tmp_path).put(CONTENT)
    assert await FileBlobStore(tmp_path).fetch(BLOB, limit=100) == CONTENT


async def test_directory_in_place_of_a_blob_is_the_store_s_fault_not_a_missing_blob(tmp_path: Path) -> None:
    _path(tmp_path).mkdir(parents=True)
    with pytest.raises(StoreUnreachable):
        await FileBlobStore(tmp_path).fetch(BLOB, limit=100)
