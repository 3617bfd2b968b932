"""Runs one programmable transaction against the store, which it does not change."""

from dataclasses import dataclass, field
from typing import Final

from localnet.ledger import gas
from localnet.ledger.calls import Caller
from localnet.ledger.checks import CheckedInputs, balance_of
from localnet.ledger.commands import make_move_vec, merge_coins, split_coins, transfer_objects
from localnet.ledger.drafts import Draft, Drafts, Gone, TypeFacts, collect
from localnet.ledger.failures import CommandFailed, failure_of
from localnet.ledger.model import (
    AddressOwner,
    Command,
    CommandResult,
    Event,
    Failure,
    FailureKind,
    GasSummary,
    ImmutableOwner,
    MakeMoveVec,
    MergeCoins,
    Mist,
    MoveCall,
    Object,
    ObjectId,
    Operation,
    Package,
    Publish,
    ReceivingInput,
    SharedInput,
    SplitCoins,
    Transaction,
    TransactionDigest,
    TransferObjects,
    Version,
)
from localnet.ledger.names import SUI_COIN, SUI_PACKAGE
from localnet.ledger.outcome import Ending, Outcome, settle
from localnet.ledger.publishing import Publisher
from localnet.ledger.session import Session, id_of
from localnet.ledger.slots import Slot, Slots
from localnet.ledger.store import ObjectStore
from localnet.movevm.errors import MoveError
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.runtime import TransactionFacts
from localnet.movevm.types import Struct
from localnet.movevm.values import Value

