#[test_only]
module enclavia::settlement_tests;

use enclavia::acts;
use enclavia::fixtures::{Self, World};
use enclavia::params;
use enclavia::task::{Self, Task};

fun world(): World { fixtures::begin(fixtures::usual().of_members(9)) }
fun unaudited(): World { fixtures::begin(fixtures::unaudited().of_members(9)) }

fun lock(): u64 { fixtures::lock() }
fun fees(): u64 { fixtures::price() + fixtures::reservation_fee() }
fun quote(w: &World): u64 { w.pool().quote(w.network(), 0) }

/// Settles, by a stranger; returns what the requester got.
fun settle(w: World, task: &mut Task): (World, u64) {
    let mut w = w.next(fixtures::stranger());
    w.settle(task);
    assert!(task.state() == 10 && task.escrow() == 0 && task.bonds() == 0);
    9u64.do!(|slot| assert!(w.pool().member(slot).locked() == 0 && w.pool().member(slot).backing() == 0));
    let mut w = w.next(fixtures::requester());
    let got = w.received();
    (w, got)
}

fun executor_fees(w: &World, task: &Task): u64 { w.pool().member(task.executor().slot()).fees() }

#[test]
fun an_accepted_executor_is_paid_and_nothing_is_left() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(executor_fees(&w, &task) == fees() && got == 0 && w.pool().audit_fund() == 0);
    w.end_of(task);
}

#[test]
fun what_the_requester_paid_for_audits_pays_the_auditors() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote(&mut task, acts::true_root());
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(executor_fees(&w, &task) == fees() && got == 0 && w.pool().audit_fund() == 0 && w.pool().fees_owed() == 0);
    task.rounds()[0].seats().do_ref!(|seat| assert!(w.pool().member(seat.slot()).fees() == fixtures::auditor_fee()));
    w.end_of(task);
}

/// Settlement never aborts for want of money.
#[test]
fun what_the_fund_lacks_is_owed() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.challenge(&mut task);
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    w.handoff(&mut task);
    w.vote_each(&mut task, vector[acts::true_root(), acts::no_input()]);
    w.advance(&mut task);
    let before = executor_fees(&w, &task);
    let (w, got) = settle(w, &mut task);
    // the bond of a challenge that failed: handling to the executor, the rest to the fund
    assert!(executor_fees(&w, &task) == before + fees() + fixtures::reservation_fee() && got == 0);
    assert!(w.pool().member(task.rounds()[0].seats()[0].slot()).fees() == fixtures::auditor_fee());
    assert!(w.pool().audit_fund() == fixtures::auditor_fee());
    // who could not read the input is excused, but counted
    let excused = w.pool().member(task.rounds()[0].seats()[1].slot());
    assert!(excused.strikes() == 1 && excused.fees() == 0 && excused.stake() == fixtures::stake());
    w.end_of(task);
}

#[test]
fun a_liar_loses_its_whole_lock_and_it_is_divided_as_the_rules_say() {
    let (mut w, mut task) = world().audited(acts::false_root());
    w.vote(&mut task, acts::true_root());
    w.dispute(&mut task, acts::true_root());
    let right = 2 + task.current().seats().length();
    let (w, got) = settle(w, &mut task);
    assert!(w.lost(task.executor().slot()) == lock() && executor_fees(&w, &task) == 0);
    // 10 % to the victim would be more than the price
    assert!(got == quote(&w) + fixtures::price());
    let panel = params::share(lock(), 4_000);
    let part = panel / right;
    task.rounds().do_ref!(|round| round.seats().do_ref!(|seat| assert!(w.pool().member(seat.slot()).fees() == part)));
    assert!(w.pool().treasury() == params::share(lock(), 1_000) + panel - part * right);
    assert!(w.pool().burnt() == lock() - fixtures::price() - panel - params::share(lock(), 1_000));
    w.end_of(task);
}

#[test]
fun an_auditor_that_accused_wrongly_loses_its_lock() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote_each(&mut task, vector[acts::true_root(), acts::false_root()]);
    w.dispute(&mut task, acts::true_root());
    w.advance(&mut task);
    let (w, _) = settle(w, &mut task);
    let seats = task.rounds()[0].seats();
    assert!(w.lost(seats[1].slot()) == lock() / 2 && w.lost(seats[0].slot()) == 0);
    assert!(w.lost(task.executor().slot()) == 0 && executor_fees(&w, &task) == fees());
    w.end_of(task);
}

#[test]
fun an_absent_executor_pays_the_bounty_the_requester_and_a_strike() {
    let (w, mut task) = world().running();
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    let loss = params::share(lock(), 2_000);
    assert!(w.lost(task.executor().slot()) == loss && w.pool().member(task.executor().slot()).strikes() == 1);
    assert!(got == quote(&w) + fixtures::price());
    let mut w = w.next(fixtures::stranger());
    assert!(w.received() == fixtures::bounty());
    w.end_of(task);
}

#[test]
fun an_auditor_that_stays_away_pays_the_bounty_and_a_strike() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    w.reveal(&mut task, 0, acts::true_root());
    w.advance(&mut task);
    let away = task.rounds()[0].seats()[1].slot();
    let (w, _) = settle(w, &mut task);
    assert!(w.lost(away) == params::share(lock() / 2, 2_000) && w.pool().member(away).strikes() == 1);
    let mut w = w.next(fixtures::stranger());
    assert!(w.received() == fixtures::bounty());
    w.end_of(task);
}

