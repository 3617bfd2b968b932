/// Merkle roots and commitments: docs/spec/protocol.md §2. Checked by the same vectors as `agent.protocol.commitment`.
module enclavia::commitment;

use std::bcs;
use sui::hash;

const LEAF: vector<u8> = b"enclavia-leaf/1:";
const BRANCH: vector<u8> = b"enclavia-branch/1:";
const COMMIT: vector<u8> = b"enclavia-commit/1:";
const BLOB: vector<u8> = b"enclavia-blob/1:";
const BLOB_CHUNK: u64 = 16_384;

/// A tree has at least one leaf.
const EEmpty: u64 = 1;

/// The leaf of an output chunk; keyed, so that a root of a guessable output tells nothing.
public fun leaf(leaf_key: vector<u8>, task: address, index: u32, chunk: vector<u8>): vector<u8> {
    let mut bytes = leaf_key;
    bytes.append(LEAF);
    bytes.append(bcs::to_bytes(&task));
    bytes.append(bcs::to_bytes(&index));
    bytes.append(chunk);
    hash::blake2b256(&bytes)
}

public fun branch(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = BRANCH;
    bytes.append(left);
    bytes.append(right);
    hash::blake2b256(&bytes)
}

/// Binary root over `leaves`, in order; an odd one rises unpaired.
public fun root(leaves: vector<vector<u8>>): vector<u8> {
    assert!(!leaves.is_empty(), EEmpty);
    let mut level = leaves;
    while (level.length() > 1) {
        let mut above = vector[];
        let mut i = 0;
        while (i + 1 < level.length()) {
            above.push_back(branch(level[i], level[i + 1]));
            i = i + 2;
        };
        if (i < level.length()) above.push_back(level[i]);
        level = above;
    };
    level[0]
}

/// What a node posts: the root, blinded by its salt and bound to itself.
public fun commitment(task: address, node: address, root: vector<u8>, salt: vector<u8>): vector<u8> {
    let mut bytes = COMMIT;
    bytes.append(bcs::to_bytes(&task));
    bytes.append(bcs::to_bytes(&node));
    bytes.append(root);
    bytes.append(salt);
    hash::blake2b256(&bytes)
}

/// The leaf of a stored chunk, of its two halves' hashes: putting 16 KiB together in Move would cost a hundred times as much.
public fun blob_leaf(index: u32, head: &vector<u8>, tail: &vector<u8>): vector<u8> {
    let mut bytes = BLOB;
    bytes.append(bcs::to_bytes(&index));
    bytes.append(hash::blake2b256(head));
    bytes.append(hash::blake2b256(tail));
    hash::blake2b256(&bytes)
}

/// The name of stored bytes.
public fun blob_digest(content: vector<u8>): vector<u8> {
    let mut leaves = vector[];
    let mut halves = chunks(content, BLOB_CHUNK / 2);
    if (halves.length() % 2 == 1) halves.push_back(vector[]);
    let mut i = 0;
    while (i < halves.length()) {
        leaves.push_back(blob_leaf((i / 2) as u32, &halves[i], &halves[i + 1]));
        i = i + 2;
    };
    root(leaves)
}

/// The root of an output, in chunks of `size` bytes.
public fun output_root(leaf_key: vector<u8>, task: address, output: vector<u8>, size: u64): vector<u8> {
    let mut leaves = vector[];
    let chunks = chunks(output, size);
    let mut i = 0;
    while (i < chunks.length()) {
        leaves.push_back(leaf(leaf_key, task, i as u32, chunks[i]));
        i = i + 1;
    };
    root(leaves)
}

/// `content` in chunks of `size` bytes; nothing is one empty chunk.
fun chunks(content: vector<u8>, size: u64): vector<vector<u8>> {
    let mut chunks = vector[];
    let mut at = 0;
    loop {
        let mut chunk = vector[];
        while (chunk.length() < size && at < content.length()) {
            chunk.push_back(content[at]);
            at = at + 1;
        };
        chunks.push_back(chunk);
        if (at >= content.length()) break
    };
    chunks
}
