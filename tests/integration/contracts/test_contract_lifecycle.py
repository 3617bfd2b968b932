"""A task on the published bytecode, to every end it can have; each settlement is compared with the rules in Python."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from protocol_world import CLOCK, COIN, FALSE_ROOT, PRICE, RANDOM, STAKE, SUI, TRUE_ROOT, Aborted, Shared, World, never

from agent.protocol import draw, money
from agent.protocol.events import Committed, Paid, Settled, Slashed
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.statements import SPECIAL_ROOTS
from agent.protocol.units import NONE, Mist, TaskId
from localnet.ledger.errors import NotFound

ALWAYS = draw.ALWAYS


def settle_as_the_rules_say(world: World, task: TaskId) -> money.Settlement:
    """Settle, and check every Mist of it against `agent.protocol.money`."""
    view, before = world.task(task), world.pool_view()
    stakes = {node.node: world.member(node.slot) for node in world.nodes}
    wanted = money.settlement(view, before.audit_fund)
    done = world.settle(task)
    after = world.pool_view()
    assert wanted.conserves(view.escrow + view.bonds.held)
    assert done.event(Settled).refunded == wanted.refunded
    assert after.audit_fund - before.audit_fund == wanted.fund
    assert after.treasury - before.treasury == wanted.treasury
    assert after.burnt - before.burnt == wanted.burnt
    for node in world.nodes:
        member = world.member(node.slot)
        assert stakes[node.node].stake - member.stake == wanted.slashed.get(node.node, 0)
        assert member.fees - stakes[node.node].fees == wanted.paid.get(node.node, 0)
        assert member.fees_owed - stakes[node.node].fees_owed == wanted.owed.get(node.node, 0)
        assert member.locked == 0
    assert world.task(task).escrow == 0
    assert world.task(task).state is TaskState.SETTLED
    return wanted


def outcome(world: World, task: TaskId) -> Outcome:
    return world.task(task).outcome


def test_unaudited_task_is_paid_after_the_delivery_window() -> None:
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    world.advance(task)
    assert outcome(world, task) is Outcome.ACCEPTED
    assert settle_as_the_rules_say(world, task).paid[node.node] == PRICE + 1_000_000


def test_settlement_never_precedes_the_delivery_window() -> None:
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    world.pass_time(world.params.delivery_ms + world.params.grace_ms - 1)
    with pytest.raises(Aborted) as early:
        world.crank(task)
    assert (early.value.module, early.value.code) == ("task", 4)


def test_agreeing_auditors_uphold_and_are_paid() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.advance(task)
    assert outcome(world, task) is Outcome.UPHELD
    assert not settle_as_the_rules_say(world, task).slashed


def test_audited_lie_costs_the_whole_lock_and_refunds_the_requester() -> None:
    world = World(audit_probability=ALWAYS)
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    assert world.task(task).state is TaskState.DISPUTED
    world.dispute(task, liar, TRUE_ROOT)
    assert outcome(world, task) is Outcome.GUILTY
    settled = settle_as_the_rules_say(world, task)
    assert settled.slashed == {liar.node: world.params.executor_lock}
    assert settled.refunded == world.task(task).price + world.quote()


def test_lying_auditor_does_not_convict_an_honest_executor() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.audited()
    world.vote(task, [FALSE_ROOT, TRUE_ROOT])
    liar = world.task(task).rounds[0].seats[0]
    world.dispute(task, node, TRUE_ROOT)
    world.advance(task)
    assert outcome(world, task) is Outcome.UPHELD
    assert settle_as_the_rules_say(world, task).slashed == {liar.node: world.params.auditor_lock}


def test_colluding_auditor_is_slashed_with_the_liar() -> None:
    world = World(audit_probability=ALWAYS)
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [FALSE_ROOT, TRUE_ROOT])
    crony = world.task(task).rounds[0].seats[0]
    world.dispute(task, liar, TRUE_ROOT)
    settled = settle_as_the_rules_say(world, task)
    assert settled.slashed == {liar.node: world.params.executor_lock, crony.node: world.params.auditor_lock}


def test_refusing_the_handoff_costs_as_much_as_lying() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    world.issue_ticket(task)
    world.advance(task)
    assert outcome(world, task) is Outcome.REFUSED
    assert settle_as_the_rules_say(world, task).slashed == {node.node: world.params.executor_lock}


def test_committee_that_issues_no_ticket_costs_the_executor_nothing() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    world.advance(task)
    assert outcome(world, task) is Outcome.VOID
    assert settle_as_the_rules_say(world, task).slashed == {}


def test_requester_that_forbids_every_auditor_pays_all_the_same() -> None:
    world = World(audit_probability=ALWAYS)
    task = world.open()
    node = world.post(task, mask=0)
    world.commit(task, node)
    world.begin_audit(task)
    assert world.task(task).state is TaskState.EMPTY
    world.advance(task)
    assert outcome(world, task) is Outcome.ACCEPTED
    assert settle_as_the_rules_say(world, task).paid[node.node] == PRICE + 1_000_000


def test_executor_that_never_commits_is_slashed_once_and_the_requester_refunded() -> None:
    world = World()
    task, node = world.running()
    world.advance(task)
    assert outcome(world, task) is Outcome.ABSENT
    settled = settle_as_the_rules_say(world, task)
    assert settled.slashed == {node.node: Mist(world.params.executor_lock // 5)}
    with pytest.raises(Aborted) as again:
        world.settle(task)
    assert (again.value.module, again.value.code) == ("task", 2)


def test_poisoned_input_slashes_nobody() -> None:
    world = World()
    task, node = world.running()
    world.refuse_input(task, node)
    assert outcome(world, task) is Outcome.INVALID_INPUT
    assert settle_as_the_rules_say(world, task).slashed == {}


def test_task_without_an_input_expires_and_costs_the_reservation_only() -> None:
    world = World()
    task = world.open()
    world.advance(task)
    assert outcome(world, task) is Outcome.EXPIRED
    assert settle_as_the_rules_say(world, task).refunded == world.quote() - 1_000_000


def test_auditor_that_stays_away_gets_a_strike_and_a_small_slash() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.audited()
    away = world.task(task).rounds[0].seats[0]
    world.vote(task, [None, TRUE_ROOT])
    world.advance(task)
    assert outcome(world, task) is Outcome.UPHELD
    assert settle_as_the_rules_say(world, task).slashed == {away.node: Mist(world.params.auditor_lock // 5)}
    assert world.member(away.slot).strikes == 1
    assert node.node not in {away.node}


def test_auditor_that_commits_and_does_not_reveal_loses_its_lock() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    silent = world.task(task).rounds[0].seats[1]
    world.vote(task, [TRUE_ROOT, TRUE_ROOT], silent=[1])
    world.advance(task)
    assert settle_as_the_rules_say(world, task).slashed == {silent.node: world.params.auditor_lock}


def test_audit_without_any_vote_goes_to_a_dispute_not_to_an_acquittal() -> None:
    world = World(audit_probability=ALWAYS)
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [None, None])
    assert world.task(task).state is TaskState.DISPUTED
    world.dispute(task, liar, TRUE_ROOT)
    assert outcome(world, task) is Outcome.GUILTY


def arbiters_that_stay_away(world: World, task: TaskId, *, everybody: bool) -> Sequence[int]:
    view = world.task(task)
    taken = {view.executor.slot, *(seat.slot for seat in view.rounds[0].seats)}
    free = [node.slot for node in world.nodes if node.slot not in taken]
    return free if everybody else free[:1]


def test_dispute_below_two_thirds_is_drawn_again_without_the_silent() -> None:
    world = World(nodes=12, audit_probability=ALWAYS, seed=b"a dispute that fails")
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.call(world.requester, "audit::draw_dispute", *disputing(world, task))
    world.call(world.requester, "audit::begin_dispute", *beginning(world, task))
    world.issue_ticket(task)
    world.handoff(task, liar)
    first = world.task(task).rounds[1]
    world.vote(task, [None] * len(first.seats))
    assert world.task(task).state is TaskState.DISPUTED
    world.dispute(task, liar, TRUE_ROOT)
    second = world.task(task).rounds[2]
    assert len(second.slots) == 2 * len(first.slots)
    assert not {seat.slot for seat in first.seats} & {seat.slot for seat in second.seats}
    assert outcome(world, task) is Outcome.GUILTY
    settle_as_the_rules_say(world, task)


def test_two_disputes_without_a_verdict_end_undecided_and_never_acquit() -> None:
    world = World(nodes=12, audit_probability=ALWAYS, seed=b"no verdict at all")
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    for _ in range(2):
        world.call(world.requester, "audit::draw_dispute", *disputing(world, task))
        world.call(world.requester, "audit::begin_dispute", *beginning(world, task))
        world.issue_ticket(task)
        world.handoff(task, liar)
        world.vote(task, [None] * len(world.task(task).rounds[-1].seats))
    assert world.task(task).state is TaskState.RULING
    world.advance(task)
    assert outcome(world, task) is Outcome.UNDECIDED
    settled = settle_as_the_rules_say(world, task)
    assert settled.slashed[liar.node] == world.params.executor_lock // 10
    assert settled.refunded == world.quote()


def disputing(world: World, task: TaskId) -> list:
    return [Shared(task, True), Shared(world.network), Shared(world.roster), Shared(RANDOM), Shared(CLOCK)]


def beginning(world: World, task: TaskId) -> list:
    return [Shared(task, True), Shared(world.pool, True), Shared(world.network), Shared(CLOCK)]


def test_panel_has_nobody_twice_and_never_the_executor() -> None:
    world = World(audit_probability=ALWAYS)
    for _ in range(8):
        task, node = world.running()
        world.commit(task, node)
        panel = [slot for slot in world.task(task).panel if slot != NONE]
        assert len(set(panel)) == len(panel) == 4
        assert node.slot not in panel


def test_chain_and_python_draw_alike() -> None:
    world = World(audit_probability=ALWAYS // 2)
    for _ in range(8):
        task, node = world.running()
        committed = world.commit(task, node).event(Committed)
        roster = world.roster_view()
        assert committed.panel == draw.draw_without(roster.fen, committed.seed, 4, [node.slot])
        assert committed.audited == draw.is_audited(committed.seed, world.params.audit_probability)


def test_commit_costs_the_same_for_every_seed_and_flag() -> None:
    """[C1]: else a gas budget chooses the auditors."""
    world = World(audit_probability=ALWAYS // 2, stake=200 * SUI)
    costs, flags = set(), set()
    for _ in range(24):
        task, node = world.running()
        # the same input state for each: only seed, panel and flag differ
        done = world.commit(task, node, sender=world.admin)
        effects = done.executed.effects
        flags.add(done.event(Committed).audited)
        sizes = tuple(sorted(len(obj.contents) for obj in done.executed.after.values() if hasattr(obj, "contents")))
        costs.add((effects.gas.computation, effects.gas.storage, len(effects.changes), sizes, len(done.executed.events)))
    assert flags == {True, False}
    assert len(costs) == 1


def test_slashes_and_payments_are_events() -> None:
    world = World(audit_probability=ALWAYS)
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.dispute(task, liar, TRUE_ROOT)
    done = world.settle(task)
    slashed = done.event(Slashed)
    assert (slashed.node, slashed.amount, slashed.reason) == (liar.node, world.params.executor_lock, Outcome.GUILTY)
    assert any(isinstance(event, Paid) for event in done.events)


def test_settled_task_can_be_reaped_later_by_anybody() -> None:
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    world.advance(task)
    world.settle(task)
    with pytest.raises(Aborted) as early:
        world.call(world.admin, "task::reap", Shared(task, True), Shared(world.network), Shared(CLOCK))
    assert early.value.code == 12
    world.pass_time(world.params.unbonding_ms)
    world.call(world.admin, "task::reap", Shared(task, True), Shared(world.network), Shared(CLOCK))
    with pytest.raises(NotFound):
        world.task(task)


def test_money_of_the_whole_chain_is_conserved() -> None:
    world = World(audit_probability=ALWAYS)
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.dispute(task, liar, TRUE_ROOT)
    world.settle(task)
    assert world.ledger.supply().is_conserved
    assert world.stake_of_all() == len(world.nodes) * STAKE - world.params.executor_lock


def test_halt_of_the_chain_punishes_nobody() -> None:
    """[H6]: hours without a block, then the first crank."""
    world = World(heartbeat_ms=1_000)
    task, _ = world.running()
    world.clock.advance(10 * 3_600_000)
    with pytest.raises(Aborted) as early:
        world.crank(task)
    assert (early.value.module, early.value.code) == ("task", 4)
    world.call(world.admin, "network::heartbeat", Shared(world.network, True), Shared(CLOCK))
    assert world.network_view().stall_ms > 0


def test_candidate_can_be_rejected_for_a_fee() -> None:
    world = World()
    task = world.open()
    first = world.nodes[world.task(task).candidates[0]]
    world.paying(
        world.requester, "task::reject_executor", 1_000_000, Shared(task, True), Shared(world.pool, True), world.candidate(task), COIN,
        Shared(world.network), Shared(CLOCK)
    )
    assert world.member(first.slot).fees == 1_000_000
    assert world.post(task).slot != first.slot


def test_full_candidate_is_passed_over() -> None:
    world = World(stake=10 * SUI)
    task = world.open()
    first = world.nodes[world.task(task).candidates[0]]
    while world.member(first.slot).backing < 8 * SUI:
        other = world.open()
        slot = world.task(other).candidates[0]
        if slot == first.slot:
            world.post(other)
    assert world.post(task, world.nodes[world.task(task).candidates[1]]).slot != first.slot


def test_parameters_of_a_task_are_those_of_its_opening() -> None:
    world = World()
    assert world.task(world.open()).params == replace(world.params)


def test_a_pool_takes_no_more_tasks_than_it_could_audit_with_half_its_stake() -> None:
    """Else whoever fills it keeps the honest auditors busy, and meets only his own."""
    world = World(stake=10 * SUI)
    locks = world.params.executor_lock + world.params.auditors * world.params.auditor_lock
    room = world.pool_view().bonded // 2 // locks
    for _ in range(room):
        world.post_to_anybody(world.open())
    with pytest.raises(Aborted) as busy:
        world.post_to_anybody(world.open())
    assert (busy.value.module, busy.value.code) == ("pool", 11)


def test_special_root_that_an_executor_commits_to_agrees_with_nobody() -> None:
    """Else every honest vote that its wraps are bad would open its commitment."""
    world = World(audit_probability=ALWAYS)
    for root in SPECIAL_ROOTS[:3]:
        task, liar = world.audited(bytes(root))
        world.vote(task, [bytes(root)] * 2)
        world.dispute(task, liar, bytes(root))
        assert outcome(world, task) is Outcome.GUILTY
        assert settle_as_the_rules_say(world, task).slashed == {liar.node: world.params.executor_lock}
