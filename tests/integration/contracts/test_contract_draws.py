"""Nobody chooses who is drawn: not by a gas budget, not by asking again, not by coming late (docs/spec/protocol.md §10)."""

from collections.abc import Callable

import pytest
from protocol_world import BOND, CLOCK, FALSE_ROOT, SUI, TRUE_ROOT, Aborted, Failed, Shared, World, never

from agent.protocol import draw
from agent.protocol.events import Challenged, Committed
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.units import Mist

RETRIES = 8
"""With a leaking draw one of twelve seeds passes a budget chosen for it: so many tries made an attack."""


def passes(world: World, budget: int, act: Callable[[], object]) -> bool:
    """Whether `act` succeeds within `budget`; if not, nothing has happened."""
    world.budget, usual = budget, world.budget
    try:
        act()
    except Failed:
        return False
    finally:
        world.budget = usual
    return True


def test_no_gas_budget_chooses_the_auditors() -> None:
    """[C1] The exploit: set the budget so that only the draws one likes can be paid for, and try again until one comes."""
    world = World(nodes=12, stake=200 * SUI)
    task, node = world.running()
    low, high = 0, 5 * SUI
    while high - low > 1_000:
        # every try is another seed: a threshold between them would be the attacker's tool
        middle = (low + high) // 2
        other, runner = world.running()
        if passes(world, middle, lambda task=other, node=runner: world.commit(task, node)):
            high = middle
        else:
            low = middle
    world.commit(task, node)
    for _ in range(12):
        task, node = world.running()
        assert not any(passes(world, low, lambda task=task, node=node: world.commit(task, node)) for _ in range(RETRIES))
        assert passes(world, high, lambda task=task, node=node: world.commit(task, node))


def test_who_joins_after_a_task_is_known_does_not_audit_it() -> None:
    """[C7]"""
    world = World(audit_probability=draw.ALWAYS)
    task, node = world.running()
    late = world.register(90, Mist(9_000 * SUI))
    panel = world.commit(task, node).event(Committed).panel
    assert late.slot not in panel
    assert world.roster_view().total == sum(world.member(each.slot).stake for each in world.nodes)


def test_stake_that_backs_other_tasks_counts_in_draws_all_the_same() -> None:
    """[C7] Else whoever fills the others chooses the electorate."""
    world = World(stake=40 * SUI)
    before = world.roster_view().fen
    for _ in range(6):
        world.running()
    assert world.roster_view().fen == before


def test_candidates_are_drawn_once_and_for_all() -> None:
    """[H8] Neither an input that was not posted nor time gives another choice."""
    world = World()
    task = world.open()
    drawn = world.task(task).candidates
    with pytest.raises(Aborted):
        world.post(task, epoch=9)
    world.pass_time(1_000)
    assert world.task(task).candidates == drawn


def test_a_challenge_draws_auditors_that_nobody_knew() -> None:
    """[H7] And only the requester has one [C6]."""
    world = World(nodes=12, **never())
    task, node = world.running()
    known = world.commit(task, node, FALSE_ROOT).event(Committed)
    with pytest.raises(Aborted) as stranger:
        world.challenge_task(task, sender=world.admin)
    assert (stranger.value.module, stranger.value.code) == ("task", 5)
    drawn = world.challenge_task(task).event(Challenged)
    roster = world.roster_view()
    assert drawn.seed != known.seed
    assert drawn.panel == draw.draw_without(roster.fen, drawn.seed, 4, [node.slot])


def test_withholding_a_delivery_is_refused_its_pay() -> None:
    """[C5]"""
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    world.claim_undelivered(task)
    world.advance(task)
    assert world.task(task).outcome is Outcome.UNDELIVERED
    fees = world.member(node.slot).fees
    world.settle(task)
    assert world.member(node.slot).fees == fees
    assert world.member(node.slot).strikes == 1


def test_a_forged_delivery_costs_as_much_as_a_lie() -> None:
    """[C4] The root is right, what was sealed is not: auditors agree, arbiters do not."""
    from agent.protocol.statements import FORGED

    world = World(nodes=12, audit_probability=draw.ALWAYS)
    task, node = world.audited()
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.submit(task)
    world.dispute_delivery(task, BOND)
    world.dispute(task, node, bytes(FORGED))
    assert world.task(task).outcome is Outcome.FORGED
    world.settle(task)
    assert world.member(node.slot).stake == 20 * SUI - world.params.executor_lock


def test_an_empty_audit_fund_delays_and_never_aborts() -> None:
    """[M1]"""
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    world.challenge_task(task)
    world.begin_audit(task)
    world.issue_ticket(task)
    world.handoff(task, node)
    world.vote(task, [TRUE_ROOT, None])
    world.advance(task)
    assert world.pool_view().audit_fund == 0
    world.settle(task)
    assert world.task(task).state is TaskState.SETTLED


def test_a_leaver_that_was_drawn_is_passed_over_and_its_slot_is_nobody_elses_draw() -> None:
    """[M2, M4] Slots come back, draws do not."""
    from protocol_world import Owned

    world = World(audit_probability=draw.ALWAYS)
    task, node = world.running()
    panel = world.commit(task, node).event(Committed).panel
    leaver = world.nodes[panel[0]]
    world.call(
        leaver.address, "member::leave", Shared(world.pool, True), Shared(world.network), Shared(world.queue, True), Owned(leaver.owner_cap), Shared(CLOCK)
    )
    world.begin_audit(task)
    assert [seat.slot for seat in world.task(task).rounds[0].seats] == list(panel[1:3])


def test_a_revoked_executor_is_let_go_before_its_commitment_and_judged_after() -> None:
    """[M3]"""
    world = World(audit_probability=draw.ALWAYS)
    task, node = world.running()
    other, runner = world.running()
    while runner.slot == node.slot:
        other, runner = world.running()
    world.commit(other, runner)
    world.revoke(node)
    world.revoke(runner)
    cancel = [Shared(world.pool), Shared(world.network), Shared(CLOCK)]
    world.call(world.admin, "task::cancel_revoked", Shared(task, True), *cancel)
    assert world.task(task).outcome is Outcome.REVOKED
    with pytest.raises(Aborted):
        world.call(world.admin, "task::cancel_revoked", Shared(other, True), *cancel)

