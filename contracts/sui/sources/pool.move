/// A Pool: one workload class, its money, and its members' records (dynamic fields, key = slot).
/// A member's stake never leaves its record but by `withdraw` (owner cap only) and `slash`; what is locked backs a task under way.
module enclavia::pool;

use enclavia::network::{Self, Network, AdminCap};
use enclavia::params;
use enclavia::roster::{Self, RosterQueue};
use enclavia::statement;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::dynamic_field as df;
use sui::event;
use sui::random::{Self, Random};
use sui::sui::SUI;

/// The Pool is of another Network.
const EWrongNetwork: u64 = 1;
/// The cap or the object is of another Pool.
const EWrongPool: u64 = 2;
/// No member has this slot.
const ENoSuchMember: u64 = 3;
/// Less than `min_stake`.
const EStakeTooSmall: u64 = 4;
/// The cap is of another node.
const ENotYourNode: u64 = 5;
/// The attestation challenge has expired, or none was asked for: call `request_challenge`.
const EChallengeExpired: u64 = 6;
/// Simulated evidence, and the Network was not created to allow it.
const ESimulatedRefused: u64 = 7;
/// The Pool does not take this kind of TEE.
const EKindRefused: u64 = 8;
/// The attestation's `not_after` has passed.
const EAttestationExpired: u64 = 9;
/// Stake still backs a task: end outstanding duties first.
const EStakeLocked: u64 = 10;
/// The unbonding time is not over, or `leave` was not called.
const EUnbonding: u64 = 11;
/// The node is leaving.
const ELeaving: u64 = 12;
/// All slots are taken.
const EPoolFull: u64 = 13;
/// The queue is of another Pool.
const EWrongQueue: u64 = 14;
/// A key or a hash is not 32 bytes (a measurement: at most 64).
const EBadKey: u64 = 15;
/// A URI has at most 256 bytes.
const EUriTooLong: u64 = 16;

const MAX_URI: u64 = 256;
const SIMULATED: u8 = 0;

public struct Pool has key {
    id: UID,
    version: u64,
    network: address,
    roster: address,
    queue: address,
    manifest: vector<u8>,
    tee_mask: u64,
    price: u64,
    auditor_fee: u64,
    reservation_fee: u64,
    slots: u64,
    next_slot: u64,
    fees_owed: u64,
    treasury: Balance<SUI>,
    audit_fund: Balance<SUI>,
    burnt: Balance<SUI>,
}

public struct Attestation has copy, drop, store {
    key_epoch: u64,
    tee_kind: u8,
    evidence_digest: vector<u8>,
    measurement: vector<u8>,
    hpke_pk: vector<u8>,
    sign_pk: vector<u8>,
    not_after: u64,
}

public struct Member has store {
    node: address,
    slot: u64,
    operator: address,
    stake: Balance<SUI>,
    locked: u64,
    fees: Balance<SUI>,
    fees_owed: u64,
    weight: u64,
    leaving_at: u64,
    strikes: u64,
    challenge: vector<u8>,
    challenge_expires: u64,
    key_epoch: u64,
    attestation: Attestation,
}

/// Cold: stake and fees.
public struct NodeOwnerCap has key, store { id: UID, pool: address, node: address, slot: u64 }
/// Hot: acts, cannot withdraw.
public struct NodeOperatorCap has key, store { id: UID, pool: address, node: address, slot: u64 }

public struct PoolCreated has copy, drop {
    pool: address, network: address, roster: address, queue: address, manifest: vector<u8>,
}
public struct NodeRegistered has copy, drop { pool: address, node: address, slot: u64, operator: address, stake: u64 }
public struct ChallengeIssued has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, challenge: vector<u8>, expires_at: u64,
}
public struct EvidencePosted has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, evidence_digest: vector<u8>, uri: vector<u8>,
}
public struct Attested has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, tee_kind: u8, evidence_digest: vector<u8>, not_after: u64,
}
public struct WeightQueued has copy, drop { pool: address, node: address, slot: u64, weight: u64 }
public struct Slashed has copy, drop {
    pool: address, task: address, node: address, slot: u64, amount: u64, reason: u8,
}
public struct Paid has copy, drop {
    pool: address, task: address, node: address, slot: u64, amount: u64, owed: u64,
}
public struct Left has copy, drop { pool: address, node: address, slot: u64 }

