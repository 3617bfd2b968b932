#[test_only]
module enclavia::task_tests;

use enclavia::acts;
use enclavia::commitment;
use enclavia::fixtures::{Self, World};
use enclavia::params;
use enclavia::statement;
use enclavia::task::{Self, Task};

const NONE: u64 = 0xffff_ffff_ffff_ffff;

fun world(): World { fixtures::world() }
fun unaudited(): World { fixtures::begin(fixtures::unaudited()) }

fun reject(w: &mut World, task: &mut Task, amount: u64) {
    let fee = w.coin(amount);
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    task.reject_executor(pool, fee, network, clock, ctx);
}

fun cancel_revoked(w: &mut World, task: &mut Task) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    task.cancel_revoked(pool, network, clock);
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

// === Execution ===

#[test]
fun a_commitment_draws_the_panel_and_opens_the_delivery_window() {
    let (w, task) = world().committed(acts::true_root());
    let posted = commitment::commitment(
        task.address_of(), task.executor().node(), acts::true_root(), acts::executor_salt(),
    );
    assert!(task.task_commitment() == posted && task.sealed_output_digest() == commitment::blob_digest(acts::sealed()));
    assert!(task.units() == 16 && task.signature() == fixtures::signed());
    assert!(task.seed().length() == 32 && task.drawn_at() == w.now() && task.audited() && !task.challenged());
    assert!(task.panel().length() == 4 && !task.panel().contains(&task.executor().slot()));
    assert!(task.state() == 2 && task.deadline() == 20_000);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun an_executor_commits_once() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.commit(&mut task, acts::false_root());
    abort
}

#[test, expected_failure(abort_code = task::ETooLate)]
fun a_commitment_after_the_deadline_is_refused() {
    let (mut w, mut task) = world().running();
    w.pass(30_000);
    w.commit(&mut task, acts::true_root());
    abort
}

