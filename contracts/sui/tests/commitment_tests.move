#[test_only]
module enclavia::commitment_tests;

use enclavia::commitment;
use enclavia::fixtures;

const TASK: address = @0x7a;

#[test, expected_failure(abort_code = commitment::EEmpty)]
fun a_tree_without_leaves_has_no_root() { commitment::root(vector[]); }

#[test]
fun an_odd_leaf_rises_unpaired() {
    let (a, b, c) = (fixtures::bytes(1, 32), fixtures::bytes(2, 32), fixtures::bytes(3, 32));
    assert!(commitment::root(vector[a]) == a);
    assert!(commitment::root(vector[a, b, c]) == commitment::branch(commitment::branch(a, b), c));
}

#[test]
fun a_leaf_tells_its_key_its_task_its_place_and_its_bytes() {
    let key = fixtures::key();
    let leaf = commitment::leaf(key, TASK, 0, b"yes");
    assert!(leaf != commitment::leaf(fixtures::bytes(9, 32), TASK, 0, b"yes"));
    assert!(leaf != commitment::leaf(key, @0x7b, 0, b"yes"));
    assert!(leaf != commitment::leaf(key, TASK, 1, b"yes"));
    assert!(leaf != commitment::leaf(key, TASK, 0, b"no"));
}

#[test]
fun a_commitment_is_of_one_task_and_one_node() {
    let (root, salt) = (fixtures::bytes(1, 32), fixtures::bytes(2, 32));
    let posted = commitment::commitment(TASK, @0x1, root, salt);
    assert!(posted != commitment::commitment(@0x7b, @0x1, root, salt));
    assert!(posted != commitment::commitment(TASK, @0x2, root, salt));
    assert!(posted != commitment::commitment(TASK, @0x1, salt, root));
}

#[test]
fun nothing_is_one_empty_chunk() {
    assert!(commitment::blob_digest(b"") == commitment::blob_leaf(0, &b"", &b""));
    assert!(commitment::output_root(fixtures::key(), TASK, b"", 4) == commitment::leaf(fixtures::key(), TASK, 0, b""));
}

#[test]
fun an_output_is_cut_into_chunks_of_the_given_size() {
    let key = fixtures::key();
    let cut = commitment::branch(commitment::leaf(key, TASK, 0, b"abcd"), commitment::leaf(key, TASK, 1, b"ef"));
    assert!(commitment::output_root(key, TASK, b"abcdef", 4) == cut);
    // no empty chunk at the end
    let whole = commitment::branch(commitment::leaf(key, TASK, 0, b"abcd"), commitment::leaf(key, TASK, 1, b"efgh"));
    assert!(commitment::output_root(key, TASK, b"abcdefgh", 4) == whole);
}

#[test]
fun a_blob_is_cut_into_chunks_of_two_halves_of_8_kib() {
    let (half, none, one) = (fixtures::bytes(7, 8_192), b"", x"08");
    let mut blob = half;
    assert!(commitment::blob_digest(blob) == commitment::blob_leaf(0, &half, &none));
    blob.append(half);
    let full = commitment::blob_leaf(0, &half, &half);
    assert!(commitment::blob_digest(blob) == full);
    blob.push_back(8);
    assert!(commitment::blob_digest(blob) == commitment::branch(full, commitment::blob_leaf(1, &one, &none)));
}
