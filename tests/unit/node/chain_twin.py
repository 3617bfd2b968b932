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
from agent.protocol.blob import blob_leaf
from agent.protocol.commitment import commitment, merkle_root
from agent.protocol.disputes import next_kind, ruling_round
from agent.protocol.draw import fenwick
from agent.protocol.judging import Judgement, concluded, judge, rule
from agent.protocol.lifecycle import Mark, Outcome, TaskState, awaits_audit
from agent.protocol.records import (
    Attestation,
    Committee,
    MemberView,
    NetworkView,
    Params,
    Pending,
    PolicyEntry,
    PoolView,
    Prices,
    Record,
    RosterView,
    Round,
    Seat,
    TaskView,
)
from agent.protocol.states import RoundKind
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
    audit_reserve=Mist(50),
    bounty=Mist(2),
    delivery_bond=Mist(10),
    max_price=Mist(10_000),
    auditors=1,
    dispute_seats=3,
    jail_strikes=3,
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
    unbonding_ms=Millis(1_500_000),
    challenge_ms=Millis(60_000),
    heartbeat_ms=Millis(10_000),
    jail_ms=Millis(300_000),
    rotation_ms=Millis(400_000),
    timelock_ms=Millis(200_000),
    absence_bps=500,
    undecided_bps=5_000,
    victim_bps=5_000,
    panel_bps=2_000,
    treasury_bps=1_000,
    cost_bps=5_000,
    controlled_bps=2_000,
)

R = TypeVar("R", bound=Record)


def record(kind: type[R], /, **known: object) -> R:
    """A record with `known` fields and nothing else in it: zeros, empty bytes, nobody."""
    hints = get_type_hints(kind)
    return kind(**{name: known.get(name, _nothing(hint)) for name, hint in hints.items()})


def _nothing(hint: Any) -> object:
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) is Pending:
        return Pending((), Millis(0))
    if get_origin(hint) is tuple:
        return ()
    if hint is RoundKind:
        return RoundKind.AUDIT
    if isinstance(hint, type) and issubclass(hint, Record):
        return record(hint)
    return hint(0) if isinstance(hint, type) and issubclass(hint, int) else hint()


NOBODY = record(Seat, slot=NONE)
_WAITING = (
    TaskState.OPEN, TaskState.RUNNING, TaskState.COMMITTED, TaskState.EMPTY, TaskState.TICKET, TaskState.HANDOFF, TaskState.AUDITING,
    TaskState.REVEALING, TaskState.DISPUTED, TaskState.PUBLISHING, TaskState.RULING,
)  # fmt: skip
_ENDS = {
    TaskState.OPEN: Outcome.EXPIRED,
    TaskState.RUNNING: Outcome.ABSENT,
    TaskState.EMPTY: Outcome.VOID,
    TaskState.TICKET: Outcome.VOID,
    TaskState.HANDOFF: Outcome.REFUSED,
    TaskState.PUBLISHING: Outcome.UNDELIVERED,
    TaskState.RULING: Outcome.UNDECIDED,
}


async def nothing(_: str) -> None:
    """A tripwire that never trips."""


