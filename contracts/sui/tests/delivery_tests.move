#[test_only]
module enclavia::delivery_tests;

use enclavia::acts;
use enclavia::commitment;
use enclavia::delivery;
use enclavia::fixtures::{Self, World};
use enclavia::task::{Self, Task};

const COMMITTED: u8 = 2;
const DISPUTED: u8 = 7;
const PUBLISHING: u8 = 12;
const ACCEPTED: u8 = 1;
const UPHELD: u8 = 2;
const UNDECIDED: u8 = 9;
const FORGED: u8 = 12;
const HALF: u64 = 8_192;

fun world(): World { fixtures::begin(fixtures::unaudited().of_members(9)) }

fun committed(): (World, Task) { world().committed(acts::true_root()) }

fun half(): vector<u8> { fixtures::bytes(0x68, HALF) }

/// A sealed output of two whole chunks and five bytes.
fun large(): (World, Task) {
    let (half, none, rest) = (half(), b"", b"five!");
    let digest = commitment::root(vector[
        commitment::blob_leaf(0, &half, &half), commitment::blob_leaf(1, &half, &half), commitment::blob_leaf(2, &rest, &none),
    ]);
    let (mut w, mut task) = world().running();
    w.commit_as(&mut task, digest, acts::true_root(), fixtures::signed());
    (w, task)
}

// === Claims ===

#[test]
fun a_claim_makes_the_executor_publish_and_a_whole_window_follows() {
    let (mut w, mut task) = committed();
    w.pass(3);
    w.claim(&mut task);
    let (_, claim, _) = task.bonds_by_kind();
    assert!(task.state() == PUBLISHING && task.claimed() && task.deadline() == w.now() + 20_000);
    assert!(claim == 64 * fixtures::bounty() && claim == delivery::claim_bond(&task));
    w.pass(5);
    w.publish(&mut task);
    assert!(task.state() == COMMITTED && task.published() && task.chunks() == 1 && task.leaves().is_empty());
    assert!(task.deadline() == w.now() + 20_000);
    w.end_of(task);
}

#[test]
fun a_large_output_is_published_chunk_by_chunk() {
    let (mut w, mut task) = large();
    w.claim(&mut task);
    w.publish_chunk(&mut task, 0, half(), half(), false);
    w.publish_chunk(&mut task, 1, half(), half(), false);
    assert!(task.state() == PUBLISHING && task.leaves().length() == 2);
    w.publish_chunk(&mut task, 2, b"five!", b"", true);
    assert!(task.published() && task.chunks() == 3);
    w.end_of(task);
}

/// A chunk again drops what came after it: nobody can spoil a publication for good.
#[test]
fun a_wrong_chunk_is_put_right() {
    let (mut w, mut task) = large();
    w.claim(&mut task);
    w.publish_chunk(&mut task, 0, fixtures::bytes(1, HALF), half(), false);
    w.publish_chunk(&mut task, 1, half(), half(), false);
    w.publish_chunk(&mut task, 0, half(), half(), false);
    assert!(task.leaves().length() == 1);
    w.publish_chunk(&mut task, 1, half(), half(), false);
    w.publish_chunk(&mut task, 2, b"five!", b"", true);
    assert!(task.published());
    w.end_of(task);
}

#[test]
fun what_the_requester_began_to_submit_is_not_the_executors_beginning() {
    let (mut w, mut task) = large();
    w.submit_chunk(&mut task, 0, half(), half(), false);
    w.claim(&mut task);
    assert!(task.leaves().is_empty());
    w.end_of(task);
}

