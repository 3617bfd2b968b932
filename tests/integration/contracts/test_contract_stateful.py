"""Any order of honest, lying, absent and griefing acts, with time jumps, on the published bytecode.

After every step money is conserved, no stake is locked without a live task, and no honest node has lost anything; at the end every
task comes to its end by cranks alone. `pytest --hypothesis-profile=deep` runs thousands of longer sequences.
"""

import sys
from typing import Any

from cast import GONE, HERE, LIES, Cast, Job, Plan
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from protocol_world import CLOCK, COIN, FALSE_ROOT, NONE, RANDOM, STAKE, SUI, TRUE_ROOT, Aborted, Node, Owned, Shared, World, u64

from agent.protocol.lifecycle import TaskState

# what the Move VM wants; Hypothesis wants it to be so before it begins
sys.setrecursionlimit(max(sys.getrecursionlimit(), 4_096))

HONEST, ALL = 11, 14
SEATS = 16
"""So many that three adversaries of fourteen do not get two thirds of them."""
ATTEMPTS = 400
"""Cranks in which every task has to end."""

picks = st.integers(min_value=0, max_value=2**16)
plans = st.builds(
    Plan,
    commits=st.sampled_from([*LIES, FALSE_ROOT, TRUE_ROOT, None]),
    forged=st.booleans(),
    bad_wraps=st.frozensets(st.integers(0, 12), max_size=4),
    hands_off=st.sampled_from([True, True, False]),
    auditor_hands_off=st.booleans(),
    uri=st.sampled_from([HERE, GONE, b""]),
    votes=st.lists(st.sampled_from([*LIES, None]), min_size=1, max_size=5).map(tuple),
    reveals=st.sampled_from([True, True, False]),
    publishes=st.booleans(),
    complaints=st.lists(st.sampled_from(["challenge", "claim", "dispute"]), max_size=3).map(tuple),
)


