/// Draws by stake over Fenwick sums. No instruction here depends on the seed: a gas budget cannot choose who is drawn (docs/spec/protocol.md §3).
/// Loops run over counts that are the same for every seed; comparisons are arithmetic, because Move has no bool-to-integer cast without a branch.
module enclavia::draw;

use sui::address;
use sui::hash;

/// Nobody: there were fewer operators than draws.
const NONE: u64 = 0xffff_ffff_ffff_ffff;
const TWO_64: u128 = 0x1_0000_0000_0000_0000;
const TWO_64_WIDE: u256 = 0x1_0000_0000_0000_0000;
/// The word that decides the audit; panels never use it.
const AUDIT_WORD: u64 = 65_535;

public fun none(): u64 { NONE }

/// Whether `seed` says audited; `probability` is Q64, 2^64 means always.
public fun is_audited(seed: &vector<u8>, probability: u128): bool {
    ((word(seed, AUDIT_WORD) % TWO_64_WIDE) as u128) < probability
}

/// `k` different slots by weight, none of `excluded` (different slots, or NONE); NONE where nobody is left.
public fun without(
    fen: &vector<u64>, depth: u8, total: u64, seed: &vector<u8>, k: u64, excluded: vector<u64>,
): vector<u64> {
    draw(fen, depth, total, seed, k, excluded, true)
}

/// `k` slots by weight, the same one perhaps several times: seats of a dispute.
public fun with(
    fen: &vector<u64>, depth: u8, total: u64, seed: &vector<u8>, k: u64, excluded: vector<u64>,
): vector<u64> {
    draw(fen, depth, total, seed, k, excluded, false)
}

fun draw(
    fen: &vector<u64>, depth: u8, total: u64, seed: &vector<u8>, k: u64, excluded: vector<u64>, take: bool,
): vector<u64> {
    let mut starts = vector[];
    let mut widths = vector[];
    let mut left = total;
    let mut i = 0;
    while (i < excluded.length()) {
        if (excluded[i] != NONE) {
            let start = prefix(fen, depth, excluded[i]);
            let width = weight(fen, depth, excluded[i], start);
            put(&mut starts, &mut widths, start, width);
            left = left - width;
        };
        i = i + 1;
    };
    let mut drawn = vector[];
    let mut j = 0;
    while (j < k) {
        // runs dry after as many draws as there are operators left, whoever they are
        if (left == 0) {
            drawn.push_back(NONE);
        } else {
            let r = shift(&starts, &widths, (word(seed, j) % (left as u256)) as u64);
            let (slot, start) = find(fen, depth, r);
            drawn.push_back(slot);
            if (take) {
                let width = weight(fen, depth, slot, start);
                put(&mut starts, &mut widths, start, width);
                left = left - width;
            };
        };
        j = j + 1;
    };
    drawn
}

/// Sets the weight of `slot` from `old` to `new`.
public fun add(fen: &mut vector<u64>, depth: u8, slot: u64, old: u64, new: u64) {
    let cap = 1u64 << depth;
    let mut i = slot + 1;
    while (i <= cap) {
        let cell = &mut fen[i];
        *cell = *cell + new - old;
        i = i + (i ^ (i & (i - 1)));
    };
}

/// The weight of `slot`.
public fun weight_of(fen: &vector<u64>, depth: u8, slot: u64): u64 {
    weight(fen, depth, slot, prefix(fen, depth, slot))
}

fun word(seed: &vector<u8>, j: u64): u256 {
    let mut message = *seed;
    message.push_back((j >> 8) as u8);
    message.push_back((j & 255) as u8);
    address::to_u256(address::from_bytes(hash::blake2b256(&message)))
}

/// The weights that the sums are of, by slot: every sum less those of its parts.
public fun weights(fen: &vector<u64>): vector<u64> {
    let mut parts = *fen;
    let mut i = fen.length() - 1;
    while (i > 0) {
        // i & -i: how many slots the sum covers
        let above = i + (i & (0xffff_ffff_ffff_ffff - i + 1));
        if (above < fen.length()) *(&mut parts[above]) = parts[above] - fen[i];
        i = i - 1;
    };
    parts.remove(0);
    parts
}

/// 1 if a >= b, else 0.
fun ge(a: u64, b: u64): u64 { (((a as u128) + TWO_64 - (b as u128)) >> 64) as u64 }

/// The slot whose interval holds `r`, and where that interval starts; `r` is below the total.
fun find(fen: &vector<u64>, depth: u8, r: u64): (u64, u64) {
    let mut slot = 0;
    let mut rest = r;
    let mut s = depth;
    while (s > 0) {
        s = s - 1;
        let step = 1u64 << s;
        let sum = fen[slot + step];
        let right = ge(rest, sum);
        rest = rest - sum * right;
        slot = slot + step * right;
    };
    (slot, r - rest)
}

/// Sum of the weights below `slot`.
fun prefix(fen: &vector<u64>, depth: u8, slot: u64): u64 {
    let mut at = 0;
    let mut sum = 0;
    let mut s = depth;
    while (s > 0) {
        s = s - 1;
        let step = 1u64 << s;
        let bit = (slot >> s) & 1;
        sum = sum + bit * fen[at + step];
        at = at + bit * step;
    };
    sum
}

/// Weight of `slot`, whose interval starts at `start`: the prefix of its successor less its own.
fun weight(fen: &vector<u64>, depth: u8, slot: u64, start: u64): u64 {
    // the successor of the last slot is past the tree: its prefix is the whole sum at the root cell
    let last = ge(slot + 1, 1u64 << depth);
    let end = prefix(fen, depth, (slot + 1) * (1 - last)) + last * fen[1u64 << depth];
    end - start
}

/// Moves `r` past the taken intervals, which are sorted by start.
fun shift(starts: &vector<u64>, widths: &vector<u64>, r: u64): u64 {
    let mut at = r;
    let mut i = 0;
    while (i < starts.length()) {
        at = at + widths[i] * ge(at, starts[i]);
        i = i + 1;
    };
    at
}

/// Inserts an interval in order, by carrying it through all of them: the same work wherever it belongs.
fun put(starts: &mut vector<u64>, widths: &mut vector<u64>, start: u64, width: u64) {
    let mut s = start;
    let mut w = width;
    let mut i = 0;
    while (i < starts.length()) {
        let here = starts[i];
        let wide = widths[i];
        let keep = ge(s, here);
        let swap = 1 - keep;
        *(&mut starts[i]) = here * keep + s * swap;
        *(&mut widths[i]) = wide * keep + w * swap;
        s = s * keep + here * swap;
        w = w * keep + wide * swap;
        i = i + 1;
    };
    starts.push_back(s);
    widths.push_back(w);
}
