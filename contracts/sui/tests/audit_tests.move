#[test_only]
module enclavia::audit_tests;

use enclavia::acts;
use enclavia::audit;
use enclavia::fixtures::{Self, World};
use enclavia::round;
use enclavia::statement;
use enclavia::task;

const NONE: u64 = 0xffff_ffff_ffff_ffff;
// states
const COMMITTED: u8 = 2;
const TICKET: u8 = 3;
const HANDOFF: u8 = 4;
const AUDITING: u8 = 5;
const REVEALING: u8 = 6;
const DISPUTED: u8 = 7;
const EMPTY: u8 = 11;
// outcomes
const UPHELD: u8 = 2;

fun world(): World { fixtures::begin(fixtures::usual().of_members(9)) }

// === Seating ===

#[test]
fun an_audit_seats_the_first_of_the_panel_and_locks_their_stake() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    let round = task.current();
    assert!(task.state() == TICKET && round.kind() == 1 && !round.is_of_delivery() && !round.handed());
    assert!(round.seed() == task.seed() && round.drawn_at() == task.drawn_at() && round.slots() == task.panel());
    assert!(round.handed_by() == NONE && round.uri() == b"" && round.cranker() == @0x0);
    assert!(round.committed() == 0 && round.revealed() == 0 && round.seats().length() == 2);
    2u64.do!(|i| {
        let seat = &round.seats()[i];
        assert!(seat.slot() == task.panel()[i] && seat.lock() == fixtures::lock() / 2);
        let member = w.pool().member(seat.slot());
        // chance asked for it, not the requester
        assert!(member.locked() == fixtures::lock() / 2 && member.backing() == 0);
    });
    w.end_of(task);
}

#[test]
fun a_drawn_auditor_that_cannot_serve_is_passed_over() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.revoke(task.panel()[0], 1);
    w.begin_audit(&mut task);
    assert!(task.current().seats()[0].slot() == task.panel()[1]);
    w.end_of(task);
}

#[test]
fun a_denied_operator_is_passed_over() {
    let (mut w, mut task) = world().open();
    let executor = task.candidates()[0];
    let node = w.pool().member(executor).node();
    let slots = vector[(executor + 1) % 9, (executor + 2) % 9, (executor + 3) % 9];
    let denied = slots.map_ref!(|slot| fixtures::operator(*slot));
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), denied);
    w.commit(&mut task, acts::true_root());
    // else it would be a test of nothing
    assert!(slots.any!(|slot| task.panel().contains(slot)));
    w.begin_audit(&mut task);
    // four were drawn, and at most three denied
    assert!(task.state() == TICKET);
    task.current().seats().do_ref!(|seat| assert!(!denied.contains(&seat.operator())));
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_task_that_chance_spared_is_not_audited() {
    let (mut w, mut task) = fixtures::begin(fixtures::unaudited()).committed(acts::true_root());
    w.begin_audit(&mut task);
    abort
}

#[test]
fun a_panel_of_which_nobody_can_serve_is_drawn_anew_and_the_wait_is_no_longer() {
    let (mut w, mut task) = world().committed(acts::true_root());
    let revoked = task.panel();
    revoked.do!(|slot| w.revoke(slot, 1));
    w.begin_audit(&mut task);
    let deadline = task.deadline();
    assert!(task.state() == EMPTY && task.panel().is_empty());
    w.pass(5);
    w.redraw(&mut task);
    assert!(task.panel().length() == 4 && task.deadline() == deadline && task.drawn_at() == 5);
    let served = task.panel().any!(|slot| !revoked.contains(slot));
    w.begin_audit(&mut task);
    assert!(task.state() == if (served) TICKET else EMPTY);
    assert!(served || task.deadline() == deadline);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_panel_is_drawn_anew_once_at_a_time() {
    let (mut w, mut task) = world().committed(acts::true_root());
    task.panel().do!(|slot| w.revoke(slot, 1));
    w.begin_audit(&mut task);
    w.redraw(&mut task);
    w.redraw(&mut task);
    abort
}

// === Handing off ===

#[test]
fun a_ticket_and_a_handoff_let_the_seats_vote() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    assert!(task.state() == HANDOFF && task.deadline() == 20_000);
    let wraps = acts::wraps(&task);
    w.handoff_by(&mut task, NONE, wraps, b"here");
    let round = task.current();
    assert!(task.state() == AUDITING && round.handed() && round.handed_by() == task.executor().slot());
    assert!(round.uri() == b"here" && round.seats()[1].wrap() == acts::wrap());
    w.end_of(task);
}

