#[test_only]
module enclavia::pool_tests;

use enclavia::fixtures;
use enclavia::params;
use enclavia::pool;

#[test]
fun a_pool_is_what_it_was_created_as() {
    let w = fixtures::empty(fixtures::usual());
    let p = w.pool();
    assert!(p.network() == w.network().address_of() && p.manifest() == fixtures::manifest() && p.tee_mask() == 3);
    assert!(p.price() == fixtures::price() && p.auditor_fee() == fixtures::auditor_fee());
    assert!(p.reservation_fee() == fixtures::reservation_fee());
    assert!(p.slots() == 16 && !p.has_member(0) && !p.is_full() && p.address_of() != @0x0);
    assert!(p.treasury() == 0 && p.audit_fund() == 0 && p.burnt() == 0 && p.fees_owed() == 0);
    w.end();
}

fun create(manifest: vector<u8>, price: u64, auditor_fee: u64, reservation_fee: u64) {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, _, _, _, cap, clock, _, ctx) = w.all();
    pool::create(network, cap, manifest, 3, price, auditor_fee, reservation_fee, 2, clock, ctx);
    w.end();
}

#[test]
fun the_greatest_prices_are_allowed() {
    create(fixtures::manifest(), 2 * fixtures::price(), fixtures::bond() / 15, 2 * fixtures::price())
}

#[test]
fun the_smallest_prices_are_allowed() { create(fixtures::manifest(), 0, 0, fixtures::bounty() + 1) }

#[test, expected_failure(abort_code = pool::EBadKey)]
fun a_manifest_of_the_wrong_size_is_refused() { create(b"short", 1, 1, fixtures::reservation_fee()) }

#[test, expected_failure(abort_code = pool::EBadPrices)]
fun a_price_above_the_greatest_is_refused() {
    create(fixtures::manifest(), 2 * fixtures::price() + 1, 1, fixtures::reservation_fee())
}

#[test, expected_failure(abort_code = pool::EBadPrices)]
fun a_reservation_above_the_greatest_price_is_refused() {
    create(fixtures::manifest(), 1, 1, 2 * fixtures::price() + 1)
}

/// Else who opens a task and cranks its expiry opens for nothing.
#[test, expected_failure(abort_code = pool::EBadPrices)]
fun a_reservation_no_higher_than_the_bounty_is_refused() { create(fixtures::manifest(), 1, 1, fixtures::bounty()) }

#[test, expected_failure(abort_code = pool::EBadPrices)]
fun auditors_that_cost_more_than_the_bond_of_a_dispute_are_refused() {
    create(fixtures::manifest(), 1, fixtures::bond() / 15 + 1, fixtures::reservation_fee())
}

/// Who provokes a dispute for nothing loses more than the dispute costs.
#[test, expected_failure(abort_code = pool::EBadPrices)]
fun auditors_that_cost_more_than_they_lock_are_refused() {
    let mut numbers = fixtures::numbers();
    // the lock of an auditor, below the bond of a dispute
    *(&mut numbers[2]) = 50_000_000;
    let mut w = fixtures::empty(fixtures::usual().of_params(fixtures::params_of(numbers, 2, 0)));
    let (network, _, _, _, cap, clock, _, ctx) = w.all();
    let fee = 50_000_000 / 15 + 1;
    pool::create(network, cap, fixtures::manifest(), 3, 1, fee, fixtures::reservation_fee(), 2, clock, ctx);
    abort
}

// === Prices ===

#[test]
fun proposed_prices_are_in_force_after_the_timelock() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_prices(network, cap, 5, 6, 700_000, clock);
    w.pass(fixtures::timelock());
    assert!(w.pool().price() == fixtures::price());
    let (network, pool, _, _, _, clock, _, _) = w.all();
    pool.apply_prices(network, clock);
    assert!(pool.price() == 5 && pool.auditor_fee() == 6 && pool.reservation_fee() == 700_000);
    w.end();
}

#[test, expected_failure(abort_code = pool::ETimelocked)]
fun prices_do_not_change_before_the_timelock_is_over() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_prices(network, cap, 5, 6, 700_000, clock);
    w.pass(fixtures::timelock() - 1);
    let (network, pool, _, _, _, clock, _, _) = w.all();
    pool.apply_prices(network, clock);
    abort
}

#[test, expected_failure(abort_code = pool::ENothingProposed)]
fun prices_that_nobody_proposed_are_not_applied() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, _, clock, _, _) = w.all();
    pool.apply_prices(network, clock);
    abort
}

#[test, expected_failure(abort_code = pool::EBadPrices)]
fun bad_prices_are_not_even_proposed() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_prices(network, cap, 5, 6, 0, clock);
    abort
}

/// The parameters may be others by the time that prices take effect.
#[test, expected_failure(abort_code = pool::EBadPrices)]
fun prices_that_are_bad_by_now_are_not_applied() {
    let mut w = fixtures::empty(fixtures::usual());
    let mut numbers = fixtures::numbers();
    // the bounty, above the reservation fee
    *(&mut numbers[4]) = 2_000_000;
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_prices(network, cap, 5, 6, 1_000_000, clock);
    network.propose_params(cap, fixtures::params_of(numbers, 2, 0), clock);
    w.pass(fixtures::timelock());
    let (network, pool, _, _, _, clock, _, _) = w.all();
    network.apply_params(clock);
    pool.apply_prices(network, clock);
    abort
}

