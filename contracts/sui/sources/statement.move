/// What enclaves and the verifier committee sign: the BCS of these structs (docs/spec/protocol.md §4), and its verification.
module enclavia::statement;

use std::bcs;
use std::hash::sha2_256;
use sui::ed25519;
use sui::hash;

/// The signature is not of this statement under this key.
const EBadSignature: u64 = 1;
/// Fewer committee members signed than the Network wants.
const EThresholdNotMet: u64 = 2;
/// Signers are named once each, in rising order.
const ESignersNotSorted: u64 = 3;

public struct CommitStatement has copy, drop {
    scope: u8, network: address, task: address, node: address, key_epoch: u64, input_digest: vector<u8>,
    commitment: vector<u8>, sealed_output_digest: vector<u8>, units: u64,
}
public struct InvalidInputStatement has copy, drop {
    scope: u8, network: address, task: address, node: address, key_epoch: u64, input_digest: vector<u8>,
    facts: vector<u8>, reason: u8,
}
/// What an enclave was told of the task beside its input. It cannot see the chain: a host that lies to it gets a refusal of other facts.
public struct InputFacts has copy, drop {
    key_commitment: vector<u8>, output_pk: vector<u8>, tee_mask: u64, denied: vector<address>, opened_at: u64,
}
public struct HandoffStatement has copy, drop {
    scope: u8, network: address, task: address, node: address, key_epoch: u64, round: u8, wraps: vector<vector<u8>>,
}
public struct AuditStatement has copy, drop {
    scope: u8, network: address, task: address, node: address, key_epoch: u64, round: u8, input_digest: vector<u8>,
    commitment: vector<u8>,
}
public struct VerdictStatement has copy, drop {
    scope: u8, network: address, pool: address, node: address, key_epoch: u64, challenge: vector<u8>,
    evidence_digest: vector<u8>, tee_kind: u8, measurement: vector<u8>, manifest: vector<u8>, hpke_pk: vector<u8>,
    sign_pk: vector<u8>, not_after: u64, policy: vector<u8>,
}
public struct TicketSeat has copy, drop {
    node: address, operator: address, tee_kind: u8, key_epoch: u64, hpke_pk: vector<u8>,
}
public struct TicketStatement has copy, drop {
    scope: u8, network: address, task: address, round: u8, input_digest: vector<u8>, seats: vector<TicketSeat>,
    issued_at: u64,
}

public struct RevocationStatement has copy, drop {
    scope: u8, network: address, pool: address, node: address, key_epoch: u64, reason: u8,
}
public struct RulingStatement has copy, drop {
    scope: u8, network: address, task: address, round: u8, root: vector<u8>, agrees: bool,
}
/// What a Nitro document's user_data is bound to, in a form that Move can recompute.
public struct NativeBinding has copy, drop {
    network: address, pool: address, node: address, key_epoch: u64, challenge: vector<u8>, hpke_pk: vector<u8>,
    sign_pk: vector<u8>, manifest: vector<u8>, verifiers: vector<vector<u8>>, threshold: u64, not_after: u64,
}

const NATIVE: vector<u8> = b"enclavia-native/1:";

public fun commit_bytes(
    network: address, task: address, node: address, key_epoch: u64, input_digest: vector<u8>, commitment: vector<u8>,
    sealed_output_digest: vector<u8>, units: u64,
): vector<u8> {
    bcs::to_bytes(&CommitStatement {
        scope: 1, network, task, node, key_epoch, input_digest, commitment, sealed_output_digest, units,
    })
}

public fun invalid_bytes(
    network: address, task: address, node: address, key_epoch: u64, input_digest: vector<u8>, facts: vector<u8>, reason: u8,
): vector<u8> {
    bcs::to_bytes(&InvalidInputStatement { scope: 2, network, task, node, key_epoch, input_digest, facts, reason })
}

