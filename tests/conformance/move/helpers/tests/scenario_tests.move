#[test_only]
module helpers::scenario_tests;

use helpers::counter::{Self, Counter, Counted};
use std::unit_test::assert_eq;
use sui::clock;
use sui::coin::{Self, Coin};
use sui::event;
use sui::random::{Self, Random};
use sui::sui::SUI;
use sui::test_scenario as ts;
use sui::test_utils;

const ALICE: address = @0xA;
const BOB: address = @0xB;

public struct SCENARIO_TESTS has drop {}

#[test]
fun what_one_transaction_sends_the_next_can_take() {
    let mut s = ts::begin(ALICE);
    let counter = counter::new(s.ctx());
    let id = object::id(&counter);
    transfer::public_transfer(counter, BOB);
    assert!(!s.has_most_recent_for_sender<Counter>());
    let effects = s.next_tx(BOB);
    assert_eq!(effects.created(), vector[id]);
    assert_eq!(s.ids_for_sender<Counter>(), vector[id]);
    let mut counter = s.take_from_sender<Counter>();
    counter.count();
    assert_eq!(event::events_by_type<Counted>().length(), 1);
    s.return_to_sender(counter);
    let effects = s.next_tx(ALICE);
    assert_eq!(effects.num_user_events(), 1);
    let counter = s.take_from_address_by_id<Counter>(BOB, id);
    assert_eq!(counter.total(), 1);
    counter.destroy();
    assert_eq!(s.end().deleted(), vector[id]);
}

#[test]
fun shared_objects_are_taken_and_returned() {
    let mut s = ts::begin(ALICE);
    transfer::public_share_object(counter::new(s.ctx()));
    s.next_tx(BOB);
    assert!(ts::has_most_recent_shared<Counter>());
    let mut counter = s.take_shared<Counter>();
    assert!(!ts::has_most_recent_shared<Counter>());
    counter.count();
    ts::return_shared(counter);
    s.next_tx(ALICE);
    let counter = s.take_shared<Counter>();
    assert_eq!(counter.total(), 1);
    ts::return_shared(counter);
    s.end();
}

#[test]
fun frozen_objects_are_taken_and_returned() {
    let mut s = ts::begin(ALICE);
    transfer::public_freeze_object(counter::new(s.ctx()));
    assert_eq!(s.next_tx(BOB).frozen().length(), 1);
    ts::return_immutable(s.take_immutable<Counter>());
    s.end();
}

#[test, expected_failure(abort_code = ts::EEmptyInventory)]
fun what_does_not_exist_cannot_be_taken() {
    let s = ts::begin(ALICE);
    ts::return_shared(s.take_shared<Counter>());
    s.end();
}

#[test, expected_failure(abort_code = ts::ECantReturnObject)]
fun what_was_not_taken_cannot_be_returned() {
    let mut s = ts::begin(ALICE);
    let counter = counter::new(s.ctx());
    s.return_to_sender(counter);
    s.end();
}

#[test]
fun epochs_go_on() {
    let mut s = ts::begin(ALICE);
    s.next_epoch(BOB);
    assert_eq!(s.ctx().epoch(), 1);
    s.later_epoch(5, ALICE);
    assert_eq!(s.ctx().epoch(), 2);
    assert_eq!(s.ctx().epoch_timestamp_ms(), 5);
    s.next_tx(BOB);
    assert_eq!(s.ctx().epoch(), 2);
    assert_eq!(s.sender(), BOB);
    assert_eq!(s.num_concluded_txes(), 3);
    s.end();
}

#[test]
fun every_transaction_has_fresh_ids() {
    let mut s = ts::begin(ALICE);
    let first = s.ctx().fresh_object_address();
    let second = s.ctx().fresh_object_address();
    s.next_tx(ALICE);
    let third = s.ctx().fresh_object_address();
    assert!(first != second && second != third && first != third);
    s.end();
}

#[test]
fun coins_come_from_nothing_in_tests() {
    let mut s = ts::begin(ALICE);
    let mut coin = coin::mint_for_testing<SUI>(10, s.ctx());
    coin.split_and_transfer(3, BOB, s.ctx());
    let balance = coin.into_balance();
    assert_eq!(balance.value(), 7);
    transfer::public_transfer(balance.into_coin(s.ctx()), BOB);
    s.next_tx(BOB);
    let (one, other) = (s.take_from_sender<Coin<SUI>>(), s.take_from_sender<Coin<SUI>>());
    assert_eq!(one.burn_for_testing() + other.burn_for_testing(), 10);
    s.end();
}

#[test]
fun the_clock_is_set() {
    let mut ctx = tx_context::dummy();
    let mut clock = clock::create_for_testing(&mut ctx);
    clock.set_for_testing(5);
    clock.increment_for_testing(7);
    assert_eq!(clock.timestamp_ms(), 12);
    clock.destroy_for_testing();
}

#[test]
fun randomness_follows_from_the_beacon() {
    let mut s = ts::begin(@0x0);
    random::create_for_testing(s.ctx());
    s.next_tx(@0x0);
    let mut beacon = s.take_shared<Random>();
    beacon.update_randomness_state_for_testing(0, x"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", s.ctx());
    ts::return_shared(beacon);
    s.next_tx(ALICE);
    let beacon = s.take_shared<Random>();
    let mut generator = random::new_generator(&beacon, s.ctx());
    let mut other = random::new_generator(&beacon, s.ctx());
    assert!(generator.generate_u64() != other.generate_u64());
    ts::return_shared(beacon);
    let mut one = random::new_generator_from_seed_for_testing(b"seed");
    let mut same = random::new_generator_from_seed_for_testing(b"seed");
    assert_eq!(one.generate_u128(), same.generate_u128());
    s.end();
}

#[test]
fun values_without_drop_are_ended() {
    let mut ctx = tx_context::dummy();
    test_utils::destroy(counter::new(&mut ctx));
    let _witness: SCENARIO_TESTS = test_utils::create_one_time_witness();
}

#[test]
fun ids_are_turned_into_addresses() {
    let mut ctx = tx_context::dummy();
    let counter = counter::new(&mut ctx);
    let id = object::id(&counter);
    assert_eq!(id.to_address().to_id(), id);
    assert_eq!(id.to_bytes(), id.to_address().to_bytes());
    counter.destroy();
}