// === Pool ===

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
    clock: &Clock,
    ctx: &mut TxContext,
) {
    network.check_admin(cap);
    network.now(clock);
    assert!(manifest.length() == 32, EBadKey);
    let id = object::new(ctx);
    let at = object::uid_to_address(&id);
    let (roster, queue) = roster::create(network.address_of(), at, depth, ctx);
    event::emit(PoolCreated { pool: at, network: network.address_of(), roster, queue, manifest });
    transfer::share_object(Pool {
        id,
        version: network::version(),
        network: network.address_of(),
        roster,
        queue,
        manifest,
        tee_mask,
        price,
        auditor_fee,
        reservation_fee,
        slots: 1u64 << depth,
        next_slot: 0,
        fees_owed: 0,
        treasury: balance::zero(),
        audit_fund: balance::zero(),
        burnt: balance::zero(),
    });
}

/// Anybody may add to the fund that pays auditors.
public fun fund_audits(pool: &mut Pool, coin: Coin<SUI>) { pool.audit_fund.join(coin.into_balance()); }

/// What `open_task` costs now: price, reservation fee, and the expected cost of the audit, rounded up.
public fun quote(pool: &Pool, network: &Network): u64 {
    pool.price + pool.reservation_fee + premium(network.params(), pool.auditor_fee)
}

/// `ceil(p * auditors * fee)`.
public(package) fun premium(p: &params::Params, auditor_fee: u64): u64 {
    let cost = p.audit_probability() as u256 * (p.auditors() as u256) * (auditor_fee as u256);
    ((cost + 0xffff_ffff_ffff_ffff) >> 64) as u64
}

// === Members ===

/// Stakes a new node; it can be drawn once attested, queued by `update_weight`, and the period has rolled.
public fun register(
    pool: &mut Pool,
    network: &Network,
    operator: address,
    stake: Coin<SUI>,
    ctx: &mut TxContext,
): (NodeOwnerCap, NodeOperatorCap) {
    check_network(pool, network);
    assert!(stake.value() >= network.params().min_stake(), EStakeTooSmall);
    assert!(pool.next_slot < pool.slots, EPoolFull);
    let slot = pool.next_slot;
    pool.next_slot = slot + 1;
    let at = address_of(pool);
    let id = object::new(ctx);
    let node = object::uid_to_address(&id);
    event::emit(NodeRegistered { pool: at, node, slot, operator, stake: stake.value() });
    df::add(&mut pool.id, slot, Member {
        node,
        slot,
        operator,
        stake: stake.into_balance(),
        locked: 0,
        fees: balance::zero(),
        fees_owed: 0,
        weight: 0,
        leaving_at: 0,
        strikes: 0,
        challenge: vector[],
        challenge_expires: 0,
        key_epoch: 0,
        attestation: no_attestation(),
    });
    (NodeOwnerCap { id, pool: at, node, slot }, NodeOperatorCap { id: object::new(ctx), pool: at, node, slot })
}

/// Adds stake to a member; anybody may. It counts in draws after `update_weight` and the next period.
public fun deposit(pool: &mut Pool, slot: u64, coin: Coin<SUI>) {
    member_mut(pool, slot).stake.join(coin.into_balance());
}

/// Opens the next key epoch with a fresh random challenge, which the evidence must contain: quotes cannot be stockpiled.
/// The record of the epoch before stays valid until the new one is attested.
entry fun request_challenge(
    pool: &mut Pool, network: &Network, cap: &NodeOperatorCap, clock: &Clock, r: &Random, ctx: &mut TxContext,
) {
    check_network(pool, network);
    let now = clock.timestamp_ms();
    let valid = network.params().challenge_ms();
    let at = address_of(pool);
    let mut generator = random::new_generator(r, ctx);
    let challenge = random::generate_bytes(&mut generator, 32);
    let member = acting(pool, cap);
    member.key_epoch = member.key_epoch + 1;
    member.challenge = challenge;
    member.challenge_expires = now + valid;
    event::emit(ChallengeIssued {
        pool: at, node: member.node, slot: member.slot, key_epoch: member.key_epoch, challenge, expires_at: now + valid,
    });
}