class Market(RuleBasedStateMachine):
    """Fourteen nodes, three of them the adversary's; requesters of both sorts; a committee that does its work."""

    world: World
    cast: Cast

    @initialize(seed=st.binary(min_size=4, max_size=4), chance=st.sampled_from([0, 1 << 63, 1 << 64]))
    def start(self, seed: bytes, chance: int) -> None:
        # with work that costs nothing every audit probability deters: the sequence decides what is audited
        self.world = World(
            ALL, seed=seed, audit_probability=chance, cost_bps=0, dispute_seats=SEATS, auditor_lock=SUI // 2, delivery_bond=300_000_000,
            unbonding_ms=2_000_000,
        )  # fmt: skip
        self.cast = Cast(self.world, HONEST)

    # --- requests

    @rule(honest=st.booleans(), liar=st.booleans(), value=st.sampled_from([0, 10_000_000]), mask=st.sampled_from([2**64 - 1, 2**64 - 1, 0]), gone=st.booleans(), denied=st.integers(0, 2), plan=plans)
    def request(self, honest: bool, liar: bool, value: int, mask: int, gone: bool, denied: int, plan: Plan) -> None:
        """A task gets its input; `liar`: after as many draws as that takes, an adversary is to run it."""
        if len(self.cast.live()) > 3:
            return
        for _ in range(8 if liar else 1):
            task = self.attempt(self.world.open, value=value)
            if task is None or not liar or self.world.task(task).candidates[0] not in self.cast.honest:
                break
        if task is None:
            return
        job = Job(task, honest, plan)
        self.cast.jobs.append(job)
        kind = {} if honest else {"mask": mask, "uri": GONE if gone else b"store", "denied": [n.address for n in self.world.nodes[:denied]]}
        for slot in self.world.task(task).candidates:
            job.executor = self.attempt(self.world.post, task, self.world.nodes[slot], **kind)
            if job.executor is not None:
                return

    @rule(value=st.sampled_from([0, 10_000_000]))
    def open_and_reject(self, value: int) -> None:
        """A requester who locks nobody, and pays for it."""
        task = self.attempt(self.world.open, value=value) if len(self.cast.live()) < 4 else None
        if task is not None:
            self.cast.jobs.append(Job(task, kind_requester=False, plan=Plan()))
            self.attempt(
                self.world.paying, self.world.requester, "task::reject_executor", 1_000_000, Shared(task, True), Shared(self.world.pool, True), self.world.candidate(task), COIN,
                Shared(self.world.network), Shared(CLOCK),
            )  # fmt: skip

    @rule(pick=picks)
    def refuse_input(self, pick: int) -> None:
        """An executor's enclave says that the input cannot be run."""
        running = [job for job in self.cast.live() if self.world.task(job.task).state is TaskState.RUNNING and job.executor is not None]
        if running:
            job = running[pick % len(running)]
            if not job.kind_requester:
                self.attempt(self.world.refuse_input, job.task, job.executor)

    # --- members

    @rule(pick=picks, what=st.sampled_from(["unbond", "leave", "withdraw", "withdraw_unbonded", "revoke", "unjail", "weigh", "weigh"]))
    def move_stake(self, pick: int, what: str) -> None:
        """The last adversary comes and goes; the others stay to lie."""
        node = self.world.nodes[-1]
        own = [Owned(node.owner_cap), Shared(CLOCK)]
        match what:
            case "unbond":
                self.attempt(self.member_call, node, "member::unbond", Shared(self.world.queue, True), own[0], u64((1 + pick % 12) * SUI), own[1])
            case "leave":
                self.attempt(self.member_call, node, "member::leave", Shared(self.world.queue, True), *own)
            case "revoke":
                self.attempt(self.world.revoke, node)
            case "unjail":
                self.attempt(self.member_call, node, "member::unjail", Owned(node.operator_cap), own[1])
            case "weigh":
                self.attempt(self.world.update_weight, self.world.nodes[pick % ALL])
            case _:
                self.attempt(self.world.taking, node, f"member::{what}", Shared(self.world.pool, True), Shared(self.world.network), *own)

    # --- cranks and time

    @rule(times=st.integers(1, 6))
    def crank(self, times: int) -> None:
        for job in self.cast.live() * times:
            self.turn(job)
            self.cast.do_duties()

    @rule(seconds=st.sampled_from([1, 5, 21, 21, 60, 200]))
    def pass_time(self, seconds: int) -> None:
        """Honest actors do all their duties before a deadline passes."""
        left = seconds * 1_000
        while left > 0:
            while self.cast.do_duties():
                pass
            now = self.world.now()
            ahead = [view.deadline - now for view in map(self.world.task, (job.task for job in self.cast.live())) if view.deadline > now]
            step = min([left, *ahead])
            self.world.pass_time(step)
            left -= step

    @rule()
    def halt(self) -> None:
        """Hours without a block cost nobody anything."""
        self.world.clock.advance(3_600_000)
        self.world.heartbeat()

    @rule()
    def roll(self) -> None:
        self.attempt(
            self.world.call, self.world.admin, "roster::roll_period", Shared(self.world.roster, True), Shared(self.world.queue, True),
            Shared(self.world.network), Shared(CLOCK),
        )  # fmt: skip

    # --- what holds after every step

    @invariant()
    def money_is_conserved(self) -> None:
        assert self.world.ledger.supply().is_conserved

    @invariant()
    def locks_are_those_of_live_tasks(self) -> None:
        locked: dict[int, int] = {}
        backing: dict[int, int] = {}
        spoken_for = 0
        for view in (self.world.task(job.task) for job in self.cast.live()):
            if view.executor.slot != NONE:
                backing[view.executor.slot] = backing.get(view.executor.slot, 0) + view.executor.lock
                spoken_for += view.params.executor_lock + view.params.auditors * view.params.auditor_lock
            for each in view.rounds:
                for seat in each.seats:
                    book = backing if view.is_voluntary(each.kind) else locked
                    book[seat.slot] = book.get(seat.slot, 0) + seat.lock
        assert self.world.pool_view().spoken_for == spoken_for
        for member in self.world.members():
            assert member.backing == backing.get(member.slot, 0)
            assert member.locked == backing.get(member.slot, 0) + locked.get(member.slot, 0)
            assert member.locked <= member.stake

    @invariant()
    def honest_nodes_have_lost_nothing(self) -> None:
        for slot in self.cast.honest:
            assert self.world.member(slot).stake == STAKE, f"slot {slot} lost stake"

    def teardown(self) -> None:
        """Every task comes to its end, whoever stays away, by cranks and the passing of time."""
        if not hasattr(self, "cast"):
            return
        for _ in range(ATTEMPTS):
            live = self.cast.live()
            if not live:
                break
            for job in live:
                self.turn(job)
            while self.cast.do_duties():
                pass
            self.world.pass_time(20_000)
        assert not self.cast.live(), [self.world.task(job.task).state for job in self.cast.live()]
        self.locks_are_those_of_live_tasks()
        self.honest_nodes_have_lost_nothing()
        self.money_is_conserved()

    # --- how

    def attempt(self, act: Any, *arguments: Any, **named: Any) -> Any:
        """The act's result; None if the contract refused it."""
        try:
            return act(*arguments, **named) or True
        except Aborted as refused:
            note(f"refused: {refused.module} {refused.code}")
            return None

    def member_call(self, node: Node, target: str, *arguments: Any) -> Any:
        return self.world.call(node.address, target, Shared(self.world.pool, True), Shared(self.world.network), *arguments)

    def turn(self, job: Job) -> None:
        """The crank that is next, by anybody."""
        w, task = self.world, job.task
        view = w.task(task)
        drawing = [Shared(task, True), Shared(w.network), Shared(w.roster), Shared(RANDOM), Shared(CLOCK)]
        seating = [Shared(task, True), Shared(w.pool, True), Shared(w.network), Shared(CLOCK)]
        if view.state is TaskState.DECIDED:
            self.attempt(w.settle, task)
        elif view.state is TaskState.DISPUTED and w.now() < view.deadline:
            self.attempt(w.call, w.admin, "audit::draw_dispute", *drawing)
        elif view.state is TaskState.DRAWN:
            self.attempt(w.call, w.admin, "audit::begin_dispute", *seating)
        elif view.state is TaskState.EMPTY and not view.panel and w.now() < view.deadline:
            self.attempt(w.call, w.admin, "audit::redraw", *drawing)
        elif (view.state is TaskState.COMMITTED and view.audited and not view.verdict.reached) or (view.state is TaskState.EMPTY and view.panel):
            self.attempt(w.begin_audit, task)
        else:
            self.attempt(w.crank, task, sender=w.admin)
            if view.state is TaskState.RUNNING:
                self.attempt(w.call, w.admin, "task::cancel_revoked", Shared(task, True), Shared(w.pool), Shared(w.network), Shared(CLOCK))


TestMarket = Market.TestCase
TestMarket.settings = settings(
    settings.default,
    max_examples=max(200, settings.default.max_examples),
    stateful_step_count=max(30, settings.default.stateful_step_count - 50),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
