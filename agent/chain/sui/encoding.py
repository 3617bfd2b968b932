"""Calls as commands of a Sui transaction: docs/spec/protocol.md §7. Pure: `Needs` has what the chain must be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.chain import calls as c
from agent.chain.deployment import Deployment, SharedObject
from agent.chain.sui.names import CLOCK, RANDOM, ObjectRef
from agent.chain.sui.transaction import GAS, Argument, Transaction
from agent.protocol.bcs import uleb
from agent.protocol.units import Address, Mist, ObjectId, TaskId

CLOCK_OBJECT: Final = SharedObject(CLOCK, 1)
"""Shared at genesis on every Sui network."""


class CallOrderError(ValueError):
    """A call that draws is not the last of its transaction, which the chain refuses: submit the others on their own."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the chain has to be asked before calls can be encoded."""

    shared: frozenset[ObjectId]
    """Shared objects whose initial version is wanted."""
    owned: frozenset[ObjectId]
    """Objects of the sender whose present version is wanted."""
    spends: Mist
    """What the calls take from the sender's coins, gas not counted."""


@dataclass(slots=True)
class Known:
    """What the chain answered."""

    shared: Mapping[ObjectId, int] = field(default_factory=dict)
    owned: Mapping[ObjectId, ObjectRef] = field(default_factory=dict)


def needs(calls: Sequence[c.Call]) -> Needs:
    """What `encode` of the same calls will look up.

    Raises:
        CallOrderError: a call that draws is followed by another, or there is no call at all.
    """
    if not calls:
        raise CallOrderError("a transaction without a call")
    for call in calls[:-1]:
        if isinstance(call, c.RANDOM):
            raise CallOrderError(f"{type(call).__name__} draws: it has to be the last call of its transaction")
    of_task = c.OfTask | c.RejectExecutor | c.AssignAndPostInput
    shared = {ObjectId(call.task) for call in calls if isinstance(call, of_task)}
    if isinstance(calls[-1], c.RANDOM):
        shared.add(RANDOM)
    owned = {cap for call in calls if (cap := _cap(call)) is not None}
    return Needs(frozenset(shared), frozenset(owned), Mist(sum(c.spends(call) for call in calls)))


def encode(calls: Sequence[c.Call], deployment: Deployment, sender: Address, known: Known) -> Transaction:
    """One transaction of `calls`, in order. A missing answer in `known` is a KeyError: a defect of the caller."""
    transaction = Transaction()
    encoder = _Encoder(transaction, deployment, sender, known)
    for call in calls:
        encoder.add(call)
    return transaction


