/// Who can be drawn: Fenwick sums of stake, one slot an operator. Cold: written once per period, read by reference.
/// Joins, top-ups and leaves queue, so nobody who knows a task can still change who audits it.
module enclavia::roster;

use enclavia::draw;
use enclavia::network::{Self, AdminCap, Network};
use sui::clock::Clock;
use sui::event;

/// The period is not over, or the Roster was not launched yet.
const EPeriodNotOver: u64 = 1;
/// The queue is of another Roster.
const EWrongQueue: u64 = 2;
/// The Roster or its queue was made by another version of this package.
const EWrongVersion: u64 = 3;
/// A Roster has 2^1 to 2^12 slots.
const EBadDepth: u64 = 4;
/// The Roster is launched already.
const ELaunched: u64 = 5;

/// Changes applied by one `roll_period`: bounded work. The queue holds one change a slot, so it is never full.
const BATCH: u64 = 128;

public struct Roster has key {
    id: UID,
    version: u64,
    network: address,
    pool: address,
    depth: u8,
    period: u64,
    period_ends: u64,
    positive: u64,
    total: u64,
    fen: vector<u64>,
}

public struct Change has copy, drop, store { slot: u64, weight: u64 }

public struct RosterQueue has key { id: UID, version: u64, roster: address, changes: vector<Change> }

public struct PeriodRolled has copy, drop {
    roster: address, pool: address, period: u64, applied: u64, positive: u64, total: u64,
}

/// Shares an empty Roster of 2^depth slots and its queue; returns their addresses.
public(package) fun create(network: address, pool: address, depth: u8, ctx: &mut TxContext): (address, address) {
    assert!(depth >= 1 && depth <= 12, EBadDepth);
    let mut fen = vector[0u64];
    let cap = 1u64 << depth;
    let mut i = 0;
    while (i < cap) { fen.push_back(0); i = i + 1; };
    let roster = Roster {
        id: object::new(ctx), version: network::version(), network, pool, depth, period: 0, period_ends: 0, positive: 0, total: 0,
        fen,
    };
    let at = address_of(&roster);
    let queue = RosterQueue { id: object::new(ctx), version: network::version(), roster: at, changes: vector[] };
    let queue_at = queue_address(&queue);
    transfer::share_object(roster);
    transfer::share_object(queue);
    (at, queue_at)
}

/// Asks for `slot` to weigh `weight` from the next period on. A change of the same slot that still waits is replaced.
public(package) fun enqueue(queue: &mut RosterQueue, slot: u64, weight: u64) {
    assert!(queue.version == network::version(), EWrongVersion);
    let mut i = 0;
    while (i < queue.changes.length()) {
        if (queue.changes[i].slot == slot) {
            (&mut queue.changes[i]).weight = weight;
            return
        };
        i = i + 1;
    };
    queue.changes.push_back(Change { slot, weight });
}

/// Starts the first period with whoever has joined by then: the founding members. Before, nobody can be drawn.
/// (If an empty Roster simply rolled, the first to join would be alone in it for a period.)
public fun launch(
    roster: &mut Roster, queue: &mut RosterQueue, network: &Network, cap: &AdminCap, clock: &Clock,
) {
    network.check_admin(cap);
    assert!(roster.network == network.address_of(), EWrongQueue);
    assert!(roster.period == 0, ELaunched);
    roll(roster, queue, network, clock)
}

/// Applies the queue once the period is over; anybody may call.
public fun roll_period(roster: &mut Roster, queue: &mut RosterQueue, network: &Network, clock: &Clock) {
    assert!(roster.network == network.address_of(), EWrongQueue);
    assert!(roster.period > 0 && network.now(clock) >= roster.period_ends, EPeriodNotOver);
    roll(roster, queue, network, clock)
}

fun roll(roster: &mut Roster, queue: &mut RosterQueue, network: &Network, clock: &Clock) {
    assert!(queue.roster == address_of(roster), EWrongQueue);
    assert!(roster.version == network::version() && queue.version == network::version(), EWrongVersion);
    let now = network.now(clock);
    let mut applied = 0;
    // in order of arrival: the queue cannot starve anybody
    queue.changes.reverse();
    while (applied < BATCH && !queue.changes.is_empty()) {
        let Change { slot, weight } = queue.changes.pop_back();
        let old = draw::weight_of(&roster.fen, roster.depth, slot);
        draw::add(&mut roster.fen, roster.depth, slot, old, weight);
        roster.total = roster.total + weight - old;
        if (old == 0 && weight > 0) roster.positive = roster.positive + 1;
        if (old > 0 && weight == 0) roster.positive = roster.positive - 1;
        applied = applied + 1;
    };
    queue.changes.reverse();
    // a queue longer than one batch is worked off, by more calls, before the next period starts
    if (roster.period == 0 || queue.changes.is_empty()) {
        roster.period = roster.period + 1;
        roster.period_ends = if (queue.changes.is_empty()) now + network.params().period_ms() else now;
    };
    event::emit(PeriodRolled {
        roster: address_of(roster), pool: roster.pool, period: roster.period, applied, positive: roster.positive,
        total: roster.total,
    });
}

/// Raises a Roster and its queue to this package's version; anybody may, once the Network is.
public fun migrate(roster: &mut Roster, queue: &mut RosterQueue, network: &Network) {
    network.check_version();
    assert!(roster.network == network.address_of() && queue.roster == address_of(roster), EWrongQueue);
    assert!(roster.version < network::version(), EWrongVersion);
    roster.version = network::version();
    queue.version = network::version();
    network::migrated(address_of(roster));
}

/// The smallest weight of anybody who can be drawn; the greatest integer if nobody can.
public(package) fun smallest(roster: &Roster): u64 {
    let weights = draw::weights(&roster.fen);
    let mut least = 0xffff_ffff_ffff_ffff;
    let mut i = 0;
    while (i < weights.length()) {
        if (weights[i] > 0 && weights[i] < least) least = weights[i];
        i = i + 1;
    };
    least
}

public(package) fun check_version(roster: &Roster) { assert!(roster.version == network::version(), EWrongVersion); }

/// What `slot` weighs in draws of this period.
public fun weight_of(roster: &Roster, slot: u64): u64 { draw::weight_of(&roster.fen, roster.depth, slot) }

public(package) fun draw_without(roster: &Roster, seed: &vector<u8>, k: u64, excluded: vector<u64>): vector<u64> {
    draw::without(&roster.fen, roster.depth, roster.total, seed, k, excluded)
}

public(package) fun draw_with(roster: &Roster, seed: &vector<u8>, k: u64, excluded: vector<u64>): vector<u64> {
    draw::with(&roster.fen, roster.depth, roster.total, seed, k, excluded)
}

public fun address_of(roster: &Roster): address { object::uid_to_address(&roster.id) }
public fun queue_address(queue: &RosterQueue): address { object::uid_to_address(&queue.id) }
public fun pool(roster: &Roster): address { roster.pool }
public fun positive(roster: &Roster): u64 { roster.positive }
public fun total(roster: &Roster): u64 { roster.total }
public fun depth(roster: &Roster): u8 { roster.depth }
public fun period(roster: &Roster): u64 { roster.period }
public fun period_ends(roster: &Roster): u64 { roster.period_ends }
public fun network(roster: &Roster): address { roster.network }
public fun waiting(queue: &RosterQueue): u64 { queue.changes.length() }
