/// Members of a Pool: joining, stake, leaving, fees. One operator has one slot; the owner's cap alone moves stake out.
module enclavia::member;

use enclavia::network::Network;
use enclavia::params;
use enclavia::pool::Pool;
use enclavia::record::{Self, Member};
use enclavia::roster::{Self, Roster, RosterQueue};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::event;
use sui::sui::SUI;

/// Less than `min_stake`, or than the one to be replaced has.
const EStakeTooSmall: u64 = 1;
/// The cap is of another node.
const ENotYourNode: u64 = 2;
/// Stake still backs a task: end outstanding duties first.
const EStakeLocked: u64 = 3;
/// The unbonding time is not over, or nothing is unbonding.
const EUnbonding: u64 = 4;
/// The node is leaving already.
const ELeaving: u64 = 5;
/// All slots are taken: `replace` the member with the smallest weight.
const EPoolFull: u64 = 6;
/// The queue is of another Pool.
const EWrongQueue: u64 = 7;
/// This operator has a slot already: deposit more stake instead.
const EOperatorTaken: u64 = 8;
/// Somebody else in the Roster weighs less.
const ENotSmallest: u64 = 9;
/// There are free slots: `register`.
const EPoolNotFull: u64 = 10;
/// Money is left in the record, the node has not left, or its slot still weighs in draws.
const ENotEmpty: u64 = 11;
/// The node is not jailed.
const ENotJailed: u64 = 12;
/// Not yet: read `jailed_until`.
const EStillJailed: u64 = 13;
/// The Roster is of another Pool.
const EWrongRoster: u64 = 14;

/// Who takes another's slot stakes more than it, by so many basis points: else two could replace each other for nothing.
const OUTBID_BPS: u64 = 1_000;

/// Cold: stake and fees.
public struct NodeOwnerCap has key, store { id: UID, pool: address, node: address, slot: u64 }
/// Hot: acts, cannot withdraw.
public struct NodeOperatorCap has key, store { id: UID, pool: address, node: address, slot: u64 }

public struct NodeRegistered has copy, drop { pool: address, node: address, slot: u64, operator: address, stake: u64 }
public struct Replaced has copy, drop { pool: address, node: address, slot: u64, by: address }
public struct Deposited has copy, drop { pool: address, node: address, slot: u64, amount: u64, stake: u64 }
public struct Unbonding has copy, drop { pool: address, node: address, slot: u64, amount: u64, until: u64 }
public struct Withdrawn has copy, drop { pool: address, node: address, slot: u64, amount: u64 }
public struct WeightQueued has copy, drop { pool: address, node: address, slot: u64, weight: u64 }
public struct Leaving has copy, drop { pool: address, node: address, slot: u64, until: u64 }
public struct Retired has copy, drop { pool: address, node: address, slot: u64 }
public struct FeesClaimed has copy, drop { pool: address, node: address, slot: u64, amount: u64, owed: u64 }
public struct Unjailed has copy, drop { pool: address, node: address, slot: u64 }

// === Joining ===

/// Stakes a new node of the sender's; it can be drawn once attested, queued by `update_weight`, and the period has rolled.
public fun register(
    pool: &mut Pool, network: &Network, stake: Coin<SUI>, clock: &Clock, ctx: &mut TxContext,
): (NodeOwnerCap, NodeOperatorCap) {
    pool.check_network(network);
    assert!(stake.value() >= network.params().min_stake(), EStakeTooSmall);
    let mut slot = pool.take_slot();
    assert!(slot.is_some(), EPoolFull);
    seat(pool, slot.extract(), stake, network.now(clock), ctx)
}

/// Takes the slot of the member that weighs least in a full Pool: dust cannot keep stake out. Whoever held it leaves, and
/// withdraws after unbonding. The newcomer is not drawn by the weight of the one before: it counts from the next period.
public fun replace(
    pool: &mut Pool,
    network: &Network,
    roster: &Roster,
    queue: &mut RosterQueue,
    slot: u64,
    stake: Coin<SUI>,
    clock: &Clock,
    ctx: &mut TxContext,
): (NodeOwnerCap, NodeOperatorCap) {
    pool.check_network(network);
    assert!(pool.roster() == roster.address_of(), EWrongRoster);
    assert!(pool.queue() == queue.queue_address(), EWrongQueue);
    roster.check_version();
    assert!(pool.is_full(), EPoolNotFull);
    let now = network.now(clock);
    // a newcomer weighs nothing yet, and may not be outbid before it could
    let settled = now > pool.member(slot).joined_at() + 2 * network.params().period_ms();
    assert!(roster.weight_of(slot) <= roster.smallest() && (roster.weight_of(slot) > 0 || settled), ENotSmallest);
    let held = pool.member(slot).stake();
    assert!(stake.value() >= network.params().min_stake(), EStakeTooSmall);
    assert!(stake.value() > held + params::share(held, OUTBID_BPS), EStakeTooSmall);
    pool.set_weight(slot, 0);
    let mut member = pool.remove(slot);
    assert!(member.locked() == 0, EStakeLocked);
    if (member.leaving_at() == 0) member.set_leaving_at(started(now));
    let node = member.node();
    pool.put_departed(member);
    let later = if (roster.period_ends() > now) roster.period_ends() else now;
    let (owner, operator) = seat(pool, slot, stake, later + 1, ctx);
    queue_weight(pool, queue, slot, 0);
    event::emit(Replaced { pool: pool.address_of(), node, slot, by: owner.node });
    (owner, operator)
}