fun ticketed_at(issued_at: u64, now: u64) {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.pass(now);
    w.begin_audit(&mut task);
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::issue_ticket(&mut task, network, issued_at, 1, vector[0], vector[fixtures::signed()], clock);
    w.end_of(task);
}

#[test]
fun a_ticket_may_be_a_grace_early() { ticketed_at(2_000, 0) }

#[test]
fun a_ticket_may_be_a_window_late() { ticketed_at(0, 20_000) }

#[test, expected_failure(abort_code = audit::EStaleTicket)]
fun a_ticket_from_the_future_is_refused() { ticketed_at(2_001, 0) }

#[test, expected_failure(abort_code = audit::EStaleTicket)]
fun a_ticket_from_the_past_is_refused() { ticketed_at(0, 20_001) }

fun handed(by: u64, wraps: vector<vector<u8>>, uri: vector<u8>) {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    w.handoff_by(&mut task, by, wraps, uri);
    w.end_of(task);
}

#[test, expected_failure(abort_code = audit::EBadWraps)]
fun a_wrap_for_each_seat_is_wanted() { handed(NONE, vector[acts::wrap()], b"") }

#[test, expected_failure(abort_code = audit::EBadWraps)]
fun a_wrap_of_the_wrong_size_is_refused() { handed(NONE, vector[acts::wrap(), b"short"], b"") }

#[test, expected_failure(abort_code = audit::EBadUri)]
fun a_uri_of_more_than_256_bytes_is_refused() {
    handed(NONE, vector[acts::wrap(), acts::wrap()], fixtures::bytes(0x75, 257))
}

#[test, expected_failure(abort_code = audit::ENotAHolder)]
fun nobody_but_the_executor_hands_off_for_an_audit() { handed(0, vector[acts::wrap(), acts::wrap()], b"") }

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_handoff_that_the_enclave_did_not_sign_is_refused() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    let wraps = acts::wraps(&task);
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::handoff(&mut task, network, NONE, wraps, b"", fixtures::bytes(7, 64), clock);
    abort
}

// === Voting ===

#[test]
fun agreeing_auditors_uphold_with_a_whole_window_to_follow() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    assert!(task.state() == AUDITING && task.current().seats()[0].is_committed());
    w.audit_commit(&mut task, 1, acts::true_root());
    assert!(task.state() == REVEALING && task.current().committed() == 2);
    w.reveal(&mut task, 1, acts::true_root());
    assert!(task.current().seats()[1].agrees() && task.current().seats()[1].is_revealed());
    w.pass(7);
    w.reveal(&mut task, 0, acts::true_root());
    assert!(task.state() == COMMITTED && task.outcome() == UPHELD && task.deadline() == 7 + 20_000);
    assert!(task.verdict().exists() && task.verdict().upholds() && task.verdict().verdict_root() == acts::true_root());
    assert!(!audit::is_waiting_for_audit(&task));
    w.end_of(task);
}

#[test]
fun one_who_differs_makes_a_dispute() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote_each(&mut task, vector[acts::true_root(), acts::false_root()]);
    assert!(task.state() == DISPUTED && !task.verdict().exists());
    w.end_of(task);
}

/// A broken enclave could commit to one: every honest vote of that name would agree with it.
#[test]
fun a_special_root_agrees_with_no_commitment() {
    let (mut w, mut task) = world().audited(acts::bad_wrap());
    w.vote(&mut task, acts::bad_wrap());
    assert!(!task.rounds()[0].seats()[0].agrees() && task.state() == DISPUTED);
    w.end_of(task);
}

/// Its host's word is no accusation.
#[test]
fun one_who_could_not_read_the_input_makes_none() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.vote_each(&mut task, vector[acts::true_root(), acts::no_input()]);
    assert!(task.state() == COMMITTED && task.outcome() == UPHELD);
    w.end_of(task);
}

