/// Taking stake and fees out, leaving, jail, caps: the other half of `member_tests`.
#[test_only]
module enclavia::leaving_tests;

use enclavia::fixtures::{Self, World};
use enclavia::member::{Self, NodeOperatorCap, NodeOwnerCap};
use enclavia::pool;

fun empty(): World { fixtures::empty(fixtures::usual()) }

fun keep(w: World, owner: NodeOwnerCap, operator: NodeOperatorCap) {
    std::unit_test::destroy(owner);
    std::unit_test::destroy(operator);
    w.end();
}

fun leave(w: &mut World, slot: u64) {
    let (pool, network, _, queue, cap, clock, _) = w.owned(slot);
    member::leave(pool, network, queue, cap, clock);
}

fun unbond(w: &mut World, slot: u64, amount: u64) {
    let (pool, network, _, queue, cap, clock, _) = w.owned(slot);
    member::unbond(pool, network, queue, cap, amount, clock);
}

fun withdraw(w: &mut World, slot: u64): u64 {
    let (pool, network, _, _, cap, clock, ctx) = w.owned(slot);
    member::withdraw(pool, network, cap, clock, ctx).burn_for_testing()
}

fun withdraw_unbonded(w: &mut World, slot: u64): u64 {
    let (pool, network, _, _, cap, clock, ctx) = w.owned(slot);
    member::withdraw_unbonded(pool, network, cap, clock, ctx).burn_for_testing()
}

fun retire(w: &mut World, slot: u64) {
    let cap = w.take_owner(slot);
    let (network, pool, roster, _, _, _, _, _) = w.all();
    member::retire(pool, network, roster, cap);
}

// === Taking out part ===

#[test]
fun part_of_a_stake_comes_back_after_unbonding() {
    let mut w = empty().join();
    unbond(&mut w, 0, 7);
    let m = w.pool().member(0);
    assert!(m.stake() == fixtures::stake() - 7 && m.unbonding() == 7 && m.weight() == fixtures::stake() - 7);
    assert!(m.unbonding_at() == fixtures::unbonding());
    w.pass(fixtures::unbonding());
    assert!(withdraw_unbonded(&mut w, 0) == 7);
    assert!(w.pool().member(0).unbonding() == 0);
    w.end();
}

#[test, expected_failure(abort_code = member::EUnbonding)]
fun part_of_a_stake_stays_until_unbonding_is_over() {
    let mut w = empty().join();
    unbond(&mut w, 0, 7);
    w.pass(fixtures::unbonding() - 1);
    withdraw_unbonded(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::EUnbonding)]
fun nothing_is_withdrawn_that_was_not_unbonded() {
    let mut w = empty().join();
    withdraw_unbonded(&mut w, 0);
    abort
}

/// A second call starts the time anew for both.
#[test, expected_failure(abort_code = member::EUnbonding)]
fun unbonding_more_starts_the_time_anew() {
    let mut w = empty().join();
    unbond(&mut w, 0, 7);
    w.pass(fixtures::unbonding() - 1);
    unbond(&mut w, 0, 1);
    w.pass(1);
    withdraw_unbonded(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::EStakeTooSmall)]
fun the_least_stake_stays() {
    let mut w = empty().join();
    unbond(&mut w, 0, fixtures::stake() - fixtures::min_stake() + 1);
    abort
}

#[test, expected_failure(abort_code = member::EStakeLocked)]
fun what_backs_a_task_stays() {
    let mut w = empty().join();
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.lock(0, fixtures::stake() - 1, true);
    unbond(&mut w, 0, 2);
    abort
}

#[test, expected_failure(abort_code = member::ELeaving)]
fun who_leaves_takes_out_no_part() {
    let mut w = empty().join();
    leave(&mut w, 0);
    unbond(&mut w, 0, 1);
    abort
}

// === Leaving ===

#[test]
fun a_stake_comes_back_after_unbonding() {
    let mut w = empty().join();
    leave(&mut w, 0);
    assert!(w.pool().member(0).weight() == 0);
    w.pass(fixtures::unbonding() + 1);
    assert!(withdraw(&mut w, 0) == fixtures::stake());
    assert!(w.pool().member(0).stake() == 0);
    w.end();
}

#[test]
fun what_was_unbonding_comes_with_it() {
    let mut w = empty().join();
    unbond(&mut w, 0, 7);
    leave(&mut w, 0);
    w.pass(fixtures::unbonding() + 1);
    assert!(withdraw(&mut w, 0) == fixtures::stake());
    w.end();
}

#[test, expected_failure(abort_code = member::EUnbonding)]
fun a_stake_stays_until_unbonding_is_over() {
    let mut w = empty().join();
    w.pass(5);
    leave(&mut w, 0);
    w.pass(fixtures::unbonding() - 1);
    withdraw(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::EUnbonding)]
fun who_does_not_leave_withdraws_nothing() {
    let mut w = empty().join();
    w.pass(2 * fixtures::unbonding());
    withdraw(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::EStakeLocked)]
fun a_stake_stays_while_it_backs_a_task() {
    let mut w = empty().join();
    leave(&mut w, 0);
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.lock(0, 1, false);
    w.pass(fixtures::unbonding() + 1);
    withdraw(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::ELeaving)]
