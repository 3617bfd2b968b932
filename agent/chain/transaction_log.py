"""What was broadcast, so that a crash leaves no transaction of unknown fate.

Order of every submission: sign, `record`, broadcast, learn the effects, `settle`. After a crash `pending` has what may
or may not have reached the chain; it is sent again as the same bytes, which the chain executes at most once.
"""

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

TxDigest = NewType("TxDigest", str)
"""Name of a transaction, as the chain's explorers show it (Sui: base58 of 32 bytes)."""


class TxStatus(enum.Enum):
    """The end of a transaction."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Executed without effect; gas was spent."""
    DROPPED = "dropped"
    """Refused before execution; it can never take effect."""


@dataclass(frozen=True, slots=True)
class LoggedTransaction:
    """What it takes to broadcast a transaction once more."""

    digest: TxDigest
    tx_bytes: bytes
    signatures: tuple[bytes, ...]
    purpose: str


class TransactionLog(ABC):
    """Subclasses keep entries over a crash; each method returns once that is so."""

    @abstractmethod
    async def record(self, digest: TxDigest, tx_bytes: bytes, signatures: Sequence[bytes], purpose: str) -> None:
        """Keep a transaction as pending. Recording the same digest again changes nothing."""

    @abstractmethod
    async def settle(self, digest: TxDigest, status: TxStatus) -> None:
        """Note what became of it; it is pending no more. Unknown digests are ignored."""

    @abstractmethod
    async def pending(self) -> Sequence[LoggedTransaction]:
        """What was recorded and not settled, oldest first."""


class MemoryTransactionLog(TransactionLog):
    """The twin: forgets with its process, so it is for tests and for clients that can afford it."""

    def __init__(self) -> None:
        self.entries: dict[TxDigest, LoggedTransaction] = {}
        self.settled: dict[TxDigest, TxStatus] = {}

    async def record(self, digest: TxDigest, tx_bytes: bytes, signatures: Sequence[bytes], purpose: str) -> None:
        self.entries.setdefault(digest, LoggedTransaction(digest, tx_bytes, tuple(signatures), purpose))

    async def settle(self, digest: TxDigest, status: TxStatus) -> None:
        if digest in self.entries:
            self.settled[digest] = status

    async def pending(self) -> Sequence[LoggedTransaction]:
        return [entry for digest, entry in self.entries.items() if digest not in self.settled]
