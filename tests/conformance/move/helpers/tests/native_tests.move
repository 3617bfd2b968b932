/// Known answers of the natives that the contracts use: the VM under test has Sui's own, not stand-ins.
#[test_only]
module helpers::native_tests;

use std::unit_test::assert_eq;

#[test]
/// RFC 7693, parameters of BLAKE2b-256.
fun blake2b256_of_abc() {
    assert_eq!(sui::hash::blake2b256(&b"abc"), x"bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

#[test]
/// FIPS 180-4.
fun sha2_256_of_abc() {
    assert_eq!(std::hash::sha2_256(b"abc"), x"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
/// RFC 8032, 7.1, TEST 2.
fun ed25519_signature_of_the_rfc() {
    let public_key = x"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature =
        x"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert!(sui::ed25519::ed25519_verify(&signature, &public_key, &x"72"));
    assert!(!sui::ed25519::ed25519_verify(&signature, &public_key, &x"73"));
}

#[test]
fun bcs_of_a_vector_has_its_length_before_it() {
    assert_eq!(std::bcs::to_bytes(&vector[1u16, 2]), x"0201000200");
}
