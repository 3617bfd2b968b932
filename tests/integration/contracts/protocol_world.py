"""A network on the ledger, driven directly: real bytecode, real signatures, no enclave and no RPC.

Members sign with keys that the test holds, as a broken TEE would: so every lie that the contract has to stand can be told.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.protocol import bcs, deterrence
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment
from agent.protocol.events import Event, decode_event
from agent.protocol.records import MemberView, NetworkView, Params, PoolView, RosterView, Seat, TaskView
from agent.protocol.statements import (
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InputFacts,
    InvalidInputStatement,
    InvalidReason,
    RevocationReason,
    RevocationStatement,
    RulingStatement,
    Statement,
    TeeKind,
    TicketSeat,
    TicketStatement,
    VerdictStatement,
)
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId
from localnet.ledger.clock import ManualClock
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import GAS_COIN as GAS
from localnet.ledger.model import (
    Argument,
    Command,
    ExecutedTransaction,
    Gas,
    Input,
    InputArgument,
    MoveCall,
    NestedResult,
    ObjectRef,
    OwnedInput,
    Publish,
    PureInput,
    ResultArgument,
    SharedInput,
    SplitCoins,
    Transaction,
    TransferObjects,
)

ROOT = Path(__file__).parents[3]
BYTECODE = ROOT / "contracts" / "sui" / "bytecode"
SUI = 10**9
STAKE = Mist(20 * SUI)
PRICE, AUDITOR_FEE, RESERVATION = Mist(10_000_000), Mist(4_000_000), Mist(1_000_000)
POLICY, MANIFEST, MEASUREMENT = Digest(b"p" * 32), Digest(b"m" * 32), b"M" * 48
FAR = Millis(10**15)
SEALED = b"the sealed output of every executor here"
INPUT, OUTPUT, KEY = BlobId(b"i" * 32), blob_digest(SEALED), Digest(b"k" * 32)
PCR0 = b"n" * 48
SALT, EXECUTOR_SALT = b"s" * 32, b"e" * 32
TRUE_ROOT, FALSE_ROOT = Digest(b"t" * 32), Digest(b"f" * 32)
WRAP = b"w" * 80

CLOCK = (6).to_bytes(32, "big")
RANDOM = (8).to_bytes(32, "big")
COIN = NestedResult(0, 0)
"""The coin split off by `World.paying`."""


SECOND = 1_000
BOND = Mist(100_000_000)
NONE = 2**64 - 1
NOBODY = bytes(32)


def parameters(**changes: Any) -> Params:
    usual = Params(
        min_stake=Mist(10 * SUI), executor_lock=Mist(SUI), auditor_lock=Mist(SUI // 2), audit_reserve=Mist(2 * SUI), bounty=Mist(500_000),
        delivery_bond=BOND, max_price=Mist(20_000_000), auditors=2, dispute_seats=5, jail_strikes=3, audit_probability=1 << 63,
        input_ms=Millis(60 * SECOND), commit_ms=Millis(30 * SECOND), delivery_ms=Millis(20 * SECOND), ticket_ms=Millis(20 * SECOND),
        handoff_ms=Millis(20 * SECOND), audit_ms=Millis(20 * SECOND), reveal_ms=Millis(20 * SECOND), grace_ms=Millis(2 * SECOND),
        period_ms=Millis(100 * SECOND), unbonding_ms=Millis(1_000 * SECOND), challenge_ms=Millis(60 * SECOND), heartbeat_ms=Millis(20 * SECOND),
        jail_ms=Millis(60 * SECOND), rotation_ms=Millis(100 * SECOND), timelock_ms=Millis(50 * SECOND),
        absence_bps=2_000, undecided_bps=1_000, victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000, cost_bps=8_000, controlled_bps=3_333,
    )  # fmt: skip
    return replace(usual, **changes)


def never(**changes: Any) -> dict[str, Any]:
    """Parameters under which no task is audited by chance: with work that costs nothing, a lie gains nothing."""
    return {"audit_probability": 0, "cost_bps": 0, **changes}


class Aborted(Exception):
    """A transaction failed with a Move abort."""

    def __init__(self, module: str, code: int, text: str) -> None:
        super().__init__(text)
        self.module, self.code = module, code


class Failed(Exception):
    """A transaction failed otherwise."""


@dataclass
class Done:
    executed: ExecutedTransaction
    events: list[Event]

    def event(self, kind: type) -> Any:
        return next(event for event in self.events if isinstance(event, kind))


@dataclass
class Node:
    address: bytes
    slot: Slot
    node: NodeId
    owner_cap: bytes
    operator_cap: bytes
    sign: Ed25519PrivateKey
    sign_pk: bytes
    hpke_pk: bytes


@dataclass(frozen=True)
class Shared:
    id: bytes
    mutable: bool = False


@dataclass(frozen=True)
class Owned:
    id: bytes


def label(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


class World:
    """One Network with one Pool; `nodes` are attested members of the launched Roster."""

    def __init__(self, nodes: int = 7, *, simulated: bool = True, seed: bytes = b"world", stake: int = STAKE, verifiers: int = 1, depth: int = 4, **changes: Any) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger(Framework.load(), GenesisConfig(seed=seed, clock=self.clock))
        self.admin, self.requester = label("admin"), label("requester")
        self._gas: dict[bytes, ObjectRef] = {}
        self._count = 0
        self.verifiers = [Ed25519PrivateKey.from_private_bytes(label(f"verifier {index}")) for index in range(verifiers)]
        self.threshold = verifiers // 2 + 1
        self.committee = 1
        self.budget = 5 * SUI
        self.params = parameters(**changes)
        self.package = self._publish()
        self._create(simulated=simulated, depth=depth)
        self.nodes = [self.register(index, Mist(stake)) for index in range(nodes)]
        if nodes:
            self.call(self.admin, "roster::launch", Shared(self.roster, True), Shared(self.queue, True), Shared(self.network), Owned(self.cap), Shared(CLOCK))

    # --- transactions

    def transact(self, sender: bytes, inputs: Sequence[Input], commands: Sequence[Command]) -> Done:
        if sender not in self._gas:
            self.fund(sender)
        self._count += 1
        gas = Gas(sender, (self._gas[sender],), Mist(1_000), Mist(self.budget))
        executed = self.ledger.execute(Transaction(sender, tuple(inputs), tuple(commands), gas), label(f"transaction {self._count}"))
        effects = executed.effects
        for change in effects.changes:
            if change.id == effects.gas_object and change.after:
                self._gas[sender] = ObjectRef(change.id, change.after.version, change.after.digest)
        failure = effects.status
        if failure is not None and failure.abort_code is not None:
            assert failure.location is not None
            raise Aborted(failure.location.module, failure.abort_code, failure.message)
        if failure is not None:
            raise Failed(f"{failure.kind.name}: {failure.message}")
        ours = [e for e in executed.events if e.type.address == self.package] if hasattr(self, "package") else []
        return Done(executed, [decode_event(e.type.module, e.type.name, e.contents) for e in ours])

    def fund(self, address: bytes, amount: int = 10_000 * SUI) -> None:
        minted = self.ledger.faucet(address, Mist(amount))
        change = next(c for c in minted.effects.created())
        assert change.after is not None
        self._gas[address] = ObjectRef(change.id, change.after.version, change.after.digest)

    def _input(self, value: Any) -> Input:
        if isinstance(value, Shared):
            found = self.ledger.object(value.id)
            return SharedInput(value.id, found.owner.initial_version, value.mutable)
        if isinstance(value, Owned):
            return OwnedInput(self.ledger.object(value.id).ref)
        return PureInput(value)

    def call(self, sender: bytes, target: str, *arguments: Any) -> Done:
        inputs, places = self._inputs(arguments)
        return self.transact(sender, inputs, [self.move(target, places)])

    def _inputs(self, values: Iterable[Any]) -> tuple[list[Input], list[Argument]]:
        inputs: list[Input] = []
        places: list[Argument] = []
        for value in values:
            if isinstance(value, (ResultArgument, NestedResult)):
                places.append(value)
            else:
                places.append(InputArgument(len(inputs)))
                inputs.append(self._input(value))
        return inputs, places

    def move(self, target: str, arguments: Sequence[Argument]) -> MoveCall:
        module, function = target.split("::")
        return MoveCall(self.package, module, function, (), tuple(arguments))

    # --- setting up

    def _publish(self) -> bytes:
        known = json.loads((BYTECODE / "package.json").read_text())
        modules = [each if isinstance(each, str) else each["name"] for each in known["modules"]]
        code = tuple((BYTECODE / f"{name}.mv").read_bytes() for name in modules)
        dependencies = tuple((i).to_bytes(32, "big") for i in (1, 2))
        done = self.transact(self.admin, [PureInput(self.admin)], [Publish(code, dependencies), TransferObjects((ResultArgument(0),), InputArgument(0))])
        return next(c.id for c in done.executed.effects.created() if c.package)

    def _create(self, *, simulated: bool, depth: int) -> None:
        kinds = [8] * 10 + [16] + [8] * 22
        pure = [value.to_bytes(size, "little") for value, size in zip(self.params.in_order(), kinds, strict=True)]
        verifiers = [verifier.public_key().public_bytes_raw() for verifier in self.verifiers]
        rest = [b"\1" if simulated else b"\0", vec(POLICY), vecs([PCR0]), vecs(verifiers), u64(self.threshold), Shared(CLOCK), self.admin]
        inputs, places = self._inputs([*pure, *rest])
        made = self.transact(
            self.admin, inputs,
            [
                self.move("params::new", places[: len(pure)]),
                self.move("network::create", [ResultArgument(0), *places[len(pure) : -1]]),
                TransferObjects((ResultArgument(1),), places[-1]),
            ],
        )  # fmt: skip
        self.network, self.cap = self.created(made, "Network"), self.created(made, "AdminCap")
        made = self.call(
            self.admin, "pool::create", Shared(self.network), Owned(self.cap), vec(MANIFEST), u64(3), u64(PRICE), u64(AUDITOR_FEE),
            u64(RESERVATION), bytes([depth]), Shared(CLOCK),
        )  # fmt: skip
        self.pool, self.roster, self.queue = (self.created(made, name) for name in ("Pool", "Roster", "RosterQueue"))

    def created(self, done: Done, name: str) -> bytes:
        return next(c.id for c in done.executed.effects.created() if not c.package and self.ledger.object(c.id).type.name == name)

    def register(self, index: int, stake: int, *, attested: bool = True) -> Node:
        me = label(f"node {index}")
        inputs, (amount, pool, network, clock, address) = self._inputs([u64(stake), Shared(self.pool, True), Shared(self.network), Shared(CLOCK), me])
        done = self.transact(
            me, inputs,
            [
                SplitCoins(GAS, (amount,)),
                self.move("member::register", [pool, network, NestedResult(0, 0), clock]),
                TransferObjects((NestedResult(1, 0), NestedResult(1, 1)), address),
            ],
        )  # fmt: skip
        return self.member_made(done, me, index, attested=attested)

    def member_made(self, done: Done, me: bytes, index: int, *, attested: bool = True) -> Node:
        from agent.protocol.events import NodeRegistered

        registered = done.event(NodeRegistered)
        sign = Ed25519PrivateKey.from_private_bytes(label(f"sign {index}"))
        node = Node(
            me, registered.slot, registered.node, self.created(done, "NodeOwnerCap"), self.created(done, "NodeOperatorCap"), sign,
            sign.public_key().public_bytes_raw(), label(f"hpke {index}"),
        )  # fmt: skip
        if attested:
            self.challenge(node)
            self.attest(node)
            self.update_weight(node)
        return node

    def update_weight(self, node: Node) -> Done:
        return self.call(
            node.address, "member::update_weight", Shared(self.pool, True), Shared(self.network), Shared(self.queue, True), u64(node.slot), Shared(CLOCK)
        )

    def challenge(self, node: Node) -> None:
        self.call(
            node.address, "attestation::request_challenge", Shared(self.pool, True), Shared(self.network), Owned(node.operator_cap), Shared(CLOCK), Shared(RANDOM)
        )

    def verdict(self, member_node: Node, /, **changes: Any) -> VerdictStatement:
        member = self.member(member_node.slot)
        usual = VerdictStatement(
            Address(self.network), Address(self.pool), member_node.node, member.key_epoch, member.challenge, BlobId(b"e" * 32), TeeKind.SIMULATED,
            MEASUREMENT, MANIFEST, member_node.hpke_pk, member_node.sign_pk, FAR, POLICY,
        )  # fmt: skip
        return replace(usual, **changes)

    def attest(self, node: Node, signed: VerdictStatement | None = None, **posted: Any) -> Done:
        signed = signed or self.verdict(node)
        s = replace(signed, **posted)
        return self.call(
            self.admin, "attestation::attest", Shared(self.pool, True), Shared(self.network), u64(node.slot), vec(s.evidence_digest), bytes([s.tee_kind]),
            vec(s.measurement), vec(s.hpke_pk), vec(s.sign_pk), u64(s.not_after), vec(s.policy), *self.signed(signed), Shared(CLOCK),
        )  # fmt: skip

    def signed(self, statement: Statement, signers: Sequence[Ed25519PrivateKey] | None = None) -> list[bytes]:
        """The committee's epoch, signers and signatures, as arguments."""
        chosen = signers if signers is not None else self.verifiers[: self.threshold]
        return [u64(self.committee), u64s(range(len(chosen))), vecs([key.sign(statement.signing_bytes()) for key in chosen])]

    def revoke(self, node: Node, key_epoch: int = 1, reason: int = 1) -> Done:
        statement = RevocationStatement(Address(self.network), Address(self.pool), node.node, key_epoch, RevocationReason(reason))
        return self.call(
            self.admin, "attestation::revoke", Shared(self.pool, True), Shared(self.network), u64(node.slot), u64(key_epoch), bytes([reason]),
            *self.signed(statement), Shared(CLOCK),
        )  # fmt: skip

    # --- reading

    def task(self, task: TaskId) -> TaskView:
        return TaskView.decode(self.ledger.object(task).contents)

    def network_view(self) -> NetworkView:
        return NetworkView.decode(self.ledger.object(self.network).contents)

    def pool_view(self) -> PoolView:
        return PoolView.decode(self.ledger.object(self.pool).contents)

    def roster_view(self) -> RosterView:
        return RosterView.decode(self.ledger.object(self.roster).contents)

    def member(self, slot: int) -> MemberView:
        for field in self.ledger.dynamic_fields(self.pool):
            if len(field.name.bcs) == 8 and int.from_bytes(field.name.bcs, "little") == slot:
                return MemberView.decode(field.field.contents[40:])
        raise KeyError(slot)

    def members(self) -> list[MemberView]:
        """Everybody with money in the Pool: in a slot, or departed."""
        found = []
        for field in self.ledger.dynamic_fields(self.pool):
            if len(field.name.bcs) == 8:
                found.append(MemberView.decode(field.field.contents[40:]))
            elif field.name.type.name == "Departed":
                found.append(MemberView.decode(field.field.contents[64:]))
        return found

    def quote(self, value: int = 0) -> Mist:
        pool = self.pool_view()
        return deterrence.quote(self.network_view().params, pool.prices, Mist(value))

    def stake_of_all(self) -> int:
        return sum(self.member(node.slot).stake for node in self.nodes)

    # --- a task

    def paying(self, sender: bytes, target: str, amount: int, *arguments: Any) -> Done:
        """Call with a coin of `amount` where the arguments hold `COIN`."""
        inputs, (coin, *places) = self._inputs([u64(amount), *arguments])
        return self.transact(sender, inputs, [SplitCoins(GAS, (coin,)), self.move(target, places)])

    def taking(self, node: Node, target: str, *arguments: Any) -> Done:
        """Call what returns a coin, and keep the coin."""
        inputs, (home, *places) = self._inputs([node.address, *arguments])
        return self.transact(node.address, inputs, [self.move(target, places), TransferObjects((ResultArgument(0),), home)])

    def open(self, payment: int | None = None, *, value: int = 0) -> TaskId:
        done = self.paying(
            self.requester, "task::open_task", self.quote(value) if payment is None else payment, Shared(self.network), Shared(self.pool),
            Shared(self.roster), u64(value), COIN, Shared(RANDOM), Shared(CLOCK),
        )  # fmt: skip
        return TaskId(self.created(done, "Task"))

    def candidate(self, task: TaskId) -> bytes:
        """The node whose turn the task's own cursor says it is."""
        view = self.task(task)
        return self.nodes[view.candidates[view.candidate]].node

    def post(self, task: TaskId, node: Node | None = None, *, sender: bytes | None = None, epoch: int = 1, uri: bytes = b"store", mask: int = 2**64 - 1, denied: Sequence[bytes] = ()) -> Node:
        node = node or self.nodes[self.task(task).candidates[self.task(task).candidate]]
        values = [
            Shared(task, True), Shared(self.pool, True), Shared(self.network), Shared(CLOCK), node.node, u64(epoch), vec(uri), vec(INPUT), vec(KEY),
            vec(b"x" * 32), u64(mask), bcs.uleb(len(denied)) + b"".join(denied),
        ]  # fmt: skip
        inputs, places = self._inputs(values)
        t, pool, network, clock, *rest = places
        self.transact(
            sender or self.requester, inputs,
            [self.move("task::assign", [t, pool, network, rest[1], clock]), self.move("task::post_input", [t, ResultArgument(0), *rest, network, clock])],
        )  # fmt: skip
        return node

    def post_to_anybody(self, task: TaskId) -> Node:
        """To the first candidate that has room."""
        for slot in self.task(task).candidates:
            try:
                return self.post(task, self.nodes[slot])
            except Aborted as refused:
                if refused.module != "task":
                    raise
        raise AssertionError("no candidate has room")

    def running(self) -> tuple[TaskId, Node]:
        task = self.open()
        return task, self.post(task)

    def commit_statement(self, task: TaskId, node: Node, root: bytes = TRUE_ROOT) -> CommitStatement:
        posted = commitment(task, node.node, root, EXECUTOR_SALT)
        return CommitStatement(Address(self.network), task, node.node, 1, INPUT, posted, OUTPUT, 16)

    def commit(self, task: TaskId, node: Node, root: bytes = TRUE_ROOT, *, signed: Statement | None = None, sender: bytes | None = None) -> Done:
        statement = self.commit_statement(task, node, root)
        signature = node.sign.sign((signed or statement).signing_bytes())
        return self.call(
            sender or node.address, "task::commit", Shared(task, True), Shared(self.network), Shared(self.roster), vec(statement.commitment),
            vec(statement.sealed_output_digest), u64(statement.units), vec(signature), Shared(RANDOM), Shared(CLOCK),
        )  # fmt: skip

    def refuse_input(self, task: TaskId, node: Node) -> Done:
        view = self.task(task)
        facts = InputFacts(view.key_commitment, view.output_pk, view.tee_mask, view.input.denied, view.opened_at).digest()
        statement = InvalidInputStatement(Address(self.network), task, node.node, 1, INPUT, facts, InvalidReason.HEADER)
        return self.call(
            node.address, "task::report_invalid_input", Shared(task, True), Shared(self.network), bytes([4]),
            vec(node.sign.sign(statement.signing_bytes())), Shared(CLOCK),
        )  # fmt: skip

    def begin_audit(self, task: TaskId) -> Done:
        return self.call(self.requester, "audit::begin_audit", Shared(task, True), Shared(self.pool, True), Shared(self.network), Shared(CLOCK))

    def ticket(self, task: TaskId) -> TicketStatement:
        view = self.task(task)
        assert view.current is not None
        seats = tuple(TicketSeat(s.node, s.operator, s.tee_kind, s.key_epoch, s.hpke_pk) for s in view.current.seats)
        return TicketStatement(Address(self.network), task, view.round, INPUT, seats, self.clock.now())

    def issue_ticket(self, task: TaskId, signer: Ed25519PrivateKey | None = None, ticket: TicketStatement | None = None) -> Done:
        ticket = ticket or self.ticket(task)
        return self.call(
            self.admin, "audit::issue_ticket", Shared(task, True), Shared(self.network), u64(ticket.issued_at),
            *self.signed(ticket, [signer] if signer else None), Shared(CLOCK),
        )  # fmt: skip

    def handoff(self, task: TaskId, node: Node, wraps: Sequence[bytes] | None = None, *, by: int = NONE, uri: bytes = b"") -> Done:
        view = self.task(task)
        assert view.current is not None
        wraps = tuple(wraps or [WRAP] * len(view.current.seats))
        statement = HandoffStatement(Address(self.network), task, node.node, 1, view.round, wraps)
        return self.call(
            node.address, "audit::handoff", Shared(task, True), Shared(self.network), u64(by), vecs(wraps), vec(uri),
            vec(node.sign.sign(statement.signing_bytes())), Shared(CLOCK),
        )  # fmt: skip

    def audit_commit(self, task: TaskId, index: int, root: bytes) -> Done:
        view = self.task(task)
        assert view.current is not None
        node = self.node_of(view.current.seats[index])
        posted = commitment(task, node.node, root, SALT + EXECUTOR_SALT)
        statement = AuditStatement(Address(self.network), task, node.node, 1, view.round, INPUT, posted)
        return self.call(
            node.address, "audit::audit_commit", Shared(task, True), Shared(self.network), u64(index), vec(posted),
            vec(node.sign.sign(statement.signing_bytes())), Shared(CLOCK),
        )  # fmt: skip

    def reveal(self, task: TaskId, index: int, root: bytes, salt: bytes = SALT, executor_salt: bytes = EXECUTOR_SALT) -> Done:
        return self.call(
            self.requester, "audit::reveal", Shared(task, True), Shared(self.network), u64(index), vec(root), vec(salt), vec(executor_salt), Shared(CLOCK)
        )

    def audited(self, root: bytes = TRUE_ROOT) -> tuple[TaskId, Node]:
        """A committed task whose audit is seated, ticketed and handed off."""
        task, node = self.running()
        self.commit(task, node, root)
        self.begin_audit(task)
        self.issue_ticket(task)
        self.handoff(task, node)
        return task, node

    def vote(self, task: TaskId, roots: Sequence[bytes | None], *, silent: Sequence[int] = ()) -> None:
        """Each seat of the round under way commits to its root (None: stays away) and reveals it (unless in `silent`)."""
        for index, root in enumerate(roots):
            if root is not None:
                self.audit_commit(task, index, root)
        if None in roots:
            self.advance(task)
        for index, root in enumerate(roots):
            if root is not None and index not in silent:
                self.reveal(task, index, root)
        if silent and self.task(task).state == 6:
            self.advance(task)

    def dispute(self, task: TaskId, node: Node, root: bytes, *, absent: Sequence[Slot] = ()) -> None:
        """Draw and seat a dispute in which everybody but `absent` votes `root`."""
        self.call(self.requester, "audit::draw_dispute", Shared(task, True), Shared(self.network), Shared(self.roster), Shared(RANDOM), Shared(CLOCK))
        self.call(self.requester, "audit::begin_dispute", Shared(task, True), Shared(self.pool, True), Shared(self.network), Shared(CLOCK))
        if self.task(task).round < 4:
            self.issue_ticket(task)
            self.handoff(task, node)
        else:
            self.post_output_key(task)
        view = self.task(task)
        assert view.current is not None
        self.vote(task, [None if seat.slot in absent else root for seat in view.current.seats])

    # --- delivery

    def challenge_task(self, task: TaskId, bond: int | None = None, *, sender: bytes | None = None) -> Done:
        view = self.task(task)
        usual = view.params.auditors * view.auditor_fee + view.reservation_fee
        return self.paying(
            sender or self.requester, "task::challenge", usual if bond is None else bond, Shared(task, True), Shared(self.network), Shared(self.roster), COIN,
            Shared(RANDOM), Shared(CLOCK),
        )  # fmt: skip

    def claim_undelivered(self, task: TaskId, bond: int | None = None, *, sender: bytes | None = None) -> Done:
        usual = 64 * self.task(task).params.bounty
        return self.paying(
            sender or self.requester, "delivery::claim_undelivered", usual if bond is None else bond, Shared(task, True), Shared(self.network), COIN, Shared(CLOCK)
        )

    def publish(self, task: TaskId, node: Node, *, index: int = 0, head: bytes = SEALED, tail: bytes = b"", last: bool = True) -> Done:
        return self.call(
            node.address, "delivery::publish_output", Shared(task, True), Shared(self.network), Owned(node.operator_cap), u64(index), vec(head), vec(tail),
            bytes([last]), Shared(CLOCK),
        )  # fmt: skip

    def submit(
        self, task: TaskId, *, index: int = 0, head: bytes = SEALED, tail: bytes = b"", last: bool = True, sender: bytes | None = None
    ) -> Done:
        return self.call(
            sender or self.requester, "delivery::submit_output", Shared(task, True), Shared(self.network), u64(index), vec(head), vec(tail),
            bytes([last]), Shared(CLOCK),
        )  # fmt: skip

    def dispute_delivery(self, task: TaskId, bond: int = BOND, *, sender: bytes | None = None) -> Done:
        return self.paying(
            sender or self.requester, "delivery::dispute_delivery", bond, Shared(task, True), Shared(self.network), COIN, Shared(CLOCK)
        )

    def post_output_key(self, task: TaskId, wraps: Sequence[bytes] | None = None, *, sender: bytes | None = None) -> Done:
        view = self.task(task)
        assert view.current is not None
        chosen = [WRAP] * len(view.current.seats) if wraps is None else wraps
        return self.call(
            sender or self.requester, "delivery::post_output_key", Shared(task, True), Shared(self.network), vecs(chosen), Shared(CLOCK)
        )

    def rule(self, task: TaskId, root: bytes, *, agrees: bool, round_: int | None = None) -> Done:
        statement = RulingStatement(Address(self.network), task, self.task(task).round if round_ is None else round_, Digest(root), agrees)
        return self.call(
            self.admin, "audit::rule", Shared(task, True), Shared(self.network), vec(root), bytes([agrees]), *self.signed(statement), Shared(CLOCK)
        )

    # --- time

    def heartbeat(self) -> Done:
        return self.call(self.requester, "network::heartbeat", Shared(self.network, True), Shared(CLOCK))

    def now(self) -> Millis:
        """Protocol time."""
        return self.network_view().protocol_time(self.clock.now())

    def pass_time(self, duration: int) -> None:
        """Let time pass on a living chain: nobody misses a heartbeat."""
        left = duration
        while left > 0:
            step = min(left, self.network_view().params.heartbeat_ms)
            self.clock.advance(Millis(step))
            self.heartbeat()
            left -= step

    def advance(self, task: TaskId, *, sender: bytes | None = None) -> Done:
        """Let the deadline and its grace pass, then crank."""
        view = self.task(task)
        self.pass_time(view.deadline + view.params.grace_ms - self.now())
        return self.crank(task, sender=sender)

    def crank(self, task: TaskId, *, sender: bytes | None = None) -> Done:
        inputs, (t, network, clock) = self._inputs([Shared(task, True), Shared(self.network, True), Shared(CLOCK)])
        return self.transact(
            sender or self.requester, inputs, [self.move("network::heartbeat", [network, clock]), self.move("crank::advance", [t, network, clock])]
        )

    def roll(self) -> Done:
        """End the period and apply what is queued."""
        self.pass_time(max(0, self.roster_view().period_ends - self.now()))
        return self.call(
            self.requester, "roster::roll_period", Shared(self.roster, True), Shared(self.queue, True), Shared(self.network), Shared(CLOCK)
        )

    def settle(self, task: TaskId) -> Done:
        return self.call(
            self.requester, "settlement::settle", Shared(task, True), Shared(self.pool, True), Shared(self.network), Shared(CLOCK)
        )

    def node_of(self, seat: Seat) -> Node:
        return self.nodes[seat.slot]


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def vec(value: bytes) -> bytes:
    return bcs.uleb(len(value)) + value


def vecs(values: Iterable[bytes]) -> bytes:
    values = list(values)
    return bcs.uleb(len(values)) + b"".join(map(vec, values))


def u64s(values: Iterable[int]) -> bytes:
    values = list(values)
    return bcs.uleb(len(values)) + b"".join(map(u64, values))
