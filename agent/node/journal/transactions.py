"""The journal as the chain adapter's transaction log."""

from collections.abc import Sequence
from typing import Final

import cbor2
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.chain.transaction_log import LoggedTransaction, TransactionLog, TxDigest, TxStatus
from agent.node.journal.schema import transactions
from agent.node.journal.store import Journal

PENDING: Final = "pending"

SETTLED_KEPT: Final = 10_000
"""Settled transactions kept for people who look for what happened."""


class JournalTransactionLog(TransactionLog):
    """Keeps transactions in `journal`; on disk when each method returns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def record(self, digest: TxDigest, tx_bytes: bytes, signatures: Sequence[bytes], purpose: str) -> None:
        entry = insert(transactions).values(
            digest=digest, content=tx_bytes, signatures=cbor2.dumps(list(signatures)), purpose=purpose, status=PENDING
        )
        await self._journal.write(lambda db: db.execute(entry.on_conflict_do_nothing()))

    async def settle(self, digest: TxDigest, status: TxStatus) -> None:
        async def write(db: AsyncConnection) -> None:
            await db.execute(update(transactions).where(transactions.c.digest == digest).values(status=status.value))
            newest = select(func.max(transactions.c.place)).scalar_subquery()
            old = transactions.c.place <= newest - SETTLED_KEPT
            await db.execute(delete(transactions).where(transactions.c.status != PENDING, old))

        await self._journal.write(write)

    async def pending(self) -> Sequence[LoggedTransaction]:
        async def read(db: AsyncConnection) -> list[LoggedTransaction]:
            found = await db.execute(select(transactions).where(transactions.c.status == PENDING).order_by(transactions.c.place))
            return [
                LoggedTransaction(TxDigest(each["digest"]), each["content"], tuple(cbor2.loads(each["signatures"])), each["purpose"])
                for each in found.mappings()
            ]

        return await self._journal.read(read)
