/// How a node's enclave gets its record: a challenge from chain randomness, evidence, and a verdict on it, either of k of n verifiers
/// or, for AWS Nitro, of the chain itself (docs/spec/protocol.md §4, docs/attestation.md).
module enclavia::attestation;

use enclavia::member::{Self, NodeOperatorCap};
use enclavia::network::{Self, Network};
use enclavia::pool::{Self, Pool};
use enclavia::record;
use enclavia::statement;
use sui::clock::Clock;
use sui::event;
use sui::nitro_attestation::NitroAttestationDocument;
use sui::random::{Self, Random};

/// The challenge has expired, was used or revoked, or none was asked for: call `request_challenge`.
const EChallengeExpired: u64 = 1;
/// Simulated evidence, and the Network was not created to allow it.
const ESimulatedRefused: u64 = 2;
/// The Pool does not take this kind of TEE.
const EKindRefused: u64 = 3;
/// `not_after` has passed.
const EExpired: u64 = 4;
/// A key or a hash is not 32 bytes (a measurement: at most 64).
const EBadKey: u64 = 5;
/// A URI has at most 256 bytes.
const EUriTooLong: u64 = 6;
/// The policy is not in force: read the Network's policies.
const EPolicyNotInForce: u64 = 7;
/// The document does not carry this challenge, key and binding.
const EBadDocument: u64 = 8;
/// The enclave runs in debug mode: its operator can look inside.
const EDebug: u64 = 9;
/// The policy does not take this code natively.
const EMeasurementRefused: u64 = 10;
/// This epoch has no record, or it is revoked already.
const ENothingToRevoke: u64 = 11;

const MAX_URI: u64 = 256;
const SIMULATED: u8 = 0;
const NITRO: u8 = 1;
/// user_data is report_data, 64 bytes that Move cannot recompute, and the 32 that it can.
const USER_DATA_BYTES: u64 = 96;
const NATIVE_AT: u64 = 64;

public struct ChallengeIssued has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, challenge: vector<u8>, expires_at: u64,
}
public struct EvidencePosted has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, evidence_digest: vector<u8>, uri: vector<u8>,
}
/// Everything that was vouched for, and by whom: `signers` of the committee of epoch `committee`, nobody where the chain itself
/// checked (`by_chain`). Whoever re-judges the evidence knows who signed a wrong verdict.
public struct Attested has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, tee_kind: u8, policy: vector<u8>, evidence_digest: vector<u8>,
    measurement: vector<u8>, hpke_pk: vector<u8>, sign_pk: vector<u8>, not_after: u64, by_chain: bool, committee: u64,
    signers: vector<u64>,
}
public struct Revoked has copy, drop {
    pool: address, node: address, slot: u64, key_epoch: u64, reason: u8, committee: u64, signers: vector<u64>,
}

/// Opens the next key epoch with a fresh random challenge, which the evidence must contain: quotes cannot be stockpiled.
/// The record of the epoch before stays valid until the new one is attested, and `rotation_ms` longer.
entry fun request_challenge(
    pool: &mut Pool, network: &Network, cap: &NodeOperatorCap, clock: &Clock, r: &Random, ctx: &mut TxContext,
) {
    pool.check_network(network);
    network.check_version();
    let expires_at = clock.timestamp_ms() + network.params().challenge_ms();
    let at = pool.address_of();
    let mut generator = random::new_generator(r, ctx);
    let challenge = random::generate_bytes(&mut generator, 32);
    let member = member::acting(pool, cap);
    member.challenge_next(challenge, expires_at);
    event::emit(ChallengeIssued {
        pool: at, node: member.node(), slot: member.slot(), key_epoch: member.key_epoch(), challenge, expires_at,
    });
}