/// Tells the committee where the evidence lies; it is the committee's to fetch, check, archive and attest.
public fun post_evidence(
    pool: &mut Pool, cap: &NodeOperatorCap, evidence_digest: vector<u8>, uri: vector<u8>, clock: &Clock,
) {
    assert!(evidence_digest.length() == 32, EBadKey);
    assert!(uri.length() <= MAX_URI, EUriTooLong);
    let at = address_of(pool);
    let member = acting(pool, cap);
    assert!(clock.timestamp_ms() < member.challenge_expires, EChallengeExpired);
    event::emit(EvidencePosted {
        pool: at, node: member.node, slot: member.slot, key_epoch: member.key_epoch, evidence_digest, uri,
    });
}

/// Records the committee's verdict on a member's evidence. Anybody may carry it here; the signatures decide.
public fun attest(
    pool: &mut Pool,
    network: &Network,
    slot: u64,
    evidence_digest: vector<u8>,
    tee_kind: u8,
    measurement: vector<u8>,
    hpke_pk: vector<u8>,
    sign_pk: vector<u8>,
    not_after: u64,
    signers: vector<u64>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
) {
    check_network(pool, network);
    assert!(evidence_digest.length() == 32 && hpke_pk.length() == 32 && sign_pk.length() == 32, EBadKey);
    assert!(measurement.length() <= 64, EBadKey);
    assert!(tee_kind != SIMULATED || network.allow_simulated(), ESimulatedRefused);
    assert!(allows(pool.tee_mask, tee_kind), EKindRefused);
    let now = clock.timestamp_ms();
    assert!(now < not_after, EAttestationExpired);
    let at = address_of(pool);
    let manifest = pool.manifest;
    let member = member_mut(pool, slot);
    assert!(now < member.challenge_expires, EChallengeExpired);
    let message = statement::verdict_bytes(
        network.address_of(), at, member.node, member.key_epoch, member.challenge, evidence_digest, tee_kind,
        measurement, manifest, hpke_pk, sign_pk, not_after, *network.policy(),
    );
    statement::verify_committee(network.verifiers(), network.threshold(), &message, &signers, &signatures);
    // one challenge, one record: the same verdict cannot be carried in twice
    member.challenge_expires = 0;
    let key_epoch = member.key_epoch;
    member.attestation = Attestation { key_epoch, tee_kind, evidence_digest, measurement, hpke_pk, sign_pk, not_after };
    event::emit(Attested { pool: at, node: member.node, slot, key_epoch, tee_kind, evidence_digest, not_after });
}

/// Queues the weight that a member's stake gives it now; anybody may, so a slashed stake cannot keep its weight.
public fun update_weight(pool: &mut Pool, network: &Network, queue: &mut RosterQueue, slot: u64) {
    check_network(pool, network);
    let min_stake = network.params().min_stake();
    set_weight(pool, queue, slot, min_stake)
}

fun set_weight(pool: &mut Pool, queue: &mut RosterQueue, slot: u64, min_stake: u64) {
    assert!(queue.queue_address() == pool.queue, EWrongQueue);
    let at = address_of(pool);
    let member = member_mut(pool, slot);
    let stake = member.stake.value();
    let weight = if (member.leaving_at > 0 || stake < min_stake || member.attestation.key_epoch == 0) 0 else stake;
    member.weight = weight;
    event::emit(WeightQueued { pool: at, node: member.node, slot, weight });
    roster::enqueue(queue, slot, weight);
}

