#[test_only]
module enclavia::roster_tests;

use enclavia::fixtures;
use enclavia::roster;

fun unlaunched(): fixtures::World { fixtures::empty(fixtures::usual()) }

/// As if the members in these slots weighed so much.
fun queued(changes: vector<vector<u64>>): fixtures::World {
    let mut w = unlaunched();
    let (_, _, _, queue, _, _, _, _) = w.all();
    changes.do!(|change| roster::enqueue(queue, change[0], change[1]));
    w
}

fun launch(w: &mut fixtures::World) {
    let (network, _, roster, queue, cap, clock, _, _) = w.all();
    roster.launch(queue, network, cap, clock);
}

#[test]
fun a_roster_is_of_its_pool_and_empty() {
    let w = unlaunched();
    let r = w.roster();
    assert!(r.pool() == w.pool().address_of() && r.network() == w.network().address_of());
    assert!(w.pool().roster() == r.address_of() && w.pool().queue() == w.queue().queue_address());
    assert!(r.depth() == 4 && r.period() == 0 && r.period_ends() == 0 && r.positive() == 0 && r.total() == 0);
    assert!(w.queue().waiting() == 0);
    w.end();
}

#[test]
fun a_launch_starts_the_first_period_with_who_has_joined() {
    let mut w = queued(vector[vector[2, 7], vector[3, 1]]);
    launch(&mut w);
    let r = w.roster();
    assert!(r.period() == 1 && r.period_ends() == fixtures::period());
    assert!(r.positive() == 2 && r.total() == 8 && r.weight_of(2) == 7 && r.weight_of(3) == 1 && r.weight_of(0) == 0);
    w.end();
}

#[test]
fun a_later_change_of_a_slot_replaces_the_one_that_waits() {
    let mut w = queued(vector[vector[2, 7], vector[3, 1], vector[2, 5]]);
    assert!(w.queue().waiting() == 2);
    launch(&mut w);
    assert!(w.roster().total() == 6);
    w.end();
}

#[test]
fun a_change_counts_from_the_next_period_on() {
    let mut w = queued(vector[vector[2, 7]]);
    launch(&mut w);
    let (_, _, _, queue, _, _, _, _) = w.all();
    roster::enqueue(queue, 2, 0);
    roster::enqueue(queue, 4, 9);
    assert!(w.roster().total() == 7);
    w.roll();
    let r = w.roster();
    assert!(r.period() == 2 && r.positive() == 1 && r.total() == 9 && r.weight_of(2) == 0 && r.weight_of(4) == 9);
    w.end();
}

#[test]
fun the_smallest_is_who_weighs_least_of_those_who_weigh() {
    let mut w = queued(vector[vector[2, 7], vector[3, 5], vector[4, 6]]);
    assert!(w.roster().smallest() == 0xffff_ffff_ffff_ffff);
    launch(&mut w);
    assert!(w.roster().smallest() == 5);
    w.end();
}

#[test]
fun draws_of_a_roster_are_of_who_weighs() {
    let mut w = queued(vector[vector[2, 7], vector[3, 5]]);
    launch(&mut w);
    let seed = fixtures::key();
    let drawn = w.roster().draw_without(&seed, 3, vector[]);
    assert!(drawn == vector[2, 3, 0xffff_ffff_ffff_ffff] || drawn == vector[3, 2, 0xffff_ffff_ffff_ffff]);
    assert!(w.roster().draw_with(&seed, 3, vector[2]) == vector[3, 3, 3]);
    w.end();
}

/// Bounded work: a queue of more than one batch is worked off before the next period starts.
#[test]
fun a_long_queue_is_applied_in_batches() {
    let mut w = fixtures::empty(fixtures::usual().of_depth(8));
    let (_, _, _, queue, _, _, _, _) = w.all();
    200u64.do!(|slot| roster::enqueue(queue, slot, slot + 1));
    launch(&mut w);
    assert!(w.roster().positive() == 128 && w.roster().period() == 1 && w.roster().period_ends() == w.now());
    assert!(w.queue().waiting() == 72);
    let (network, _, roster, queue, _, clock, _, _) = w.all();
    roster.roll_period(queue, network, clock);
    assert!(roster.positive() == 200 && roster.total() == 200 * 201 / 2 && roster.period() == 2);
    assert!(roster.period_ends() == fixtures::period());
    w.end();
}

#[test, expected_failure(abort_code = roster::EPeriodNotOver)]
fun a_roster_rolls_only_at_the_period_end() {
    let mut w = queued(vector[vector[2, 7]]);
    launch(&mut w);
    w.pass(fixtures::period() - 1);
    let (network, _, roster, queue, _, clock, _, _) = w.all();
    roster.roll_period(queue, network, clock);
    abort
}

#[test, expected_failure(abort_code = roster::EPeriodNotOver)]
fun a_roster_that_was_not_launched_does_not_roll() {
    let mut w = unlaunched();
    w.pass(10 * fixtures::period());
    let (network, _, roster, queue, _, clock, _, _) = w.all();
    roster.roll_period(queue, network, clock);
    abort
}

#[test, expected_failure(abort_code = roster::ELaunched)]
fun a_roster_is_launched_once() {
    let mut w = unlaunched();
    launch(&mut w);
    launch(&mut w);
    abort
}

#[test, expected_failure(abort_code = roster::EWrongQueue)]
fun the_queue_of_another_roster_is_not_applied() {
    let (mut w, _p, _r, mut other) = unlaunched().another_pool();
    let (network, _, roster, _, cap, clock, _, _) = w.all();
    roster.launch(&mut other, network, cap, clock);
    abort
}

#[test, expected_failure(abort_code = roster::EWrongQueue)]
fun a_roster_of_another_network_is_not_launched() {
    let (mut w, other, cap) = unlaunched().another_network();
    let (_, _, roster, queue, _, clock, _, _) = w.all();
    roster.launch(queue, &other, &cap, clock);
    abort
}

#[test, expected_failure(abort_code = roster::EWrongQueue)]
fun a_roster_of_another_network_does_not_roll() {
    let (mut w, other, _c) = fixtures::world().another_network();
    let (_, _, roster, queue, _, clock, _, _) = w.all();
    roster.roll_period(queue, &other, clock);
    abort
}

#[test, expected_failure(abort_code = roster::EWrongVersion)]
fun a_roster_of_this_version_is_not_migrated() {
    let mut w = unlaunched();
    let (network, _, roster, queue, _, _, _, _) = w.all();
    roster.migrate(queue, network);
    abort
}

#[test, expected_failure(abort_code = roster::EWrongQueue)]
fun a_roster_is_not_migrated_with_the_queue_of_another() {
    let (mut w, _p, _r, mut other) = unlaunched().another_pool();
    let (network, _, roster, _, _, _, _, _) = w.all();
    roster.migrate(&mut other, network);
    abort
}

#[test, expected_failure(abort_code = roster::EBadDepth)]
fun a_roster_of_one_slot_is_refused() { fixtures::empty(fixtures::usual().of_depth(0)).end() }

#[test, expected_failure(abort_code = roster::EBadDepth)]
fun a_roster_of_more_than_4096_slots_is_refused() { fixtures::empty(fixtures::usual().of_depth(13)).end() }

#[test]
fun a_roster_of_two_slots_is_allowed() { fixtures::empty(fixtures::usual().of_depth(1)).end() }

#[test]
fun a_roster_of_4096_slots_is_allowed() { fixtures::empty(fixtures::usual().of_depth(12)).end() }
