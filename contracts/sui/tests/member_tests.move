#[test_only]
module enclavia::member_tests;

use enclavia::fixtures::{Self, World};
use enclavia::member::{Self, NodeOperatorCap, NodeOwnerCap};
use enclavia::pool;

fun empty(): World { fixtures::empty(fixtures::usual()) }

/// Two slots, both taken, in a launched Roster.
fun full(): World { fixtures::begin(fixtures::usual().of_depth(1).of_members(2)) }

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

fun replace(w: &mut World, slot: u64, amount: u64): (NodeOwnerCap, NodeOperatorCap) {
    let stake = w.coin(amount);
    let (network, pool, roster, queue, _, clock, _, ctx) = w.all();
    member::replace(pool, network, roster, queue, slot, stake, clock, ctx)
}

// === Joining ===

#[test]
fun a_member_has_what_it_staked_and_nothing_else() {
    let mut w = empty().register(fixtures::stake());
    let m = w.pool().member(0);
    assert!(m.stake() == fixtures::stake() && m.slot() == 0 && m.operator() == fixtures::operator(0) && m.node() != @0x0);
    assert!(m.unbonding() == 0 && m.unbonding_at() == 0 && m.locked() == 0 && m.backing() == 0 && m.weight() == 0);
    assert!(m.fees() == 0 && m.fees_owed() == 0 && m.joined_at() == 0 && m.leaving_at() == 0);
    assert!(m.strikes() == 0 && m.jailed_until() == 0 && m.key_epoch() == 0 && m.revoked_through() == 0);
    assert!(m.challenge() == b"" && m.challenge_expires() == 0 && m.previous_until() == 0);
    assert!(m.attestation().epoch() == 0 && m.previous().epoch() == 0 && m.current().epoch() == 0);
    let node = m.node();
    let (_, _, _, _, owner, _, _) = w.owned(0);
    assert!(owner.owner_node() == node);
    let (_, _, operator, _, _, _) = w.operated(0);
    assert!(operator.operator_node() == node && operator.operator_slot() == 0);
    w.end();
}

#[test]
fun the_least_stake_is_enough() { empty().register(fixtures::min_stake()).end() }

#[test, expected_failure(abort_code = member::EStakeTooSmall)]
fun less_than_the_least_is_no_stake() { empty().register(fixtures::min_stake() - 1).end() }

#[test, expected_failure(abort_code = member::EOperatorTaken)]
fun an_operator_has_one_slot() {
    let mut w = empty().register(fixtures::stake());
    let stake = w.coin(fixtures::stake());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::register(pool, network, stake, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = member::EPoolFull)]
fun a_full_pool_takes_nobody_more() {
    fixtures::empty(fixtures::usual().of_depth(1)).register(fixtures::stake()).register(fixtures::stake())
        .register(fixtures::stake()).end()
}

#[test]
fun anybody_may_add_to_a_stake() {
    let mut w = empty().register(fixtures::stake()).next(fixtures::stranger());
    let coin = w.coin(5);
    let (_, pool, _, _, _, _, _, _) = w.all();
    member::deposit(pool, 0, coin);
    assert!(w.pool().member(0).stake() == fixtures::stake() + 5);
    w.end();
}

#[test, expected_failure(abort_code = pool::ENoSuchMember)]
fun a_slot_that_nobody_holds_takes_no_stake() {
    let mut w = empty();
    let coin = w.coin(5);
    let (_, pool, _, _, _, _, _, _) = w.all();
    member::deposit(pool, 3, coin);
    abort
}

// === Weight ===

#[test]
fun an_attested_member_weighs_its_stake() {
    let mut w = empty().join();
    assert!(w.pool().member(0).weight() == fixtures::stake() && w.queue().waiting() == 1);
    w.end();
}

#[test]
fun an_unattested_member_weighs_nothing() {
    let mut w = empty().register(fixtures::stake());
    w.weigh(0);
    assert!(w.pool().member(0).weight() == 0);
    w.end();
}