/// Begins to leave: no new task from now on, out of the draws from the next period, stake back after unbonding.
/// Duties under way go on, and the stake stays slashable for them.
public fun leave(pool: &mut Pool, network: &Network, queue: &mut RosterQueue, cap: &NodeOwnerCap, clock: &Clock) {
    check_network(pool, network);
    let now = network.now(clock);
    let member = owned(pool, cap);
    assert!(member.leaving_at == 0, ELeaving);
    // 0 means "not leaving"
    member.leaving_at = if (now == 0) 1 else now;
    let slot = member.slot;
    set_weight(pool, queue, slot, 0);
}

/// The whole stake, once unbonding is over and no task is backed by it. The slot stays; a later `deposit` does not revive it.
public fun withdraw(
    pool: &mut Pool, network: &Network, cap: &NodeOwnerCap, clock: &Clock, ctx: &mut TxContext,
): Coin<SUI> {
    check_network(pool, network);
    let now = network.now(clock);
    let unbonding = network.params().unbonding_ms();
    let at = address_of(pool);
    let member = owned(pool, cap);
    assert!(member.leaving_at > 0 && now >= member.leaving_at + unbonding, EUnbonding);
    assert!(member.locked == 0, EStakeLocked);
    event::emit(Left { pool: at, node: member.node, slot: member.slot });
    coin::from_balance(member.stake.withdraw_all(), ctx)
}

/// What a node has earned. Fees owed are paid first, as far as the audit fund reaches.
public fun claim_fees(pool: &mut Pool, cap: &NodeOwnerCap, ctx: &mut TxContext): Coin<SUI> {
    let available = pool.audit_fund.value();
    let member = owned(pool, cap);
    let paid = if (member.fees_owed < available) member.fees_owed else available;
    member.fees_owed = member.fees_owed - paid;
    let mut fees = member.fees.withdraw_all();
    pool.fees_owed = pool.fees_owed - paid;
    fees.join(pool.audit_fund.split(paid));
    coin::from_balance(fees, ctx)
}

// === For `task` ===

/// Whether a member could back `lock` more stake, with a TEE of `tee_mask`, until `until` (chain clock, ms).
public(package) fun is_eligible(
    pool: &Pool, slot: u64, min_stake: u64, lock: u64, tee_mask: u64, until: u64,
): bool {
    if (!df::exists_(&pool.id, slot)) return false;
    let member: &Member = df::borrow(&pool.id, slot);
    let record = &member.attestation;
    let stake = member.stake.value();
    record.key_epoch > 0 && record.not_after >= until && allows(pool.tee_mask & tee_mask, record.tee_kind)
        && member.leaving_at == 0 && stake >= min_stake && stake - member.locked >= lock
}

public(package) fun lock(pool: &mut Pool, slot: u64, amount: u64) {
    let member = member_mut(pool, slot);
    member.locked = member.locked + amount;
}

/// Releases a lock and takes `loss` (at most the lock) of the stake that it held.
public(package) fun unlock(pool: &mut Pool, task: address, slot: u64, amount: u64, loss: u64, reason: u8): Balance<SUI> {
    let at = address_of(pool);
    let member = member_mut(pool, slot);
    member.locked = member.locked - amount;
    if (loss > 0) event::emit(Slashed { pool: at, task, node: member.node, slot, amount: loss, reason });
    member.stake.split(loss)
}

public(package) fun strike(pool: &mut Pool, slot: u64) {
    let member = member_mut(pool, slot);
    member.strikes = member.strikes + 1;
}

/// Credits earnings that are here.
public(package) fun pay(pool: &mut Pool, task: address, slot: u64, earned: Balance<SUI>) {
    let at = address_of(pool);
    let member = member_mut(pool, slot);
    event::emit(Paid { pool: at, task, node: member.node, slot, amount: earned.value(), owed: 0 });
    member.fees.join(earned);
}

/// Pays `amount` from the audit fund; what the fund lacks becomes fees owed. Never aborts for want of money.
public(package) fun pay_from_fund(pool: &mut Pool, task: address, slot: u64, amount: u64) {
    let at = address_of(pool);
    let available = pool.audit_fund.value();
    let paid = if (amount < available) amount else available;
    let earned = pool.audit_fund.split(paid);
    pool.fees_owed = pool.fees_owed + (amount - paid);
    let member = member_mut(pool, slot);
    member.fees.join(earned);
    member.fees_owed = member.fees_owed + (amount - paid);
    event::emit(Paid { pool: at, task, node: member.node, slot, amount: paid, owed: amount - paid });
}