fun a_node_leaves_once() {
    let mut w = empty().join();
    leave(&mut w, 0);
    leave(&mut w, 0);
    abort
}

#[test]
fun an_empty_record_gives_its_slot_back() {
    let mut w = fixtures::world();
    leave(&mut w, 0);
    w.pass(fixtures::unbonding() + 1);
    w.roll();
    withdraw(&mut w, 0);
    retire(&mut w, 0);
    assert!(!w.pool().has_member(0));
    let mut w = w.next(fixtures::stranger());
    let stake = w.coin(fixtures::stake());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let (owner, operator) = member::register(pool, network, stake, clock, ctx);
    assert!(operator.operator_slot() == 0);
    keep(w, owner, operator);
}

#[test, expected_failure(abort_code = member::ENotEmpty)]
fun a_record_with_money_is_not_ended() {
    let mut w = empty().join();
    leave(&mut w, 0);
    retire(&mut w, 0);
    abort
}

/// Whoever comes next must not be drawn by this one's weight.
#[test, expected_failure(abort_code = member::ENotEmpty)]
fun a_slot_that_still_weighs_is_not_given_back() {
    let mut w = fixtures::world();
    leave(&mut w, 0);
    w.pass(fixtures::unbonding() + 1);
    withdraw(&mut w, 0);
    retire(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::EWrongRoster)]
fun the_roster_of_another_pool_ends_no_record() {
    let (mut w, _p, other, _q) = empty().join().another_pool();
    let cap = w.take_owner(0);
    let (network, pool, _, _, _, _, _, _) = w.all();
    member::retire(pool, network, &other, cap);
    abort
}

// === Fees ===

#[test]
fun fees_owed_are_paid_as_far_as_the_fund_reaches() {
    let mut w = empty().join();
    let (earned, funds) = (w.coin(100), w.coin(30));
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.pay(@0x7a, 0, earned.into_balance());
    pool.pay_from_fund(@0x7a, 0, 50);
    assert!(pool.fees_owed() == 50);
    pool.fund_audits(funds);
    let (pool, _, _, _, cap, _, ctx) = w.owned(0);
    let claimed = member::claim_fees(pool, cap, ctx);
    assert!(claimed.burn_for_testing() == 130);
    assert!(pool.fees_owed() == 20 && pool.audit_fund() == 0 && pool.member(0).fees_owed() == 20);
    w.end();
}

// === Jail ===

fun strike(w: &mut World, slot: u64) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    pool.strike(slot, network.params(), network.now(clock));
}

fun unjail(w: &mut World, slot: u64) {
    let (pool, network, cap, clock, _, _) = w.operated(slot);
    member::unjail(pool, network, cap, clock);
}

#[test]
fun three_strikes_jail_and_time_and_the_operator_end_it() {
    let mut w = empty().join();
    3u64.do!(|_| strike(&mut w, 0));
    let until = w.pool().member(0).jailed_until();
    assert!(until == w.network().params().jail_ms() && w.pool().member(0).strikes() == 3);
    w.weigh(0);
    assert!(w.pool().member(0).weight() == 0);
    w.pass(until);
    unjail(&mut w, 0);
    assert!(w.pool().member(0).jailed_until() == 0 && w.pool().member(0).strikes() == 0);
    w.weigh(0);
    assert!(w.pool().member(0).weight() == fixtures::stake());
    w.end();
}

#[test]
fun right_work_takes_a_strike_back() {
    let mut w = empty().join();
    strike(&mut w, 0);
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.forgive(0);
    pool.forgive(0);
    assert!(pool.member(0).strikes() == 0);
    w.end();
}

#[test, expected_failure(abort_code = member::EStillJailed)]
fun nobody_leaves_the_jail_early() {
    let mut w = empty().join();
    3u64.do!(|_| strike(&mut w, 0));
    let early = w.network().params().jail_ms() - 1;
    w.pass(early);
    unjail(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = member::ENotJailed)]
fun who_is_free_is_not_freed() {
    let mut w = empty().join();
    unjail(&mut w, 0);
    abort
}

// === Caps ===

#[test, expected_failure(abort_code = member::ENotYourNode)]
fun the_owner_of_a_slot_before_does_not_own_its_next_node() {
    let mut w = fixtures::world();
    leave(&mut w, 0);
    w.pass(fixtures::unbonding() + 1);
    w.roll();
    withdraw(&mut w, 0);
    retire(&mut w, 0);
    // the operator's cap is left; slot 0 gets another node
    let mut w = w.next(fixtures::stranger());
    let stake = w.coin(fixtures::stake());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::register(pool, network, stake, clock, ctx);
    unjail(&mut w, 0);
    abort
}

#[test, expected_failure(abort_code = pool::EWrongPool)]
fun the_cap_of_another_pool_does_nothing() {
    let (mut w, mut other, _r, mut queue) = empty().join().another_pool();
    let (_, network, _, _, cap, clock, _) = w.owned(0);
    member::leave(&mut other, network, &mut queue, cap, clock);
    abort
}

#[test, expected_failure(abort_code = pool::EWrongNetwork)]
fun a_network_that_is_not_the_pools_registers_nobody() {
    let (mut w, other, _c) = empty().another_network();
    let stake = w.coin(fixtures::stake());
    let (_, pool, _, _, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::register(pool, &other, stake, clock, ctx);
    abort
}
