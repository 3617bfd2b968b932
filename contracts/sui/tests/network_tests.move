#[test_only]
module enclavia::network_tests;

use enclavia::fixtures;
use enclavia::network;
use enclavia::params;

const HOUR: u64 = 3_600_000;
const OTHER: vector<u8> = x"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

#[test]
fun a_network_is_what_it_was_created_as() {
    let w = fixtures::empty(fixtures::usual());
    let n = w.network();
    assert!(n.allow_simulated() && !n.paused());
    assert!(n.params() == fixtures::params(2, params::always()));
    assert!(n.policies().length() == 1);
    let policy = &n.policies()[0];
    assert!(policy.policy_digest() == fixtures::policy());
    assert!(policy.activates_at() == 0 && policy.sunset_at() == 0xffff_ffff_ffff_ffff);
    assert!(n.is_in_force(&fixtures::policy(), w.clock()) && !n.is_in_force(&fixtures::key(), w.clock()));
    assert!(n.takes_nitro(&fixtures::policy(), &fixtures::pcr()));
    assert!(!n.takes_nitro(&fixtures::policy(), &fixtures::key()) && !n.takes_nitro(&fixtures::key(), &fixtures::pcr()));
    assert!(n.committee().committee_epoch() == 1 && n.committee().threshold() == 1);
    assert!(n.committee().verifiers() == vector[fixtures::anybody(), fixtures::anybody_else()]);
    assert!(n.previous().committee_epoch() == 0 && n.previous_until() == 0);
    assert!(n.stall_ms() == 0 && n.heartbeat_at() == 0 && n.now(w.clock()) == 0);
    assert!(n.address_of() != @0x0 && network::version() == 1);
    w.end();
}

// === Time ===

#[test]
fun time_that_the_chain_stood_still_is_not_counted() {
    let mut w = fixtures::empty(fixtures::usual());
    w.pass(4_000);
    assert!(w.now() == 4_000);
    w.halt(HOUR);
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.heartbeat(clock);
    assert!(network.stall_ms() == HOUR && network.heartbeat_at() == HOUR + 4_000);
    assert!(w.now() == 4_000);
    w.end();
}

#[test]
fun a_silence_as_long_as_allowed_is_no_halt() {
    let mut w = fixtures::empty(fixtures::usual());
    w.halt(fixtures::heartbeat());
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.heartbeat(clock);
    assert!(network.stall_ms() == 0 && w.now() == fixtures::heartbeat());
    w.end();
}

#[test, expected_failure(abort_code = network::EStaleHeartbeat)]
fun nobody_is_punished_before_a_heartbeat() {
    let mut w = fixtures::empty(fixtures::usual());
    w.halt(fixtures::heartbeat() + 1);
    w.network().check_alive(w.clock());
    abort
}

// === Administration ===

#[test, expected_failure(abort_code = network::ENotAdmin)]
fun the_cap_of_another_network_does_nothing() {
    let (mut w, _n, cap) = fixtures::empty(fixtures::usual()).another_network();
    let (network, _, _, _, _, _, _, _) = w.all();
    network.set_paused(&cap, true);
    abort
}

#[test, expected_failure(abort_code = network::ENotAdmin)]
fun the_cap_of_another_network_migrates_nothing() {
    let (mut w, _n, cap) = fixtures::empty(fixtures::usual()).another_network();
    let (network, _, _, _, _, _, _, _) = w.all();
    network.migrate(&cap);
    abort
}

#[test, expected_failure(abort_code = network::EWrongVersion)]
fun a_network_of_this_version_is_not_migrated() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, _, _, _) = w.all();
    network.migrate(cap);
    abort
}

#[test, expected_failure(abort_code = network::EPaused)]
fun a_pause_stops_new_tasks() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, _, _, _) = w.all();
    network.set_paused(cap, true);
    network.check_open();
    abort
}