public(package) fun add_treasury(pool: &mut Pool, amount: Balance<SUI>) { pool.treasury.join(amount); }
public(package) fun add_audit_fund(pool: &mut Pool, amount: Balance<SUI>) { pool.audit_fund.join(amount); }
public(package) fun burn(pool: &mut Pool, amount: Balance<SUI>) { pool.burnt.join(amount); }

public(package) fun check_network(pool: &Pool, network: &Network) {
    assert!(pool.version == network::version(), EWrongPool);
    assert!(pool.network == network.address_of(), EWrongNetwork);
}

// === Reading ===

fun acting(pool: &mut Pool, cap: &NodeOperatorCap): &mut Member {
    assert!(cap.pool == address_of(pool), EWrongPool);
    let member = member_mut(pool, cap.slot);
    assert!(member.node == cap.node, ENotYourNode);
    member
}

fun owned(pool: &mut Pool, cap: &NodeOwnerCap): &mut Member {
    assert!(cap.pool == address_of(pool), EWrongPool);
    let member = member_mut(pool, cap.slot);
    assert!(member.node == cap.node, ENotYourNode);
    member
}

fun member_mut(pool: &mut Pool, slot: u64): &mut Member {
    assert!(df::exists_(&pool.id, slot), ENoSuchMember);
    df::borrow_mut(&mut pool.id, slot)
}

public fun member(pool: &Pool, slot: u64): &Member {
    assert!(df::exists_(&pool.id, slot), ENoSuchMember);
    df::borrow(&pool.id, slot)
}

fun allows(mask: u64, kind: u8): bool { kind < 64 && (mask >> kind) & 1 == 1 }

fun no_attestation(): Attestation {
    Attestation {
        key_epoch: 0, tee_kind: 0, evidence_digest: vector[], measurement: vector[], hpke_pk: vector[],
        sign_pk: vector[], not_after: 0,
    }
}

public fun address_of(pool: &Pool): address { object::uid_to_address(&pool.id) }
public fun network(pool: &Pool): address { pool.network }
public fun roster(pool: &Pool): address { pool.roster }
public fun manifest(pool: &Pool): vector<u8> { pool.manifest }
public fun tee_mask(pool: &Pool): u64 { pool.tee_mask }
public fun price(pool: &Pool): u64 { pool.price }
public fun auditor_fee(pool: &Pool): u64 { pool.auditor_fee }
public fun reservation_fee(pool: &Pool): u64 { pool.reservation_fee }
public fun treasury(pool: &Pool): u64 { pool.treasury.value() }
public fun audit_fund(pool: &Pool): u64 { pool.audit_fund.value() }
public fun burnt(pool: &Pool): u64 { pool.burnt.value() }
public fun fees_owed(pool: &Pool): u64 { pool.fees_owed }

public fun node(member: &Member): address { member.node }
public fun operator(member: &Member): address { member.operator }
public fun stake(member: &Member): u64 { member.stake.value() }
public fun locked(member: &Member): u64 { member.locked }
public fun fees(member: &Member): u64 { member.fees.value() }
public fun strikes(member: &Member): u64 { member.strikes }
public fun key_epoch(member: &Member): u64 { member.key_epoch }
public fun challenge(member: &Member): vector<u8> { member.challenge }
public fun attestation(member: &Member): &Attestation { &member.attestation }
public fun record_epoch(record: &Attestation): u64 { record.key_epoch }
public fun tee_kind(record: &Attestation): u8 { record.tee_kind }
public fun hpke_pk(record: &Attestation): vector<u8> { record.hpke_pk }
public fun sign_pk(record: &Attestation): vector<u8> { record.sign_pk }
public fun not_after(record: &Attestation): u64 { record.not_after }
