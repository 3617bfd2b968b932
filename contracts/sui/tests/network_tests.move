#[test_only]
module enclavia::network_tests;

use enclavia::fixtures;
use enclavia::network::{Self, AdminCap, Network};
use enclavia::params;
use sui::test_scenario as ts;

#[test]
fun time_that_the_chain_stood_still_is_not_counted() {
    let (s, mut clock) = fixtures::begin();
    let mut network: Network = s.take_shared();
    clock.set_for_testing(4_000);
    network.heartbeat(&clock);
    assert!(network.now(&clock) == 4_000);
    // 5 s of silence are allowed; the chain halted for an hour
    clock.set_for_testing(4_000 + 3_600_000);
    network.heartbeat(&clock);
    assert!(network.stall_ms() == 3_600_000 - 5_000);
    assert!(network.now(&clock) == 9_000);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = network::EStaleHeartbeat)]
fun nobody_is_punished_before_a_heartbeat() {
    let (s, mut clock) = fixtures::begin();
    let network: Network = s.take_shared();
    clock.set_for_testing(5_001);
    network.check_alive(&clock);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = network::EBadCommittee)]
fun one_key_is_not_a_committee_of_two() {
    let (mut s, clock) = fixtures::begin();
    let mut network: Network = s.take_shared();
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    network.set_committee(&cap, vector[fixtures::verifier(), fixtures::verifier()], 2, vector[]);
    ts::return_to_address(fixtures::admin(), cap);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = network::ENotAdmin)]
fun the_cap_of_another_network_does_nothing() {
    let (mut s, clock) = fixtures::begin();
    let mut network: Network = s.take_shared();
    let cap = network::create(
        fixtures::default_params(), false, vector[], vector[fixtures::verifier()], 1, &clock, s.ctx(),
    );
    network.set_paused(&cap, true);
    transfer::public_transfer(cap, fixtures::admin());
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = network::EPaused)]
fun a_pause_stops_new_tasks() {
    let (s, clock) = fixtures::begin();
    let mut network: Network = s.take_shared();
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    network.set_paused(&cap, true);
    network.check_open();
    ts::return_to_address(fixtures::admin(), cap);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_period_shorter_than_a_task_is_refused() { fixtures::params_with(2, 0, 300, fixtures::unbonding()); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun stake_that_leaves_before_its_tasks_end_is_refused() { fixtures::params_with(2, 0, fixtures::period(), 2_000); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_probability_above_one_is_refused() {
    fixtures::params_with(2, (1u128 << 64) + 1, fixtures::period(), fixtures::unbonding());
}

#[test, expected_failure(abort_code = params::EBadParams)]
fun an_audit_without_auditors_is_refused() { fixtures::params_with(0, 0, fixtures::period(), fixtures::unbonding()); }

#[test]
fun shares_are_rounded_down() {
    assert!(params::share(10_001, 5_000) == 5_000);
    assert!(params::share(18_446_744_073_709_551_615, 10_000) == 18_446_744_073_709_551_615);
}
