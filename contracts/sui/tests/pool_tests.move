#[test_only]
module enclavia::pool_tests;

use enclavia::fixtures;
use enclavia::network::{AdminCap, Network};
use enclavia::pool::{Self, NodeOperatorCap, NodeOwnerCap, Pool};
use enclavia::roster::{Self, Roster, RosterQueue};
use enclavia::statement;
use sui::coin;
use sui::sui::SUI;
use sui::test_scenario as ts;

const KEY: vector<u8> = x"0303030303030303030303030303030303030303030303030303030303030303";

#[test]
fun a_member_has_what_it_staked() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let mut pool: Pool = s.take_shared();
    pool.deposit(0, coin::mint_for_testing<SUI>(5, s.ctx()));
    assert!(pool.member(0).stake() == fixtures::stake() + 5);
    assert!(pool.member(0).locked() == 0);
    ts::return_shared(pool);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EStakeTooSmall)]
fun less_than_the_minimum_is_no_stake() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake() - 1);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::ENoSuchMember)]
fun a_slot_that_nobody_holds_takes_no_stake() {
    let (mut s, clock) = fixtures::begin();
    let mut pool: Pool = s.take_shared();
    pool.deposit(3, coin::mint_for_testing<SUI>(5, s.ctx()));
    ts::return_shared(pool);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EPoolFull)]
fun a_full_pool_takes_no_ninth_member() {
    let (mut s, clock) = fixtures::begin();
    let mut i = 0;
    while (i < 9) {
        fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
        s.next_tx(fixtures::alice());
        i = i + 1;
    };
    fixtures::end(s, clock);
}

#[test]
fun an_unattested_member_weighs_nothing() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let mut roster: Roster = s.take_shared();
    pool.update_weight(&network, &mut queue, 0);
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    roster.launch(&mut queue, &network, &cap, &clock);
    ts::return_to_address(fixtures::admin(), cap);
    assert!(roster.positive() == 0 && roster.total() == 0);
    assert!(!pool.is_eligible(0, 0, 0, 1, 0));
    ts::return_shared(roster);
    ts::return_shared(queue);
    ts::return_shared(pool);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test]
fun stake_comes_back_after_unbonding() {
    let (mut s, mut clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let cap: NodeOwnerCap = s.take_from_address(fixtures::alice());
    pool.leave(&network, &mut queue, &cap, &clock);
    clock.set_for_testing(fixtures::unbonding() + 1);
    let stake = pool.withdraw(&network, &cap, &clock, s.ctx());
    assert!(stake.burn_for_testing() == fixtures::stake());
    assert!(pool.member(0).stake() == 0);
    ts::return_to_address(fixtures::alice(), cap);
    ts::return_shared(queue);
    ts::return_shared(pool);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EUnbonding)]
fun stake_stays_until_unbonding_is_over() {
    let (mut s, mut clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let cap: NodeOwnerCap = s.take_from_address(fixtures::alice());
    pool.leave(&network, &mut queue, &cap, &clock);
    clock.set_for_testing(fixtures::unbonding());
    pool.withdraw(&network, &cap, &clock, s.ctx()).burn_for_testing();
    ts::return_to_address(fixtures::alice(), cap);
    ts::return_shared(queue);
    ts::return_shared(pool);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EChallengeExpired)]
fun evidence_without_a_challenge_is_refused() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let mut pool: Pool = s.take_shared();
    let cap: NodeOperatorCap = s.take_from_address(fixtures::alice());
    pool.post_evidence(&cap, KEY, b"blob", &clock);
    ts::return_to_address(fixtures::alice(), cap);
    ts::return_shared(pool);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EChallengeExpired)]
fun an_attestation_without_a_challenge_is_refused() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    pool.attest(&network, 0, KEY, 0, KEY, KEY, KEY, 1_000, vector[0], vector[vector[]], &clock);
    ts::return_shared(pool);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = pool::EKindRefused)]
fun a_tee_that_the_pool_does_not_take_is_refused() {
    let (mut s, clock) = fixtures::begin();
    fixtures::register(&mut s, fixtures::alice(), fixtures::stake());
    s.next_tx(fixtures::alice());
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    pool.attest(&network, 0, KEY, 2, KEY, KEY, KEY, 1_000, vector[0], vector[vector[]], &clock);
    ts::return_shared(pool);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = roster::EPeriodNotOver)]
fun a_roster_with_operators_rolls_only_at_the_period_end() {
    let (s, mut now) = fixtures::begin();
    let network: Network = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let mut roster: Roster = s.take_shared();
    roster::enqueue(&mut queue, 2, 7);
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    roster.launch(&mut queue, &network, &cap, &now);
    ts::return_to_address(fixtures::admin(), cap);
    assert!(roster.positive() == 1 && roster.total() == 7);
    roster::enqueue(&mut queue, 1, 7);
    now.set_for_testing(fixtures::period() - 1);
    roster.roll_period(&mut queue, &network, &now);
    ts::return_shared(roster);
    ts::return_shared(queue);
    ts::return_shared(network);
    fixtures::end(s, now);
}

#[test, expected_failure(abort_code = roster::EPeriodNotOver)]
fun a_roster_that_was_not_launched_does_not_roll() {
    let (s, mut clock) = fixtures::begin();
    let network: Network = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let mut roster: Roster = s.take_shared();
    clock.set_for_testing(10 * fixtures::period());
    roster.roll_period(&mut queue, &network, &clock);
    ts::return_shared(roster);
    ts::return_shared(queue);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = roster::ELaunched)]
fun a_roster_is_launched_once() {
    let (s, clock) = fixtures::begin();
    let network: Network = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let mut roster: Roster = s.take_shared();
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    roster.launch(&mut queue, &network, &cap, &clock);
    roster.launch(&mut queue, &network, &cap, &clock);
    ts::return_to_address(fixtures::admin(), cap);
    ts::return_shared(roster);
    ts::return_shared(queue);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test]
fun a_later_change_of_a_slot_replaces_the_one_that_waits() {
    let (s, clock) = fixtures::begin();
    let network: Network = s.take_shared();
    let mut queue: RosterQueue = s.take_shared();
    let mut roster: Roster = s.take_shared();
    roster::enqueue(&mut queue, 2, 7);
    roster::enqueue(&mut queue, 3, 1);
    roster::enqueue(&mut queue, 2, 5);
    let cap: AdminCap = s.take_from_address(fixtures::admin());
    roster.launch(&mut queue, &network, &cap, &clock);
    ts::return_to_address(fixtures::admin(), cap);
    assert!(roster.positive() == 2 && roster.total() == 6);
    ts::return_shared(roster);
    ts::return_shared(queue);
    ts::return_shared(network);
    fixtures::end(s, clock);
}

#[test, expected_failure(abort_code = statement::EThresholdNotMet)]
fun too_few_signatures_are_no_committee() {
    statement::verify_committee(&vector[KEY, fixtures::verifier()], 2, &b"", &vector[0], &vector[KEY]);
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_stranger_does_not_sign_for_the_committee() {
    statement::verify_committee(&vector[fixtures::verifier()], 1, &b"", &vector[1], &vector[KEY]);
}

#[test]
fun a_real_signature_counts_once() {
    // RFC 8032, test 2: one byte 0x72
    let key = x"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature = x"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    statement::verify_committee(&vector[key], 1, &x"72", &vector[0], &vector[signature]);
}

#[test, expected_failure(abort_code = statement::ESignersNotSorted)]
fun one_signer_named_twice_is_not_two() {
    let key = x"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature = x"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    statement::verify_committee(&vector[key], 2, &x"72", &vector[0, 0], &vector[signature, signature]);
}
