"""The journal: what a node must remember over a crash, in one SQLite file (WAL).

Events, the duties they open and the cursor are written in one transaction, so an event is either wholly taken or comes
again. Each method is atomic under cancellation too: a cancelled caller waits until the database has finished, then
raises.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

import cbor2
from sqlalchemy import RowMapping, delete, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from agent.chain.port import Cursor, TxDigest
from agent.node.errors import JournalInUse, SchemaMismatch
from agent.node.journal.rows import DutyKey, DutyRow, Effect, JournalStatistics, Open, Wake
from agent.node.journal.schema import VERSION, about, cursors, duties, inbox, metadata, transactions

INBOX_KEPT: Final = 20_000
"""Events remembered for telling duplicates; the cursor alone is exact, this guards against an endpoint that repeats
itself.
"""

T = TypeVar("T")


class Journal:
    """One open journal. Get one from `Journal.open` or `Journal.memory`."""

    def __init__(self, engine: AsyncEngine, lock: int | None = None) -> None:
        self._engine = engine
        self._lock = lock
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, file: Path) -> Self:
        """The journal in `file`, made if there is none, held against other processes until `close`.

        Raises:
            JournalInUse: another process holds it.
            SchemaMismatch: written by another version of the agent.
        """
        lock = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            journal = cls(_engine(f"sqlite+aiosqlite:///{file}"), lock)
            await journal._prepare()
        except BlockingIOError:
            os.close(lock)
            raise JournalInUse(file) from None
        except BaseException:
            os.close(lock)
            raise
        return journal

    @classmethod
    async def peek(cls, file: Path) -> Self | None:
        """The journal in `file` for looking only, also while a running node holds it; None if there is none. Nothing may be
        written through it.

        Raises:
            SchemaMismatch: written by another version of the agent.
        """
        if not await asyncio.to_thread(file.exists):
            return None
        journal = cls(_engine(f"sqlite+aiosqlite:///{file}"))
        try:
            found = await journal.read(lambda db: db.scalar(select(about.c.value).where(about.c.key == "version")))
        except OperationalError:
            found = None
        except BaseException:
            await journal.close()
            raise
        if found is not None and int(found) == VERSION:
            return journal
        await journal.close()
        if found is None:
            # it is just being made
            return None
        raise SchemaMismatch(int(found), VERSION)

    @classmethod
    async def memory(cls) -> Self:
        """The twin for tests: the same code over a database that is gone with it."""
        journal = cls(_engine("sqlite+aiosqlite:///:memory:"))
        await journal._prepare()
        return journal

    async def close(self) -> None:
        """Finish what is under way and let the file go."""
        async with self._turn:
            await self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def cursor(self, follower: str) -> Cursor | None:
        """Where `follower` stands, None if it has seen nothing."""
        known = select(cursors.c.cursor).where(cursors.c.follower == follower)
        found: bytes | None = await self.read(lambda db: db.scalar(known))
        return None if found is None else Cursor(found)

    async def take(self, follower: str, events: Sequence[tuple[TxDigest, int, Sequence[Effect]]], cursor: Cursor, *, now: int) -> tuple[DutyRow, ...]:
        """Write what a page of events `(transaction, index, effects)` causes and the cursor behind it, in one
        transaction.

        Returns the open duties that the page opened or woke. An event seen before has no effect; one without effects is
        not kept.
        """

        async def write(db: AsyncConnection) -> tuple[DutyRow, ...]:
            touched: dict[DutyKey, DutyRow] = {}
            for tx, index, effects in events:
                if not effects:
                    continue
                seen = await db.execute(insert(inbox).values(follower=follower, tx=tx, event=index).on_conflict_do_nothing())
                if seen.rowcount:
                    for effect in effects:
                        touched.update(await _apply(db, effect, now))
            place = insert(cursors).values(follower=follower, cursor=cursor)
            await db.execute(place.on_conflict_do_update(index_elements=["follower"], set_={"cursor": cursor}))
            newest = select(func.max(inbox.c.place)).scalar_subquery()
            await db.execute(delete(inbox).where(inbox.c.place <= newest - INBOX_KEPT))
            return tuple(touched.values())

        return await self.write(write)

    async def begin(self, rows: Iterable[DutyRow], *, now: int) -> None:
        """Open duties that no event opens, such as a node's own attestation; those known already stay as they are."""

        async def write(db: AsyncConnection) -> None:
            for row in rows:
                await _apply(db, Open(row), now)

        await self.write(write)

    async def duty(self, key: DutyKey) -> DutyRow | None:
        """One duty, open or closed."""
        found = await self.read(lambda db: _first(db, key))
        return None if found is None else _row(found)

    async def open_duties(self) -> tuple[DutyRow, ...]:
        """Every duty not closed, the nearest deadline first."""

        async def read(db: AsyncConnection) -> tuple[DutyRow, ...]:
            found = await db.execute(select(duties).where(~duties.c.closed).order_by(duties.c.deadline))
            return tuple(_row(each) for each in found.mappings())

        return await self.read(read)

    async def recent_duties(self, limit: int) -> tuple[DutyRow, ...]:
        """The `limit` duties that changed last, newest first: what `enclavia node tasks` prints."""

        async def read(db: AsyncConnection) -> tuple[DutyRow, ...]:
            found = await db.execute(select(duties).order_by(duties.c.changed_at.desc()).limit(limit))
            return tuple(_row(each) for each in found.mappings())

        return await self.read(read)

    async def save(self, row: DutyRow, *, now: int) -> None:
        """Replace what is known of an existing duty."""
        changed = {
            "state": row.state,
            "facts": cbor2.dumps(dict(row.facts)),
            "deadline": row.deadline,
            "failures": row.failures,
            "reason": row.reason,
            "closed": row.closed,
            "changed_at": now,
        }
        await self.write(lambda db: db.execute(duties.update().where(_is(row.key)).values(changed)))

    async def prune(self, *, before: int) -> int:
        """Forget duties closed before chain time `before`; returns how many."""
        old = delete(duties).where(duties.c.closed, duties.c.changed_at < before)
        return (await self.write(lambda db: db.execute(old))).rowcount

    async def statistics(self) -> JournalStatistics:
        """Counts at this moment."""

        async def read(db: AsyncConnection) -> JournalStatistics:
            async def count(table: Any, *where: Any) -> int:
                return await db.scalar(select(func.count()).select_from(table).where(*where)) or 0

            return JournalStatistics(
                open_duties=await count(duties, ~duties.c.closed),
                closed_duties=await count(duties, duties.c.closed),
                failing_duties=await count(duties, ~duties.c.closed, duties.c.failures > 0),
                events=await count(inbox),
                pending_transactions=await count(transactions, transactions.c.status == "pending"),
            )

        return await self.read(read)

    async def read(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on a connection; for the journal's own parts."""
        return await _whole(self._within(work))

    async def write(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> T:
        """Run `work` in one transaction: all of it is kept, or none."""
        return await _whole(self._within(work))

    async def _within(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> T:
        async with self._transaction() as db:
            return await work(db)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        # SQLite has one writer; taking turns here is a queue instead of SQLITE_BUSY.
        async with self._turn, self._engine.begin() as db:
            yield db

    async def _prepare(self) -> None:
        async def prepare(db: AsyncConnection) -> int:
            await db.run_sync(metadata.create_all)
            await db.execute(insert(about).values(key="version", value=str(VERSION)).on_conflict_do_nothing())
            return int(await db.scalar(select(about.c.value).where(about.c.key == "version")) or 0)

        try:
            found = await self.write(prepare)
        except BaseException:
            await self._engine.dispose()
            raise
        if found != VERSION:
            await self._engine.dispose()
            raise SchemaMismatch(found, VERSION)


async def _apply(db: AsyncConnection, effect: Effect, now: int) -> dict[DutyKey, DutyRow]:
    if isinstance(effect, Open):
        row = effect.row
        await db.execute(
            insert(duties)
            .values(
                kind=row.key.kind,
                subject=row.key.subject,
                round=row.key.round,
                state=row.state,
                facts=cbor2.dumps(dict(row.facts)),
                deadline=row.deadline,
                failures=0,
                closed=False,
                opened_at=now,
                changed_at=now,
            )
            .on_conflict_do_nothing()
        )
        found = await db.execute(select(duties).where(_is(row.key), ~duties.c.closed))
    elif isinstance(effect, Wake):
        found = await db.execute(select(duties).where(duties.c.subject == effect.subject, ~duties.c.closed))
    else:
        found = await db.execute(select(duties).where(~duties.c.closed))
    woken = [_row(each) for each in found.mappings()]
    return {row.key: row for row in woken}


async def _first(db: AsyncConnection, key: DutyKey) -> RowMapping | None:
    return (await db.execute(select(duties).where(_is(key)))).mappings().first()


def _is(key: DutyKey) -> Any:
    return (duties.c.kind == key.kind) & (duties.c.subject == key.subject) & (duties.c.round == key.round)


def _row(found: RowMapping) -> DutyRow:
    return DutyRow(
        key=DutyKey(found["kind"], found["subject"], found["round"]),
        state=found["state"],
        facts=MappingProxyType(cbor2.loads(found["facts"])),
        deadline=found["deadline"],
        failures=found["failures"],
        reason=found["reason"],
        closed=found["closed"],
        opened_at=found["opened_at"],
        changed_at=found["changed_at"],
    )


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end even if the caller is cancelled meanwhile; the cancellation follows after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()
        raise cancelled
    return task.result()


def _engine(url: str) -> AsyncEngine:
    # One connection for the whole life: a :memory: database is its connection, and a second one gains SQLite nothing.
    engine = create_async_engine(url, poolclass=StaticPool)

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: what was recorded before a broadcast must survive a power cut, not only a crash.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine
