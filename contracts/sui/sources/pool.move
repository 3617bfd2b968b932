/// A Pool: one workload class, its prices, its money, and its members' records (dynamic fields, key = slot).
/// A member's stake never leaves its record but by its owner's cap and by a slash; what is locked backs a task under way.
module enclavia::pool;

use enclavia::network::{Self, AdminCap, Network, Pending};
use enclavia::params::{Self, Params};
use enclavia::record::Member;
use enclavia::roster;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::dynamic_field as df;
use sui::event;
use sui::sui::SUI;

/// The Pool is of another Network.
const EWrongNetwork: u64 = 1;
/// The cap or the object is of another Pool.
const EWrongPool: u64 = 2;
/// No member has this slot.
const ENoSuchMember: u64 = 3;
/// The price is above `max_price`, the reservation fee is not above the bounty, or the auditors' fees of a dispute exceed an auditor's
/// lock or the delivery bond.
const EBadPrices: u64 = 4;
/// Not yet: what was proposed takes effect after `timelock_ms`.
const ETimelocked: u64 = 5;
/// Nothing of the kind is proposed.
const ENothingProposed: u64 = 6;
/// The treasury does not hold as much.
const ETreasuryTooSmall: u64 = 7;
/// A manifest's hash has 32 bytes.
const EBadKey: u64 = 8;
/// No audit deters a lie about that much value: lower it, or use a Pool with a greater lock.
const EValueTooHigh: u64 = 9;
/// The Pool was made by another version of this package: call `migrate`, or the newer package.
const EWrongVersion: u64 = 10;
/// The Pool has as many tasks as it could audit: wait for some to settle, or for more stake.
const EPoolBusy: u64 = 11;

/// A dispute and the one after it, with twice the seats.
const DISPUTE_FACTOR: u64 = 3;

public struct Prices has copy, drop, store { price: u64, auditor_fee: u64, reservation_fee: u64 }
public struct Withdrawal has copy, drop, store { amount: u64, to: address }

public struct Pool has key {
    id: UID,
    version: u64,
    network: address,
    roster: address,
    queue: address,
    manifest: vector<u8>,
    tee_mask: u64,
    prices: Prices,
    /// Sum of the weights that members have queued.
    bonded: u64,
    /// What the tasks under way lock, and would lock if all of them were audited.
    spoken_for: u64,
    slots: u64,
    next_slot: u64,
    /// Slots given back.
    free: vector<u64>,
    fees_owed: u64,
    treasury: Balance<SUI>,
    audit_fund: Balance<SUI>,
    burnt: Balance<SUI>,
    next_prices: Pending<Prices>,
    next_withdrawal: Pending<Withdrawal>,
}

/// Key of the record of a member whose slot another has taken.
public struct Departed has copy, drop, store { node: address }
/// Key of an operator's slot: one operator has one slot in a Pool.
public struct OperatorKey has copy, drop, store { operator: address }

public struct PoolCreated has copy, drop {
    pool: address, network: address, roster: address, queue: address, manifest: vector<u8>, tee_mask: u64, price: u64,
    auditor_fee: u64, reservation_fee: u64,
}
public struct PricesProposed has copy, drop {
    pool: address, price: u64, auditor_fee: u64, reservation_fee: u64, at: u64,
}
public struct PricesChanged has copy, drop { pool: address, price: u64, auditor_fee: u64, reservation_fee: u64 }
public struct WithdrawalProposed has copy, drop { pool: address, amount: u64, to: address, at: u64 }
public struct TreasuryWithdrawn has copy, drop { pool: address, amount: u64, to: address }
public struct AuditsFunded has copy, drop { pool: address, amount: u64 }
public struct Slashed has copy, drop {
    pool: address, task: address, node: address, slot: u64, amount: u64, reason: u8,
}
public struct Paid has copy, drop {
    pool: address, task: address, node: address, slot: u64, amount: u64, owed: u64,
}
public struct Jailed has copy, drop { pool: address, node: address, slot: u64, until: u64 }

// === The Pool ===

/// Shares a Pool with its Roster of 2^depth slots and its queue. `manifest` is the 32-byte hash of the workload manifest.
public fun create(
    network: &Network,
    cap: &AdminCap,
    manifest: vector<u8>,
    tee_mask: u64,
    price: u64,
    auditor_fee: u64,
    reservation_fee: u64,
    depth: u8,
    _clock: &Clock,
    ctx: &mut TxContext,
) {
    network.check_admin(cap);
    assert!(manifest.length() == 32, EBadKey);
    let prices = Prices { price, auditor_fee, reservation_fee };
    check_prices(network.params(), &prices);
    let id = object::new(ctx);
    let at = object::uid_to_address(&id);
    let (roster, queue) = roster::create(network.address_of(), at, depth, ctx);
    event::emit(PoolCreated {
        pool: at, network: network.address_of(), roster, queue, manifest, tee_mask, price, auditor_fee, reservation_fee,
    });
    transfer::share_object(Pool {
        id,
        version: network::version(),
        network: network.address_of(),
        roster,
        queue,
        manifest,
        tee_mask,
        prices,
        bonded: 0,
        spoken_for: 0,
        slots: 1u64 << depth,
        next_slot: 0,
        free: vector[],
        fees_owed: 0,
        treasury: balance::zero(),
        audit_fund: balance::zero(),
        burnt: balance::zero(),
        next_prices: network::nothing(),
        next_withdrawal: network::nothing(),
    });
}

/// Proposes prices for tasks opened after the timelock.
public fun propose_prices(
    pool: &mut Pool, network: &Network, cap: &AdminCap, price: u64, auditor_fee: u64, reservation_fee: u64, clock: &Clock,
) {
    check_network(pool, network);
    network.check_admin(cap);
    let prices = Prices { price, auditor_fee, reservation_fee };
    check_prices(network.params(), &prices);
    let at = network.now(clock) + network.params().timelock_ms();
    pool.next_prices = network::pending(prices, at);
    event::emit(PricesProposed { pool: address_of(pool), price, auditor_fee, reservation_fee, at });
}

/// Puts proposed prices in force once the timelock is over; anybody may.
public fun apply_prices(pool: &mut Pool, network: &Network, clock: &Clock) {
    check_network(pool, network);
    assert!(pool.next_prices.is_proposed(), ENothingProposed);
    assert!(network.now(clock) >= pool.next_prices.due_at(), ETimelocked);
    let prices = pool.next_prices.taken();
    // the parameters may be others by now
    check_prices(network.params(), &prices);
    pool.prices = prices;
    let Prices { price, auditor_fee, reservation_fee } = prices;
    event::emit(PricesChanged { pool: address_of(pool), price, auditor_fee, reservation_fee });
}

/// Proposes to pay `amount` of the treasury to `to`.
public fun propose_withdrawal(
    pool: &mut Pool, network: &Network, cap: &AdminCap, amount: u64, to: address, clock: &Clock,
) {
    check_network(pool, network);
    network.check_admin(cap);
    let at = network.now(clock) + network.params().timelock_ms();
    pool.next_withdrawal = network::pending(Withdrawal { amount, to }, at);
    event::emit(WithdrawalProposed { pool: address_of(pool), amount, to, at });
}

/// Pays a proposed withdrawal once the timelock is over; anybody may.
public fun apply_withdrawal(pool: &mut Pool, network: &Network, clock: &Clock, ctx: &mut TxContext) {
    check_network(pool, network);
    assert!(pool.next_withdrawal.is_proposed(), ENothingProposed);
    assert!(network.now(clock) >= pool.next_withdrawal.due_at(), ETimelocked);
    let Withdrawal { amount, to } = pool.next_withdrawal.taken();
    assert!(amount <= pool.treasury.value(), ETreasuryTooSmall);
    event::emit(TreasuryWithdrawn { pool: address_of(pool), amount, to });
    transfer::public_transfer(coin::from_balance(pool.treasury.split(amount), ctx), to);
}

/// Raises a Pool to this package's version; anybody may, once the Network is.
public fun migrate(pool: &mut Pool, network: &Network) {
    network.check_version();
    assert!(pool.network == network.address_of(), EWrongNetwork);
    assert!(pool.version < network::version(), EWrongVersion);
    pool.version = network::version();
    network::migrated(address_of(pool));
}

/// Anybody may add to the fund that pays auditors.
public fun fund_audits(pool: &mut Pool, coin: Coin<SUI>) {
    check_version(pool);
    event::emit(AuditsFunded { pool: address_of(pool), amount: coin.value() });
    pool.audit_fund.join(coin.into_balance());
}

fun check_prices(p: &Params, prices: &Prices) {
    assert!(prices.price <= p.max_price() && prices.reservation_fee <= p.max_price(), EBadPrices);
    // else who opens a task and cranks its expiry opens for nothing
    assert!(prices.reservation_fee > p.bounty(), EBadPrices);
    let fees = DISPUTE_FACTOR * p.dispute_seats();
    // who provokes a dispute for nothing loses more than the dispute costs
    assert!(prices.auditor_fee <= p.auditor_lock() / fees && prices.auditor_fee <= p.delivery_bond() / fees, EBadPrices);
}

/// What `open_task` costs now, if `value` is at risk: price, reservation fee, and the expected cost of the audit, rounded up.
public fun quote(pool: &Pool, network: &Network, value: u64): u64 {
    let p = network.params();
    pool.prices.price + pool.prices.reservation_fee
        + premium(audit_probability(pool, p, value), p.auditors(), pool.prices.auditor_fee)
}

/// The audit probability (Q64) of a task with `value` at risk.
public fun audit_probability(pool: &Pool, p: &Params, value: u64): u128 {
    let probability = p.audit_probability_of(pool.prices.price, value);
    assert!(probability <= params::always(), EValueTooHigh);
    probability
}

/// `ceil(p * auditors * fee)`, p in Q64.
public fun premium(probability: u128, auditors: u64, auditor_fee: u64): u64 {
    let cost = (probability as u256) * (auditors as u256) * (auditor_fee as u256);
    ((cost + 0xffff_ffff_ffff_ffff) >> 64) as u64
}

// === Members ===

/// Whether a member could back `lock` more stake, with a TEE of `tee_mask`, until `until` (chain clock, ms), and was the one drawn at `drawn_at`.
/// What a requester asks for (`voluntary`: executions, challenges, disputes of a delivery) leaves the audit reserve alone: nobody can buy away
/// the stake that audits by chance need.
public(package) fun is_eligible(
    pool: &Pool, network: &Network, slot: u64, p: &Params, lock: u64, voluntary: bool, tee_mask: u64, drawn_at: u64,
    until: u64, clock: &Clock,
): bool {
    if (!df::exists_(&pool.id, slot)) return false;
    let member: &Member = df::borrow(&pool.id, slot);
    let record = member.current();
    let stake = member.stake();
    if (record.epoch() == 0 || record.not_after() < until || !allows(pool.tee_mask & tee_mask, record.tee_kind())) return false;
    if (!network.is_in_force(record.policy(), clock)) return false;
    if (member.leaving_at() > 0 || member.jailed_until() > 0 || member.joined_at() > drawn_at) return false;
    if (stake < p.min_stake() || stake < member.locked()) return false;
    if (stake - member.locked() < lock) return false;
    !voluntary || stake - member.backing() >= lock + p.audit_reserve()
}

/// Takes in one task more. No more than could be audited all at once with half of the stake: else whoever fills the Pool with tasks of his
/// own keeps the honest auditors busy, and meets only his own.
public(package) fun speak_for(pool: &mut Pool, p: &Params) {
    pool.spoken_for = pool.spoken_for + p.task_locks();
    assert!(pool.spoken_for <= pool.bonded / 2, EPoolBusy);
}

public(package) fun unspeak(pool: &mut Pool, p: &Params) { pool.spoken_for = pool.spoken_for - p.task_locks(); }

/// Notes that a member's queued weight is `weight` now.
public(package) fun set_weight(pool: &mut Pool, slot: u64, weight: u64) {
    let member = member_mut(pool, slot);
    let before = member.weight();
    member.set_weight(weight);
    pool.bonded = pool.bonded + weight - before;
}

/// Locks stake of a member for a task.
public(package) fun lock(pool: &mut Pool, slot: u64, amount: u64, voluntary: bool) {
    member_mut(pool, slot).lock(amount, voluntary);
}

/// Releases a lock and takes `loss` (at most the lock) of the stake that it held.
public(package) fun unlock(
    pool: &mut Pool, task: address, slot: u64, amount: u64, voluntary: bool, loss: u64, reason: u8,
): Balance<SUI> {
    let at = address_of(pool);
    let member = member_mut(pool, slot);
    member.unlock(amount, voluntary);
    if (loss > 0) event::emit(Slashed { pool: at, task, node: member.node(), slot, amount: loss, reason });
    member.stake_mut().split(loss)
}

/// Counts an absence; the last one allowed jails.
public(package) fun strike(pool: &mut Pool, slot: u64, p: &Params, now: u64) {
    let at = address_of(pool);
    let until = now + p.jail_ms();
    let member = member_mut(pool, slot);
    if (member.strike(p.jail_strikes(), until)) {
        event::emit(Jailed { pool: at, node: member.node(), slot, until });
    }
}

/// Right work takes back a strike.
public(package) fun forgive(pool: &mut Pool, slot: u64) { member_mut(pool, slot).forgive(); }

/// Credits earnings that are here.
public(package) fun pay(pool: &mut Pool, task: address, slot: u64, earned: Balance<SUI>) {
    let at = address_of(pool);
    let member = member_mut(pool, slot);
    event::emit(Paid { pool: at, task, node: member.node(), slot, amount: earned.value(), owed: 0 });
    member.fees_mut().join(earned);
}

/// Pays `amount` from the audit fund; what the fund lacks becomes fees owed. Never aborts for want of money.
public(package) fun pay_from_fund(pool: &mut Pool, task: address, slot: u64, amount: u64) {
    let at = address_of(pool);
    let available = pool.audit_fund.value();
    let paid = if (amount < available) amount else available;
    let earned = pool.audit_fund.split(paid);
    pool.fees_owed = pool.fees_owed + (amount - paid);
    let member = member_mut(pool, slot);
    member.fees_mut().join(earned);
    let owed = member.fees_owed() + (amount - paid);
    member.set_fees_owed(owed);
    event::emit(Paid { pool: at, task, node: member.node(), slot, amount: paid, owed: amount - paid });
}

/// What the audit fund can pay of `owed`.
public(package) fun redeem(pool: &mut Pool, owed: u64): Balance<SUI> {
    let available = pool.audit_fund.value();
    let paid = if (owed < available) owed else available;
    pool.fees_owed = pool.fees_owed - paid;
    pool.audit_fund.split(paid)
}

public(package) fun add_treasury(pool: &mut Pool, amount: Balance<SUI>) { pool.treasury.join(amount); }
public(package) fun add_audit_fund(pool: &mut Pool, amount: Balance<SUI>) { pool.audit_fund.join(amount); }
public(package) fun burn(pool: &mut Pool, amount: Balance<SUI>) { pool.burnt.join(amount); }

/// A slot nobody has, if there is one.
public(package) fun take_slot(pool: &mut Pool): Option<u64> {
    if (!pool.free.is_empty()) return option::some(pool.free.pop_back());
    if (pool.next_slot == pool.slots) return option::none();
    pool.next_slot = pool.next_slot + 1;
    option::some(pool.next_slot - 1)
}

