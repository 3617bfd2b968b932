"""What was broadcast is found again by the next process."""

import stat
from pathlib import Path

import pytest

from agent.chain.errors import WalletError
from agent.chain.file_log import FileTransactionLog
from agent.chain.port import MemoryTransactionLog, TransactionLog, TxDigest, TxStatus


@pytest.fixture(params=["memory", "file"])
def log(request, tmp_path: Path) -> TransactionLog:
    return MemoryTransactionLog() if request.param == "memory" else FileTransactionLog(tmp_path / "transactions")


async def test_what_is_not_settled_is_pending_oldest_first(log: TransactionLog) -> None:
    for name in ("b", "a", "c"):
        await log.record(TxDigest(name), name.encode(), [b"signature"], f"purpose {name}")
    await log.record(TxDigest("b"), b"other", [], "again")
    await log.settle(TxDigest("a"), TxStatus.FAILED)
    await log.settle(TxDigest("unknown"), TxStatus.FAILED)
    found = [(each.digest, each.tx_bytes, each.signatures, each.purpose) for each in await log.pending()]
    assert found == [("b", b"b", (b"signature",), "purpose b"), ("c", b"c", (b"signature",), "purpose c")]


async def test_next_process_finds_it(tmp_path: Path) -> None:
    await FileTransactionLog(tmp_path / "log").record(TxDigest("a"), b"bytes", [b"s"], "purpose")
    (found,) = await FileTransactionLog(tmp_path / "log").pending()
    assert (found.digest, found.tx_bytes, found.purpose) == ("a", b"bytes", "purpose")


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    await FileTransactionLog(tmp_path / "log").record(TxDigest("a"), b"bytes", [b"s"], "purpose")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "log", *(tmp_path / "log").iterdir())]
    assert modes == [0o700, 0o600]


async def test_directory_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log").chmod(0o750)
    with pytest.raises(WalletError, match="chmod 700"):
        FileTransactionLog(tmp_path / "log")


async def test_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    log = FileTransactionLog(tmp_path / "log")
    (tmp_path / "log" / "a.tx").write_text("{}")
    with pytest.raises(WalletError, match=r"a\.tx"):
        await log.pending()