#[test]
fun a_pause_can_end() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, _, _, _) = w.all();
    network.set_paused(cap, true);
    assert!(network.paused());
    network.set_paused(cap, false);
    network.check_open();
    w.end();
}

#[test]
fun proposed_parameters_are_in_force_after_the_timelock() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_params(cap, fixtures::params(3, 0), clock);
    w.pass(fixtures::timelock());
    assert!(w.network().params().auditors() == 2);
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_params(clock);
    assert!(network.params().auditors() == 3);
    w.end();
}

/// The silence before is judged by the parameters it happened under.
#[test]
fun applying_parameters_counts_the_halt_before() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_params(cap, fixtures::params(3, 0), clock);
    w.pass(fixtures::timelock());
    w.halt(HOUR);
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_params(clock);
    assert!(network.stall_ms() == HOUR);
    w.end();
}

#[test, expected_failure(abort_code = network::ETimelocked)]
fun parameters_do_not_change_before_the_timelock_is_over() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_params(cap, fixtures::params(3, 0), clock);
    w.pass(fixtures::timelock() - 1);
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_params(clock);
    abort
}

#[test, expected_failure(abort_code = network::ENothingProposed)]
fun parameters_are_applied_once() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_params(cap, fixtures::params(3, 0), clock);
    w.pass(fixtures::timelock());
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_params(clock);
    network.apply_params(clock);
    abort
}

#[test, expected_failure(abort_code = network::ENothingProposed)]
fun a_proposal_can_be_cancelled() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_params(cap, fixtures::params(3, 0), clock);
    network.propose_committee(cap, vector[OTHER], 1, clock);
    network.cancel_proposals(cap);
    w.pass(fixtures::timelock());
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_committee(clock);
    abort
}

// === The committee ===

#[test]
fun the_committee_before_counts_until_the_rotation_is_over() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_committee(cap, vector[fixtures::anybody_else()], 1, clock);
    w.pass(fixtures::timelock());
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_committee(clock);
    assert!(network.committee().committee_epoch() == 2 && network.previous().committee_epoch() == 1);
    let ends = network.now(clock) + network.params().rotation_ms();
    assert!(network.previous_until() == ends);
    network.verify_committee(1, &b"x", &vector[1], &vector[fixtures::signed()], clock);
    network.verify_committee(2, &b"x", &vector[0], &vector[fixtures::signed()], clock);
    w.end();
}

#[test, expected_failure(abort_code = network::EWrongCommittee)]
fun the_committee_before_counts_no_longer() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_committee(cap, vector[fixtures::anybody_else()], 1, clock);
    w.pass(fixtures::timelock());
    let (network, _, _, _, _, clock, _, _) = w.all();
    network.apply_committee(clock);
    let rotation = network.params().rotation_ms();
    w.pass(rotation);
    w.network().verify_committee(1, &b"x", &vector[1], &vector[fixtures::signed()], w.clock());
    abort
}

#[test, expected_failure(abort_code = network::EWrongCommittee)]
fun there_is_no_committee_before_the_first() {
    let w = fixtures::empty(fixtures::usual());
    w.network().verify_committee(0, &b"x", &vector[], &vector[], w.clock());
    abort
}

#[test, expected_failure(abort_code = network::ETimelocked)]
fun the_committee_does_not_change_before_the_timelock_is_over() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_committee(cap, vector[OTHER], 1, clock);
    network.apply_committee(clock);
    abort
}

fun propose(verifiers: vector<vector<u8>>, threshold: u64) {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.propose_committee(cap, verifiers, threshold, clock);
    w.end();
}

#[test]
fun a_committee_of_one_is_allowed() { propose(vector[OTHER], 1) }

