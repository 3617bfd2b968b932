"""A pytest plugin that writes down what transactions on localnet ledgers called, and with which codes they aborted.

    MOVE_RECORD=record.json python -m pytest -p localnet.toolchain.recorder tests/…

Every ledger of the process counts; `coverage.py` reads the file.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from localnet.ledger.ledger import Ledger
from localnet.ledger.model import Command, ExecutedTransaction, MoveCall, Transaction
from localnet.ledger.model.ids import TransactionDigest

RECORD_FILE: Final = "MOVE_RECORD"
"""Environment variable: where the record goes."""

_aborts: Final[set[tuple[str, int]]] = set()
_calls: Final[set[tuple[str, str]]] = set()
_execute: Final = Ledger.execute


def _recording(ledger: Ledger, transaction: Transaction, digest: TransactionDigest) -> ExecutedTransaction:
    executed = _execute(ledger, transaction, digest)
    status = executed.effects.status
    if status is None:
        _calls.update(_called(transaction.commands))
    elif status.abort_code is not None and status.location is not None:
        _aborts.add((status.location.module, status.abort_code))
    return executed


def _called(commands: Sequence[Command]) -> set[tuple[str, str]]:
    return {(command.module, command.function) for command in commands if isinstance(command, MoveCall)}


def pytest_configure() -> None:
    """Begin to record."""
    Ledger.execute = _recording  # type: ignore[method-assign]  # a process of its own, started to be watched


def pytest_unconfigure() -> None:
    """Write the record."""
    Path(os.environ[RECORD_FILE]).write_text(json.dumps({"aborts": sorted(_aborts), "calls": sorted(_calls)}))