public fun input_facts(
    key_commitment: vector<u8>, output_pk: vector<u8>, tee_mask: u64, denied: vector<address>, opened_at: u64,
): vector<u8> {
    hash::blake2b256(&bcs::to_bytes(&InputFacts { key_commitment, output_pk, tee_mask, denied, opened_at }))
}

public fun handoff_bytes(
    network: address, task: address, node: address, key_epoch: u64, round: u8, wraps: vector<vector<u8>>,
): vector<u8> {
    bcs::to_bytes(&HandoffStatement { scope: 3, network, task, node, key_epoch, round, wraps })
}

public fun audit_bytes(
    network: address, task: address, node: address, key_epoch: u64, round: u8, input_digest: vector<u8>,
    commitment: vector<u8>,
): vector<u8> {
    bcs::to_bytes(&AuditStatement { scope: 4, network, task, node, key_epoch, round, input_digest, commitment })
}

public fun verdict_bytes(
    network: address, pool: address, node: address, key_epoch: u64, challenge: vector<u8>, evidence_digest: vector<u8>,
    tee_kind: u8, measurement: vector<u8>, manifest: vector<u8>, hpke_pk: vector<u8>, sign_pk: vector<u8>,
    not_after: u64, policy: vector<u8>,
): vector<u8> {
    bcs::to_bytes(&VerdictStatement {
        scope: 5, network, pool, node, key_epoch, challenge, evidence_digest, tee_kind, measurement, manifest, hpke_pk,
        sign_pk, not_after, policy,
    })
}

public fun seat(node: address, operator: address, tee_kind: u8, key_epoch: u64, hpke_pk: vector<u8>): TicketSeat {
    TicketSeat { node, operator, tee_kind, key_epoch, hpke_pk }
}

public fun revocation_bytes(network: address, pool: address, node: address, key_epoch: u64, reason: u8): vector<u8> {
    bcs::to_bytes(&RevocationStatement { scope: 7, network, pool, node, key_epoch, reason })
}

public fun ruling_bytes(network: address, task: address, round: u8, root: vector<u8>, agrees: bool): vector<u8> {
    bcs::to_bytes(&RulingStatement { scope: 8, network, task, round, root, agrees })
}

/// SHA-256 of the binding: the last 32 bytes of a Nitro document's user_data.
public fun native_digest(
    network: address, pool: address, node: address, key_epoch: u64, challenge: vector<u8>, hpke_pk: vector<u8>,
    sign_pk: vector<u8>, manifest: vector<u8>, verifiers: vector<vector<u8>>, threshold: u64, not_after: u64,
): vector<u8> {
    let mut message = NATIVE;
    message.append(bcs::to_bytes(&NativeBinding {
        network, pool, node, key_epoch, challenge, hpke_pk, sign_pk, manifest, verifiers, threshold, not_after,
    }));
    sha2_256(message)
}

public fun ticket_bytes(
    network: address, task: address, round: u8, input_digest: vector<u8>, seats: vector<TicketSeat>, issued_at: u64,
): vector<u8> {
    bcs::to_bytes(&TicketStatement { scope: 6, network, task, round, input_digest, seats, issued_at })
}

/// Aborts unless `signature` is `key`'s over `message`.
public fun verify(key: &vector<u8>, message: &vector<u8>, signature: &vector<u8>) {
    assert!(ed25519::ed25519_verify(signature, key, message), EBadSignature);
}

/// Aborts unless at least `threshold` of `verifiers`, named by `signers` in rising order, signed `message`.
public fun verify_committee(
    verifiers: &vector<vector<u8>>, threshold: u64, message: &vector<u8>, signers: &vector<u64>,
    signatures: &vector<vector<u8>>,
) {
    assert!(signers.length() >= threshold && signers.length() == signatures.length(), EThresholdNotMet);
    let mut i = 0;
    while (i < signers.length()) {
        assert!(signers[i] < verifiers.length(), EBadSignature);
        // a signer named twice would be two
        assert!(i == 0 || signers[i - 1] < signers[i], ESignersNotSorted);
        verify(&verifiers[signers[i]], message, &signatures[i]);
        i = i + 1;
    };
}
