#[test_only]
module enclavia::statement_tests;

use enclavia::fixtures;
use enclavia::statement;

// RFC 8032, 7.1: TEST 1 and TEST 2
fun first(): vector<u8> { x"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" }
fun of_nothing(): vector<u8> {
    x"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
}
fun second(): vector<u8> { x"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c" }
fun of_72(): vector<u8> {
    x"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
}

#[test]
fun a_signature_of_the_message_by_the_key_is_taken() {
    statement::verify(&first(), &b"", &of_nothing());
    statement::verify(&second(), &b"r", &of_72());
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_signature_of_another_message_is_refused() { statement::verify(&second(), &b"s", &of_72()) }

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_signature_by_another_key_is_refused() { statement::verify(&first(), &b"r", &of_72()) }

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_signature_of_the_wrong_size_is_refused() { statement::verify(&first(), &b"", &fixtures::bytes(0, 63)) }

fun committee(): vector<vector<u8>> { vector[fixtures::anybody(), first(), fixtures::anybody_else()] }

#[test]
fun as_many_as_the_threshold_or_more_are_a_committee() {
    let message = b"";
    let all = vector[fixtures::signed(), of_nothing(), fixtures::signed()];
    statement::verify_committee(&committee(), 2, &message, &vector[0, 1, 2], &all);
    statement::verify_committee(&committee(), 2, &message, &vector[0, 2], &vector[fixtures::signed(), fixtures::signed()]);
    statement::verify_committee(&committee(), 1, &message, &vector[1], &vector[of_nothing()]);
}

#[test, expected_failure(abort_code = statement::EThresholdNotMet)]
fun too_few_signatures_are_no_committee() {
    statement::verify_committee(&committee(), 2, &b"", &vector[1], &vector[of_nothing()]);
}

#[test, expected_failure(abort_code = statement::EThresholdNotMet)]
fun signers_without_signatures_are_no_committee() {
    statement::verify_committee(&committee(), 2, &b"", &vector[0, 1], &vector[of_nothing()]);
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun a_stranger_does_not_sign_for_the_committee() {
    statement::verify_committee(&committee(), 1, &b"", &vector[3], &vector[of_nothing()]);
}

#[test, expected_failure(abort_code = statement::EBadSignature)]
fun one_bad_signature_spoils_the_good_ones() {
    statement::verify_committee(&committee(), 1, &b"r", &vector[0, 1], &vector[fixtures::signed(), of_nothing()]);
}

#[test, expected_failure(abort_code = statement::ESignersNotSorted)]
fun one_signer_does_not_count_twice() {
    statement::verify_committee(&committee(), 2, &b"", &vector[0, 0], &vector[fixtures::signed(), fixtures::signed()]);
}

#[test, expected_failure(abort_code = statement::ESignersNotSorted)]
fun signers_come_in_rising_order() {
    statement::verify_committee(&committee(), 2, &b"", &vector[2, 0], &vector[fixtures::signed(), fixtures::signed()]);
}

/// Statements of different kinds are never the same bytes: the first one is the scope.
#[test]
fun every_statement_says_what_it_is() {
    let (a, k) = (@0x1, fixtures::key());
    let all = vector[
        statement::commit_bytes(a, a, a, 1, k, k, k, 1),
        statement::invalid_bytes(a, a, a, 1, k, k, 1),
        statement::handoff_bytes(a, a, a, 1, 1, vector[]),
        statement::audit_bytes(a, a, a, 1, 1, k, k),
        statement::verdict_bytes(a, a, a, 1, k, k, 0, k, k, k, k, 1, k),
        statement::ticket_bytes(a, a, 1, k, vector[statement::seat(a, a, 0, 1, k)], 1),
        statement::revocation_bytes(a, a, a, 1, 1),
        statement::ruling_bytes(a, a, 1, k, true),
    ];
    let mut i = 0;
    while (i < all.length()) {
        assert!(all[i][0] as u64 == i + 1);
        i = i + 1;
    };
    assert!(statement::native_digest(a, a, a, 1, k, k, k, k, vector[k], 1, 1).length() == 32);
}

/// A host that lies to its enclave of any of these gets a refusal that the contract does not take.
#[test]
fun the_facts_of_an_input_are_all_of_them() {
    let (k, other) = (fixtures::key(), fixtures::bytes(9, 32));
    let facts = vector[
        statement::input_facts(k, k, 1, vector[], 5),
        statement::input_facts(other, k, 1, vector[], 5),
        statement::input_facts(k, other, 1, vector[], 5),
        statement::input_facts(k, k, 2, vector[], 5),
        statement::input_facts(k, k, 1, vector[@0xd], 5),
        statement::input_facts(k, k, 1, vector[], 6),
    ];
    facts.length().do!(|i| i.do!(|j| assert!(facts[i] != facts[j] && facts[i].length() == 32)));
}
