#[test_only]
module enclavia::attestation_tests;

use enclavia::attestation;
use enclavia::fixtures::{Self, World};
use enclavia::member;
use enclavia::network;
use enclavia::statement;

const FAR: u64 = 0xffff_ffff_ffff;

/// One member that has asked for a challenge.
fun challenged(setting: fixtures::Setting): World {
    let mut w = fixtures::empty(setting).register(fixtures::stake());
    w.request_challenge(0);
    w
}

fun usual(): World { challenged(fixtures::usual()) }

fun attest(w: &mut World, kind: u8, measurement: vector<u8>, key: vector<u8>, not_after: u64, policy: vector<u8>) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    attestation::attest(
        pool, network, 0, fixtures::key(), kind, measurement, key, fixtures::anybody(), not_after, policy, 1, vector[0],
        vector[fixtures::signed()], clock,
    );
}

fun post(w: &mut World, digest: vector<u8>, uri: vector<u8>) {
    let (pool, _, cap, clock, _, _) = w.operated(0);
    attestation::post_evidence(pool, cap, digest, uri, clock);
}

#[test]
fun a_challenge_opens_the_next_epoch_with_fresh_randomness() {
    let mut w = usual();
    let first = w.pool().member(0).challenge();
    assert!(first.length() == 32 && w.pool().member(0).key_epoch() == 1);
    assert!(w.pool().member(0).challenge_expires() == w.network().params().challenge_ms());
    let mut w = w.next(fixtures::operator(0));
    w.request_challenge(0);
    assert!(w.pool().member(0).challenge() != first && w.pool().member(0).key_epoch() == 2);
    w.end();
}

#[test]
fun a_verdict_becomes_the_record_of_the_epoch() {
    let mut w = usual();
    post(&mut w, fixtures::key(), fixtures::bytes(0x75, 256));
    attest(&mut w, 0, fixtures::bytes(0x4d, 64), fixtures::key(), FAR, fixtures::policy());
    let a = w.pool().member(0).attestation();
    assert!(a.epoch() == 1 && a.tee_kind() == 0 && a.not_after() == FAR && a.policy() == fixtures::policy());
    assert!(a.evidence_digest() == fixtures::key() && a.measurement() == fixtures::bytes(0x4d, 64));
    assert!(a.hpke_pk() == fixtures::key() && a.sign_pk() == fixtures::anybody());
    assert!(w.pool().member(0).current().epoch() == 1);
    w.end();
}

#[test]
fun the_record_before_is_kept_until_the_rotation_is_over() {
    let mut w = fixtures::world();
    w.request_challenge(0);
    w.attest(0);
    let m = w.pool().member(0);
    let until = m.previous_until();
    assert!(m.attestation().epoch() == 2 && m.previous().epoch() == 1);
    assert!(until == w.now() + w.network().params().rotation_ms());
    assert!(m.usable(1, until - 1).epoch() == 1 && m.usable(2, until - 1).epoch() == 2);
    assert!(m.usable(1, until).epoch() == 0 && m.usable(0, 0).epoch() == 0 && m.usable(3, 0).epoch() == 0);
    w.end();
}

#[test]
fun a_revocation_ends_the_record_and_all_before_and_the_challenge() {
    let mut w = fixtures::world();
    w.request_challenge(0);
    w.revoke(0, 2);
    let m = w.pool().member(0);
    assert!(m.revoked_through() == 2 && m.current().epoch() == 0 && m.usable(1, 0).epoch() == 0);
    assert!(m.challenge_expires() == 0);
    w.end();
}

#[test]
fun a_revocation_of_the_record_before_leaves_the_present_one() {
    let mut w = fixtures::world();
    w.request_challenge(0);
    w.attest(0);
    w.revoke(0, 1);
    let m = w.pool().member(0);
    assert!(m.usable(1, 0).epoch() == 0 && m.current().epoch() == 2);
    w.end();
}

#[test]
fun a_measurement_and_a_policy_may_be_of_nitro_in_a_pool_that_takes_it() {
    let mut w = usual();
    attest(&mut w, 1, b"", fixtures::key(), FAR, fixtures::policy());
    assert!(w.pool().member(0).attestation().tee_kind() == 1);
    w.end();
}

#[test, expected_failure(abort_code = attestation::EChallengeExpired)]
fun evidence_without_a_challenge_is_refused() {
    let mut w = fixtures::empty(fixtures::usual()).register(fixtures::stake());
    post(&mut w, fixtures::key(), b"uri");
    abort
}

#[test, expected_failure(abort_code = attestation::EChallengeExpired)]
fun evidence_that_comes_too_late_is_refused() {
    let mut w = usual();
    let late = w.network().params().challenge_ms();
    w.pass(late);
    post(&mut w, fixtures::key(), b"uri");
    abort
}