fun chunk(index: u64, head: vector<u8>, tail: vector<u8>, last: bool) {
    let (mut w, mut task) = large();
    w.submit_chunk(&mut task, index, head, tail, last);
    w.end_of(task);
}

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun a_chunk_is_not_skipped() { chunk(1, half(), half(), false) }

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun no_chunk_is_empty() { chunk(0, b"", b"", true) }

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun only_the_last_chunk_is_short() { chunk(0, half(), b"short", false) }

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun no_half_is_longer_than_8_kib() { chunk(0, half(), fixtures::bytes(1, HALF + 1), true) }

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun no_head_is_longer_than_8_kib() { chunk(0, fixtures::bytes(1, HALF + 1), b"", true) }

#[test, expected_failure(abort_code = delivery::EBadChunk)]
fun there_is_no_tail_without_a_whole_head() { chunk(0, b"short", b"tail", true) }

#[test, expected_failure(abort_code = delivery::EWrongOutput)]
fun what_is_not_the_sealed_output_is_refused() { chunk(0, b"something else", b"", true) }

#[test, expected_failure(abort_code = delivery::ETooManyChunks)]
fun an_output_has_no_sixty_fifth_chunk() { chunk(64, half(), half(), false) }

#[test, expected_failure(abort_code = delivery::ENotExecutor)]
fun somebody_elses_cap_publishes_nothing() {
    let (mut w, mut task) = committed();
    w.claim(&mut task);
    let other = if (task.executor().slot() == 0) 1 else 0;
    let (_, network, cap, clock, _, _) = w.operated(other);
    delivery::publish_output(&mut task, network, cap, 0, acts::sealed(), b"", true, clock);
    abort
}

#[test, expected_failure(abort_code = delivery::EAlreadyUsed)]
fun a_task_is_claimed_undelivered_once() {
    let (mut w, mut task) = committed();
    w.claim(&mut task);
    w.publish(&mut task);
    w.claim(&mut task);
    abort
}