#[test]
fun a_committee_of_thirty_two_is_allowed() { propose(vector::tabulate!(32, |i| fixtures::bytes(i as u8, 32)), 32) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun a_committee_of_thirty_three_is_refused() { propose(vector::tabulate!(33, |i| fixtures::bytes(i as u8, 32)), 1) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun a_committee_of_nobody_is_refused() { propose(vector[], 0) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun a_threshold_of_nobody_is_refused() { propose(vector[OTHER], 0) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun a_threshold_above_all_is_refused() { propose(vector[OTHER], 2) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun one_key_is_not_a_committee_of_two() { propose(vector[OTHER, OTHER], 2) }

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun a_key_of_the_wrong_size_is_refused() { propose(vector[b"short"], 1) }

// === Policies ===

fun add(digest: vector<u8>, nitro: vector<vector<u8>>, after: u64) {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.add_policy(cap, digest, nitro, after, clock);
    w.end();
}

#[test]
fun an_added_policy_is_in_force_when_it_starts_and_until_its_sunset() {
    let mut w = fixtures::empty(fixtures::usual());
    let key = fixtures::key();
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.add_policy(cap, key, vector[], fixtures::timelock(), clock);
    assert!(!network.is_in_force(&key, clock));
    w.pass(fixtures::timelock());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    assert!(network.is_in_force(&key, clock));
    network.sunset_policy(cap, key, fixtures::timelock() + 10, clock);
    assert!(network.is_in_force(&key, clock));
    w.pass(10);
    assert!(!w.network().is_in_force(&key, w.clock()));
    w.end();
}

#[test]
fun a_policy_ends_at_once_if_need_be() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.sunset_policy(cap, fixtures::policy(), 0, clock);
    assert!(!network.is_in_force(&fixtures::policy(), clock));
    w.end();
}

#[test]
fun policies_that_have_ended_make_room() {
    let mut w = fixtures::empty(fixtures::usual());
    let start = fixtures::timelock();
    let (network, _, _, _, cap, clock, _, _) = w.all();
    3u64.do!(|i| network.add_policy(cap, fixtures::bytes(i as u8, 32), vector[], start, clock));
    network.sunset_policy(cap, fixtures::policy(), 0, clock);
    network.add_policy(cap, fixtures::bytes(3, 32), vector[], start, clock);
    assert!(network.policies().length() == 4);
    w.end();
}

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_fifth_policy_is_refused() {
    let mut w = fixtures::empty(fixtures::usual());
    let start = fixtures::timelock();
    let (network, _, _, _, cap, clock, _, _) = w.all();
    4u64.do!(|i| network.add_policy(cap, fixtures::bytes(i as u8, 32), vector[], start, clock));
    abort
}

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_policy_is_added_once() { add(fixtures::policy(), vector[], fixtures::timelock()) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_policy_does_not_start_before_the_timelock_is_over() { add(fixtures::key(), vector[], fixtures::timelock() - 1) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_policy_that_never_starts_is_refused() { add(fixtures::key(), vector[], 0xffff_ffff_ffff_ffff) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_digest_of_the_wrong_size_is_refused() { add(b"short", vector[], fixtures::timelock()) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_pcr_of_the_wrong_size_is_refused() { add(fixtures::key(), vector[b"short"], fixtures::timelock()) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun the_pcr_of_a_debug_enclave_is_refused() { add(fixtures::key(), vector[fixtures::bytes(0, 48)], fixtures::timelock()) }

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun too_many_pcrs_are_refused() {
    add(fixtures::key(), vector::tabulate!(17, |i| fixtures::bytes(i as u8 + 1, 48)), fixtures::timelock())
}

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun a_policy_does_not_end_in_the_past() {
    let mut w = fixtures::empty(fixtures::usual());
    w.pass(2);
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.sunset_policy(cap, fixtures::policy(), 1, clock);
    abort
}

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun the_end_of_a_policy_is_not_put_off() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.sunset_policy(cap, fixtures::policy(), 5, clock);
    network.sunset_policy(cap, fixtures::policy(), 6, clock);
    abort
}

#[test, expected_failure(abort_code = network::EBadPolicy)]
fun an_unknown_policy_is_not_ended() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.sunset_policy(cap, fixtures::key(), 5, clock);
    abort
}
