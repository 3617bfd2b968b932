#[test_only]
module enclavia::dispute_tests;

use enclavia::acts;
use enclavia::audit;
use enclavia::fixtures::{Self, World};
use enclavia::round;
use enclavia::statement;
use enclavia::task;

// states
const COMMITTED: u8 = 2;
const TICKET: u8 = 3;
const DISPUTED: u8 = 7;
const DRAWN: u8 = 8;
const DECIDED: u8 = 9;
const RULING: u8 = 13;
// outcomes
const UPHELD: u8 = 2;
const GUILTY: u8 = 3;

fun world(): World { fixtures::begin(fixtures::usual().of_members(9)) }

// === Disputes ===

/// An audited lie that is disputed.
fun accused(): (World, task::Task) {
    let (mut w, mut task) = world().audited(acts::false_root());
    w.vote(&mut task, acts::true_root());
    (w, task)
}

#[test]
fun neither_executor_nor_auditors_are_drawn_for_the_dispute() {
    let (mut w, mut task) = accused();
    w.draw_dispute(&mut task);
    assert!(task.state() == DRAWN && task.current().kind() == 2 && task.current().slots().length() == 5);
    let drawn = *task.current().slots();
    assert!(!drawn.contains(&task.executor().slot()));
    task.rounds()[0].seats().do_ref!(|seat| assert!(!drawn.contains(&seat.slot())));
    w.begin_dispute(&mut task);
    assert!(task.state() == TICKET);
    let mut votes = 0;
    task.current().seats().do_ref!(|seat| votes = votes + seat.votes());
    assert!(votes == 5 && task.current().seats().length() <= 5);
    w.end_of(task);
}

#[test]
fun two_thirds_for_another_root_convict() {
    let (mut w, mut task) = accused();
    w.dispute(&mut task, acts::true_root());
    assert!(task.state() == DECIDED && task.outcome() == GUILTY);
    assert!(task.verdict().verdict_root() == acts::true_root() && !task.verdict().upholds());
    w.end_of(task);
}

#[test]
fun two_thirds_for_the_executors_root_uphold() {
    let (mut w, mut task) = accused();
    w.dispute(&mut task, acts::false_root());
    assert!(task.state() == COMMITTED && task.outcome() == UPHELD);
    w.end_of(task);
}

#[test]
fun a_dispute_that_finds_no_verdict_is_drawn_again_with_twice_the_seats_then_ruled() {
    let (mut w, mut task) = accused();
    w.begin_round(&mut task);
    w.advance(&mut task);
    assert!(task.state() == DISPUTED);
    let silent = task.current().nodes();
    w.begin_round(&mut task);
    assert!(task.current().kind() == 3 && task.current().slots().length() == 10);
    task.current().seats().do_ref!(|seat| assert!(!silent.contains(&seat.node())));
    w.advance(&mut task);
    assert!(task.state() == RULING && task.deadline() == w.now() + 20_000);
    w.end_of(task);
}

/// The lock is the auditor's: else an auditor's false wraps would convict the executor.
#[test]
fun an_auditor_that_hands_off_falsely_pays_for_it_and_others_judge() {
    let (mut w, mut task) = accused();
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    w.issue_ticket(&mut task);
    let wraps = acts::wraps(&task);
    w.handoff_by(&mut task, 1, wraps, b"");
    w.vote(&mut task, acts::bad_wrap());
    assert!(task.state() == DISPUTED && task.rounds()[0].seats()[1].is_false_handoff());
    w.end_of(task);
}

#[test]
fun an_executor_whose_wraps_are_false_is_guilty() {
    let (mut w, mut task) = accused();
    w.dispute(&mut task, acts::bad_wrap());
    assert!(task.outcome() == GUILTY && round::blames(task.verdict().verdict_root()));
    w.end_of(task);
}

fun handed_by_auditor(by: u64) {
    let (mut w, mut task) = accused();
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    w.issue_ticket(&mut task);
    let wraps = acts::wraps(&task);
    w.handoff_by(&mut task, by, wraps, b"there");
    assert!(task.current().handed_by() == task.rounds()[0].seats()[by].slot() && task.current().uri() == b"there");
    w.end_of(task);
}

#[test]
fun an_auditor_that_revealed_hands_off_in_a_dispute() { handed_by_auditor(0) }

#[test, expected_failure(abort_code = audit::ENotAHolder)]
fun who_had_no_seat_in_the_audit_hands_off_nothing() { handed_by_auditor(2) }

#[test, expected_failure(abort_code = audit::ENotAHolder)]
fun an_auditor_that_never_revealed_hands_off_nothing() {
    let (mut w, mut task) = world().audited(acts::false_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    w.advance(&mut task);
    w.reveal(&mut task, 0, acts::true_root());
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    w.issue_ticket(&mut task);
    let wraps = acts::wraps(&task);
    w.handoff_by(&mut task, 1, wraps, b"");
    abort
}

#[test]
fun a_draw_of_which_nobody_can_serve_is_drawn_again_within_the_same_wait() {
    let (mut w, mut task) = accused();
    let deadline = task.deadline();
    w.draw_dispute(&mut task);
    let mut revoked = vector[];
    (*task.current().slots()).do!(|slot| if (!revoked.contains(&slot)) {
        w.revoke(slot, 1);
        revoked.push_back(slot);
    });
    w.begin_dispute(&mut task);
    assert!(task.state() == DISPUTED && task.deadline() == deadline && task.rounds().length() == 1);
    w.draw_dispute(&mut task);
    assert!(task.current().kind() == 2);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun the_roster_of_another_pool_draws_no_arbiters() {
    let (w, mut task) = accused();
    let (mut w, _p, other, _q) = w.another_pool();
    let (network, _, _, _, _, clock, random, ctx) = w.all();
    audit::draw_dispute(&mut task, network, &other, random, clock, ctx);
    abort
}

// === The ruling ===

fun unjudged(): (World, task::Task) {
    let (mut w, mut task) = accused();
    w.advance(&mut task);
    (w, task)
}

#[test]
fun the_committee_may_convict() {
    let (mut w, mut task) = unjudged();
    assert!(task.state() == RULING);
    w.rule(&mut task, acts::true_root(), false);
    assert!(task.outcome() == GUILTY && task.verdict().verdict_root() == acts::true_root());
    w.end_of(task);
}

#[test]
fun the_committee_may_uphold() {
    let (mut w, mut task) = unjudged();
    w.rule(&mut task, acts::false_root(), true);
    assert!(task.state() == COMMITTED && task.outcome() == UPHELD);
    w.end_of(task);
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_ruling_that_the_committee_did_not_sign_is_refused() {
    let (mut w, mut task) = unjudged();
    let (network, _, _, _, _, clock, _, _) = w.all();
    let signatures = vector[fixtures::bytes(7, 64)];
    audit::rule(&mut task, network, acts::true_root(), false, 1, vector[1], signatures, clock);
    abort
}

#[test, expected_failure(abort_code = task::EBadDigest)]
fun a_ruling_names_a_root() {
    let (mut w, mut task) = unjudged();
    w.rule(&mut task, b"short", false);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun the_committee_does_not_rule_while_arbiters_may() {
    let (mut w, mut task) = accused();
    w.rule(&mut task, acts::true_root(), false);
    abort
}