#[test]
fun an_auditor_that_withholds_its_reveal_loses_its_lock() {
    let (mut w, mut task) = world().audited(acts::true_root());
    2u64.do!(|i| w.audit_commit(&mut task, i, acts::true_root()));
    w.reveal(&mut task, 0, acts::true_root());
    w.advance(&mut task);
    w.advance(&mut task);
    let silent = task.rounds()[0].seats()[1].slot();
    let (w, _) = settle(w, &mut task);
    assert!(w.lost(silent) == lock() / 2);
    w.end_of(task);
}

#[test]
fun an_auditor_that_handed_off_falsely_loses_its_lock_and_who_said_so_is_paid() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote_each(&mut task, vector[acts::true_root(), acts::false_root()]);
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    w.issue_ticket(&mut task);
    let wraps = acts::wraps(&task);
    w.handoff_by(&mut task, 1, wraps, b"");
    w.vote(&mut task, acts::bad_wrap());
    w.dispute(&mut task, acts::true_root());
    w.advance(&mut task);
    let liar = task.rounds()[0].seats()[1].slot();
    let (w, _) = settle(w, &mut task);
    assert!(w.lost(liar) == lock() / 2 && w.lost(task.executor().slot()) == 0);
    task.rounds()[1].seats().do_ref!(|seat| assert!(w.pool().member(seat.slot()).fees() >= fixtures::auditor_fee()));
    w.end_of(task);
}

#[test]
fun refusing_to_hand_off_costs_as_much_as_lying() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(w.lost(task.executor().slot()) == lock());
    // the requester cranked it as well
    assert!(got == quote(&w) + fixtures::price() + fixtures::bounty());
    w.end_of(task);
}

#[test]
fun an_input_that_cannot_be_run_costs_the_reservation() {
    let (mut w, mut task) = world().running();
    w.refuse_input(&mut task, 3);
    let (w, got) = settle(w, &mut task);
    assert!(executor_fees(&w, &task) == fixtures::reservation_fee() && got == quote(&w) - fixtures::reservation_fee());
    w.end_of(task);
}

/// Its host's word earns nothing.
#[test]
fun an_input_that_is_nowhere_costs_the_reservation_too_but_pays_nobody() {
    let (mut w, mut task) = world().running();
    w.refuse_input(&mut task, 6);
    let (w, got) = settle(w, &mut task);
    assert!(executor_fees(&w, &task) == 0 && w.pool().treasury() == fixtures::reservation_fee());
    assert!(got == quote(&w) - fixtures::reservation_fee());
    w.end_of(task);
}

#[test]
fun an_expired_task_costs_the_reservation_less_the_bounty() {
    let (w, mut task) = world().open();
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) - fixtures::reservation_fee());
    assert!(w.pool().treasury() == fixtures::reservation_fee() - fixtures::bounty());
    w.end_of(task);
}

#[test]
fun a_void_task_costs_the_reservation_and_slashes_nobody() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) - fixtures::reservation_fee() && executor_fees(&w, &task) == fixtures::reservation_fee());
    9u64.do!(|slot| assert!(w.lost(slot) == 0));
    w.end_of(task);
}

#[test]
fun an_undecided_task_is_refunded_without_compensation() {
    let (mut w, mut task) = world().audited(acts::false_root());
    w.vote(&mut task, acts::true_root());
    w.advance(&mut task);
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) && w.lost(task.executor().slot()) == params::share(lock(), 1_000));
    w.end_of(task);
}

#[test]
fun a_revoked_executor_costs_and_gets_nothing() {
    let (mut w, mut task) = world().running();
    w.revoke(task.executor().slot(), 1);
    let (network, pool, _, _, _, clock, _, _) = w.all();
    task.cancel_revoked(pool, network, clock);
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) && w.lost(task.executor().slot()) == 0 && executor_fees(&w, &task) == 0);
    w.end_of(task);
}

#[test]
fun a_bond_pays_what_publishing_costs_and_no_more() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.claim(&mut task);
    w.publish(&mut task);
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(executor_fees(&w, &task) == fees() + fixtures::bounty() && got == 63 * fixtures::bounty());
    w.end_of(task);
}

#[test]
fun an_executor_that_does_not_publish_pays_for_it_and_the_bond_comes_back() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.claim(&mut task);
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) + fixtures::price() + 64 * fixtures::bounty());
    assert!(w.lost(task.executor().slot()) == params::share(lock(), 2_000));
    w.end_of(task);
}

#[test]
fun a_forger_loses_its_lock_and_the_bond_comes_back() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.submit(&mut task);
    w.dispute_delivery(&mut task);
    w.dispute(&mut task, acts::forged());
    let (w, got) = settle(w, &mut task);
    assert!(got == quote(&w) + fixtures::price() + fixtures::bond() && w.lost(task.executor().slot()) == lock());
    w.end_of(task);
}

#[test]
fun a_dispute_for_nothing_pays_the_arbiters() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.submit(&mut task);
    w.dispute_delivery(&mut task);
    w.dispute(&mut task, acts::true_root());
    let seats = task.current().seats().length();
    let (w, got) = settle(w, &mut task);
    assert!(got == 0 && executor_fees(&w, &task) == fees());
    assert!(w.pool().audit_fund() == fixtures::bond() - seats * fixtures::auditor_fee());
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_task_is_settled_once() {
    let (mut w, mut task) = world().running();
    w.advance(&mut task);
    w.settle(&mut task);
    w.settle(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun a_task_is_not_settled_in_another_pool() {
    let (mut w, mut task) = world().running();
    w.advance(&mut task);
    let (mut w, mut other, _r, _q) = w.another_pool();
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    enclavia::settlement::settle(&mut task, &mut other, network, clock, ctx);
    abort
}