public(package) fun give_slot(pool: &mut Pool, slot: u64) { pool.free.push_back(slot); }
public(package) fun is_full(pool: &Pool): bool { pool.free.is_empty() && pool.next_slot == pool.slots }

public(package) fun has_operator(pool: &Pool, operator: address): bool {
    df::exists_(&pool.id, OperatorKey { operator })
}

public(package) fun put(pool: &mut Pool, member: Member) {
    let slot = member.slot();
    df::add(&mut pool.id, OperatorKey { operator: member.operator() }, slot);
    df::add(&mut pool.id, slot, member);
}

/// Takes a member from its slot. Its operator is free to register again.
public(package) fun remove(pool: &mut Pool, slot: u64): Member {
    assert!(df::exists_(&pool.id, slot), ENoSuchMember);
    let member: Member = df::remove(&mut pool.id, slot);
    let _: u64 = df::remove(&mut pool.id, OperatorKey { operator: member.operator() });
    member
}

public(package) fun put_departed(pool: &mut Pool, member: Member) {
    df::add(&mut pool.id, Departed { node: member.node() }, member);
}

public(package) fun remove_departed(pool: &mut Pool, node: address): Member { df::remove(&mut pool.id, Departed { node }) }

public(package) fun is_departed(pool: &Pool, node: address): bool { df::exists_(&pool.id, Departed { node }) }

public(package) fun departed_mut(pool: &mut Pool, node: address): &mut Member {
    df::borrow_mut(&mut pool.id, Departed { node })
}

public(package) fun member_mut(pool: &mut Pool, slot: u64): &mut Member {
    assert!(df::exists_(&pool.id, slot), ENoSuchMember);
    df::borrow_mut(&mut pool.id, slot)
}

public fun has_member(pool: &Pool, slot: u64): bool { df::exists_(&pool.id, slot) }

public fun member(pool: &Pool, slot: u64): &Member {
    assert!(df::exists_(&pool.id, slot), ENoSuchMember);
    df::borrow(&pool.id, slot)
}

/// The record of a member whose slot another has taken.
public fun departed(pool: &Pool, node: address): &Member { df::borrow(&pool.id, Departed { node }) }

// === Checks ===

public(package) fun check_network(pool: &Pool, network: &Network) {
    check_version(pool);
    assert!(pool.network == network.address_of(), EWrongNetwork);
}

public(package) fun check_version(pool: &Pool) { assert!(pool.version == network::version(), EWrongVersion); }

public(package) fun check_pool(pool: &Pool, of: address) {
    check_version(pool);
    assert!(of == address_of(pool), EWrongPool);
}

public(package) fun allows(mask: u64, kind: u8): bool { kind < 64 && (mask >> kind) & 1 == 1 }

public fun address_of(pool: &Pool): address { object::uid_to_address(&pool.id) }
public fun network(pool: &Pool): address { pool.network }
public fun roster(pool: &Pool): address { pool.roster }
public fun queue(pool: &Pool): address { pool.queue }
public fun manifest(pool: &Pool): vector<u8> { pool.manifest }
public fun tee_mask(pool: &Pool): u64 { pool.tee_mask }
public fun price(pool: &Pool): u64 { pool.prices.price }
public fun auditor_fee(pool: &Pool): u64 { pool.prices.auditor_fee }
public fun reservation_fee(pool: &Pool): u64 { pool.prices.reservation_fee }
public fun bonded(pool: &Pool): u64 { pool.bonded }
public fun spoken_for(pool: &Pool): u64 { pool.spoken_for }
public fun slots(pool: &Pool): u64 { pool.slots }
public fun treasury(pool: &Pool): u64 { pool.treasury.value() }
public fun audit_fund(pool: &Pool): u64 { pool.audit_fund.value() }
public fun burnt(pool: &Pool): u64 { pool.burnt.value() }
public fun fees_owed(pool: &Pool): u64 { pool.fees_owed }