/// Tells the committee where the evidence lies; it is the committee's to fetch, check, archive and attest.
public fun post_evidence(
    pool: &mut Pool, cap: &NodeOperatorCap, evidence_digest: vector<u8>, uri: vector<u8>, clock: &Clock,
) {
    assert!(evidence_digest.length() == 32, EBadKey);
    assert!(uri.length() <= MAX_URI, EUriTooLong);
    let at = pool.address_of();
    let member = member::acting(pool, cap);
    assert!(clock.timestamp_ms() < member.challenge_expires(), EChallengeExpired);
    event::emit(EvidencePosted {
        pool: at, node: member.node(), slot: member.slot(), key_epoch: member.key_epoch(), evidence_digest, uri,
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
    policy: vector<u8>,
    committee: u64,
    signers: vector<u64>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
) {
    check(pool, network, slot, &evidence_digest, tee_kind, &measurement, &hpke_pk, &sign_pk, not_after, &policy, clock);
    let member = pool.member(slot);
    let message = statement::verdict_bytes(
        network.address_of(), pool.address_of(), member.node(), member.key_epoch(), member.challenge(), evidence_digest,
        tee_kind, measurement, pool.manifest(), hpke_pk, sign_pk, not_after, policy,
    );
    network.verify_committee(committee, &message, &signers, &signatures, clock);
    store(
        pool, network, slot, tee_kind, policy, evidence_digest, measurement, hpke_pk, sign_pk, not_after, false, committee,
        signers, clock,
    );
}

/// Records a Nitro enclave on the chain's own verification of its document, which `sui::nitro_attestation` made in the same
/// transaction: no committee is trusted. The policy says which PCR0 it takes so.
public fun attest_nitro(
    pool: &mut Pool,
    network: &Network,
    slot: u64,
    document: NitroAttestationDocument,
    evidence_digest: vector<u8>,
    sign_pk: vector<u8>,
    not_after: u64,
    policy: vector<u8>,
    clock: &Clock,
) {
    let pcrs = document.pcrs();
    let mut measurement = vector[];
    let mut i = 0;
    while (i < pcrs.length()) {
        if (pcrs[i].index() == 0) measurement = *pcrs[i].value();
        i = i + 1;
    };
    assert!(!network::is_zero(&measurement), EDebug);
    let hpke_pk = bytes_of(document.public_key());
    check(pool, network, slot, &evidence_digest, NITRO, &measurement, &hpke_pk, &sign_pk, not_after, &policy, clock);
    assert!(network.takes_nitro(&policy, &measurement), EMeasurementRefused);
    let member = pool.member(slot);
    assert!(bytes_of(document.nonce()) == member.challenge(), EBadDocument);
    let committee = network.committee();
    let expected = statement::native_digest(
        network.address_of(), pool.address_of(), member.node(), member.key_epoch(), member.challenge(), hpke_pk, sign_pk,
        pool.manifest(), *committee.verifiers(), committee.threshold(), not_after,
    );
    assert!(is_bound(&bytes_of(document.user_data()), &expected), EBadDocument);
    store(
        pool, network, slot, NITRO, policy, evidence_digest, measurement, hpke_pk, sign_pk, not_after, true,
        committee.committee_epoch(), vector[], clock,
    );
}

/// Ends the records of a node up to `key_epoch`: the hardware is broken, the code is, or the keys are out. Tasks that wait for its
/// commitment can be cancelled without a slash; what it committed to is judged as ever.
public fun revoke(
    pool: &mut Pool,
    network: &Network,
    slot: u64,
    key_epoch: u64,
    reason: u8,
    committee: u64,
    signers: vector<u64>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
) {
    pool.check_network(network);
    let at = pool.address_of();
    let member = pool.member_mut(slot);
    assert!(key_epoch <= member.key_epoch() && key_epoch > member.revoked_through(), ENothingToRevoke);
    let message = statement::revocation_bytes(network.address_of(), at, member.node(), key_epoch, reason);
    network.verify_committee(committee, &message, &signers, &signatures, clock);
    member.revoke(key_epoch);
    event::emit(Revoked { pool: at, node: member.node(), slot, key_epoch, reason, committee, signers });
}

fun check(
    pool: &Pool,
    network: &Network,
    slot: u64,
    evidence_digest: &vector<u8>,
    tee_kind: u8,
    measurement: &vector<u8>,
    hpke_pk: &vector<u8>,
    sign_pk: &vector<u8>,
    not_after: u64,
    policy: &vector<u8>,
    clock: &Clock,
) {
    pool.check_network(network);
    assert!(evidence_digest.length() == 32 && hpke_pk.length() == 32 && sign_pk.length() == 32, EBadKey);
    assert!(measurement.length() <= 64, EBadKey);
    assert!(tee_kind != SIMULATED || network.allow_simulated(), ESimulatedRefused);
    assert!(pool::allows(pool.tee_mask(), tee_kind), EKindRefused);
    assert!(network.is_in_force(policy, clock), EPolicyNotInForce);
    let now = clock.timestamp_ms();
    assert!(now < not_after, EExpired);
    assert!(now < pool.member(slot).challenge_expires(), EChallengeExpired);
}

fun store(
    pool: &mut Pool,
    network: &Network,
    slot: u64,
    tee_kind: u8,
    policy: vector<u8>,
    evidence_digest: vector<u8>,
    measurement: vector<u8>,
    hpke_pk: vector<u8>,
    sign_pk: vector<u8>,
    not_after: u64,
    by_chain: bool,
    committee: u64,
    signers: vector<u64>,
    clock: &Clock,
) {
    let at = pool.address_of();
    let until = network.now(clock) + network.params().rotation_ms();
    let member = pool.member_mut(slot);
    let key_epoch = member.key_epoch();
    member.attest(
        record::attested(key_epoch, tee_kind, policy, evidence_digest, measurement, hpke_pk, sign_pk, not_after), until,
    );
    event::emit(Attested {
        pool: at, node: member.node(), slot, key_epoch, tee_kind, policy, evidence_digest, measurement, hpke_pk, sign_pk,
        not_after, by_chain, committee, signers,
    });
}

fun is_bound(user_data: &vector<u8>, expected: &vector<u8>): bool {
    if (user_data.length() != USER_DATA_BYTES) return false;
    let mut i = 0;
    while (i < expected.length()) {
        if (user_data[NATIVE_AT + i] != expected[i]) return false;
        i = i + 1;
    };
    true
}

fun bytes_of(field: &Option<vector<u8>>): vector<u8> { if (field.is_some()) *field.borrow() else vector[] }