fun vote_for(seat: u64, root: vector<u8>, salt: vector<u8>, executor_salt: vector<u8>) {
    let (mut w, mut task) = world().audited(acts::true_root());
    2u64.do!(|i| w.audit_commit(&mut task, i, acts::true_root()));
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::reveal(&mut task, network, seat, root, salt, executor_salt, clock);
    w.end_of(task);
}

#[test, expected_failure(abort_code = audit::EBadReveal)]
fun another_root_does_not_open_a_commitment() {
    vote_for(0, acts::false_root(), acts::salt(), acts::executor_salt())
}

#[test, expected_failure(abort_code = audit::EBadReveal)]
fun another_executor_salt_does_not_make_an_honest_seat_differ() {
    vote_for(0, acts::true_root(), acts::salt(), acts::salt())
}

#[test, expected_failure(abort_code = task::EBadDigest)]
fun a_salt_of_the_wrong_size_is_refused() { vote_for(0, acts::true_root(), b"short", acts::executor_salt()) }

#[test, expected_failure(abort_code = audit::EBadSeat)]
fun a_seat_that_is_none_reveals_nothing() { vote_for(2, acts::true_root(), acts::salt(), acts::executor_salt()) }

#[test, expected_failure(abort_code = audit::EBadSeat)]
fun a_seat_that_is_none_commits_to_nothing() {
    let (mut w, mut task) = world().audited(acts::true_root());
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::audit_commit(&mut task, network, 2, fixtures::key(), fixtures::signed(), clock);
    abort
}

#[test, expected_failure(abort_code = audit::EAlreadyActed)]
fun a_seat_commits_once() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    w.audit_commit(&mut task, 0, acts::false_root());
    abort
}

#[test, expected_failure(abort_code = audit::EAlreadyActed)]
fun a_seat_reveals_once() {
    let (mut w, mut task) = world().audited(acts::true_root());
    2u64.do!(|i| w.audit_commit(&mut task, i, acts::true_root()));
    2u64.do!(|_| w.reveal(&mut task, 0, acts::true_root()));
    abort
}

#[test, expected_failure(abort_code = audit::EAlreadyActed)]
fun a_seat_that_stayed_away_reveals_nothing() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    w.advance(&mut task);
    w.reveal(&mut task, 1, acts::true_root());
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun nobody_reveals_before_all_have_committed() {
    let (mut w, mut task) = world().audited(acts::true_root());
    w.audit_commit(&mut task, 0, acts::true_root());
    w.reveal(&mut task, 0, acts::true_root());
    abort
}

#[test, expected_failure(abort_code = task::ETooLate)]
fun a_reveal_after_the_deadline_is_refused() {
    let (mut w, mut task) = world().audited(acts::true_root());
    2u64.do!(|i| w.audit_commit(&mut task, i, acts::true_root()));
    w.pass(20_000);
    w.reveal(&mut task, 0, acts::true_root());
    abort
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_vote_that_the_enclave_did_not_sign_is_refused() {
    let (mut w, mut task) = world().audited(acts::true_root());
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::audit_commit(&mut task, network, 0, fixtures::key(), fixtures::bytes(7, 64), clock);
    abort
}

#[test]
fun special_roots_are_told_apart() {
    let roots = vector[
        acts::bad_wrap(), acts::no_input(), acts::forged(), acts::bad_key(), acts::earlier_wrap(), acts::true_root(),
    ];
    assert!(roots.map_ref!(|r| round::blames_handoff(r)) == vector[true, true, false, false, false, false]);
    assert!(roots.map_ref!(|r| round::blames(r)) == vector[true, true, false, true, true, false]);
    assert!(roots.map_ref!(|r| round::is_special(r)) == vector[true, true, true, true, true, false]);
    assert!(roots.map_ref!(|r| round::is_no_input(r)) == vector[false, true, false, false, false, false]);
    assert!(roots.map_ref!(|r| round::is_forged(r)) == vector[false, false, true, false, false, false]);
    assert!(roots.map_ref!(|r| round::is_bad_key(r)) == vector[false, false, false, true, false, false]);
}