#[test, expected_failure(abort_code = attestation::EUriTooLong)]
fun a_uri_that_is_too_long_is_refused() {
    let mut w = usual();
    post(&mut w, fixtures::key(), fixtures::bytes(0x75, 257));
    abort
}

#[test, expected_failure(abort_code = attestation::EBadKey)]
fun a_digest_of_the_wrong_size_is_refused() {
    let mut w = usual();
    post(&mut w, b"short", b"uri");
    abort
}

#[test, expected_failure(abort_code = attestation::EChallengeExpired)]
fun a_verdict_without_a_challenge_is_refused() {
    let mut w = fixtures::empty(fixtures::usual()).register(fixtures::stake());
    attest(&mut w, 0, b"M", fixtures::key(), FAR, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EChallengeExpired)]
fun a_verdict_is_carried_in_once() {
    let mut w = usual();
    w.attest(0);
    w.attest(0);
    abort
}

#[test, expected_failure(abort_code = attestation::ESimulatedRefused)]
fun simulated_evidence_counts_only_where_it_was_allowed_at_birth() {
    let mut w = challenged(fixtures::usual().unsimulated());
    w.attest(0);
    abort
}

#[test, expected_failure(abort_code = attestation::EKindRefused)]
fun a_tee_that_the_pool_does_not_take_is_refused() {
    let mut w = usual();
    attest(&mut w, 2, b"M", fixtures::key(), FAR, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EKindRefused)]
fun a_kind_beyond_all_masks_is_refused() {
    let mut w = challenged(fixtures::usual().of_kinds(fixtures::all_kinds()));
    attest(&mut w, 64, b"M", fixtures::key(), FAR, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EExpired)]
fun a_verdict_that_has_ended_is_refused() {
    let mut w = usual();
    attest(&mut w, 0, b"M", fixtures::key(), 0, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EBadKey)]
fun a_key_of_the_wrong_size_is_refused() {
    let mut w = usual();
    attest(&mut w, 0, b"M", b"short", FAR, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EBadKey)]
fun a_measurement_of_more_than_64_bytes_is_refused() {
    let mut w = usual();
    attest(&mut w, 0, fixtures::bytes(0x4d, 65), fixtures::key(), FAR, fixtures::policy());
    abort
}

#[test, expected_failure(abort_code = attestation::EPolicyNotInForce)]
fun a_policy_that_the_network_does_not_have_is_refused() {
    let mut w = usual();
    attest(&mut w, 0, b"M", fixtures::key(), FAR, fixtures::key());
    abort
}

#[test, expected_failure(abort_code = attestation::EPolicyNotInForce)]
fun a_policy_that_has_ended_is_refused() {
    let mut w = usual();
    let (network, _, _, _, cap, clock, _, _) = w.all();
    network.sunset_policy(cap, fixtures::policy(), 0, clock);
    w.attest(0);
    abort
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_verdict_that_the_committee_did_not_sign_is_refused() {
    let mut w = usual();
    let (network, pool, _, _, _, clock, _, _) = w.all();
    attestation::attest(
        pool, network, 0, fixtures::key(), 0, b"M", fixtures::key(), fixtures::key(), FAR, fixtures::policy(), 1, vector[0],
        vector[fixtures::bytes(7, 64)], clock,
    );
    abort
}

#[test, expected_failure(abort_code = network::EWrongCommittee)]
fun a_verdict_of_a_committee_that_is_not_in_office_is_refused() {
    let mut w = usual();
    let (network, pool, _, _, _, clock, _, _) = w.all();
    attestation::attest(
        pool, network, 0, fixtures::key(), 0, b"M", fixtures::key(), fixtures::key(), FAR, fixtures::policy(), 2, vector[0],
        vector[fixtures::signed()], clock,
    );
    abort
}

#[test, expected_failure(abort_code = attestation::ENothingToRevoke)]
fun an_epoch_that_never_was_is_not_revoked() {
    let mut w = fixtures::world();
    w.revoke(0, 2);
    abort
}

#[test, expected_failure(abort_code = attestation::ENothingToRevoke)]
fun an_epoch_is_revoked_once() {
    let mut w = fixtures::world();
    w.revoke(0, 1);
    w.revoke(0, 1);
    abort
}

#[test, expected_failure(abort_code = member::ENotYourNode)]
fun the_cap_of_a_node_that_was_replaced_gets_no_challenge() {
    let mut w = fixtures::begin(fixtures::usual().of_depth(1).of_members(2));
    let stake = w.coin(fixtures::stake() * 2);
    let (network, pool, roster, queue, _, clock, _, ctx) = w.all();
    let (_owner, _operator) = member::replace(pool, network, roster, queue, 1, stake, clock, ctx);
    w.request_challenge(1);
    abort
}
