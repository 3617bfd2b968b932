"""Secrets are kept over a crash, and from everybody else."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from client_world import Enclave, some

from agent.client.errors import StoreError
from agent.client.store import Attempt, FileRequesterStore, MemoryRequesterStore, RequesterStore, TaskEntry
from agent.enclave.sealing import TaskSecrets
from agent.protocol.units import Address, BlobId, Mist, Slot, TaskId

ATTEMPT = Attempt(Enclave(0).node, Slot(3), 2, b"s" * 32, True, BlobId(some("input")), TaskSecrets(b"d" * 32, b"o" * 32))
ENTRY = TaskEntry(TaskId(some("task")), Mist(5), "a text", 7, (Address(some("rival")),), (ATTEMPT,), b"sealed")
PLAIN = TaskEntry(TaskId(some("another")), Mist(6))


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path: Path) -> RequesterStore:
    return MemoryRequesterStore() if request.param == "memory" else FileRequesterStore(tmp_path / "tasks")


@pytest.mark.parametrize("entry", [ENTRY, PLAIN])
async def test_what_was_saved_is_loaded(store: RequesterStore, entry: TaskEntry) -> None:
    assert await store.load(entry.task) is None
    await store.save(entry)
    assert await store.load(entry.task) == entry


async def test_entry_replaces_the_one_before(store: RequesterStore) -> None:
    await store.save(ENTRY)
    newer = replace(ENTRY, text=None)
    await store.save(newer)
    assert (await store.load(ENTRY.task), list(await store.tasks())) == (newer, [ENTRY.task])


async def test_every_task_is_listed_until_it_is_dropped(store: RequesterStore) -> None:
    await store.save(ENTRY)
    await store.save(PLAIN)
    assert set(await store.tasks()) == {ENTRY.task, PLAIN.task}
    await store.drop(ENTRY.task)
    await store.drop(ENTRY.task)
    assert list(await store.tasks()) == [PLAIN.task]


async def test_another_process_finds_the_same(tmp_path: Path) -> None:
    await FileRequesterStore(tmp_path / "tasks").save(ENTRY)
    assert await FileRequesterStore(tmp_path / "tasks").load(ENTRY.task) == ENTRY


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    store = FileRequesterStore(tmp_path / "tasks")
    await store.save(ENTRY)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "tasks", *(tmp_path / "tasks").iterdir())]
    assert modes == [0o700, 0o600]


async def test_directory_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks").chmod(0o755)
    with pytest.raises(StoreError, match="chmod 700"):
        FileRequesterStore(tmp_path / "tasks")


async def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    store = FileRequesterStore(tmp_path / "tasks")
    await store.save(ENTRY)
    (file,) = (tmp_path / "tasks").iterdir()
    file.chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        await store.load(ENTRY.task)


@pytest.mark.parametrize("content", [b"", b"\xa0", b"junk", b"\xa2\x65entry\xf6\x66format\x02"])
async def test_file_that_is_no_entry_is_refused(tmp_path: Path, content: bytes) -> None:
    store = FileRequesterStore(tmp_path / "tasks")
    await store.save(ENTRY)
    (file,) = (tmp_path / "tasks").iterdir()
    file.write_bytes(content)
    with pytest.raises(StoreError, match="restore it from a backup"):
        await store.load(ENTRY.task)


async def test_save_that_fails_leaves_the_entry_before_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileRequesterStore(tmp_path / "tasks")
    await store.save(ENTRY)

    def full(*_) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("agent.client.store.os.fsync", full)
    with pytest.raises(StoreError, match="make room"):
        await store.save(replace(ENTRY, text="longer"))
    assert await store.load(ENTRY.task) == ENTRY
    assert len(list((tmp_path / "tasks").iterdir())) == 1
