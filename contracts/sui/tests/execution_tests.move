/// From the commitment to the end: the other half of `task_tests`.
#[test_only]
module enclavia::execution_tests;

use enclavia::acts;
use enclavia::commitment;
use enclavia::fixtures::{Self, World};
use enclavia::statement;
use enclavia::task::{Self, Task};

fun world(): World { fixtures::world() }
fun unaudited(): World { fixtures::begin(fixtures::unaudited()) }

fun cancel_revoked(w: &mut World, task: &mut Task) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    task.cancel_revoked(pool, network, clock);
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
