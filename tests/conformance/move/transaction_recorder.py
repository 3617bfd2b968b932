"""A pytest plugin: writes down what transactions on the ledgers of this process called, and with which codes they aborted.

    MOVE_RECORD=record.json PYTHONPATH=tests/conformance/move python -m pytest -p transaction_recorder tests/integration/contracts/test_contract_nitro.py
    python -m localnet.toolchain coverage contracts/sui --record record.json
"""

import json
import os
from pathlib import Path

from localnet.ledger.ledger import Ledger
from localnet.ledger.model import ExecutedTransaction, MoveCall, Transaction

RECORD_FILE = "MOVE_RECORD"

_aborts: set[tuple[str, int]] = set()
_calls: set[tuple[str, str]] = set()
_execute = Ledger.execute


def _recording(ledger: Ledger, transaction: Transaction, digest: bytes) -> ExecutedTransaction:
    executed = _execute(ledger, transaction, digest)
    status = executed.effects.status
    if status is None:
        _calls.update((each.module, each.function) for each in transaction.commands if isinstance(each, MoveCall))
    elif status.abort_code is not None:
        _aborts.add((status.location.module, status.abort_code))
    return executed


def pytest_configure() -> None:
    Ledger.execute = _recording


def pytest_unconfigure() -> None:
    Path(os.environ[RECORD_FILE]).write_text(json.dumps({"aborts": sorted(_aborts), "calls": sorted(_calls)}))
