/// A member's record and its attestations: plain data that the Pool keeps per slot. The calls are in `member` and `attestation`.
module enclavia::record;

use sui::balance::{Self, Balance};
use sui::sui::SUI;

/// What was attested of a node in one key epoch; epoch 0: nothing.
public struct Attestation has copy, drop, store {
    key_epoch: u64,
    tee_kind: u8,
    policy: vector<u8>,
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
    /// Stake on its way out: it counts in no draw and backs nothing.
    unbonding: Balance<SUI>,
    unbonding_at: u64,
    /// Part of the stake that backs tasks under way; `backing` is the part of it that backs what requesters asked for.
    locked: u64,
    backing: u64,
    fees: Balance<SUI>,
    fees_owed: u64,
    weight: u64,
    /// Drawn before it joined, somebody else was drawn.
    joined_at: u64,
    leaving_at: u64,
    strikes: u64,
    jailed_until: u64,
    challenge: vector<u8>,
    challenge_expires: u64,
    key_epoch: u64,
    revoked_through: u64,
    attestation: Attestation,
    previous: Attestation,
    previous_until: u64,
}

public(package) fun new(
    node: address, slot: u64, operator: address, stake: Balance<SUI>, joined_at: u64,
): Member {
    Member {
        node, slot, operator, stake, unbonding: balance::zero(), unbonding_at: 0, locked: 0, backing: 0,
        fees: balance::zero(), fees_owed: 0, weight: 0, joined_at, leaving_at: 0, strikes: 0, jailed_until: 0,
        challenge: vector[], challenge_expires: 0, key_epoch: 0, revoked_through: 0, attestation: none(),
        previous: none(), previous_until: 0,
    }
}

/// Aborts, by `destroy_zero`, unless no money is left in it.
public(package) fun destroy(member: Member) {
    let Member { stake, unbonding, fees, .. } = member;
    stake.destroy_zero();
    unbonding.destroy_zero();
    fees.destroy_zero();
}

public(package) fun none(): Attestation {
    Attestation {
        key_epoch: 0, tee_kind: 0, policy: vector[], evidence_digest: vector[], measurement: vector[], hpke_pk: vector[],
        sign_pk: vector[], not_after: 0,
    }
}

public(package) fun attested(
    key_epoch: u64, tee_kind: u8, policy: vector<u8>, evidence_digest: vector<u8>, measurement: vector<u8>,
    hpke_pk: vector<u8>, sign_pk: vector<u8>, not_after: u64,
): Attestation {
    Attestation { key_epoch, tee_kind, policy, evidence_digest, measurement, hpke_pk, sign_pk, not_after }
}

// === Stake ===

public(package) fun stake_mut(m: &mut Member): &mut Balance<SUI> { &mut m.stake }
public(package) fun unbonding_mut(m: &mut Member): &mut Balance<SUI> { &mut m.unbonding }
public(package) fun fees_mut(m: &mut Member): &mut Balance<SUI> { &mut m.fees }
public(package) fun set_unbonding_at(m: &mut Member, at: u64) { m.unbonding_at = at; }
public(package) fun set_fees_owed(m: &mut Member, owed: u64) { m.fees_owed = owed; }
public(package) fun set_weight(m: &mut Member, weight: u64) { m.weight = weight; }
public(package) fun set_leaving_at(m: &mut Member, at: u64) { m.leaving_at = at; }

public(package) fun lock(m: &mut Member, amount: u64, voluntary: bool) {
    m.locked = m.locked + amount;
    if (voluntary) m.backing = m.backing + amount;
}

public(package) fun unlock(m: &mut Member, amount: u64, voluntary: bool) {
    m.locked = m.locked - amount;
    if (voluntary) m.backing = m.backing - amount;
}

// === Conduct ===

/// One absence more; the `limit`-th jails until `until`. Says whether this one did.
public(package) fun strike(m: &mut Member, limit: u64, until: u64): bool {
    m.strikes = m.strikes + 1;
    if (m.strikes < limit) return false;
    m.jailed_until = until;
    true
}

/// Right work takes a strike back.
public(package) fun forgive(m: &mut Member) { if (m.strikes > 0) m.strikes = m.strikes - 1; }

public(package) fun unjail(m: &mut Member) {
    m.jailed_until = 0;
    m.strikes = 0;
}

// === Attestation ===

public(package) fun challenge_next(m: &mut Member, challenge: vector<u8>, expires_at: u64) {
    m.key_epoch = m.key_epoch + 1;
    m.challenge = challenge;
    m.challenge_expires = expires_at;
}

/// The record of a new epoch; the one before stays usable until `previous_until`.
public(package) fun attest(m: &mut Member, record: Attestation, previous_until: u64) {
    // one challenge, one record: the same verdict cannot be carried in twice
    m.challenge_expires = 0;
    m.previous = m.attestation;
    m.previous_until = previous_until;
    m.attestation = record;
}

/// Ends every record of `key_epoch` and before, and the challenge of such an epoch.
public(package) fun revoke(m: &mut Member, key_epoch: u64) {
    m.revoked_through = key_epoch;
    if (m.key_epoch <= key_epoch) m.challenge_expires = 0;
}

/// The record of `key_epoch`, if it is the present one, or the one before in its grace, and is not revoked; else none.
public(package) fun usable(m: &Member, key_epoch: u64, now: u64): Attestation {
    if (key_epoch == 0 || key_epoch <= m.revoked_through) return none();
    if (key_epoch == m.attestation.key_epoch) return m.attestation;
    if (key_epoch == m.previous.key_epoch && now < m.previous_until) return m.previous;
    none()
}

/// The present record, if it is not revoked; else none.
public fun current(m: &Member): Attestation {
    if (m.attestation.key_epoch <= m.revoked_through) none() else m.attestation
}

public fun node(m: &Member): address { m.node }
public fun slot(m: &Member): u64 { m.slot }
public fun operator(m: &Member): address { m.operator }
public fun stake(m: &Member): u64 { m.stake.value() }
public fun unbonding(m: &Member): u64 { m.unbonding.value() }
public fun unbonding_at(m: &Member): u64 { m.unbonding_at }
public fun locked(m: &Member): u64 { m.locked }
public fun backing(m: &Member): u64 { m.backing }
public fun fees(m: &Member): u64 { m.fees.value() }
public fun fees_owed(m: &Member): u64 { m.fees_owed }
public fun weight(m: &Member): u64 { m.weight }
public fun joined_at(m: &Member): u64 { m.joined_at }
public fun leaving_at(m: &Member): u64 { m.leaving_at }
public fun strikes(m: &Member): u64 { m.strikes }
public fun jailed_until(m: &Member): u64 { m.jailed_until }
public fun challenge(m: &Member): vector<u8> { m.challenge }
public fun challenge_expires(m: &Member): u64 { m.challenge_expires }
public fun key_epoch(m: &Member): u64 { m.key_epoch }
public fun revoked_through(m: &Member): u64 { m.revoked_through }
public fun attestation(m: &Member): &Attestation { &m.attestation }
public fun previous(m: &Member): &Attestation { &m.previous }
public fun previous_until(m: &Member): u64 { m.previous_until }
public fun epoch(a: &Attestation): u64 { a.key_epoch }
public fun tee_kind(a: &Attestation): u8 { a.tee_kind }
public fun policy(a: &Attestation): &vector<u8> { &a.policy }
public fun evidence_digest(a: &Attestation): vector<u8> { a.evidence_digest }
public fun measurement(a: &Attestation): vector<u8> { a.measurement }
public fun hpke_pk(a: &Attestation): vector<u8> { a.hpke_pk }
public fun sign_pk(a: &Attestation): vector<u8> { a.sign_pk }
public fun not_after(a: &Attestation): u64 { a.not_after }
