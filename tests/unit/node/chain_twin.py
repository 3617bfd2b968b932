"""A chain of a few rules for the node's tests: what the contracts allow of the calls that a node makes, chance said by the test.

It checks what a wiring mistake would break (states, deadlines, signatures, commitments), and leaves money to the contracts' own tests.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_origin, get_type_hints

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.chain import calls as c
from agent.chain.deployment import Deployment, SharedObject
from agent.chain.errors import NotFound, aborted
from agent.chain.port import Chain, ChainEvent, Cursor, EventPage, Receipt
from agent.chain.transaction_log import TxDigest
from agent.node.clock import ManualClock
from agent.protocol import events as e
from agent.protocol import statements as s
from agent.protocol.commitment import commitment
from agent.protocol.draw import fenwick
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.records import (
    Attestation,
    MemberView,
    NetworkView,
    Params,
    PoolView,
    Record,
    RosterView,
    Round,
    Seat,
    TaskView,
)
from agent.protocol.units import NONE, Address, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

START = 1_795_000_000_000
REQUESTER = Address(b"\x99" * 32)
NETWORK, POOL, ROSTER, QUEUE = (Address(bytes([n]) * 32) for n in (0xA0, 0xA1, 0xA2, 0xA3))
DEPLOYMENT = Deployment(
    chain_id="twin",
    package=ObjectId(b"\xaf" * 32),
    network=SharedObject(ObjectId(NETWORK), 1),
    pool=SharedObject(ObjectId(POOL), 1),
    roster=SharedObject(ObjectId(ROSTER), 1),
    queue=SharedObject(ObjectId(QUEUE), 1),
    since=0,
)
PARAMS = Params(
    min_stake=Mist(100),
    executor_lock=Mist(50),
    auditor_lock=Mist(50),
    auditors=1,
    dispute_seats=3,
    audit_probability=0,
    input_ms=Millis(10_000),
    commit_ms=Millis(60_000),
    delivery_ms=Millis(20_000),
    ticket_ms=Millis(20_000),
    handoff_ms=Millis(20_000),
    audit_ms=Millis(60_000),
    reveal_ms=Millis(20_000),
    grace_ms=Millis(2_000),
    period_ms=Millis(100_000),
    unbonding_ms=Millis(900_000),
    challenge_ms=Millis(60_000),
    heartbeat_ms=Millis(40_000),
    absence_bps=500,
    undecided_bps=5_000,
    victim_bps=5_000,
    panel_bps=2_000,
    treasury_bps=1_000,
)

R = TypeVar("R", bound=Record)


def record(kind: type[R], /, **known: object) -> R:
    """A record with `known` fields and nothing else in it: zeros, empty bytes, nobody."""
    hints = get_type_hints(kind)
    return kind(**{name: known.get(name, _nothing(hint)) for name, hint in hints.items()})


def _nothing(hint: Any) -> object:
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) is tuple:
        return ()
    if isinstance(hint, type) and issubclass(hint, Record):
        return record(hint)
    return hint(0) if isinstance(hint, type) and issubclass(hint, int) else hint()


NOBODY = record(Seat, slot=NONE)


async def nothing(_: str) -> None:
    """A tripwire that never trips."""


@dataclass
class TwinState:
    """What all views of one chain share."""

    clock: ManualClock
    manifest: Digest
    verifiers: tuple[bytes, ...] = (b"\x01" * 32,)
    policy: Digest = field(default=Digest(b""))
    params: Params = PARAMS
    members: dict[int, MemberView] = field(default_factory=dict)
    tasks: dict[bytes, TaskView] = field(default_factory=dict)
    log: list[ChainEvent] = field(default_factory=list)
    done: list[c.Call] = field(default_factory=list)
    """Every call that took effect."""
    panel: tuple[Slot, ...] = ()
    """Who the next commit draws."""
    audited: bool = False
    dispute: tuple[Slot, ...] = ()
    """Who the next dispute draws."""
    queue: dict[int, int] = field(default_factory=dict)
    watchers: list[Callable[[e.Event], None]] = field(default_factory=list)
    """Called with every event as it happens."""
    stall_ms: int = 0
    heartbeat_at: int = START
    roster: RosterView = field(init=False)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.roster = record(RosterView, id=ObjectId(ROSTER), pool=POOL, depth=3, period=1, fen=tuple(fenwick([], 3)))

    @property
    def at(self) -> Millis:
        """The chain's clock."""
        return Millis(START + round(self.clock.seconds() * 1000))

    @property
    def now(self) -> Millis:
        return Millis(self.at - self.stall_ms)

    @property
    def network(self) -> NetworkView:
        return record(
            NetworkView, id=ObjectId(NETWORK), allow_simulated=True, params=self.params, policy=self.policy,
            verifiers=self.verifiers, threshold=1, stall_ms=self.stall_ms, heartbeat_at=self.heartbeat_at,
        )  # fmt: skip

    @property
    def pool(self) -> PoolView:
        return record(
            PoolView, id=ObjectId(POOL), network=NETWORK, manifest=self.manifest, tee_mask=1, price=Mist(1_000), slots=8,
            next_slot=Slot(len(self.members)),
        )  # fmt: skip

    def emit(self, event: e.Event, tx: str) -> None:
        index = sum(known.digest == tx for known in self.log)
        self.log.append(ChainEvent(event, "twin", TxDigest(tx), index, len(self.log), self.at))
        for watcher in self.watchers:
            watcher(event)
        self.grown.set()
        self.grown = asyncio.Event()

    def apply(self, call: c.Call) -> None:
        """Take a call from somebody who is no node of the test."""
        Rules(self, TxDigest(f"tx{len(self.done)}")).apply(call)
        self.done.append(call)

    def enrol(self, slot: int, node: NodeId, *, stake: int = 1_000) -> None:
        """A member, not attested."""
        self.members[slot] = record(
            MemberView, node=node, slot=Slot(slot), operator=Address(node), stake=Mist(stake)
        )

    def seat(self, slot: int) -> Seat:
        """`slot` with the keys that its member has now."""
        member = self.members[slot]
        known = member.attestation
        return replace(
            NOBODY, slot=Slot(slot), node=member.node, operator=member.operator, key_epoch=known.key_epoch,
            hpke_pk=known.hpke_pk, sign_pk=known.sign_pk, votes=1, lock=Mist(50),
        )  # fmt: skip


