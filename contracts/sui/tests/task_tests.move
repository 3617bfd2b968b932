#[test_only]
module enclavia::task_tests;

use enclavia::acts;
use enclavia::fixtures::{Self, World};
use enclavia::params;
use enclavia::task::{Self, Task};

const NONE: u64 = 0xffff_ffff_ffff_ffff;

fun world(): World { fixtures::world() }

fun reject(w: &mut World, task: &mut Task, amount: u64) {
    let (candidates, turn) = (task.candidates(), task.candidate());
    let node = if (turn < candidates.length()) w.pool().member(candidates[turn]).node() else @0x0;
    reject_as(w, task, node, amount);
}

fun reject_as(w: &mut World, task: &mut Task, node: address, amount: u64) {
    let fee = w.coin(amount);
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    task.reject_executor(pool, node, fee, network, clock, ctx);
}

fun first(w: &World, task: &Task): address { w.pool().member(task.candidates()[0]).node() }

// === Opening ===

#[test]
fun a_task_is_what_it_was_opened_as() {
    let (w, task) = world().open_for(5);
    assert!(task.network() == w.network().address_of() && task.pool() == w.pool().address_of());
    assert!(task.requester() == fixtures::requester() && task.origin() == @0x0 && task.cranker() == @0x0);
    assert!(task.manifest() == fixtures::manifest() && task.params() == w.network().params());
    assert!(task.price() == fixtures::price() && task.auditor_fee() == fixtures::auditor_fee());
    assert!(task.reservation_fee() == fixtures::reservation_fee() && task.value() == 5);
    assert!(task.audit_probability() == params::always() && task.escrow() == w.pool().quote(w.network(), 5));
    assert!(task.state() == 0 && task.outcome() == 0 && task.opened_at() == 0 && task.deadline() == 60_000);
    assert!(task.candidates().length() == params::candidates() && task.candidate() == 0);
    assert!(task.executor().slot() == NONE && task.executor().node() == @0x0 && task.executor().is_waiting());
    assert!(task.input_uri() == b"" && task.input_digest() == b"" && task.key_commitment() == b"" && task.output_pk() == b"");
    assert!(task.tee_mask() == 0 && task.denied().is_empty() && task.rounds().is_empty());
    assert!(task.task_commitment() == b"" && task.sealed_output_digest() == b"" && task.units() == 0 && task.signature() == b"");
    assert!(task.seed() == b"" && task.drawn_at() == 0 && task.panel().is_empty() && !task.audited() && !task.challenged());
    let (challenge, claim, dispute) = task.bonds_by_kind();
    assert!(task.bonds() == 0 && challenge == 0 && claim == 0 && dispute == 0);
    assert!(!task.claimed() && !task.published() && !task.disputed() && task.chunks() == 0 && task.leaves().is_empty());
    assert!(!task.verdict().exists() && !task.delivery_verdict().exists() && !task.is_answered());
    assert!(task.challenge_bond() == 2 * fixtures::auditor_fee() + fixtures::reservation_fee());
    w.end_of(task);
}

#[test]
fun candidates_are_different_members() {
    let (w, task) = world().open();
    let drawn = task.candidates();
    4u64.do!(|i| i.do!(|j| assert!(drawn[i] != drawn[j] && drawn[i] < 7)));
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun less_than_the_quote_opens_no_task() {
    let mut w = world();
    let amount = w.pool().quote(w.network(), 0) - 1;
    w.pay(0, amount);
    abort
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun more_than_the_quote_opens_no_task() {
    let mut w = world();
    let amount = w.pool().quote(w.network(), 0) + 1;
    w.pay(0, amount);
    abort
}

#[test, expected_failure(abort_code = task::ERosterTooSmall)]
fun too_few_members_take_no_task() {
    let (_w, _t) = fixtures::begin(fixtures::usual().of_members(4)).open();
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun the_roster_of_another_pool_draws_no_candidates() {
    let (mut w, _p, other, _q) = world().another_pool();
    let amount = w.pool().quote(w.network(), 0);
    let payment = w.coin(amount);
    let (network, pool, _, _, _, clock, random, ctx) = w.all();
    task::open_task(network, pool, &other, 0, payment, random, clock, ctx);
    abort
}

// === Seating the executor ===

#[test]
fun the_first_candidate_is_seated_by_its_record_and_its_stake_locked() {
    let (w, task) = world().running();
    let (seat, member) = (task.executor(), w.pool().member(task.candidates()[0]));
    assert!(seat.slot() == member.slot() && seat.node() == member.node() && seat.operator() == member.operator());
    assert!(seat.tee_kind() == 0 && seat.epoch() == 1 && seat.hpke_pk() == fixtures::key());
    assert!(seat.sign_pk() == fixtures::anybody() && seat.votes() == 1 && seat.lock() == fixtures::lock());
    assert!(seat.wrap() == b"" && seat.posted() == b"" && seat.revealed_root() == b"");
    assert!(member.locked() == fixtures::lock() && member.backing() == fixtures::lock());
    assert!(task.state() == 1 && task.deadline() == 30_000 && task.candidate() == 1);
    assert!(task.input_uri() == b"store" && task.input_digest() == acts::input_digest() && task.tee_mask() == NONE);
    assert!(task.key_commitment() == fixtures::key() && task.output_pk() == fixtures::key() && !task.restricts());
    w.end_of(task);
}

#[test]
fun a_requester_that_keeps_audits_away_restricts() {
    let (mut w, mut task) = world().open();
    let node = first(&w, &task);
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), vector[@0xd]);
    assert!(task.restricts() && task.denied() == vector[@0xd]);
    w.end_of(task);
}

#[test]
fun a_rejected_candidate_is_paid_and_the_next_one_seated() {
    let (mut w, mut task) = world().open();
    reject(&mut w, &mut task, fixtures::reservation_fee());
    assert!(w.pool().member(task.candidates()[0]).fees() == fixtures::reservation_fee());
    w.post(&mut task);
    assert!(task.executor().slot() == task.candidates()[1]);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongExecutor)]