fun seat(
    pool: &mut Pool, slot: u64, stake: Coin<SUI>, joined_at: u64, ctx: &mut TxContext,
): (NodeOwnerCap, NodeOperatorCap) {
    let operator = ctx.sender();
    assert!(!pool.has_operator(operator), EOperatorTaken);
    let at = pool.address_of();
    let id = object::new(ctx);
    let node = object::uid_to_address(&id);
    event::emit(NodeRegistered { pool: at, node, slot, operator, stake: stake.value() });
    pool.put(record::new(node, slot, operator, stake.into_balance(), joined_at));
    (NodeOwnerCap { id, pool: at, node, slot }, NodeOperatorCap { id: object::new(ctx), pool: at, node, slot })
}

/// Adds stake to a member; anybody may. It counts in draws after `update_weight` and the next period.
public fun deposit(pool: &mut Pool, slot: u64, coin: Coin<SUI>) {
    pool.check_version();
    let at = pool.address_of();
    let amount = coin.value();
    let member = pool.member_mut(slot);
    member.stake_mut().join(coin.into_balance());
    event::emit(Deposited { pool: at, node: member.node(), slot, amount, stake: member.stake() });
}

/// Queues the weight that a member's stake gives it now; anybody may, so a slashed stake cannot keep its weight.
public fun update_weight(pool: &mut Pool, network: &Network, queue: &mut RosterQueue, slot: u64, _clock: &Clock) {
    pool.check_network(network);
    let min_stake = network.params().min_stake();
    queue_weight(pool, queue, slot, min_stake)
}

fun queue_weight(pool: &mut Pool, queue: &mut RosterQueue, slot: u64, min_stake: u64) {
    assert!(queue.queue_address() == pool.queue(), EWrongQueue);
    let at = pool.address_of();
    let member = pool.member_mut(slot);
    let stake = member.stake();
    let out = member.leaving_at() > 0 || member.jailed_until() > 0 || member.current().epoch() == 0 || stake < min_stake;
    let weight = if (out) 0 else stake;
    event::emit(WeightQueued { pool: at, node: member.node(), slot, weight });
    pool.set_weight(slot, weight);
    roster::enqueue(queue, slot, weight);
}

/// Lets a jailed node be drawn again once its time is over; `update_weight` puts it back into the Roster.
public fun unjail(pool: &mut Pool, network: &Network, cap: &NodeOperatorCap, clock: &Clock) {
    pool.check_network(network);
    let now = network.now(clock);
    let at = pool.address_of();
    let member = acting(pool, cap);
    assert!(member.jailed_until() > 0, ENotJailed);
    assert!(now >= member.jailed_until(), EStillJailed);
    member.unjail();
    event::emit(Unjailed { pool: at, node: member.node(), slot: member.slot() });
}

// === Leaving ===

/// Takes part of the stake out of the draws, and out after `unbonding_ms`; a second call before that starts the time anew for both.
public fun unbond(
    pool: &mut Pool, network: &Network, queue: &mut RosterQueue, cap: &NodeOwnerCap, amount: u64, clock: &Clock,
) {
    pool.check_network(network);
    let until = network.now(clock) + network.params().unbonding_ms();
    let min_stake = network.params().min_stake();
    let at = pool.address_of();
    let member = owned(pool, cap);
    assert!(member.leaving_at() == 0, ELeaving);
    let stake = member.stake();
    assert!(stake >= amount && stake - amount >= min_stake, EStakeTooSmall);
    assert!(stake - amount >= member.locked(), EStakeLocked);
    let part = member.stake_mut().split(amount);
    member.unbonding_mut().join(part);
    member.set_unbonding_at(until);
    event::emit(Unbonding { pool: at, node: member.node(), slot: member.slot(), amount, until });
    queue_weight(pool, queue, cap.slot, min_stake);
}