#[test, expected_failure(abort_code = delivery::EAlreadyUsed)]
fun an_output_is_submitted_once() {
    let (mut w, mut task) = committed();
    w.submit(&mut task);
    w.submit(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun a_claim_costs_exactly_its_bond() {
    let (mut w, mut task) = committed();
    let bond = w.coin(1);
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::claim_undelivered(&mut task, network, bond, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = task::ENotRequester)]
fun somebody_else_claims_nothing() {
    let (w, mut task) = committed();
    let mut w = w.next(fixtures::stranger());
    w.claim(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun nothing_is_claimed_before_the_audit() {
    let (mut w, mut task) = fixtures::world().committed(acts::true_root());
    w.claim(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun nothing_is_published_unasked() {
    let (mut w, mut task) = committed();
    w.publish(&mut task);
    abort
}

// === Disputes of the delivery ===

/// An output on chain that the requester calls forged.
fun disputed(): (World, Task) {
    let (mut w, mut task) = committed();
    w.submit(&mut task);
    w.dispute_delivery(&mut task);
    (w, task)
}

#[test]
fun arbiters_of_a_delivery_get_the_requesters_key_and_no_ticket() {
    let (mut w, mut task) = disputed();
    let (_, _, bond) = task.bonds_by_kind();
    assert!(task.state() == DISPUTED && task.disputed() && bond == fixtures::bond());
    w.begin_round(&mut task);
    let round = task.current();
    assert!(round.kind() == 4 && round.is_of_delivery() && round.handed() && round.handed_by() == 0xffff_ffff_ffff_ffff);
    // the requester asked for it
    let member = w.pool().member(round.seats()[0].slot());
    assert!(member.backing() == fixtures::lock() / 2);
    w.end_of(task);
}

#[test]
fun two_thirds_for_forged_convict() {
    let (mut w, mut task) = disputed();
    w.dispute(&mut task, acts::forged());
    assert!(task.outcome() == FORGED && task.delivery_verdict().verdict_root() == acts::forged());
    w.end_of(task);
}

#[test]
fun two_thirds_for_the_commitment_end_the_dispute() {
    let (mut w, mut task) = disputed();
    w.dispute(&mut task, acts::true_root());
    assert!(task.outcome() == ACCEPTED && task.delivery_verdict().upholds());
    w.end_of(task);
}

#[test]
fun two_thirds_for_a_bad_key_end_the_dispute() {
    let (mut w, mut task) = disputed();
    w.dispute(&mut task, acts::bad_key());
    assert!(task.outcome() == ACCEPTED && task.delivery_verdict().exists() && !task.delivery_verdict().upholds());
    w.end_of(task);
}

#[test]
fun an_upheld_task_stays_upheld_when_the_dispute_fails() {
    let (mut w, mut task) = fixtures::begin(fixtures::usual().of_members(9)).audited(acts::true_root());
    w.vote(&mut task, acts::true_root());
    w.submit(&mut task);
    w.dispute_delivery(&mut task);
    let panel = task.rounds()[0].nodes();
    w.begin_round(&mut task);
    // nobody judges twice
    task.current().seats().do_ref!(|seat| assert!(!panel.contains(&seat.node())));
    w.vote(&mut task, acts::true_root());
    assert!(task.outcome() == UPHELD);
    w.end_of(task);
}

/// A delivery can only be what was committed to, forged, or not judgeable.
#[test]
fun another_root_is_nobodys_vote() {
    let (mut w, mut task) = disputed();
    w.dispute(&mut task, acts::false_root());
    assert!(task.state() == DISPUTED && !task.delivery_verdict().exists());
    w.dispute(&mut task, acts::false_root());
    assert!(task.state() == 13);
    w.rule(&mut task, acts::forged(), false);
    assert!(task.outcome() == FORGED && task.current().kind() == 5);
    w.end_of(task);
}

#[test]
fun the_committee_may_end_a_dispute_of_the_delivery() {
    let (mut w, mut task) = disputed();
    w.advance(&mut task);
    w.rule(&mut task, acts::true_root(), true);
    assert!(task.outcome() == ACCEPTED && task.delivery_verdict().upholds());
    w.end_of(task);
}

#[test]
fun a_committee_that_says_nothing_leaves_it_undecided() {
    let (mut w, mut task) = disputed();
    w.advance(&mut task);
    w.advance(&mut task);
    assert!(task.outcome() == UNDECIDED);
    w.end_of(task);
}

#[test, expected_failure(abort_code = delivery::ENotPublished)]
fun what_is_not_on_chain_is_not_disputed() {
    let (mut w, mut task) = committed();
    w.dispute_delivery(&mut task);
    abort
}

#[test, expected_failure(abort_code = delivery::EAlreadyUsed)]
fun a_delivery_is_disputed_once() {
    let (mut w, mut task) = fixtures::begin(fixtures::usual().of_members(9)).audited(acts::true_root());
    w.vote(&mut task, acts::true_root());
    w.submit(&mut task);
    // the flag is what stays of a dispute
    task.hold_dispute(w.coin(0));
    w.dispute_delivery(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongPayment)]
fun a_dispute_costs_exactly_its_bond() {
    let (mut w, mut task) = committed();
    w.submit(&mut task);
    let bond = w.coin(fixtures::bond() + 1);
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::dispute_delivery(&mut task, network, bond, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = task::ENotRequester)]
fun somebody_else_hands_over_no_output_key() {
    let (mut w, mut task) = disputed();
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    let mut w = w.next(fixtures::stranger());
    w.post_output_key(&mut task);
    abort
}

#[test, expected_failure(abort_code = task::EWrongState)]
fun no_output_key_is_wanted_where_the_computation_is_judged() {
    let (mut w, mut task) = fixtures::world().committed(acts::true_root());
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    w.post_output_key(&mut task);
    abort
}

#[test, expected_failure(abort_code = enclavia::audit::ENotAHolder)]
fun the_executor_hands_off_nothing_where_the_delivery_is_judged() {
    let (mut w, mut task) = disputed();
    w.draw_dispute(&mut task);
    w.begin_dispute(&mut task);
    w.handoff(&mut task);
    abort
}
