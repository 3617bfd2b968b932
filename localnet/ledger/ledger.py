"""The ledger: executes transactions one after another and answers questions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import count
from typing import Final

from cryptography.x509 import load_der_x509_certificate

from localnet.ledger import gas
from localnet.ledger.checks import CheckedInputs, balance_of, check_transaction, uses_random
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
    Gas,
    Millis,
    Mist,
    Object,
    ObjectId,
    Package,
    PlacedEvent,
    Placement,
    SystemTransaction,
    Transaction,
    TransactionDigest,
    Version,
)
from localnet.ledger.names import is_instance
from localnet.ledger.outcome import Outcome
from localnet.ledger.payment import COIN_DEPOSIT
from localnet.ledger.repeatable import RepeatableDigests
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
        """Raises BadGenesis: the framework's bytecode cannot be run, or the root of Nitro enclaves is no certificate."""
        config = genesis or GenesisConfig()
        self.epoch: Final = EPOCH
        self.reference_gas_price: Final = config.reference_gas_price
        self.vm: Final = VirtualMachine(_certificate(config.nitro_root))
        self._clock: Final = config.clock
        self._repeatable: Final = RepeatableDigests(config.seed) if config.repeatable else None
        self._now = config.clock.now()
        self._epoch_start: Final = self._now
        self._store: Final = ObjectStore(self.vm)
        self._types: Final = TypeFacts(self.vm)
        self._census: Final = Census(self.vm)
        self._history: Final = History(config.chain_name, checkpoints=config.history, size=config.history_bytes)
        self._simulations = count()
        self._minted: int = 0
        self._burnt: int = 0
        self._storage_fund: int = 0
        self._system: Final = SystemSteps(
            self.vm, self._store, self._types, config.seed, config.reference_gas_price, self._now
        )
        try:
            self._checkpoint(lambda: self._system.genesis(framework), lambda: self._system.randomness(self._now))
        except (MoveError, NotFound) as broken:
            raise BadGenesis(f"the framework cannot be run ({broken}): extract it anew with `make setup`") from broken
        self.chain_identifier: Final[CheckpointDigest] = self._history.last_digest
        """Digest of the genesis checkpoint, 32 bytes; its first 4 bytes are Sui's short chain id."""

    # ---- transactions

    def execute(self, transaction: Transaction, digest: TransactionDigest) -> ExecutedTransaction:
        """Run, commit and checkpoint; a failed transaction is committed too (it pays gas).

        Raises:
            Rejected: not run, nothing charged.
        """
        if self._history.has(digest):
            raise DuplicateTransaction(digest)
        if not transaction.gas.payment:
            raise GasRefused("no gas coin is named: ask the faucet for one, or select one the sender owns")
        inputs = self._check(transaction, checked=True)
        now = self._advance()
        steps = [lambda: self._system.clock(now)]
        if uses_random(transaction) and self._repeatable is None:
            steps.append(lambda: self._system.randomness(now))
        facts = self._facts(transaction, digest if self._repeatable is None else self._repeatable.digest(transaction))

        def run() -> Outcome:
            # the system objects among the inputs have new versions by now
            return execute(Request(transaction, digest, inputs.renewed(self._store), facts), self.vm, self._store, self._types)

        executed = self._checkpoint(*steps, run)[-1]
        if self._repeatable is not None and executed.effects.succeeded:
            self._repeatable.used(transaction)
        return executed

    def simulate(
        self, transaction: Transaction, digest: TransactionDigest | None = None, *, checks: bool = True
    ) -> ExecutedTransaction:
        """Run without effect, at the time of the latest checkpoint.

        With no gas payment a mock coin pays; price 0 means the reference price, budget 0 as much as can be had.
        `checks=False` lets anybody use any object and call any function.

        Raises:
            Rejected: as `execute`.
        """
        complete = replace(transaction, gas=self._complete(transaction.gas))
        inputs = self._check(complete, checked=checks)
        if digest is None:
            number = u64(next(self._simulations))
            digest = TransactionDigest(blake2b(b"localnet simulation::" + number, digest_size=32).digest())
        request = Request(complete, digest, inputs, self._facts(complete, digest), checked=checks, traced=True)
        outcome = execute(request, self.vm, self._store, self._types)
        for change in outcome.effects.changes:
            if change.package:
                self.vm.unload(change.id)
        return outcome.placed(None)

    def faucet(self, recipient: Address, amount: Mist) -> ExecutedTransaction:
        """Mint one coin of SUI for `recipient`.

        Raises:
            GasRefused: nothing, or more than there may ever be.
        """
        if amount <= 0 or self._minted + amount + COIN_DEPOSIT > MAX_MINTED:
            raise GasRefused(f"the faucet mints between 1 Mist and what is left of {MAX_MINTED}, not {amount}")
        now = self._advance()
        minted = self._checkpoint(lambda: self._system.clock(now), lambda: self._system.faucet(recipient, amount, now))[-1]
        self._minted += amount
        return minted

    def tick(self) -> Checkpoint:
        """Commit a checkpoint with nothing but a clock step, so that readers of the Clock object see time pass."""
        now = self._advance()
        self._checkpoint(lambda: self._system.clock(now))
        return self.checkpoint()

    # ---- objects

    def object(self, object_id: ObjectId, version: Version | None = None) -> Object | Package:
        """The live version, or a past one.

        Raises:
            NotFound: never was, or (without `version`) is deleted or wrapped. Pruned: dropped from history.
        """
        return self._store.at(object_id, version)

    def owned_by(self, owner: Address, of_type: Type | None = None) -> Sequence[Object]:
        """Objects that an address owns, sorted by id. A Struct without type arguments matches all its instances."""
        return [found for found in self._store.owned_by(owner) if of_type is None or _matches(found.type, of_type)]

    def dynamic_fields(self, parent: ObjectId) -> Sequence[DynamicField]:
        """Sorted by id of the Field object."""
        return list(dynamic_fields(parent, self._store, self.vm))

    def package(self, package_id: ObjectId) -> Package:
        """Raises NotFound."""
        found = self._store.at(package_id)
        if not isinstance(found, Package):
            raise NotFound(f"{package_id.hex()} is an object, not a package")
        return found

    def package_versions(self, package_id: ObjectId) -> Sequence[Package]:
        """All versions of the package of which `package_id` is one, the first one first. Raises NotFound."""
        return list(self._store.versions_of(self.package(package_id).original_id))

    # ---- history

    def transaction(self, digest: TransactionDigest) -> ExecutedTransaction:
        """Raises NotFound."""
        return self._history.transaction(digest)

    def checkpoint(self, sequence: int | None = None) -> Checkpoint:
        """The latest if None. Raises NotFound, Pruned."""
        return self._history.checkpoint(sequence)

    def transactions_of(self, checkpoint: int) -> Sequence[ExecutedTransaction]:
        """In order. Raises NotFound, Pruned."""
        return self._history.transactions_of(checkpoint)

    @property
    def oldest_checkpoint(self) -> int:
        """The first that history still has."""
        return self._history.oldest

    def events_after(self, cursor: EventCursor | None, limit: int = 1000) -> Sequence[PlacedEvent]:
        """Events in chain order, strictly after `cursor`. Raises Pruned."""
        return self._history.events_after(cursor, limit)

    # ---- money

    @property
    def minted(self) -> Mist:
        """All SUI ever made."""
        return Mist(self._minted)

    @property
    def gas_burnt(self) -> Mist:
        """Computation paid, and the part of deposits that is not given back."""
        return Mist(self._burnt)

    @property
    def storage_fund(self) -> Mist:
        """Deposits paid in and not yet taken out, as bills say."""
        return Mist(self._storage_fund)

    def supply(self) -> Supply:
        """Count all money, object by object: slow, and independent of every bill."""
        held, deposits = self._census.held(self._store), self._census.deposits(self._store)
        return Supply(self.minted, held, self.gas_burnt, deposits)

    # ---- inside

    def _check(self, transaction: Transaction, *, checked: bool) -> CheckedInputs:
        return check_transaction(
            transaction, self._store, epoch=self.epoch, price=self.reference_gas_price, checked=checked
        )

    def _facts(self, transaction: Transaction, digest: TransactionDigest) -> TransactionFacts:
        paid = transaction.gas
        return TransactionFacts(
            sender=transaction.sender,
            digest=digest,
            epoch=self.epoch,
            epoch_timestamp=self._epoch_start,
            reference_gas_price=self.reference_gas_price,
            gas_price=paid.price,
            gas_budget=paid.budget,
            sponsor=paid.owner if paid.owner != transaction.sender else None,
        )

    def _complete(self, paid: Gas) -> Gas:
        price = paid.price or self.reference_gas_price
        budget = paid.budget
        if not budget:
            coins = [self._store.get(ref.id) for ref in paid.payment]
            total = sum(balance_of(coin) for coin in coins if isinstance(coin, Object))
            budget = Mist(min(gas.MAX_BUDGET, total)) if coins else gas.MAX_BUDGET
        return replace(paid, price=price, budget=budget)

    def _advance(self) -> Millis:
        self._now = max(self._now, self._clock.now())
        return self._now

    def _checkpoint(self, *steps: Callable[[], Outcome]) -> list[ExecutedTransaction]:
        """Run and commit each step in turn; together they are a checkpoint."""
        sequence, now = self._history.next_sequence, self._now
        done: list[ExecutedTransaction] = []
        superseded: list[Object | Package] = []
        try:
            for index, step in enumerate(steps):
                outcome = step()
                superseded += self._commit(outcome)
                done.append(outcome.placed(Placement(sequence, index, now)))
        finally:  # should a step stumble over a bug of ours, history still tells what the ones before it did
            for page in self._history.append(done, superseded, now) if done else ():
                self._store.prune(page.superseded)
        return done

    def _commit(self, outcome: Outcome) -> list[Object | Package]:
        superseded = self._store.apply(outcome.writes)
        for object_id, value in outcome.values.items():
            self._store.keep_value(object_id, value)
        bill = outcome.effects.gas
        self._burnt += bill.computation + bill.non_refundable
        self._storage_fund += bill.storage - bill.rebate - bill.non_refundable
        if isinstance(outcome.transaction, SystemTransaction):
            # nobody is billed: deposits of what the system makes are fresh money
            made: int = sum(new.storage_rebate for new in outcome.writes.values() if new is not None)
            made -= sum(old.storage_rebate for old in superseded)
            self._minted += made
            self._storage_fund += made
        return superseded


def _certificate(der: bytes) -> bytes:
    try:
        load_der_x509_certificate(der)
    except ValueError as broken:
        raise BadGenesis(f"nitro_root is no X.509 certificate in DER ({broken})") from broken
    return der


def _matches(type_: Struct, wanted: Type) -> bool:
    if type_ is wanted:
        return True
    return (
        isinstance(wanted, Struct)
        and not wanted.arguments
        and is_instance(type_, wanted.address, wanted.module, wanted.name)
    )