class _Encoder:
    def __init__(self, transaction: Transaction, deployment: Deployment, sender: Address, known: Known) -> None:
        self._tx = transaction
        self._deployment = deployment
        self._sender = sender
        self._known = known

    def add(self, call: c.Call) -> None:
        if isinstance(call, c.OfAdmin):
            self._administer(call)
        elif isinstance(call, c.OfMember):
            self._belong(call)
        elif isinstance(call, c.OfRequester):
            self._request(call)
        else:
            self._serve(call)

    def _administer(self, call: c.OfAdmin) -> None:
        match call:
            case c.CreateNetwork():
                numbers = call.params.in_order()
                widths = [16 if index == _PROBABILITY else 8 for index in range(len(numbers))]
                params = self._move("params::new", *map(self._integer, numbers, widths))
                committee = (self._list(call.verifiers), self._u64(call.threshold))
                what = (self._bool(call.allow_simulated), self._bytes(call.policy), *committee)
                cap = self._move("network::create", self._tx.result(params), *what, self._clock())
                self._tx.transfer([self._tx.result(cap)], self._sender)
            case c.SetPaused():
                self._move("network::set_paused", self._network(mutable=True), self._cap(call), self._bool(call.paused))
            case c.SetCommittee():
                committee = (self._list(call.verifiers), self._u64(call.threshold))
                network = self._network(mutable=True)
                self._move("network::set_committee", network, self._cap(call), *committee, self._bytes(call.policy))
            case c.CreatePool():
                numbers = (call.tee_mask, call.price, call.auditor_fee, call.reservation_fee)
                prices = [self._bytes(call.manifest), *map(self._u64, numbers), self._integer(call.depth, 1)]
                self._move("pool::create", self._network(), self._cap(call), *prices, self._clock())
            case c.LaunchRoster():
                roster, queue = self._roster(mutable=True), self._queue()
                self._move("roster::launch", roster, queue, self._network(), self._cap(call), self._clock())

    def _belong(self, call: c.OfMember) -> None:  # noqa: C901 - one case a call
        match call:
            case c.FundAudits():
                self._move("pool::fund_audits", self._pool(), self._coin(call.amount))
            case c.RegisterNode():
                operator = self._tx.pure(call.operator)
                caps = self._move("pool::register", self._pool(), self._network(), operator, self._coin(call.stake))
                self._tx.transfer([self._tx.result(caps, 0)], self._sender)
                self._tx.transfer([self._tx.result(caps, 1)], call.operator)
            case c.Deposit():
                self._move("pool::deposit", self._pool(), self._u64(call.slot), self._coin(call.amount))
            case c.RequestChallenge():
                drawing = (self._clock(), self._random())
                self._move("pool::request_challenge", self._pool(), self._network(), self._cap(call), *drawing)
            case c.PostEvidence():
                where = (self._bytes(call.evidence_digest), self._bytes(call.uri.encode()))
                self._move("pool::post_evidence", self._pool(), self._cap(call), *where, self._clock())
            case c.Attest():
                evidence = (self._bytes(call.evidence_digest), self._integer(call.tee_kind, 1))
                keys = map(self._bytes, (call.measurement, call.hpke_pk, call.sign_pk))
                signed = (self._numbers(call.signers), self._list(call.signatures))
                what = (self._u64(call.slot), *evidence, *keys, self._u64(call.not_after), *signed)
                self._move("pool::attest", self._pool(), self._network(), *what, self._clock())
            case c.UpdateWeight():
                self._move("pool::update_weight", self._pool(), self._network(), self._queue(), self._u64(call.slot))
            case c.Leave():
                queue = self._queue()
                self._move("pool::leave", self._pool(), self._network(), queue, self._cap(call), self._clock())
            case c.Withdraw():
                coin = self._move("pool::withdraw", self._pool(), self._network(), self._cap(call), self._clock())
                self._tx.transfer([self._tx.result(coin)], self._sender)
            case c.ClaimFees():
                coin = self._move("pool::claim_fees", self._pool(), self._cap(call))
                self._tx.transfer([self._tx.result(coin)], self._sender)
            case c.Heartbeat():
                self._heartbeat()
            case c.RollPeriod():
                roster = self._roster(mutable=True)
                self._move("roster::roll_period", roster, self._queue(), self._network(), self._clock())

    def _request(self, call: c.OfRequester) -> None:
        match call:
            case c.OpenTask():
                payment = self._coin(call.payment)
                pool = self._pool(mutable=False)
                drawing = (self._random(), self._clock())
                self._move("task::open_task", self._network(), pool, self._roster(), payment, *drawing)
            case c.RejectExecutor():
                fee = self._coin(call.fee)
                task = self._task(call.task)
                self._move("task::reject_executor", task, self._pool(), fee, self._network(), self._clock())
            case c.AssignAndPostInput():
                task = self._task(call.task)
                seat = self._move("task::assign", task, self._pool(), self._network(), self._clock())
                who = (self._tx.pure(call.node), self._u64(call.key_epoch))
                blob = (self._bytes(call.input_uri.encode()), self._bytes(call.input_digest))
                keys = (self._bytes(call.key_commitment), self._bytes(call.output_pk), self._u64(call.tee_mask))
                rest = (self._network(), self._clock())
                self._move("task::post_input", task, self._tx.result(seat), *who, *blob, *keys, *rest)

    def _serve(self, call: c.OfTask) -> None:  # noqa: C901 - one case a call
        task, network, clock = self._task(call.task), self._network(), self._clock()
        match call:
            case c.ReportInvalidInput():
                signature = self._bytes(call.signature)
                self._move("task::report_invalid_input", task, network, self._integer(call.reason, 1), signature, clock)
            case c.Commit():
                digests = (self._bytes(call.commitment), self._bytes(call.sealed_output_digest))
                drawing = (self._u64(call.units), self._bytes(call.signature), self._random(), clock)
                self._move("task::commit", task, network, self._roster(), *digests, *drawing)
            case c.IssueTicket():
                signed = (self._numbers(call.signers), self._list(call.signatures))
                self._move("task::issue_ticket", task, network, self._u64(call.issued_at), *signed, clock)
            case c.Handoff():
                self._move("task::handoff", task, network, self._list(call.wraps), self._bytes(call.signature), clock)
            case c.AuditCommit():
                posted = (self._bytes(call.commitment), self._bytes(call.signature))
                self._move("task::audit_commit", task, network, self._u64(call.seat), *posted, clock)
            case c.Reveal():
                opening = map(self._bytes, (call.root, call.salt, call.executor_salt))
                self._move("task::reveal", task, network, self._u64(call.seat), *opening, clock)
            case c.BeginAudit():
                self._move("task::begin_audit", task, self._pool(), network, clock)
            case c.DrawDispute():
                self._move("task::draw_dispute", task, network, self._roster(), self._random(), clock)
            case c.BeginDispute():
                self._move("task::begin_dispute", task, self._pool(), network, clock)
            case c.Advance():
                self._heartbeat()
                self._move("task::advance", task, network, clock)
            case c.Settle():
                self._move("task::settle", task, self._pool(), network)
            case c.Reap():
                self._move("task::reap", task, network, clock)

    def _heartbeat(self) -> None:
        self._move("network::heartbeat", self._network(mutable=True), self._clock())

    def _move(self, target: str, *arguments: Argument) -> int:
        return self._tx.call(self._deployment.package, target, *arguments)

    def _coin(self, amount: int) -> Argument:
        return self._tx.result(self._tx.split(GAS, [amount]))

    def _network(self, *, mutable: bool = False) -> Argument:
        return self._tx.shared(self._deployment.network, mutable=mutable)

    def _pool(self, *, mutable: bool = True) -> Argument:
        return self._tx.shared(self._deployment.pool, mutable=mutable)

    def _roster(self, *, mutable: bool = False) -> Argument:
        return self._tx.shared(self._deployment.roster, mutable=mutable)

    def _queue(self) -> Argument:
        return self._tx.shared(self._deployment.queue, mutable=True)

    def _clock(self) -> Argument:
        return self._tx.shared(CLOCK_OBJECT, mutable=False)

    def _random(self) -> Argument:
        return self._tx.shared(SharedObject(RANDOM, self._known.shared[RANDOM]), mutable=False)

    def _task(self, task: TaskId) -> Argument:
        return self._tx.shared(SharedObject(ObjectId(task), self._known.shared[ObjectId(task)]), mutable=True)

    def _cap(self, call: c.Call) -> Argument:
        cap = _cap(call)
        assert cap is not None, "only calls with a cap come here"
        return self._tx.owned(self._known.owned[cap])

    def _integer(self, value: int, width: int) -> Argument:
        return self._tx.pure(value.to_bytes(width, "little"))

    def _u64(self, value: int) -> Argument:
        return self._integer(value, 8)

    def _bool(self, value: bool) -> Argument:
        return self._tx.pure(b"\1" if value else b"\0")

    def _bytes(self, value: bytes) -> Argument:
        return self._tx.pure(uleb(len(value)) + value)

    def _list(self, values: Sequence[bytes]) -> Argument:
        return self._tx.pure(uleb(len(values)) + b"".join(uleb(len(value)) + value for value in values))

    def _numbers(self, values: Sequence[int]) -> Argument:
        return self._tx.pure(uleb(len(values)) + b"".join(value.to_bytes(8, "little") for value in values))


_PROBABILITY: Final = 5
"""Place of `audit_probability`, the one u128, among the parameters."""


def _cap(call: c.Call) -> ObjectId | None:
    match call:
        case c.SetPaused(cap=cap) | c.SetCommittee(cap=cap) | c.CreatePool(cap=cap) | c.LaunchRoster(cap=cap):
            return cap
        case c.RequestChallenge(operator_cap=cap) | c.PostEvidence(operator_cap=cap):
            return cap
        case c.Leave(owner_cap=cap) | c.Withdraw(owner_cap=cap) | c.ClaimFees(owner_cap=cap):
            return cap
        case _:
            return None
