#[test_only]
module enclavia::crank_tests;

use enclavia::acts;
use enclavia::fixtures::{Self, World};
use enclavia::network;
use enclavia::task::{Self, Task};

fun world(): World { fixtures::begin(fixtures::usual().of_members(9)) }
fun unaudited(): World { fixtures::begin(fixtures::unaudited().of_members(9)) }

/// Cranks by a stranger, and ends.
fun cranked(w: World, mut task: Task, state: u8, outcome: u8) {
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    assert!(task.state() == state && task.outcome() == outcome);
    w.end_of(task);
}

#[test]
fun a_task_without_an_input_expires() {
    let (w, task) = world().open();
    cranked(w, task, 9, 7)
}

#[test]
fun an_executor_that_does_not_commit_is_absent() {
    let (w, task) = world().running();
    cranked(w, task, 9, 5)
}

#[test]
fun who_notices_an_absence_is_written_down() {
    let (w, mut task) = world().running();
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    assert!(task.cranker() == fixtures::stranger());
    w.end_of(task);
}

#[test]
fun an_unaudited_task_is_accepted_after_the_delivery_window() {
    let (w, task) = unaudited().committed(acts::true_root());
    cranked(w, task, 9, 1)
}

#[test]
fun an_upheld_task_stays_upheld_after_the_delivery_window() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote(&mut task, acts::true_root());
    cranked(w, task, 9, 2)
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_task_that_waits_for_its_audit_waits_for_ever() {
    let (w, task) = world().committed(acts::true_root());
    cranked(w, task, 9, 1)
}

fun without_panel(denied: vector<address>): (World, Task) {
    let (mut w, mut task) = world().open();
    let node = w.pool().member(task.candidates()[0]).node();
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), denied);
    w.commit(&mut task, acts::true_root());
    task.panel().do!(|slot| w.revoke(slot, 1));
    w.begin_audit(&mut task);
    (w, task)
}

#[test]
fun an_audit_that_nobody_can_do_voids_the_task() {
    let (w, task) = without_panel(vector[]);
    cranked(w, task, 9, 8)
}

/// Else a requester could forbid audits and have every result for the reservation fee.
#[test]
fun a_requester_that_forbade_auditors_pays_all_the_same() {
    let (w, task) = without_panel(vector[@0xd]);
    cranked(w, task, 9, 1)
}

#[test]
fun a_committee_that_tickets_no_audit_voids_the_task() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    cranked(w, task, 9, 8)
}

fun disputed(): (World, Task) {
    let (mut w, mut task) = world().audited(acts::false_root());
    w.vote(&mut task, acts::true_root());
    (w, task)
}

#[test]
fun a_committee_that_tickets_no_dispute_has_to_rule() {
    let (mut w, mut task) = disputed();
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    cranked(w, task, 13, 0)
}

#[test]
fun a_dispute_that_nobody_draws_has_to_be_ruled() {
    let (w, task) = disputed();
    cranked(w, task, 13, 0)
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_drawn_dispute_waits_for_its_seats() {
    let (mut w, mut task) = disputed();
    w.draw_dispute(&mut task);
    cranked(w, task, 13, 0)
}

#[test]
fun a_committee_that_does_not_rule_leaves_it_undecided() {
    let (mut w, mut task) = disputed();
    w.advance(&mut task);
    cranked(w, task, 9, 9)
}

#[test]
fun an_executor_that_does_not_hand_off_has_refused() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    cranked(w, task, 9, 4)
}

#[test]
fun a_requester_that_hands_over_no_key_drops_the_dispute() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.submit(&mut task);
    w.dispute_delivery(&mut task);
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    cranked(w, task, 9, 1)
}

#[test]
fun an_executor_that_does_not_publish_has_not_delivered() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.claim(&mut task);
    cranked(w, task, 9, 10)
}

#[test]
fun an_audit_without_votes_is_disputed() {
    let (w, task) = world().audited(acts::true_root());
    cranked(w, task, 7, 0)
}

#[test]
fun who_committed_may_reveal_though_others_stayed_away() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    assert!(task.state() == 6 && task.current().cranker() == fixtures::stranger());
    w.reveal(&mut task, 0, acts::true_root());
    assert!(task.outcome() == 2);
    w.end_of(task);
}

/// The first who noticed keeps the bounty of the round.
#[test]
fun reveals_that_do_not_come_are_not_waited_for() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    let mut w = w.next(fixtures::stranger());
    w.advance(&mut task);
    let mut w = w.next(fixtures::requester());
    w.advance(&mut task);
    assert!(task.state() == 7 && task.rounds()[0].cranker() == fixtures::stranger());
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::ETooEarly)]
fun nobody_cranks_within_the_grace() {
    let (mut w, mut task) = world().running();
    w.pass(30_000 + 2_000 - 1);
    w.crank(&mut task);
    abort
}

#[test, expected_failure(abort_code = network::EStaleHeartbeat)]
fun nobody_cranks_without_a_heartbeat() {
    let (mut w, mut task) = world().running();
    w.halt(30_000 + 2_000);
    w.crank(&mut task);
    abort
}

/// All of a silence counts as a halt: the first crank after it punishes nobody.
#[test, expected_failure(abort_code = task::ETooEarly)]
fun nobody_is_cranked_for_a_halt() {
    let (mut w, mut task) = world().running();
    w.halt(3_600_000);
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.heartbeat(clock);
    w.crank(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_task_that_is_decided_is_not_cranked() {
    let (mut w, mut task) = world().running();
    w.advance(&mut task);
    w.advance(&mut task);
    abort
}