#[test, expected_failure(abort_code = task::EBadDigest)]
fun a_digest_of_the_wrong_size_is_refused() {
    let (mut w, mut task) = world().running();
    w.commit_as(&mut task, b"short", acts::true_root(), fixtures::signed());
    abort
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_commitment_that_the_enclave_did_not_sign_is_refused() {
    let (mut w, mut task) = world().running();
    w.commit_as(&mut task, fixtures::key(), acts::true_root(), fixtures::bytes(7, 64));
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun the_roster_of_another_pool_draws_no_panel() {
    let (w, mut task) = world().running();
    let (mut w, _p, other, _q) = w.another_pool();
    let (network, _, _, _, _, clock, random, ctx) = w.all();
    task::commit(
        &mut task, network, &other, fixtures::key(), fixtures::key(), 1, fixtures::signed(), random, clock, ctx,
    );
    abort
}

#[test]
fun an_input_that_cannot_be_run_ends_the_task() {
    let (mut w, mut task) = world().running();
    w.refuse_input(&mut task, 4);
    assert!(task.state() == 9 && task.outcome() == 6);
    w.end_of(task);
}

#[test]
fun an_input_that_is_nowhere_ends_the_task_otherwise() {
    let (mut w, mut task) = world().running();
    w.refuse_input(&mut task, 6);
    assert!(task.outcome() == 13);
    w.end_of(task);
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun an_invalid_input_that_the_enclave_did_not_sign_is_refused() {
    let (mut w, mut task) = world().running();
    let (network, _, _, _, _, clock, _, _) = w.all();
    task.report_invalid_input(network, 4, fixtures::bytes(7, 64), clock);
    abort
}

#[test]
fun a_revoked_executor_is_let_go() {
    let (mut w, mut task) = world().running();
    w.revoke(task.executor().slot(), 1);
    cancel_revoked(&mut w, &mut task);
    assert!(task.outcome() == 11);
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::ENotRevoked)]
fun a_good_executor_is_not_let_go() {
    let (mut w, mut task) = world().running();
    cancel_revoked(&mut w, &mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun a_revocation_after_the_commitment_changes_nothing() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.revoke(task.executor().slot(), 1);
    cancel_revoked(&mut w, &mut task);
    abort
}

// === Challenges ===

#[test]
fun a_challenge_draws_a_fresh_panel_for_a_bond() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    let seed = task.seed();
    w.pass(5);
    w.challenge(&mut task);
    let (challenge, _, _) = task.bonds_by_kind();
    assert!(task.audited() && task.challenged() && task.seed() != seed && task.drawn_at() == w.now());
    assert!(challenge == task.challenge_bond() && task.bonds() == challenge);
    assert!(task.is_voluntary(1) && !task.is_voluntary(2) && task.is_voluntary(4) && task.is_voluntary(5));
    w.end_of(task);
}

#[test, expected_failure(abort_code = task::EAlreadyUsed)]
fun an_audited_task_is_not_challenged() {
    let (mut w, mut task) = world().committed(acts::true_root());
    w.challenge(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EAlreadyUsed)]
fun a_task_that_was_claimed_undelivered_is_not_challenged() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.claim(&mut task);
    w.publish(&mut task);
    w.challenge(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun a_challenge_costs_exactly_its_bond() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    let amount = task.challenge_bond() - 1;
    w.challenge_for(&mut task, amount);
    abort
}

#[test, expected_failure(abort_code = task::ENotRequester)]
fun somebody_else_does_not_challenge() {
    let (w, mut task) = unaudited().committed(acts::true_root());
    let mut w = w.next(fixtures::stranger());
    w.challenge(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::ETooLate)]
fun a_challenge_after_the_delivery_window_is_refused() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.pass(20_000);
    w.challenge(&mut task);
    abort
}

// === The end ===

/// What a contract that wants an answer checks.
#[test]
fun an_output_opens_the_commitment_and_no_other_does() {
    let (mut w, mut task) = unaudited().running();
    let (leaf_key, answer) = (fixtures::bytes(0x6c, 32), b"the answer");
    let root = commitment::output_root(leaf_key, task.address_of(), answer, 1_024);
    w.commit(&mut task, root);
    assert!(task.opens(answer, leaf_key, acts::executor_salt()));
    assert!(!task.opens(b"another", leaf_key, acts::executor_salt()));
    assert!(!task.opens(answer, fixtures::key(), acts::executor_salt()));
    assert!(!task.opens(answer, leaf_key, acts::salt()));
    assert!(!task.is_answered());
    w.advance(&mut task);
    assert!(!task.is_answered());
    w.settle(&mut task);
    assert!(task.is_answered());
    w.end_of(task);
}

#[test]
fun a_task_whose_executor_failed_is_not_answered() {
    let (mut w, mut task) = world().running();
    w.advance(&mut task);
    w.settle(&mut task);
    assert!(!task.is_answered());
    w.end_of(task);
}

#[test]
fun a_task_that_ended_long_ago_is_reaped() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.advance(&mut task);
    w.settle(&mut task);
    w.pass(fixtures::unbonding());
    task.reap(w.network(), w.clock());
    w.end();
}

#[test, expected_failure(abort_code = task::ENotSettled)]
fun a_task_that_ended_lately_is_not_reaped() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.advance(&mut task);
    w.settle(&mut task);
    w.pass(fixtures::unbonding() - 1);
    task.reap(w.network(), w.clock());
    abort
}

#[test, expected_failure(abort_code = task::ENotSettled)]
fun a_task_that_was_not_settled_is_not_reaped() {
    let (mut w, mut task) = unaudited().committed(acts::true_root());
    w.advance(&mut task);
    w.pass(2 * fixtures::unbonding());
    task.reap(w.network(), w.clock());
    abort
}

#[test, expected_failure(abort_code = task::EWrongVersion)]
fun a_task_of_this_version_is_not_migrated() {
    let (w, mut task) = world().open();
    task.migrate(w.network());
    abort
}

#[test, expected_failure(abort_code = task::EWrongObject)]
fun a_task_of_another_network_is_not_migrated() {
    let (w, mut task) = world().open();
    let (_w, other, _c) = w.another_network();
    task.migrate(&other);
    abort
}
