/// Requests from Move: a contract cannot call a function that takes `&Random`, so it posts a Request, and a second transaction, of
/// anybody, turns it into a task with `task::open_request`. The requester named in it posts the sealed input.
module enclavia::request;

use enclavia::network::{Self, Network};
use enclavia::pool::Pool;
use sui::balance::Balance;
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::event;
use sui::sui::SUI;

/// The request has expired: `cancel` it.
const EExpired: u64 = 1;
/// Only the requester may cancel before it expires.
const ENotRequester: u64 = 2;
/// The request is for another Pool or Network.
const EWrongPool: u64 = 3;
/// Less than the Pool's `quote`.
const EPaymentTooSmall: u64 = 4;
/// A request lives at least a second and at most thirty days.
const EBadTtl: u64 = 5;

const MIN_TTL: u64 = 1_000;
const MAX_TTL: u64 = 2_592_000_000;

public struct Request has key {
    id: UID,
    version: u64,
    network: address,
    pool: address,
    requester: address,
    /// Whoever made it: the contract's object, by which it knows its task again.
    origin: address,
    value: u64,
    payment: Balance<SUI>,
    expires_at: u64,
}

public struct RequestCreated has copy, drop {
    request: address, network: address, pool: address, requester: address, origin: address, value: u64, payment: u64,
    expires_at: u64,
}
public struct RequestCancelled has copy, drop { request: address }

/// Shares a request and returns its address. `requester` posts the input and gets refunds; `payment` covers the `quote`, what exceeds it comes back.
public fun create(
    network: &Network,
    pool: &Pool,
    payment: Coin<SUI>,
    value: u64,
    requester: address,
    origin: address,
    ttl_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): address {
    pool.check_network(network);
    assert!(payment.value() >= pool.quote(network, value), EPaymentTooSmall);
    assert!(ttl_ms >= MIN_TTL && ttl_ms <= MAX_TTL, EBadTtl);
    let request = Request {
        id: object::new(ctx),
        version: network::version(),
        network: network.address_of(),
        pool: pool.address_of(),
        requester,
        origin,
        value,
        payment: payment.into_balance(),
        expires_at: network.now(clock) + ttl_ms,
    };
    let at = object::uid_to_address(&request.id);
    event::emit(RequestCreated {
        request: at, network: request.network, pool: request.pool, requester, origin, value,
        payment: request.payment.value(), expires_at: request.expires_at,
    });
    transfer::share_object(request);
    at
}

/// Gives the payment back: to the requester at his word, or to the requester at anybody's once it has expired.
public fun cancel(request: Request, network: &Network, clock: &Clock, ctx: &mut TxContext) {
    let Request { id, network: of, requester, payment, expires_at, .. } = request;
    assert!(of == network.address_of(), EWrongPool);
    assert!(ctx.sender() == requester || network.now(clock) >= expires_at, ENotRequester);
    event::emit(RequestCancelled { request: object::uid_to_address(&id) });
    transfer::public_transfer(coin::from_balance(payment, ctx), requester);
    id.delete();
}

/// For `task`: ends a request that is still good, and returns (request, requester, origin, value, payment).
public(package) fun open(
    request: Request, network: &Network, pool: &Pool, clock: &Clock,
): (address, address, address, u64, Balance<SUI>) {
    let Request { id, network: of, pool: at, requester, origin, value, payment, expires_at, .. } = request;
    assert!(of == network.address_of() && at == pool.address_of(), EWrongPool);
    assert!(network.now(clock) < expires_at, EExpired);
    // prices may have risen since
    assert!(payment.value() >= pool.quote(network, value), EPaymentTooSmall);
    let address = object::uid_to_address(&id);
    id.delete();
    (address, requester, origin, value, payment)
}

public fun requester(request: &Request): address { request.requester }
public fun origin(request: &Request): address { request.origin }
public fun payment(request: &Request): u64 { request.payment.value() }