// === The treasury ===

#[test, expected_failure(abort_code = pool::ETreasuryTooSmall)]
fun no_more_than_the_treasury_is_withdrawn() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_withdrawal(network, cap, 1, @0x1, clock);
    w.pass(fixtures::timelock());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    pool.apply_withdrawal(network, clock, ctx);
    abort
}

#[test]
fun the_treasury_is_paid_after_the_timelock_to_whom_it_was_promised() {
    let mut w = fixtures::empty(fixtures::usual());
    let coin = w.coin(10);
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.add_treasury(coin.into_balance());
    pool.propose_withdrawal(network, cap, 7, fixtures::stranger(), clock);
    w.pass(fixtures::timelock());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    pool.apply_withdrawal(network, clock, ctx);
    assert!(pool.treasury() == 3);
    let mut w = w.next(fixtures::stranger());
    assert!(w.received() == 7);
    w.end();
}

#[test, expected_failure(abort_code = pool::ETimelocked)]
fun the_treasury_is_not_paid_before_the_timelock_is_over() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, cap, clock, _, ctx) = w.all();
    pool.propose_withdrawal(network, cap, 0, @0x1, clock);
    pool.apply_withdrawal(network, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = pool::ENothingProposed)]
fun the_treasury_is_not_paid_to_whom_nobody_proposed() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    pool.apply_withdrawal(network, clock, ctx);
    abort
}

#[test]
fun anybody_may_fund_audits() {
    let mut w = fixtures::empty(fixtures::usual()).next(fixtures::stranger());
    let coin = w.coin(10);
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.fund_audits(coin);
    assert!(pool.audit_fund() == 10);
    w.end();
}

// === What a task costs ===

#[test]
fun a_quote_is_price_reservation_and_what_the_audit_costs_on_average() {
    let w = fixtures::empty(fixtures::usual());
    let sure = fixtures::price() + fixtures::reservation_fee();
    assert!(w.pool().quote(w.network(), 0) == sure + 2 * fixtures::auditor_fee());
    assert!(w.pool().audit_probability(w.network().params(), 0) == params::always());
    w.end();
    assert!(pool::premium(params::always() / 2, 2, 5) == 5);
    // rounded up
    assert!(pool::premium(1, 1, 1) == 1 && pool::premium(0, 16, 5) == 0);
}

#[test, expected_failure(abort_code = pool::EValueTooHigh)]
fun a_value_that_no_audit_protects_has_no_quote() {
    let w = fixtures::empty(fixtures::usual());
    w.pool().quote(w.network(), 0xffff_ffff_ffff_ffff);
    abort
}

// === How much it takes ===

#[test]
fun a_pool_knows_what_its_members_weigh() {
    let mut w = fixtures::world();
    assert!(w.pool().bonded() == 7 * fixtures::stake() && w.pool().spoken_for() == 0);
    w.revoke(0, 1);
    w.weigh(0);
    assert!(w.pool().bonded() == 6 * fixtures::stake());
    w.end();
}

#[test]
fun a_task_speaks_for_its_locks_until_it_is_settled() {
    let (mut w, mut task) = fixtures::world().running();
    assert!(w.pool().spoken_for() == params::task_locks(w.network().params()));
    assert!(w.pool().spoken_for() == 2 * fixtures::lock());
    w.advance(&mut task);
    w.settle(&mut task);
    assert!(w.pool().spoken_for() == 0);
    w.end_of(task);
}

#[test, expected_failure(abort_code = pool::EPoolBusy)]
fun a_pool_takes_no_more_than_half_of_its_stake_can_audit() {
    let mut w = fixtures::world();
    let (network, pool, _, _, _, _, _, _) = w.all();
    let p = *network.params();
    // 70 of 140 SUI, two for each task
    35u64.do!(|_| pool.speak_for(&p));
    assert!(pool.spoken_for() == pool.bonded() / 2);
    pool.speak_for(&p);
    abort
}

// === Whose it is ===

#[test, expected_failure(abort_code = pool::EWrongNetwork)]
fun a_pool_of_another_network_is_refused() {
    let (w, other, _c) = fixtures::empty(fixtures::usual()).another_network();
    w.pool().check_network(&other);
    abort
}

#[test, expected_failure(abort_code = pool::EWrongNetwork)]
fun a_pool_of_another_network_is_not_migrated() {
    let (mut w, other, _c) = fixtures::empty(fixtures::usual()).another_network();
    let (_, pool, _, _, _, _, _, _) = w.all();
    pool.migrate(&other);
    abort
}

#[test, expected_failure(abort_code = pool::EWrongVersion)]
fun a_pool_of_this_version_is_not_migrated() {
    let mut w = fixtures::empty(fixtures::usual());
    let (network, pool, _, _, _, _, _, _) = w.all();
    pool.migrate(network);
    abort
}

#[test, expected_failure(abort_code = pool::ENoSuchMember)]
fun a_slot_that_nobody_holds_has_no_record() {
    let w = fixtures::empty(fixtures::usual());
    w.pool().member(3);
    abort
}

#[test]
fun a_mask_allows_the_kinds_whose_bits_it_has() {
    assert!(pool::allows(0, 0) == false && pool::allows(1, 0) && pool::allows(10, 3) && !pool::allows(10, 2));
    assert!(pool::allows(1u64 << 63, 63) && !pool::allows(0xffff_ffff_ffff_ffff, 64));
}