@dataclass
class TwinState:
    """What all views of one chain share."""

    clock: ManualClock
    manifest: Digest
    committee: Committee = field(default=Committee(1, (b"\x01" * 32,), 1))
    previous: Committee = field(default=Committee(0, (), 0))
    previous_until: int = 0
    policies: tuple[PolicyEntry, ...] = ()
    params: Params = PARAMS
    next_params: Pending[Params] = field(default=Pending((), Millis(0)))
    next_committee: Pending[Committee] = field(default=Pending((), Millis(0)))
    next_prices: Pending[Prices] = field(default=Pending((), Millis(0)))
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
    chunks: dict[bytes, list[bytes]] = field(default_factory=dict)
    """What is published of each task's output."""
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
            NetworkView, id=ObjectId(NETWORK), allow_simulated=True, params=self.params, policies=self.policies,
            committee=self.committee, previous=self.previous, previous_until=Millis(self.previous_until),
            next_params=self.next_params, next_committee=self.next_committee, stall_ms=self.stall_ms,
            heartbeat_at=self.heartbeat_at,
        )  # fmt: skip

    @property
    def pool(self) -> PoolView:
        return record(
            PoolView, id=ObjectId(POOL), network=NETWORK, manifest=self.manifest, tee_mask=1,
            prices=Prices(Mist(1_000), Mist(100), Mist(10)), slots=8, next_slot=Slot(len(self.members)), next_prices=self.next_prices,
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

    @property
    def verifiers(self) -> tuple[bytes, ...]:
        """Of the committee in office."""
        return self.committee.verifiers

    def appoint(self, committee: Committee) -> None:
        """Put `committee` in office at once."""
        self.previous, self.previous_until = self.committee, self.now + self.params.rotation_ms
        self.committee, self.next_committee = committee, Pending((), Millis(0))
        event = e.CommitteeChanged(
            NETWORK, committee.epoch, committee.verifiers, committee.threshold, Millis(self.previous_until)
        )
        self.emit(event, f"committee{committee.epoch}")

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
        self._waits_at = -1

    @property
    def idle(self) -> bool:
        """Whether the follower has taken every event there is."""
        return self._waits_at == len(self.state.log)

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
                self._waits_at = place
                await self.state.grown.wait()
            self._waits_at = -1
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

    async def published_output(self, task: TaskId) -> bytes:
        await self._trip("published_output")
        try:
            return b"".join(self.state.chunks[task])
        except KeyError:
            raise NotFound("nothing was published") from None

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
        output = replace(
            view.output, commitment=call.commitment, sealed_digest=call.sealed_output_digest, units=call.units, signature=call.signature
        )
        draw = replace(view.draw, drawn_at=state.now, panel=state.panel, audited=state.audited)
        view = self._put(view, TaskState.COMMITTED, view.params.delivery_ms, output=output, draw=draw)
        self._emit(
            e.Committed(
                view.id, POOL, view.executor.node, call.commitment, call.sealed_output_digest, b"\x05" * 32,
                view.panel, view.audited, view.deadline,
            )
        )  # fmt: skip

    def _ReportInvalidInput(self, call: c.ReportInvalidInput) -> None:
        view = self._task(call.task, TaskState.RUNNING)
        facts = s.InputFacts(view.key_commitment, view.output_pk, view.tee_mask, view.input.denied, view.opened_at).digest()
        statement = s.InvalidInputStatement(
            NETWORK, view.id, view.executor.node, view.executor.key_epoch, view.input_digest, facts, s.InvalidReason(call.reason)
        )
        self._signed(view.executor, statement, call.signature)
        self._decide(view, Outcome.INVALID_INPUT)

    def _BeginAudit(self, call: c.BeginAudit) -> None:
        view = self._task(call.task, TaskState.COMMITTED, TaskState.EMPTY, act=False)
        waiting = awaits_audit(view) or (view.state is TaskState.EMPTY and view.panel)
        if not waiting:
            raise aborted("task", 2)
        able = [slot for slot in view.panel if slot in self._state.members]
        if not able:
            window = None if view.state is TaskState.EMPTY else view.params.delivery_ms
            view = self._put(view, TaskState.EMPTY, window, draw=replace(view.draw, panel=()))
            self._emit(e.PanelEmpty(view.id, POOL, view.deadline))
            return
        self._begin(view, record(Round, kind=RoundKind.AUDIT, slots=tuple(able), handed_by=NONE))

    def _Redraw(self, call: c.Redraw) -> None:
        view = self._task(call.task, TaskState.EMPTY)
        if view.panel:
            raise aborted("task", 2)
        self._put(view, draw=replace(view.draw, panel=self._state.panel))
        self._emit(e.Redrawn(view.id, POOL, b"\x06" * 32, self._state.panel))

    def _begin(self, view: TaskView, drawn: Round) -> None:
        slots = list(dict.fromkeys(drawn.slots))
        seats = tuple(replace(self._state.seat(slot), votes=drawn.slots.count(slot)) for slot in slots)
        earlier = [each for each in view.rounds if each.kind != drawn.kind]
        state, window = TaskState.TICKET, view.params.ticket_ms
        if drawn.kind.judges_delivery:
            state, window = TaskState.HANDOFF, view.params.handoff_ms
        view = self._put(view, state, window, rounds=(*earlier, replace(drawn, seats=seats)))
        self._emit(e.RoundBegun(view.id, POOL, drawn.kind, tuple(seat.node for seat in seats), view.deadline))

    def _DrawDispute(self, call: c.DrawDispute) -> None:
        view = self._task(call.task, TaskState.DISPUTED)
        drawn = record(Round, kind=next_kind(view), slots=self._state.dispute, handed_by=NONE)
        self._put(view, TaskState.DRAWN, rounds=(*view.rounds, drawn))
        self._emit(e.DisputeDrawn(view.id, POOL, drawn.kind, b"\x07" * 32, drawn.slots))

    def _BeginDispute(self, call: c.BeginDispute) -> None:
        view = self._task(call.task, TaskState.DRAWN, act=False)
        self._begin(view, view.rounds[-1])

    def _round(self, view: TaskView, state: TaskState | None = None, window: int | None = None, **changes: object) -> TaskView:
        rounds = (*view.rounds[:-1], replace(view.rounds[-1], **changes))
        return self._put(view, state, window, rounds=rounds)

    def _IssueTicket(self, call: c.IssueTicket) -> None:
        view = self._task(call.task, TaskState.TICKET)
        drawn = view.rounds[-1]
        at, params = self._state.at, view.params
        if not (call.issued_at <= at + params.grace_ms and at <= call.issued_at + params.ticket_ms):
            raise aborted("audit", 5)
        seats = tuple(s.TicketSeat(seat.node, seat.operator, seat.tee_kind, seat.key_epoch, seat.hpke_pk) for seat in drawn.seats)
        ticket = s.TicketStatement(NETWORK, view.id, drawn.kind, view.input_digest, seats, call.issued_at)
        self._by_committee(call.committee, ticket, call.signers, call.signatures)
        view = self._round(
            view, TaskState.HANDOFF, view.params.handoff_ms, issued_at=call.issued_at, committee=call.committee,
            signers=call.signers, signatures=call.signatures,
        )  # fmt: skip
        self._emit(e.TicketIssued(view.id, POOL, drawn.kind, view.deadline))

    def _Handoff(self, call: c.Handoff) -> None:
        view = self._task(call.task, TaskState.HANDOFF)
        kind = view.rounds[-1].kind
        holder = view.executor if call.by == NONE else view.rounds[0].seats[call.by]
        if call.by != NONE and (kind is RoundKind.AUDIT or not holder.mark.revealed):
            raise aborted("audit", 6)
        statement = s.HandoffStatement(NETWORK, view.id, holder.node, holder.key_epoch, kind, call.wraps)
        self._signed(holder, statement, call.signature)
        self._hand(view, call.wraps, holder.slot, holder.node, call.uri.encode())

    def _hand(self, view: TaskView, wraps: tuple[bytes, ...], slot: Slot, by: bytes, uri: bytes) -> None:
        drawn = view.rounds[-1]
        seats = tuple(replace(seat, wrap=wrap) for seat, wrap in zip(drawn.seats, wraps, strict=True))
        view = self._round(view, TaskState.AUDITING, view.params.audit_ms, seats=seats, handed_by=slot, uri=uri)
        self._emit(e.HandedOff(view.id, POOL, drawn.kind, Address(by), uri, view.deadline))

    def _PostOutputKey(self, call: c.PostOutputKey) -> None:
        view = self._task(call.task, TaskState.HANDOFF)
        self._hand(view, call.wraps, NONE, view.requester, b"")

    def _seated(self, view: TaskView, index: int, mark: Mark) -> tuple[Round, Seat]:
        seat = view.rounds[-1].seats[index]
        if seat.mark is not mark:
            raise aborted("audit", 2)
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
            raise aborted("audit", 3)
        agrees = commitment(view.id, view.executor.node, call.root, call.executor_salt) == view.commitment
        mark = Mark.AGREES if agrees else Mark.DIFFERS
        seats = self._replaced(drawn, call.seat, replace(seat, root=call.root, mark=mark))
        view = self._round(view, seats=seats, revealed=drawn.revealed + 1)
        self._emit(e.Revealed(view.id, POOL, seat.node, drawn.kind, call.seat, agrees))
        if view.rounds[-1].revealed == view.rounds[-1].committed:
            self._judge(view)

    def _judge(self, view: TaskView) -> None:
        self._become(view, judge(view))

    def _become(self, view: TaskView, found: Judgement) -> None:
        delivery = view.delivery
        if found.verdict is not None and delivery.disputed:
            view = self._put(view, delivery=replace(delivery, verdict=found.verdict))
        elif found.verdict is not None:
            view = self._put(view, verdict=found.verdict)
        match found.state:
            case TaskState.DECIDED:
                self._decide(view, found.outcome)
            case TaskState.COMMITTED:
                view = self._put(view, TaskState.COMMITTED, view.params.delivery_ms, outcome=found.outcome)
                self._emit(e.Upheld(view.id, POOL, view.deadline))
            case TaskState.DISPUTED:
                self._dispute(view)
            case _:
                self._await_ruling(view)

    def _dispute(self, view: TaskView) -> None:
        view = self._put(view, TaskState.DISPUTED, view.params.delivery_ms)
        self._emit(e.Disputed(view.id, POOL, view.deadline))

    def _await_ruling(self, view: TaskView) -> None:
        view = self._put(view, TaskState.RULING, view.params.audit_ms)
        self._emit(e.RulingAwaited(view.id, POOL, ruling_round(view), view.deadline))

    def _Rule(self, call: c.Rule) -> None:
        view = self._task(call.task, TaskState.RULING)
        statement = s.RulingStatement(NETWORK, view.id, ruling_round(view), call.root, call.agrees)
        self._by_committee(call.committee, statement, call.signers, call.signatures)
        self._emit(e.Ruled(view.id, POOL, ruling_round(view), call.root, call.agrees, call.committee, call.signers))
        self._become(view, rule(view, call.root, agrees=call.agrees))

    def _ClaimUndelivered(self, call: c.ClaimUndelivered) -> None:
        view = self._task(call.task, TaskState.COMMITTED)
        delivery = replace(view.delivery, claimed=True, leaves=())
        view = self._put(view, TaskState.PUBLISHING, view.params.delivery_ms, delivery=delivery)
        self._emit(e.DeliveryClaimed(view.id, POOL, Mist(10), view.deadline))

    def _PublishOutput(self, call: c.PublishOutput) -> None:
        view = self._task(call.task, TaskState.PUBLISHING)
        if call.operator_cap != operator_cap(view.executor.node):
            raise aborted("delivery", 5)
        leaves, chunk = view.delivery.leaves, call.head + call.tail
        if call.index > len(leaves) or max(len(call.head), len(call.tail)) > 16_380:
            raise aborted("delivery", 3)
        kept = self._state.chunks.get(view.id, [])[: call.index]
        self._state.chunks[view.id] = [*kept, chunk]
        leaves = (*leaves[: call.index], blob_leaf(call.index, chunk))
        view = self._put(view, delivery=replace(view.delivery, leaves=leaves))
        self._emit(e.ChunkPublished(view.id, call.index, call.head, call.tail))
        if not call.last:
            return
        if merkle_root(leaves) != view.sealed_output_digest:
            raise aborted("delivery", 6)
        view = self._put(view, TaskState.COMMITTED, view.params.delivery_ms, delivery=replace(view.delivery, published=True, chunks=call.index + 1))
        self._emit(e.OutputPublished(view.id, POOL, call.index + 1, view.deadline))

    def _DisputeDelivery(self, call: c.DisputeDelivery) -> None:
        view = self._task(call.task, TaskState.COMMITTED)
        view = self._put(view, delivery=replace(view.delivery, disputed=True))
        self._emit(e.DeliveryDisputed(view.id, POOL, Mist(10)))
        self._dispute(view)

    def _CancelRevoked(self, call: c.CancelRevoked) -> None:
        view = self._task(call.task, TaskState.RUNNING, act=False)
        if not self._state.members[view.executor.slot].is_revoked(view.executor.key_epoch):
            raise aborted("task", 13)
        self._decide(view, Outcome.REVOKED)

    def _Advance(self, call: c.Advance) -> None:
        self._Heartbeat(c.Heartbeat())
        view = self._task(call.task, *_WAITING, act=False)
        if view.state is TaskState.COMMITTED and awaits_audit(view):
            raise aborted("task", 2)
        if self._state.now < view.deadline + view.params.grace_ms:
            raise aborted("task", 4)
        delivery = bool(view.rounds) and view.rounds[-1].kind.judges_delivery
        match view.state:
            case TaskState.COMMITTED:
                self._decide(view, concluded(view))
            case TaskState.TICKET if view.round != RoundKind.AUDIT:
                self._await_ruling(view)
            case TaskState.HANDOFF if delivery:
                self._decide(view, concluded(view))
            case TaskState.DISPUTED:
                self._await_ruling(view)
            case TaskState.AUDITING if view.rounds[-1].committed:
                self._open_reveals(view)
            case TaskState.AUDITING | TaskState.REVEALING:
                self._judge(view)
            case _:
                self._decide(view, _ENDS[view.state])

    def _Settle(self, call: c.Settle) -> None:
        view = self._task(call.task, TaskState.DECIDED, act=False)
        self._put(view, TaskState.SETTLED)
        zero = Mist(0)
        self._emit(e.Settled(view.id, POOL, view.requester, view.executor.node, view.outcome, zero, zero, zero))

    def _Reap(self, call: c.Reap) -> None:
        view = self._task(call.task, TaskState.SETTLED, act=False)
        if self._state.now < view.deadline:
            raise aborted("task", 12)
        del self._state.tasks[view.id]
        self._emit(e.Reaped(view.id))

    def _Heartbeat(self, _: c.Heartbeat) -> None:
        state = self._state
        silence = state.at - state.heartbeat_at
        state.stall_ms += silence if silence > state.params.heartbeat_ms else 0
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
            raise aborted("attestation", 1)
        uri = call.uri.encode()
        self._emit(e.EvidencePosted(POOL, member.node, member.slot, member.key_epoch, call.evidence_digest, uri))

    def _Attest(self, call: c.Attest) -> None:
        state, member = self._state, self._state.members[call.slot]
        if state.at >= member.challenge_expires:
            raise aborted("attestation", 1)
        if not state.network.is_in_force(call.policy, state.now):
            raise aborted("attestation", 7)
        kind = s.TeeKind(call.tee_kind)
        verdict = s.VerdictStatement(
            NETWORK, POOL, member.node, member.key_epoch, member.challenge, call.evidence_digest, kind,
            call.measurement, state.manifest, call.hpke_pk, call.sign_pk, call.not_after, call.policy,
        )  # fmt: skip
        self._by_committee(call.committee, verdict, call.signers, call.signatures)
        known = Attestation(
            member.key_epoch, kind, call.policy, call.evidence_digest, call.measurement, call.hpke_pk, call.sign_pk, call.not_after
        )
        state.members[call.slot] = replace(
            member, attestation=known, challenge_expires=Millis(0), previous=member.attestation,
            previous_until=Millis(state.now + state.params.rotation_ms),
        )  # fmt: skip
        self._emit(
            e.Attested(
                POOL, member.node, member.slot, member.key_epoch, kind, call.policy, call.evidence_digest, call.measurement,
                call.hpke_pk, call.sign_pk, call.not_after, False, call.committee, call.signers,
            )
        )

    def _by_committee(self, epoch: int, statement: s.Statement, signers: tuple[int, ...], signatures: tuple[bytes, ...]) -> None:
        committee = self._state.network.committee_of(epoch, self._state.now)
        if committee is None:
            raise aborted("network", 9)
        if len(signers) < committee.threshold or len(signers) != len(signatures):
            raise aborted("statement", 2)
        if list(signers) != sorted(set(signers)):
            raise aborted("statement", 3)
        for signer, signature in zip(signers, signatures, strict=True):
            self._signed(replace(NOBODY, sign_pk=committee.verifiers[signer]), statement, signature)

    def _Revoke(self, call: c.Revoke) -> None:
        member = self._state.members[call.slot]
        if not member.revoked_through < call.key_epoch <= member.key_epoch:
            raise aborted("attestation", 11)
        statement = s.RevocationStatement(NETWORK, POOL, member.node, call.key_epoch, s.RevocationReason(call.reason))
        self._by_committee(call.committee, statement, call.signers, call.signatures)
        self._state.members[call.slot] = replace(member, revoked_through=call.key_epoch)
        self._emit(e.Revoked(POOL, member.node, member.slot, call.key_epoch, call.reason, call.committee, call.signers))

    def _ApplyParams(self, _: c.ApplyParams) -> None:
        state = self._state
        state.params = self._applied(state.next_params)
        state.next_params = Pending((), Millis(0))
        self._emit(e.ParamsChanged(NETWORK, state.params))

    def _ApplyCommittee(self, _: c.ApplyCommittee) -> None:
        state = self._state
        committee = self._applied(state.next_committee)
        state.appoint(committee)

    def _ApplyPrices(self, _: c.ApplyPrices) -> None:
        found = self._applied(self._state.next_prices)
        self._state.next_prices = Pending((), Millis(0))
        self._emit(e.PricesChanged(POOL, found.price, found.auditor_fee, found.reservation_fee))

    def _applied(self, pending: Pending[Any]) -> Any:
        if not pending.value:
            raise aborted("network", 7)
        if self._state.now < pending.at:
            raise aborted("network", 6)
        return pending.value[0]

    def _Unjail(self, call: c.Unjail) -> None:
        member = self._member(call.operator_cap)
        if not member.jailed_until:
            raise aborted("member", 12)
        if self._state.now < member.jailed_until:
            raise aborted("member", 13)
        self._state.members[member.slot] = replace(member, jailed_until=Millis(0), strikes=0)
        self._emit(e.Unjailed(POOL, member.node, member.slot))

    def _UpdateWeight(self, call: c.UpdateWeight) -> None:
        member = self._state.members[call.slot]
        out = member.leaving_at or member.jailed_until or member.current() is None
        weight = Mist(0) if out else member.stake
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