MOCK_COIN: Final = ObjectId(b"\xff" * 32)
"""Pays in simulations that name no coin; never in effects."""
_MOCK_BALANCE: Final = Mist(10**18)


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction to run, with everything that is known before."""

    transaction: Transaction
    digest: TransactionDigest
    inputs: CheckedInputs
    facts: TransactionFacts
    checked: bool
    """False lets it call any function and change any object."""
    traced: bool
    """Whether results tell of arguments passed by `&mut`."""


def execute(request: Request, vm: VirtualMachine, store: ObjectStore, types: TypeFacts) -> Outcome:
    """Run it. Whatever the program does wrong becomes a failed status; nothing is raised for it."""
    return _Execution(request, vm, store, types).run()


@dataclass(slots=True)
class _Execution:
    request: Request
    vm: VirtualMachine
    store: ObjectStore
    types: TypeFacts
    published: list[Package] = field(default_factory=list)

    def run(self) -> Outcome:
        facts, paid = self.request.facts, self.request.transaction.gas
        units = gas.units_of(paid.budget, paid.price)
        session = Session(self.vm, self.store, facts, units)
        slots = Slots(self.vm, self._gas_slot(), [], session.taken)
        slots.inputs.extend(self._input_slots())
        coin = slots.gas.box[0]
        status, results, drafts = self._commands(session, slots)
        used = units - session.gas
        cost = gas.computation(used, paid.price, paid.budget)
        bill = gas.NO_STORAGE
        if status is None:
            bill = gas.storage_bill(self.types.price(drafts.written.values()), drafts.released())
            if cost + bill.net > paid.budget:
                status = Failure(
                    FailureKind.INSUFFICIENT_GAS,
                    None,
                    f"computation costs {cost}, storage {bill.net}, the budget is {paid.budget}: raise it",
                )
                cost = paid.budget
        if status is not None:
            coin, drafts, results = self._undone(slots.inputs)
            self.unload()
            touched = drafts.written.pop(coin_id) if (coin_id := id_of(coin)) in drafts.written else None
            if touched is not None:
                drafts.written[coin_id] = touched
            bill = self._bill_of_failure(drafts)
            cost = Mist(min(cost, max(paid.budget - bill.net, 0)))
        summary = bill.with_computation(cost)
        self._charge(coin, drafts, summary)
        return self._settle(session, status, summary, drafts, results)

    # ---- running

    def _commands(self, session: Session, slots: Slots) -> tuple[Failure | None, list[CommandResult], Drafts]:
        results: list[CommandResult] = []
        index: int | None = 0
        try:
            for index, command in enumerate(self.request.transaction.commands):
                made, result = self._command(command, session, slots)
                slots.results.append(made)
                results.append(result)
                if session.gas < 0:
                    raise CommandFailed(FailureKind.INSUFFICIENT_GAS, "out of gas")
            index = None
            slots.check_nothing_left()
            return None, results, self._collect(session, slots)
        except CommandFailed as failed:
            return failed.at(index), [], Drafts()
        except MoveError as error:
            return failure_of(error, index), [], Drafts()

    def _command(self, command: Command, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
        facts = session.facts
        if isinstance(command, MoveCall):
            caller = Caller(session, slots, (self._context(facts), 0), self.request.checked, self.request.traced)
            return caller.call(command)
        if isinstance(command, TransferObjects):
            return transfer_objects(command, session, slots)
        if isinstance(command, SplitCoins):
            return split_coins(command, session, slots)
        if isinstance(command, MergeCoins):
            return merge_coins(command, session, slots)
        if isinstance(command, MakeMoveVec):
            return make_move_vec(command, session, slots)
        if isinstance(command, Publish):
            return Publisher(session, slots, (self._context(facts), 0), self.published, self.request.digest).publish(command)
        raise CommandFailed(
            FailureKind.FEATURE_NOT_YET_SUPPORTED, "the localnet does not upgrade packages: publish the package anew"
        )

    @staticmethod
    def _context(facts: TransactionFacts) -> list[Value]:
        # TxContext { sender, tx_hash, epoch, epoch_timestamp_ms, ids_created }; natives answer what it is asked
        return [[facts.sender, bytearray(facts.digest), facts.epoch, facts.epoch_timestamp, 0]]

    # ---- objects in

    def _gas_slot(self) -> Slot:
        coins = self.request.inputs.payment
        total = sum(balance_of(coin) for coin in coins) if coins else _MOCK_BALANCE
        first = coins[0] if coins else None
        # the budget is out of reach while the program runs, so that it is there afterwards
        value = [[[first.id if first else MOCK_COIN]], [total - self.request.transaction.gas.budget]]
        return Slot(SUI_COIN, [value], object=first, is_gas=True, dirty=True)

    def _input_slots(self) -> list[Slot]:
        slots = []
        for entry, found in zip(self.request.transaction.inputs, self.request.inputs.inputs, strict=True):
            if found is None:
                slots.append(Slot(None, [], pure=entry.value))  # type: ignore[union-attr]  # no object: a PureInput
            elif isinstance(entry, ReceivingInput):
                ticket = [[found.id], found.version]
                type_ = Struct(SUI_PACKAGE, "transfer", "Receiving", (found.type,))
                slots.append(Slot(type_, [ticket], object=found, is_receiving=True))
            else:
                slots.append(self._object_slot(found, shared_mutable=isinstance(entry, SharedInput) and entry.mutable))
        return slots

    def _object_slot(self, found: Object, *, shared_mutable: bool) -> Slot:
        if not self.request.checked:
            return Slot(found.type, [self.store.take_value(found)], object=found)
        if shared_mutable or isinstance(found.owner, AddressOwner):
            return Slot(found.type, [self.store.take_value(found)], object=found)
        return Slot(found.type, [self.store.value(found)], object=found, read_only=True, by_value=False)

    # ---- objects out

    def _collect(self, session: Session, slots: Slots) -> Drafts:
        drafts = collect(session, [*slots.inputs, slots.gas])
        self._smash(drafts)
        return drafts

    def _smash(self, drafts: Drafts) -> None:
        drafts.gone.extend(Gone(coin.id, coin, Operation.DELETED) for coin in self.request.inputs.payment[1:])

    def _undone(self, inputs: list[Slot]) -> tuple[Value, Drafts, list[CommandResult]]:
        """As Sui does: inputs that might have changed get a new version, and only gas is taken."""
        slot = self._gas_slot()
        drafts = Drafts()
        for used in inputs:
            found = used.object
            if found is None or used.read_only or used.is_receiving:
                continue
            self.store.forget_value(found.id)
            drafts.written[found.id] = Draft(
                found.id, found.type, found.owner, found.contents, None, found, Operation.NONE, found.storage_rebate
            )
        if slot.object is not None:
            coin = slot.object
            drafts.written[coin.id] = Draft(coin.id, coin.type, coin.owner, b"", slot.box[0], coin, Operation.NONE)
        self._smash(drafts)
        return slot.box[0], drafts, []