/// What was unbonded, once its time is over.
public fun withdraw_unbonded(
    pool: &mut Pool, network: &Network, cap: &NodeOwnerCap, clock: &Clock, ctx: &mut TxContext,
): Coin<SUI> {
    pool.check_network(network);
    let now = network.now(clock);
    let at = pool.address_of();
    let member = owned(pool, cap);
    assert!(member.unbonding() > 0 && now >= member.unbonding_at(), EUnbonding);
    let part = member.unbonding_mut().withdraw_all();
    event::emit(Withdrawn { pool: at, node: member.node(), slot: member.slot(), amount: part.value() });
    coin::from_balance(part, ctx)
}

/// Begins to leave: no new task from now on, out of the draws from the next period, stake back after unbonding.
/// Duties under way go on, and the stake stays slashable for them.
public fun leave(pool: &mut Pool, network: &Network, queue: &mut RosterQueue, cap: &NodeOwnerCap, clock: &Clock) {
    pool.check_network(network);
    let now = network.now(clock);
    let until = now + network.params().unbonding_ms();
    let at = pool.address_of();
    let member = owned(pool, cap);
    assert!(member.leaving_at() == 0, ELeaving);
    member.set_leaving_at(started(now));
    let slot = member.slot();
    event::emit(Leaving { pool: at, node: member.node(), slot, until });
    queue_weight(pool, queue, slot, 0);
}

/// The whole stake, once unbonding is over and no task is backed by it. `claim_fees` and `retire` end the rest.
public fun withdraw(
    pool: &mut Pool, network: &Network, cap: &NodeOwnerCap, clock: &Clock, ctx: &mut TxContext,
): Coin<SUI> {
    pool.check_network(network);
    let now = network.now(clock);
    let unbonding = network.params().unbonding_ms();
    let at = pool.address_of();
    let member = owned(pool, cap);
    assert!(member.leaving_at() > 0 && now >= member.leaving_at() + unbonding, EUnbonding);
    assert!(member.unbonding() == 0 || now >= member.unbonding_at(), EUnbonding);
    assert!(member.locked() == 0, EStakeLocked);
    let mut all = member.stake_mut().withdraw_all();
    all.join(member.unbonding_mut().withdraw_all());
    event::emit(Withdrawn { pool: at, node: member.node(), slot: member.slot(), amount: all.value() });
    coin::from_balance(all, ctx)
}

/// Ends a record without money, and gives its slot back.
public fun retire(pool: &mut Pool, network: &Network, roster: &Roster, cap: NodeOwnerCap) {
    pool.check_network(network);
    assert!(pool.roster() == roster.address_of(), EWrongRoster);
    let member = owned(pool, &cap);
    let empty = member.stake() == 0 && member.unbonding() == 0 && member.fees() == 0 && member.fees_owed() == 0;
    assert!(empty && member.leaving_at() > 0 && member.locked() == 0, ENotEmpty);
    let NodeOwnerCap { id, pool: at, node, slot } = cap;
    let gone = if (pool.is_departed(node)) {
        pool.remove_departed(node)
    } else {
        // whoever comes next must not be drawn by this one's weight
        assert!(roster.weight_of(slot) == 0, ENotEmpty);
        pool.give_slot(slot);
        pool.remove(slot)
    };
    record::destroy(gone);
    id.delete();
    event::emit(Retired { pool: at, node, slot });
}

/// What a node has earned. Fees owed are paid first, as far as the audit fund reaches.
public fun claim_fees(pool: &mut Pool, cap: &NodeOwnerCap, ctx: &mut TxContext): Coin<SUI> {
    let owed = owned(pool, cap).fees_owed();
    let part = pool.redeem(owed);
    let at = pool.address_of();
    let member = owned(pool, cap);
    let left = owed - part.value();
    member.set_fees_owed(left);
    let mut fees = member.fees_mut().withdraw_all();
    fees.join(part);
    event::emit(FeesClaimed { pool: at, node: member.node(), slot: member.slot(), amount: fees.value(), owed: left });
    coin::from_balance(fees, ctx)
}

// === Caps ===

/// 0 means "not leaving".
fun started(now: u64): u64 { if (now == 0) 1 else now }

public(package) fun acting(pool: &mut Pool, cap: &NodeOperatorCap): &mut Member {
    pool.check_pool(cap.pool);
    let member = pool.member_mut(cap.slot);
    assert!(member.node() == cap.node, ENotYourNode);
    member
}

fun owned(pool: &mut Pool, cap: &NodeOwnerCap): &mut Member {
    pool.check_pool(cap.pool);
    if (pool.is_departed(cap.node)) return pool.departed_mut(cap.node);
    let member = pool.member_mut(cap.slot);
    assert!(member.node() == cap.node, ENotYourNode);
    member
}

public fun operator_node(cap: &NodeOperatorCap): address { cap.node }
public fun operator_slot(cap: &NodeOperatorCap): u64 { cap.slot }
public fun owner_node(cap: &NodeOwnerCap): address { cap.node }
