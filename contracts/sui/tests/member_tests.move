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

fun withdraw(w: &mut World, slot: u64): u64 {
    let (pool, network, _, _, cap, clock, ctx) = w.owned(slot);
    member::withdraw(pool, network, cap, clock, ctx).burn_for_testing()
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
