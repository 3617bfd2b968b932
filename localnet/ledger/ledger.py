"""The ledger: executes transactions one after another and answers questions."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import count
from typing import Final

from localnet.ledger import gas
from localnet.ledger.checks import check_transaction, uses_random
from localnet.ledger.drafts import TypeFacts
from localnet.ledger.encoding import u64
from localnet.ledger.errors import BadGenesis, DuplicateTransaction, GasRefused, NotFound
from localnet.ledger.execution import Request, execute
from localnet.ledger.fields import dynamic_fields
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.history import History
from localnet.ledger.model import (
    Address,
    Checkpoint,
    CheckpointDigest,
    DynamicField,
    EventCursor,
    ExecutedTransaction,
    Millis,
    Mist,
    Object,
    ObjectId,
    Operation,
    Package,
    PlacedEvent,
    Placement,
    Transaction,
    TransactionDigest,
    Version,
)
from localnet.ledger.names import is_instance
from localnet.ledger.outcome import Outcome
from localnet.ledger.store import ObjectStore
from localnet.ledger.supply import Census, Supply
from localnet.ledger.system import SystemSteps
from localnet.movevm.errors import MoveError
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.runtime import TransactionFacts
from localnet.movevm.types import Struct, Type

MAX_MINTED: Final = Mist(10**19)
"""All SUI there ever is; no sum of balances can leave a u64."""
EPOCH: Final = 0


class Ledger:
    """One process's own chain. Single-threaded: every method returns at once, none awaits."""

    def __init__(self, framework: Framework, genesis: GenesisConfig | None = None) -> None:
        """Raises BadGenesis: the framework's bytecode cannot be run."""
        config = genesis or GenesisConfig()
        self.epoch: Final = EPOCH
        self.reference_gas_price: Final = config.reference_gas_price
        self.vm: Final = VirtualMachine()
        self._clock: Final = config.clock
        self._now = config.clock.now()
        self._epoch_start: Final = self._now
        self._store: Final = ObjectStore(self.vm)
        self._types: Final = TypeFacts(self.vm)
        self._census: Final = Census(self.vm)
        self._history: Final = History(config.chain_name, checkpoints=config.history, size=config.history_bytes)
        self._simulations = count()
        self._minted = self._burnt = 0
        self._system: Final = SystemSteps(
            self.vm, self._store, self._types, config.seed, config.reference_gas_price, self._now
        )
        try:
            self._commit([lambda: self._system.genesis(framework), lambda: self._system.randomness(self._now)])
        except MoveError as broken:
            raise BadGenesis(f"the framework cannot be run ({broken}): extract it anew with `make setup`") from broken
        self._minted += self._census.deposits(self._store)  # genesis pays its deposits with fresh money
        self.chain_identifier: Final[CheckpointDigest] = self._history.last_digest
        """Digest of the genesis checkpoint, 32 bytes; its first 4 bytes are Sui's short chain id."""
