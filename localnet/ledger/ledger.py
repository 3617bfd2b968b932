"""The ledger: executes transactions one after another and answers questions. (SKELETON for coding against; being filled in.)"""

from collections.abc import Sequence
from dataclasses import dataclass

from localnet.ledger.clock import Clock, SystemClock
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
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
    Package,
    PlacedEvent,
    Transaction,
    TransactionDigest,
    Version,
)
from localnet.movevm.types import Type


class Ledger:
    """One process's own chain. Single-threaded: every method returns at once, none awaits."""

    def __init__(self, framework: Framework, genesis: GenesisConfig) -> None: ...

    # ---- constants of the chain
    epoch: int
    reference_gas_price: Mist
    chain_identifier: CheckpointDigest
    """Digest of the genesis checkpoint, 32 bytes; its first 4 bytes are Sui's short chain id."""

    # ---- transactions
    def execute(self, transaction: Transaction, digest: TransactionDigest) -> ExecutedTransaction:
        """Run, commit and checkpoint; a failed transaction is committed too (it pays gas).

        Raises:
            Rejected: not run, nothing charged.
        """
        raise NotImplementedError

    def simulate(self, transaction: Transaction, digest: TransactionDigest | None = None, *, checks: bool = True) -> ExecutedTransaction:
        """Run without effect. With no gas payment a mock coin pays; `checks=False` also skips ownership and visibility checks.

        Raises:
            Rejected: as `execute`.
        """
        raise NotImplementedError

    def faucet(self, recipient: Address, amount: Mist) -> ExecutedTransaction:
        """Mint one coin of SUI for `recipient`."""
        raise NotImplementedError

    def tick(self) -> Checkpoint:
        """Commit a checkpoint with nothing but a clock step, so that readers of the Clock object see time pass."""
        raise NotImplementedError

    # ---- objects
    def object(self, object_id: ObjectId, version: Version | None = None) -> Object | Package:
        """Raises NotFound (never was, or is deleted or wrapped), Pruned."""
        raise NotImplementedError

    def owned_by(self, owner: Address, of_type: Type | None = None) -> Sequence[Object]:
        """Objects owned by an address, sorted by id. A Struct without arguments matches all its instances."""
        raise NotImplementedError

    def dynamic_fields(self, parent: ObjectId) -> Sequence[DynamicField]:
        """Sorted by id of the field object."""
        raise NotImplementedError

    def package(self, package_id: ObjectId) -> Package:
        """Raises NotFound."""
        raise NotImplementedError

    # ---- history
    def transaction(self, digest: TransactionDigest) -> ExecutedTransaction:
        """Raises NotFound."""
        raise NotImplementedError

    def checkpoint(self, sequence: int | None = None) -> Checkpoint:
        """The latest if None. Raises NotFound, Pruned."""
        raise NotImplementedError

    def events_after(self, cursor: EventCursor | None, limit: int = 1000) -> Sequence[PlacedEvent]:
        """Events in chain order, strictly after `cursor`. Raises Pruned."""
        raise NotImplementedError

    # ---- types
    def has_key(self, type_: Type) -> bool:
        raise NotImplementedError
