"""What a node remembers over a crash: cursor, inbox, duties, transactions."""

from agent.node.journal.rows import NO_DEADLINE, DutyKey, DutyRow, Effect, Fact, JournalStatistics, Open, Wake, WakeAll
from agent.node.journal.store import Journal
from agent.node.journal.transactions import JournalTransactionLog

__all__ = [
    "NO_DEADLINE",
    "DutyKey",
    "DutyRow",
    "Effect",
    "Fact",
    "Journal",
    "JournalStatistics",
    "JournalTransactionLog",
    "Open",
    "Wake",
    "WakeAll",
]