fun only_the_candidate_whose_turn_it_is_is_rejected() {
    let (mut w, mut task) = world().open();
    let node = w.pool().member(task.candidates()[1]).node();
    reject_as(&mut w, &mut task, node, fixtures::reservation_fee());
    abort
}

#[test]
fun a_revoked_candidate_is_passed_over_for_nothing() {
    let (mut w, mut task) = world().open();
    w.revoke(task.candidates()[0], 1);
    let node = w.pool().member(task.candidates()[1]).node();
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), vector[]);
    assert!(task.executor().node() == node && w.pool().member(task.candidates()[0]).fees() == 0);
    w.end_of(task);
}

#[test]
fun the_record_before_seats_while_its_grace_lasts() {
    let (mut w, mut task) = world().open();
    let (slot, node) = (task.candidates()[0], first(&w, &task));
    let mut w = w.next(fixtures::operator(slot));
    w.request_challenge(slot);
    w.attest(slot);
    let mut w = w.next(fixtures::requester());
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), vector[]);
    assert!(task.executor().epoch() == 1);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongExecutor)]
fun a_record_that_ends_before_the_task_could_seats_nobody() {
    let (mut w, mut task) = world().open();
    let (slot, node) = (task.candidates()[0], first(&w, &task));
    // the present record is good: the candidate is eligible; the one before ends too soon
    w.request_challenge(slot);
    let soon = params::span(w.network().params()) - 1;
    w.attest_until(slot, soon);
    w.request_challenge(slot);
    w.attest(slot);
    w.post_as(&mut task, node, 2, b"", fixtures::key(), fixtures::all_kinds(), vector[]);
    abort
}

#[test, expected_failure(abort_code = task::ENoCandidate)]
fun a_list_that_is_used_up_seats_nobody() {
    let (mut w, mut task) = world().open();
    5u64.do!(|_| reject(&mut w, &mut task, fixtures::reservation_fee()));
    abort
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun a_rejection_costs_exactly_the_reservation_fee() {
    let (mut w, mut task) = world().open();
    reject(&mut w, &mut task, fixtures::reservation_fee() + 1);
    abort
}

#[test, expected_failure(abort_code = task::ENotRequester)]
fun somebody_else_does_not_reject() {
    let (w, mut task) = world().open();
    let mut w = w.next(fixtures::stranger());
    reject(&mut w, &mut task, fixtures::reservation_fee());
    abort
}

#[test, expected_failure(abort_code = task::ENotRequester)]
fun somebody_else_does_not_assign() {
    let (w, mut task) = world().open();
    let mut w = w.next(fixtures::stranger());
    w.post(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongExecutor)]
fun an_input_sealed_for_another_node_is_refused() {
    let (mut w, mut task) = world().open();
    w.post_as(&mut task, @0x1, 1, b"", fixtures::key(), fixtures::all_kinds(), vector[]);
    abort
}

#[test, expected_failure(abort_code = task::EWrongExecutor)]
fun an_input_sealed_for_another_epoch_is_refused() {
    let (mut w, mut task) = world().open();
    let node = first(&w, &task);
    w.post_as(&mut task, node, 2, b"", fixtures::key(), fixtures::all_kinds(), vector[]);
    abort
}

#[test, expected_failure(abort_code = task::EUriTooLong)]
fun a_uri_of_more_than_256_bytes_is_refused() {
    let (mut w, mut task) = world().open();
    let node = first(&w, &task);
    w.post_as(&mut task, node, 1, fixtures::bytes(0x75, 257), fixtures::key(), fixtures::all_kinds(), vector[]);
    abort
}

#[test, expected_failure(abort_code = task::ETooManyDenied)]
fun more_than_eight_denied_operators_are_refused() {
    let (mut w, mut task) = world().open();
    let node = first(&w, &task);
    w.post_as(&mut task, node, 1, b"", fixtures::key(), fixtures::all_kinds(), vector::tabulate!(9, |_| @0xd));
    abort
}

#[test, expected_failure(abort_code = task::EBadDigest)]
fun an_output_key_of_the_wrong_size_is_refused() {
    let (mut w, mut task) = world().open();
    let node = first(&w, &task);
    w.post_as(&mut task, node, 1, b"", b"short", fixtures::all_kinds(), vector[]);
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun an_executor_of_another_task_is_not_taken() {
    let (w, mut first_task) = world().open();
    let (mut w, mut task) = w.open();
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let assignment = first_task.assign(pool, network, 1, clock, ctx);
    task.post_input(
        assignment, @0x1, 1, b"", fixtures::key(), fixtures::key(), fixtures::key(), 0, vector[], network, clock,
    );
    abort
}

#[test, expected_failure(abort_code = task::ETooLate)]
fun an_input_after_the_deadline_is_refused() {
    let (mut w, mut task) = world().open();
    w.pass(60_000);
    w.post(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun a_member_of_another_pool_is_not_seated() {
    let (w, mut task) = world().open();
    let (mut w, mut other, _r, _q) = w.another_pool();
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    let _assignment = task.assign(&mut other, network, 1, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun a_task_of_another_network_is_refused() {
    let (w, mut task) = world().running();
    let (mut w, other, _c) = w.another_network();
    let (_, _, _, _, _, clock, _, _) = w.all();
    task.report_invalid_input(&other, 1, fixtures::signed(), clock);
    abort
}
