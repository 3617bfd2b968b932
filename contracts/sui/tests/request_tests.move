#[test_only]
module enclavia::request_tests;

use enclavia::fixtures::{Self, World};
use enclavia::network;
use enclavia::pool;
use enclavia::request::{Self, Request};
use enclavia::task::{Self, Task};

const ORIGIN: address = @0x0dacc;
const TTL: u64 = 60_000;

fun quote(w: &World): u64 { w.pool().quote(w.network(), 0) }

/// A request of a contract in which @0x9e is the requester; the sender is somebody else.
fun create(w: &mut World, amount: u64, ttl_ms: u64): address {
    let payment = w.coin(amount);
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    request::create(network, pool, payment, 0, fixtures::requester(), ORIGIN, ttl_ms, clock, ctx)
}

fun requested(extra: u64): (World, Request) {
    let mut w = fixtures::world().next(fixtures::stranger());
    let amount = quote(&w) + extra;
    let at = create(&mut w, amount, TTL);
    let mut w = w.next(fixtures::stranger());
    let request: Request = w.scenario().take_shared();
    assert!(object::id_address(&request) == at);
    (w, request)
}

fun open(w: &mut World, request: Request) {
    let (network, pool, roster, _, _, clock, random, ctx) = w.all();
    task::open_request(request, network, pool, roster, random, clock, ctx);
}

fun cancel(w: &mut World, request: Request) {
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    request::cancel(request, network, clock, ctx);
}

#[test]
fun a_request_is_what_it_was_created_as() {
    let (w, request) = requested(9);
    assert!(request.requester() == fixtures::requester() && request.origin() == ORIGIN);
    assert!(request.payment() == quote(&w) + 9);
    sui::test_scenario::return_shared(request);
    w.end();
}

#[test]
fun anybody_opens_the_task_of_a_request_and_the_change_goes_to_the_requester() {
    let (mut w, request) = requested(9);
    open(&mut w, request);
    let mut w = w.next(fixtures::requester());
    assert!(w.received() == 9);
    let task: Task = w.scenario().take_shared();
    assert!(task.requester() == fixtures::requester() && task.origin() == ORIGIN && task.escrow() == quote(&w));
    w.end_of(task);
}

/// An empty coin, rather than a branch before the draw.
#[test]
fun a_request_that_pays_exactly_opens_its_task_too() {
    let (mut w, request) = requested(0);
    open(&mut w, request);
    let mut w = w.next(fixtures::requester());
    assert!(w.received() == 0);
    w.end();
}

#[test]
fun the_requester_cancels_at_any_time() {
    let (w, request) = requested(0);
    let mut w = w.next(fixtures::requester());
    let amount = quote(&w);
    cancel(&mut w, request);
    let mut w = w.next(fixtures::requester());
    assert!(w.received() == amount);
    w.end();
}

#[test]
fun anybody_cancels_what_has_expired_and_the_requester_is_paid() {
    let (mut w, request) = requested(0);
    w.pass(TTL);
    cancel(&mut w, request);
    let mut w = w.next(fixtures::requester());
    let amount = quote(&w);
    assert!(w.received() == amount);
    w.end();
}

#[test, expected_failure(abort_code = request::ENotRequester)]
fun somebody_else_does_not_cancel_before_it_expires() {
    let (mut w, request) = requested(0);
    w.pass(TTL - 1);
    cancel(&mut w, request);
    abort
}

#[test, expected_failure(abort_code = request::EWrongPool)]
fun a_request_is_not_cancelled_by_another_network() {
    let (mut w, request) = requested(0);
    w.pass(TTL);
    let (mut w, other, _c) = w.another_network();
    let (_, _, _, _, _, clock, _, ctx) = w.all();
    request::cancel(request, &other, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = request::EWrongPool)]
fun a_request_does_not_open_a_task_in_another_pool() {
    let (w, request) = requested(0);
    let (mut w, other, roster, _q) = w.another_pool();
    let (network, _, _, _, _, clock, random, ctx) = w.all();
    task::open_request(request, network, &other, &roster, random, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = request::EExpired)]
fun a_request_that_has_expired_opens_no_task() {
    let (mut w, request) = requested(0);
    w.pass(TTL);
    open(&mut w, request);
    abort
}

#[test, expected_failure(abort_code = request::EPaymentTooSmall)]
fun less_than_the_quote_is_refused() {
    let mut w = fixtures::world();
    let amount = quote(&w) - 1;
    create(&mut w, amount, TTL);
    abort
}

#[test, expected_failure(abort_code = request::EPaymentTooSmall)]
fun a_request_that_pays_too_little_by_now_opens_no_task() {
    let (mut w, request) = requested(0);
    let (network, pool, _, _, cap, clock, _, _) = w.all();
    pool.propose_prices(network, cap, fixtures::price() + 1, fixtures::auditor_fee(), fixtures::reservation_fee(), clock);
    w.pass(fixtures::timelock());
    let (network, pool, _, _, _, clock, _, _) = w.all();
    pool.apply_prices(network, clock);
    open(&mut w, request);
    abort
}

#[test]
fun a_request_lives_a_second_or_thirty_days() {
    let mut w = fixtures::world();
    let amount = quote(&w);
    create(&mut w, amount, 1_000);
    create(&mut w, amount, 2_592_000_000);
    w.end();
}

#[test, expected_failure(abort_code = request::EBadTtl)]
fun less_than_a_second_is_too_short() {
    let mut w = fixtures::world();
    let amount = quote(&w);
    create(&mut w, amount, 999);
    abort
}

#[test, expected_failure(abort_code = request::EBadTtl)]
fun more_than_thirty_days_is_too_long() {
    let mut w = fixtures::world();
    let amount = quote(&w);
    create(&mut w, amount, 2_592_000_001);
    abort
}

#[test, expected_failure(abort_code = pool::EWrongNetwork)]
fun a_request_is_not_created_on_another_network() {
    let (mut w, other, _c) = fixtures::world().another_network();
    let amount = quote(&w);
    let payment = w.coin(amount);
    let (_, pool, _, _, _, clock, _, ctx) = w.all();
    request::create(&other, pool, payment, 0, fixtures::requester(), ORIGIN, TTL, clock, ctx);
    abort
}

#[test, expected_failure(abort_code = network::EPaused)]
fun a_pause_keeps_requests_from_becoming_tasks() {
    let (mut w, request) = requested(0);
    let (network, _, _, _, cap, _, _, _) = w.all();
    network.set_paused(cap, true);
    open(&mut w, request);
    abort
}