class TwinChain(Chain):
    """One node's view of the twin; `trip` is called before and after everything, so that a test can end the node there."""

    def __init__(self, state: TwinState, address: Address, trip: Callable[[str], object] = nothing) -> None:
        self.state = state
        self._address = address
        self._trip = trip
        self.idle = False
        """Whether the follower has taken every event there is."""

    @property
    def deployment(self) -> Deployment:
        return DEPLOYMENT

    @property
    def address(self) -> Address:
        return self._address

    async def events(self, after: Cursor | None) -> AsyncIterator[EventPage]:
        place = int.from_bytes(after or b"", "big")
        while True:
            while place >= len(self.state.log):
                self.idle = True
                await self.state.grown.wait()
            self.idle = False
            page = tuple(self.state.log[place : place + 4])
            place += len(page)
            await self._trip("events")
            yield EventPage(page, Cursor(place.to_bytes(8, "big")))

    async def task(self, task: TaskId) -> TaskView:
        await self._trip("task")
        try:
            return self.state.tasks[task]
        except KeyError:
            raise NotFound("no such task") from None

    async def network(self) -> NetworkView:
        return self.state.network

    async def pool(self) -> PoolView:
        return self.state.pool

    async def member(self, slot: Slot) -> MemberView | None:
        await self._trip("member")
        return self.state.members.get(slot)

    async def roster(self) -> RosterView:
        return self.state.roster

    async def now(self) -> Millis:
        await self._trip("now")
        return self.state.at

    async def balance(self) -> Mist:
        return Mist(10**9)

    async def recover(self) -> Sequence[TxDigest]:
        return ()

    async def submit(self, *calls: c.Call, purpose: str) -> Receipt:
        await self._trip(f"submit {purpose}")
        digest = TxDigest(f"tx{len(self.state.done)}")
        first = len(self.state.log)
        for call in calls:
            self.state.apply(call)
        await self._trip(f"submitted {purpose}")
        events = tuple(each.event for each in self.state.log[first:])
        return Receipt(digest, None, events, (), Mist(1))


