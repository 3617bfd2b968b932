import asyncio
from pathlib import Path

import pytest

from agent.chain.port import Cursor, TxDigest, TxStatus
from agent.node.errors import JournalInUse, SchemaMismatch
from agent.node.journal import DutyKey, DutyRow, Journal, JournalTransactionLog, Open, Wake

TASK = b"\x01" * 32
KEY = DutyKey("execute", TASK)
ROW = DutyRow(KEY, "assigned", {"epoch": 3}, deadline=500)
TX = TxDigest("tx")


@pytest.fixture
async def journal(tmp_path: Path):
    journal = await Journal.open(tmp_path / "journal.db")
    yield journal
    await journal.close()


async def test_what_a_page_causes_and_its_cursor_are_kept_together(journal: Journal) -> None:
    opened = await journal.take("node", [(TX, 0, [Open(ROW)])], Cursor(b"7"), now=1)
    assert [row.key for row in opened] == [KEY]
    assert await journal.cursor("node") == b"7"


async def test_a_page_that_cannot_be_written_whole_leaves_nothing(journal: Journal) -> None:
    unwritable = DutyRow(DutyKey("audit", TASK, 1), "named", deadline=1 << 70)
    with pytest.raises(OverflowError):
        await journal.take("node", [(TX, 0, [Open(ROW)]), (TX, 1, [Open(unwritable)])], Cursor(b"7"), now=1)
    assert (await journal.cursor("node"), await journal.open_duties()) == (None, ())


async def test_an_event_seen_before_has_no_effect(journal: Journal) -> None:
    await journal.take("node", [(TX, 0, [Open(ROW)])], Cursor(b"7"), now=1)
    again = DutyRow(DutyKey("audit", TASK, 1), "named")
    assert await journal.take("node", [(TX, 0, [Open(again)])], Cursor(b"8"), now=2) == ()
    assert await journal.cursor("node") == b"8"


async def test_a_duty_is_not_begun_twice(journal: Journal) -> None:
    await journal.begin([ROW], now=1)
    await journal.save(ROW.to("executed", commitment=b"c"), now=2)
    await journal.begin([ROW], now=3)
    (row,) = await journal.open_duties()
    assert (row.state, row.octets("commitment"), row.number("epoch")) == ("executed", b"c", 3)


async def test_a_closed_duty_is_neither_opened_nor_woken_again(journal: Journal) -> None:
    await journal.begin([ROW], now=1)
    await journal.save(ROW.close("done"), now=2)
    assert await journal.take("node", [(TX, 0, [Open(ROW), Wake(TASK)])], Cursor(b"1"), now=3) == ()


async def test_waking_a_task_finds_every_duty_about_it(journal: Journal) -> None:
    await journal.begin([ROW, DutyRow(DutyKey("crank", TASK), "watching"), DutyRow(DutyKey("crank", b"x"), "w")], now=1)
    woken = await journal.take("node", [(TX, 0, [Wake(TASK)])], Cursor(b"1"), now=2)
    assert sorted(row.key.kind for row in woken) == ["crank", "execute"]


async def test_the_nearest_deadline_comes_first(journal: Journal) -> None:
    late = DutyRow(DutyKey("execute", b"late"), "assigned", deadline=900)
    await journal.begin([late, ROW], now=1)
    assert [row.deadline for row in await journal.open_duties()] == [500, 900]


async def test_a_failure_is_remembered_until_the_next_success(journal: Journal) -> None:
    await journal.begin([ROW], now=1)
    await journal.save(ROW.failed("no answer").failed("no answer"), now=2)
    row = await journal.duty(KEY)
    assert row is not None
    assert (row.failures, row.reason, row.to("executed").failures) == (2, "no answer", 0)
    assert (await journal.statistics()).failing_duties == 1


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = await Journal.open(tmp_path / "journal.db")
    await first.take("node", [(TX, 0, [Open(ROW)])], Cursor(b"7"), now=1)
    await first.close()
    second = await Journal.open(tmp_path / "journal.db")
    assert (await second.cursor("node"), len(await second.open_duties())) == (b"7", 1)
    await second.close()


async def test_two_processes_cannot_hold_one_journal(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalInUse, match="stop it first"):
        await Journal.open(tmp_path / "journal.db")


async def test_a_journal_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.node.journal.store.VERSION", 99)
    await (await Journal.open(tmp_path / "journal.db")).close()
    monkeypatch.undo()
    with pytest.raises(SchemaMismatch):
        await Journal.open(tmp_path / "journal.db")


async def test_a_refused_journal_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.node.journal.store.VERSION", 99)
    await (await Journal.open(tmp_path / "journal.db")).close()
    with monkeypatch.context() as patched:
        patched.undo()
    monkeypatch.setattr("agent.node.journal.store.VERSION", 98)
    with pytest.raises(SchemaMismatch):
        await Journal.open(tmp_path / "journal.db")
    monkeypatch.setattr("agent.node.journal.store.VERSION", 99)
    await (await Journal.open(tmp_path / "journal.db")).close()


async def test_a_write_that_is_cancelled_is_whole_all_the_same(journal: Journal) -> None:
    writing = asyncio.ensure_future(journal.begin([ROW], now=1))
    while not journal._turn.locked():
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert len(await journal.open_duties()) == 1


async def test_old_closed_duties_are_pruned_and_open_ones_never(journal: Journal) -> None:
    other = DutyRow(DutyKey("crank", TASK), "watching")
    await journal.begin([ROW, other], now=1)
    await journal.save(ROW.close("done"), now=2)
    assert await journal.prune(before=3) == 1
    assert [row.key for row in await journal.open_duties()] == [other.key]


async def test_the_inbox_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.node.journal.store.INBOX_KEPT", 10)
    for number in range(30):
        await journal.take("node", [(TX, number, [Wake(TASK)])], Cursor(b"1"), now=1)
    assert (await journal.statistics()).events == 10


async def test_a_transaction_is_pending_until_it_is_settled(journal: Journal) -> None:
    log = JournalTransactionLog(journal)
    await log.record(TX, b"bytes", [b"signature"], "commit")
    await log.record(TX, b"bytes", [b"signature"], "commit")
    (entry,) = await log.pending()
    assert (entry.digest, entry.tx_bytes, entry.signatures, entry.purpose) == (TX, b"bytes", (b"signature",), "commit")
    await log.settle(TX, TxStatus.SUCCEEDED)
    await log.settle(TxDigest("unknown"), TxStatus.FAILED)
    assert await log.pending() == []


async def test_pending_transactions_come_oldest_first(journal: Journal) -> None:
    log = JournalTransactionLog(journal)
    for name in ("z", "a", "m"):
        await log.record(TxDigest(name), b"", [], name)
    assert [entry.digest for entry in await log.pending()] == ["z", "a", "m"]


async def test_a_journal_can_be_looked_at_while_another_process_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    assert await Journal.peek(file) is None
    journal = await Journal.open(file)
    await journal.begin([DutyRow(DutyKey("execute", b"\x01" * 32), "assigned")], now=1)
    looking = await Journal.peek(file)
    assert looking is not None
    assert len(await looking.open_duties()) == 1
    await looking.close()
    await journal.close()


async def test_a_journal_that_is_just_being_made_has_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    assert await Journal.peek(tmp_path / "journal.db") is None