#[test]
fun a_revoked_member_weighs_nothing() {
    let mut w = empty().join();
    w.revoke(0, 1);
    w.weigh(0);
    assert!(w.pool().member(0).weight() == 0);
    w.end();
}

#[test, expected_failure(abort_code = member::EWrongQueue)]
fun the_queue_of_another_pool_takes_no_weight() {
    let (mut w, _p, _r, mut other) = empty().join().another_pool();
    let (network, pool, _, _, _, clock, _, _) = w.all();
    member::update_weight(pool, network, &mut other, 0, clock);
    abort
}

// === Replacing ===

#[test]
fun a_greater_stake_takes_the_smallest_slot_of_a_full_pool() {
    let mut w = full();
    let before = w.pool().member(1).node();
    let (owner, operator) = replace(&mut w, 1, fixtures::stake() * 2);
    let m = w.pool().member(1);
    assert!(m.operator() == fixtures::requester() && m.stake() == fixtures::stake() * 2);
    // it is drawn from the next period on, when its own weight counts
    assert!(m.joined_at() == w.roster().period_ends() + 1 && m.weight() == 0);
    assert!(w.pool().departed(before).stake() == fixtures::stake() && w.pool().departed(before).leaving_at() > 0);
    keep(w, owner, operator);
}

#[test]
fun who_was_replaced_withdraws_after_unbonding_and_retires() {
    let mut w = full();
    let (owner, operator) = replace(&mut w, 1, fixtures::stake() * 2);
    w.pass(fixtures::unbonding() + 1);
    assert!(withdraw(&mut w, 1) == fixtures::stake());
    retire(&mut w, 1);
    assert!(w.pool().has_member(1));
    keep(w, owner, operator);
}

#[test]
fun who_was_replaced_can_register_elsewhere_again() {
    let mut w = full();
    let (owner, operator) = replace(&mut w, 1, fixtures::stake() * 2);
    assert!(!w.pool().has_operator(fixtures::operator(1)) && w.pool().has_operator(fixtures::requester()));
    keep(w, owner, operator);
}

#[test, expected_failure(abort_code = member::EPoolNotFull)]
fun nobody_is_replaced_while_slots_are_free() {
    let mut w = fixtures::world();
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() * 2);
    abort
}

#[test, expected_failure(abort_code = member::EStakeTooSmall)]
fun a_stake_that_hardly_outbids_replaces_nobody() {
    let mut w = full();
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() + fixtures::stake() / 10);
    abort
}

#[test, expected_failure(abort_code = member::ENotSmallest)]
fun only_the_smallest_is_replaced() {
    let mut w = full();
    let coin = w.coin(5);
    let (_, pool, _, _, _, _, _, _) = w.all();
    member::deposit(pool, 1, coin);
    w.weigh(1);
    w.roll();
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() * 3);
    abort
}

/// A newcomer weighs nothing yet, and may not be outbid before it could.
#[test, expected_failure(abort_code = member::ENotSmallest)]
fun a_newcomer_is_not_replaced() {
    let mut w = full();
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() * 2);
    w.roll();
    let mut w = w.next(fixtures::stranger());
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() * 3);
    abort
}

#[test, expected_failure(abort_code = member::EWrongRoster)]
fun the_roster_of_another_pool_replaces_nobody() {
    let (mut w, _p, other, _q) = full().another_pool();
    let stake = w.coin(fixtures::stake() * 2);
    let (network, pool, _, queue, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::replace(pool, network, &other, queue, 1, stake, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = member::EWrongQueue)]
fun the_queue_of_another_pool_replaces_nobody() {
    let (mut w, _p, _r, mut other) = full().another_pool();
    let stake = w.coin(fixtures::stake() * 2);
    let (network, pool, roster, _, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::replace(pool, network, roster, &mut other, 1, stake, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = member::EStakeLocked)]
fun who_backs_a_task_is_not_replaced() {
    let mut w = full();
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.lock(1, 1, true);
    let (_owner, _operator) = replace(&mut w, 1, fixtures::stake() * 2);
    abort
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