class Rules:
    """What one transaction may do to the twin."""

    def __init__(self, state: TwinState, tx: TxDigest) -> None:
        self._state = state
        self._tx = tx

    def apply(self, call: c.Call) -> None:
        """Take `call`, or abort as the contracts would."""
        getattr(self, f"_{type(call).__name__}")(call)

    def _emit(self, event: e.Event) -> None:
        self._state.emit(event, self._tx)

    def _task(self, task: TaskId, *states: TaskState, act: bool = True) -> TaskView:
        view = self._state.tasks.get(task)
        if view is None:
            raise NotFound("no such task")
        if view.state not in states:
            raise aborted("task", 2)
        if act and self._state.now >= view.deadline:
            raise aborted("task", 3)
        return view

    def _put(self, view: TaskView, state: TaskState | None = None, window: int | None = None, **changes: object) -> TaskView:
        deadline = view.deadline if window is None else Millis(self._state.now + window)
        view = replace(view, state=view.state if state is None else state, deadline=deadline, **changes)
        self._state.tasks[view.id] = view
        return view

    def _decide(self, view: TaskView, outcome: Outcome, **changes: object) -> None:
        view = self._put(view, TaskState.DECIDED, view.params.unbonding_ms, outcome=outcome, **changes)
        self._emit(e.Decided(view.id, POOL, outcome))

    @staticmethod
    def _signed(seat: Seat, statement: s.Statement, signature: bytes) -> None:
        Ed25519PublicKey.from_public_bytes(seat.sign_pk).verify(signature, statement.signing_bytes())

    def _Commit(self, call: c.Commit) -> None:
        view = self._task(call.task, TaskState.RUNNING)
        statement = s.CommitStatement(
            NETWORK, view.id, view.executor.node, view.executor.key_epoch, view.input_digest, call.commitment,
            call.sealed_output_digest, call.units,
        )  # fmt: skip
        self._signed(view.executor, statement, call.signature)
        state = self._state
        view = self._put(
            view, TaskState.COMMITTED, view.params.delivery_ms, commitment=call.commitment,
            sealed_output_digest=call.sealed_output_digest, units=call.units, panel=state.panel, audited=state.audited,
        )  # fmt: skip
        self._emit(
            e.Committed(
                view.id, POOL, view.executor.node, call.commitment, call.sealed_output_digest, b"\x05" * 32,
                view.panel, view.audited, view.deadline,
            )
        )  # fmt: skip

    def _ReportInvalidInput(self, call: c.ReportInvalidInput) -> None:
        view = self._task(call.task, TaskState.RUNNING)
        statement = s.InvalidInputStatement(
            NETWORK, view.id, view.executor.node, view.executor.key_epoch, view.input_digest, s.InvalidReason(call.reason)
        )
        self._signed(view.executor, statement, call.signature)
        self._decide(view, Outcome.INVALID_INPUT)

    def _BeginAudit(self, call: c.BeginAudit) -> None:
        view = self._task(call.task, TaskState.COMMITTED, act=False)
        if not view.audited:
            raise aborted("task", 2)
        self._begin(view, record(Round, kind=1, slots=view.panel))

    def _begin(self, view: TaskView, drawn: Round) -> None:
        slots = list(dict.fromkeys(drawn.slots))
        seats = tuple(replace(self._state.seat(slot), votes=drawn.slots.count(slot)) for slot in slots)
        rounds = (*view.rounds[: drawn.kind - 1], replace(drawn, seats=seats))
        view = self._put(view, TaskState.TICKET, view.params.ticket_ms, rounds=rounds)
        self._emit(e.RoundBegun(view.id, POOL, drawn.kind, tuple(seat.node for seat in seats), view.deadline))

    def _DrawDispute(self, call: c.DrawDispute) -> None:
        view = self._task(call.task, TaskState.DISPUTED, act=False)
        drawn = record(Round, kind=len(view.rounds) + 1, slots=self._state.dispute)
        self._put(view, TaskState.DRAWN, rounds=(*view.rounds, drawn))
        self._emit(e.DisputeDrawn(view.id, POOL, drawn.slots))

    def _BeginDispute(self, call: c.BeginDispute) -> None:
        view = self._task(call.task, TaskState.DRAWN, act=False)
        self._begin(view, view.rounds[-1])

    def _round(self, view: TaskView, state: TaskState | None = None, window: int | None = None, **changes: object) -> TaskView:
        rounds = (*view.rounds[:-1], replace(view.rounds[-1], **changes))
        return self._put(view, state, window, rounds=rounds)

    def _IssueTicket(self, call: c.IssueTicket) -> None:
        view = self._task(call.task, TaskState.TICKET)
        drawn = view.rounds[-1]
        seats = tuple(s.TicketSeat(seat.node, seat.tee_kind, seat.key_epoch, seat.hpke_pk) for seat in drawn.seats)
        ticket = s.TicketStatement(NETWORK, view.id, drawn.kind, view.input_digest, seats, call.issued_at)
        signer = replace(NOBODY, sign_pk=self._state.verifiers[call.signers[0]])
        self._signed(signer, ticket, call.signatures[0])
        view = self._round(
            view, TaskState.HANDOFF, view.params.handoff_ms, issued_at=call.issued_at, signers=call.signers,
            signatures=call.signatures,
        )  # fmt: skip
        self._emit(e.TicketIssued(view.id, POOL, drawn.kind, view.deadline))

    def _Handoff(self, call: c.Handoff) -> None:
        view = self._task(call.task, TaskState.HANDOFF)
        kind = view.rounds[-1].kind
        node, epoch = view.executor.node, view.executor.key_epoch
        self._signed(view.executor, s.HandoffStatement(NETWORK, view.id, node, epoch, kind, call.wraps), call.signature)
        seats = tuple(
            replace(seat, wrap=wrap) for seat, wrap in zip(view.rounds[-1].seats, call.wraps, strict=True)
        )
        view = self._round(view, TaskState.AUDITING, view.params.audit_ms, seats=seats)
        self._emit(e.HandedOff(view.id, POOL, kind, view.deadline))

    def _seated(self, view: TaskView, index: int, mark: Mark) -> tuple[Round, Seat]:
        seat = view.rounds[-1].seats[index]
        if seat.mark is not mark:
            raise aborted("task", 12)
        return view.rounds[-1], seat

    @staticmethod
    def _replaced(drawn: Round, index: int, seat: Seat) -> tuple[Seat, ...]:
        return (*drawn.seats[:index], seat, *drawn.seats[index + 1 :])

    def _AuditCommit(self, call: c.AuditCommit) -> None:
        view = self._task(call.task, TaskState.AUDITING)
        drawn, seat = self._seated(view, call.seat, Mark.WAITING)
        statement = s.AuditStatement(
            NETWORK, view.id, seat.node, seat.key_epoch, drawn.kind, view.input_digest, call.commitment
        )
        self._signed(seat, statement, call.signature)
        seats = self._replaced(drawn, call.seat, replace(seat, commitment=call.commitment, mark=Mark.COMMITTED))
        view = self._round(view, seats=seats, committed=drawn.committed + 1)
        self._emit(e.AuditCommitted(view.id, POOL, seat.node, drawn.kind, call.seat))
        if view.rounds[-1].committed == len(seats):
            self._open_reveals(view)

    def _open_reveals(self, view: TaskView) -> None:
        view = self._put(view, TaskState.REVEALING, view.params.reveal_ms)
        self._emit(e.RevealsOpen(view.id, POOL, view.rounds[-1].kind, view.deadline))

    def _Reveal(self, call: c.Reveal) -> None:
        view = self._task(call.task, TaskState.REVEALING)
        drawn, seat = self._seated(view, call.seat, Mark.COMMITTED)
        if commitment(view.id, seat.node, call.root, call.salt + call.executor_salt) != seat.commitment:
            raise aborted("task", 13)
        agrees = commitment(view.id, view.executor.node, call.root, call.executor_salt) == view.commitment
        mark = Mark.AGREES if agrees else Mark.DIFFERS
        seats = self._replaced(drawn, call.seat, replace(seat, root=call.root, mark=mark))
        view = self._round(view, seats=seats, revealed=drawn.revealed + 1)
        self._emit(e.Revealed(view.id, POOL, seat.node, drawn.kind, call.seat, agrees))
        if view.rounds[-1].revealed == view.rounds[-1].committed:
            self._judge(view)

    def _judge(self, view: TaskView) -> None:
        drawn = view.rounds[-1]
        agreeing = sum(seat.votes for seat in drawn.seats if seat.mark is Mark.AGREES)
        differing = sum(seat.votes for seat in drawn.seats if seat.mark is Mark.DIFFERS)
        if drawn.kind == 1 and not (agreeing and not differing):
            self._put(view, TaskState.DISPUTED)
            self._emit(e.Disputed(view.id, POOL))
        elif drawn.kind == 1 or 3 * agreeing >= 2 * len(drawn.slots):
            self._decide(view, Outcome.UPHELD)
        else:
            self._decide(view, Outcome.GUILTY if 3 * differing >= 2 * len(drawn.slots) else Outcome.UNDECIDED)

    def _Advance(self, call: c.Advance) -> None:
        self._Heartbeat(c.Heartbeat())
        states = (TaskState.RUNNING, TaskState.COMMITTED, TaskState.TICKET, TaskState.HANDOFF, TaskState.AUDITING, TaskState.REVEALING)
        view = self._task(call.task, *states, act=False)
        if self._state.now < view.deadline + view.params.grace_ms:
            raise aborted("task", 4)
        outcomes = {
            TaskState.RUNNING: Outcome.ABSENT,
            TaskState.COMMITTED: Outcome.ACCEPTED,
            TaskState.TICKET: Outcome.VOID,
            TaskState.HANDOFF: Outcome.REFUSED,
        }
        if view.state in outcomes:
            self._decide(view, outcomes[view.state])
        elif view.state == TaskState.AUDITING and view.rounds[-1].committed:
            self._open_reveals(view)
        else:
            self._judge(view)

    def _Settle(self, call: c.Settle) -> None:
        view = self._task(call.task, TaskState.DECIDED, act=False)
        self._put(view, TaskState.SETTLED)
        zero = Mist(0)
        self._emit(e.Settled(view.id, POOL, view.requester, view.executor.node, view.outcome, zero, zero, zero))

    def _Reap(self, call: c.Reap) -> None:
        view = self._task(call.task, TaskState.SETTLED, act=False)
        if self._state.now < view.deadline:
            raise aborted("task", 17)
        del self._state.tasks[view.id]
        self._emit(e.Reaped(view.id))

    def _Heartbeat(self, _: c.Heartbeat) -> None:
        state = self._state
        state.stall_ms += max(0, state.at - state.heartbeat_at - state.params.heartbeat_ms)
        state.heartbeat_at = state.at

    def _member(self, cap: ObjectId) -> MemberView:
        return next(each for each in self._state.members.values() if cap == operator_cap(each.node))

    def _RequestChallenge(self, call: c.RequestChallenge) -> None:
        member = self._member(call.operator_cap)
        epoch, expires = member.key_epoch + 1, Millis(self._state.at + self._state.params.challenge_ms)
        challenge = bytes([epoch]) * 32
        self._state.members[member.slot] = replace(
            member, key_epoch=epoch, challenge=challenge, challenge_expires=expires
        )
        self._emit(e.ChallengeIssued(POOL, member.node, member.slot, epoch, challenge, expires))

    def _PostEvidence(self, call: c.PostEvidence) -> None:
        member = self._member(call.operator_cap)
        if self._state.at >= member.challenge_expires:
            raise aborted("pool", 6)
        uri = call.uri.encode()
        self._emit(e.EvidencePosted(POOL, member.node, member.slot, member.key_epoch, call.evidence_digest, uri))

    def _Attest(self, call: c.Attest) -> None:
        state, member = self._state, self._state.members[call.slot]
        if state.at >= member.challenge_expires:
            raise aborted("pool", 6)
        kind = s.TeeKind(call.tee_kind)
        verdict = s.VerdictStatement(
            NETWORK, POOL, member.node, member.key_epoch, member.challenge, call.evidence_digest, kind,
            call.measurement, state.manifest, call.hpke_pk, call.sign_pk, call.not_after, state.policy,
        )  # fmt: skip
        self._signed(replace(NOBODY, sign_pk=state.verifiers[call.signers[0]]), verdict, call.signatures[0])
        known = record(
            Attestation, key_epoch=member.key_epoch, tee_kind=kind, evidence_digest=call.evidence_digest,
            measurement=call.measurement, hpke_pk=call.hpke_pk, sign_pk=call.sign_pk, not_after=call.not_after,
        )  # fmt: skip
        state.members[call.slot] = replace(member, attestation=known, challenge_expires=Millis(0))
        self._emit(
            e.Attested(POOL, member.node, member.slot, member.key_epoch, kind, call.evidence_digest, call.not_after)
        )

    def _UpdateWeight(self, call: c.UpdateWeight) -> None:
        member = self._state.members[call.slot]
        weight = member.stake if member.attestation.key_epoch and not member.leaving_at else Mist(0)
        self._state.members[call.slot] = replace(member, weight=weight)
        self._state.queue[call.slot] = weight
        self._emit(e.WeightQueued(POOL, member.node, member.slot, weight))

    def _RollPeriod(self, _: c.RollPeriod) -> None:
        state, roster = self._state, self._state.roster
        if roster.period == 0 or state.now < roster.period_ends:
            raise aborted("roster", 1)
        weights = [state.queue.get(slot, 0) for slot in range(8)]
        state.roster = replace(
            roster, period=roster.period + 1, period_ends=Millis(state.now + state.params.period_ms),
            positive=sum(weight > 0 for weight in weights), total=Mist(sum(weights)), fen=tuple(fenwick(weights, 3)),
        )  # fmt: skip
        total = state.roster.total
        self._emit(e.PeriodRolled(ObjectId(ROSTER), POOL, state.roster.period, 1, state.roster.positive, total))


def operator_cap(node: NodeId) -> ObjectId:
    """The twin's NodeOperatorCap of `node`."""
    return ObjectId(bytes([node[0] ^ 0xFF]) + node[1:])
