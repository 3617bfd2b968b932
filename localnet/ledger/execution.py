"""Runs one programmable transaction against the store, which it does not change."""

from dataclasses import dataclass, field

from localnet.ledger import gas
from localnet.ledger.calls import Caller
from localnet.ledger.checks import CheckedInputs
from localnet.ledger.commands import make_move_vec, merge_coins, split_coins, transfer_objects
from localnet.ledger.drafts import Draft, Drafts, TypeFacts, collect
from localnet.ledger.failures import CommandFailed, failure_of
from localnet.ledger.model import (
    Address,
    AddressOwner,
    Command,
    CommandResult,
    Event,
    Failure,
    FailureKind,
    MakeMoveVec,
    MergeCoins,
    Mist,
    MoveCall,
    Object,
    ObjectId,
    Operation,
    Package,
    Publish,
    PureInput,
    ReceivingInput,
    SharedInput,
    SplitCoins,
    Transaction,
    TransactionDigest,
    TransferObjects,
    Version,
)
from localnet.ledger.names import SUI_PACKAGE
from localnet.ledger.outcome import Ending, Outcome, settle
from localnet.ledger.payment import Payment
from localnet.ledger.publishing import Publisher
from localnet.ledger.session import Session
from localnet.ledger.slots import Slot, Slots
from localnet.ledger.store import ObjectStore
from localnet.movevm.errors import MoveError
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.runtime import TransactionFacts
from localnet.movevm.types import Struct
from localnet.movevm.values import Value


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction to run, with everything that is known before."""

    transaction: Transaction
    digest: TransactionDigest
    inputs: CheckedInputs
    facts: TransactionFacts
    checked: bool = True
    """False lets it call any function and change any object."""
    traced: bool = False
    """Whether results tell of arguments passed by `&mut`."""


@dataclass(slots=True)
class Attempt:
    """How a program ended."""

    status: Failure | None
    results: list[CommandResult] = field(default_factory=list)
    drafts: Drafts = field(default_factory=Drafts)


def execute(request: Request, vm: VirtualMachine, store: ObjectStore, types: TypeFacts) -> Outcome:
    """Run it. Whatever the program does wrong becomes a failed status; nothing is raised for it.

    Packages it published stay loaded in `vm` if it succeeded: unload those of an outcome that is not committed.
    """
    return _Execution(request, vm, store, types).run()


@dataclass(slots=True)
class _Execution:
    request: Request
    vm: VirtualMachine
    store: ObjectStore
    types: TypeFacts
    published: list[Package] = field(default_factory=list)

    def run(self) -> Outcome:
        """The whole of it."""
        paid = self.request.transaction.gas
        payment = Payment(self.request.inputs.payment, paid.budget)
        units = gas.units_of(paid.budget, paid.price)
        session = Session(self.vm, self.store, self.request.facts, units)
        slots = Slots(self.vm, payment.slot(), self._input_slots(), session.taken)
        coin = slots.gas.box[0]
        attempt = self._attempt(session, slots)
        cost = gas.computation(units - session.gas, paid.price, paid.budget)
        bill = gas.NO_STORAGE
        if attempt.status is None:
            payment.smash(attempt.drafts)
            deposits = [*self.types.price(attempt.drafts.written.values()), *(new.storage_rebate for new in self.published)]
            bill = payment.bill(attempt.drafts, deposits, list(attempt.drafts.released()))
            if cost + bill.net > paid.budget:
                message = f"computation costs {cost}, storage {bill.net}, the budget is {paid.budget}: raise it"
                attempt = Attempt(Failure(FailureKind.INSUFFICIENT_GAS, None, message))
                cost = paid.budget
        if attempt.status is not None:
            self._unload()
            coin = payment.slot().box[0]
            attempt.drafts, bill = self._undone(slots.inputs, payment, coin)
            cost = Mist(max(0, min(cost, paid.budget - bill.net)))
        summary = bill.with_computation(cost)
        payment.charge(coin, attempt.drafts, summary)
        ending = Ending(
            transaction=self.request.transaction,
            digest=self.request.digest,
            version=self._lamport_version(),
            epoch=self.request.facts.epoch,
            status=attempt.status,
            gas=summary,
            gas_object=payment.coins[0].id if payment.coins else None,
            events=self._events(session) if attempt.status is None else (),
            results=tuple(attempt.results),
            read_only_shared=self._read_only_shared(),
        )
        return settle(ending, attempt.drafts, self.published, self._read(session), self.types)

    # ---- running

    def _attempt(self, session: Session, slots: Slots) -> Attempt:
        results: list[CommandResult] = []
        index: int | None = None
        try:
            for index, command in enumerate(self.request.transaction.commands):  # noqa: B007 - a failure names it
                made, result = self._command(command, session, slots)
                slots.results.append(made)
                results.append(result)
            index = None
            slots.check_nothing_left()
            return Attempt(None, results, collect(session, [*slots.inputs, slots.gas]))
        except CommandFailed as failed:
            return Attempt(failed.at(index))
        except MoveError as error:
            return Attempt(failure_of(error, index))

    def _command(self, command: Command, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
        done = self._dispatch(command, session, slots)
        if session.gas < 0:
            raise CommandFailed(FailureKind.INSUFFICIENT_GAS, "out of gas")
        return done

    def _dispatch(self, command: Command, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
        if isinstance(command, MoveCall):
            caller = Caller(session, slots, _context(session.facts), self.request.checked, self.request.traced)
            return caller.call(command)
        if isinstance(command, TransferObjects):
            return transfer_objects(command, session, slots)
        if isinstance(command, SplitCoins):
            return split_coins(command, session, slots)
        if isinstance(command, MergeCoins):
            return merge_coins(command, session, slots)
        if isinstance(command, MakeMoveVec):
            return make_move_vec(command, session, slots)
        publisher = Publisher(session, slots, _context(session.facts), self.published, self.request.digest)
        return publisher.publish(command) if isinstance(command, Publish) else publisher.upgrade(command)

    # ---- objects in

    def _input_slots(self) -> list[Slot]:
        slots = []
        for entry, found in zip(self.request.transaction.inputs, self.request.inputs.inputs, strict=True):
            if isinstance(entry, PureInput):
                slots.append(Slot(None, [], pure=entry.value))
                continue
            assert found is not None
            if isinstance(entry, ReceivingInput):
                type_ = Struct(SUI_PACKAGE, "transfer", "Receiving", (found.type,))
                slots.append(Slot(type_, [[[found.id], found.version]], object=found, is_receiving=True))
            elif self._may_change(entry, found):
                slots.append(Slot(found.type, [self.store.take_value(found)], object=found))
            else:
                value = self.store.value(found)
                slots.append(Slot(found.type, [value], object=found, read_only=True, by_value=False))
        return slots

    def _may_change(self, entry: object, found: Object) -> bool:
        if isinstance(entry, SharedInput):
            return entry.mutable or not self.request.checked
        return isinstance(found.owner, AddressOwner) or not self.request.checked

    # ---- objects out

    def _undone(self, inputs: list[Slot], payment: Payment, coin: Value) -> tuple[Drafts, gas.StorageBill]:
        """As on Sui: what might have changed gets a new version, and only gas is taken; unlike Sui, deposits stay."""
        drafts = Drafts()
        payment.smash(drafts)
        paid = payment.draft(coin)
        released = list(drafts.released())
        if paid is not None and paid.original is not None:
            drafts.written[paid.id] = paid
            released.append(paid.original.storage_rebate)
        bill = payment.bill(drafts, [paid.rebate] if paid else [], released)
        for slot in inputs:
            found = slot.object
            if found is not None and not slot.read_only and not slot.is_receiving:
                drafts.written[found.id] = Draft(
                    found.id, found.type, found.owner, found.contents, None, found, Operation.NONE, found.storage_rebate
                )
        return drafts, bill

    def _unload(self) -> None:
        for package in self.published:
            self.vm.unload(package.id)
        self.published.clear()

    # ---- what effects tell besides

    def _lamport_version(self) -> Version:
        return Version(1 + max((found.version for found in self.request.inputs.objects()), default=0))

    def _events(self, session: Session) -> tuple[Event, ...]:
        sender, digest = Address(session.facts.sender), self.request.digest
        return tuple(
            Event(digest, sequence, emitted.package, emitted.module, sender, emitted.type, emitted.contents)
            for sequence, emitted in enumerate(session.events)
        )

    def _read_only_shared(self) -> list[Object]:
        pairs = zip(self.request.transaction.inputs, self.request.inputs.inputs, strict=True)
        return [
            found for entry, found in pairs if isinstance(entry, SharedInput) and found and not self._may_change(entry, found)
        ]

    def _read(self, session: Session) -> dict[ObjectId, Object | Package]:
        read: dict[ObjectId, Object | Package] = {found.id: found for found in self.request.inputs.objects()}
        read.update(session.taken)
        read.update((child.original.id, child.original) for child in session.children.values() if child.original)
        return read


def _context(facts: TransactionFacts) -> tuple[list[Value], int]:
    # TxContext { sender, tx_hash, epoch, epoch_timestamp_ms, ids_created }; natives answer most of what it is asked
    return [[facts.sender, bytearray(facts.digest), facts.epoch, facts.epoch_timestamp, 0]], 0
