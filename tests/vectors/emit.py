"""Writes the vectors: `python -m tests.vectors.emit`.

Run from the root of the repository, after a rule has changed on purpose. It makes JSON beside this file for any
implementation, and `contracts/sui/tests/vectors_tests.move` for Move, both out of `agent.protocol`. Another
implementation disagrees with us where its results differ from these; we disagree with the contract where the Move tests
fail (`python -m localnet.toolchain test contracts/sui`). Tests keep the files what this script writes, and check them
against a second, naive spelling of each rule.

| file | what a vector holds |
|---|---|
| leaf | a keyed leaf of an output |
| root | a Merkle root over 1..9 leaves |
| commitment | the blinded commitment of an executor (salt of 32 bytes) and of a panel member (64) |
| blob | the digest of `size` times `byte` |
| derived | everything that derives from a data key; for enclaves and clients, Move computes none of it |
| draw | who is drawn, without and with replacement; its numbers have 64 bits, 2^64-1 is nobody |
| audit | the flag; a probability is Q64 in decimal |
| quote | the price of a task; wide numbers in decimal |
| statement | the bytes that are signed |
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from agent.protocol import draw, keys, money
from agent.protocol.blob import BLOB_CHUNK, blob_digest
from agent.protocol.commitment import CHUNK, commitment, leaf, merkle_root, output_root
from agent.protocol.records import Params
from agent.protocol.statements import (
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InvalidInputStatement,
    InvalidReason,
    TeeKind,
    TicketSeat,
    TicketStatement,
    VerdictStatement,
)
from agent.protocol.units import NONE, Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId

HERE = Path(__file__).parent
MOVE = HERE.parents[1] / "contracts" / "sui" / "tests" / "vectors_tests.move"

Vector = dict[str, Any]


def some(label: str, size: int = 32) -> bytes:
    """Bytes that mean nothing and never change."""
    return b"".join(blake2b(f"{label} {i}".encode(), digest_size=32).digest() for i in range(size // 32 + 1))[:size]


def leaves() -> list[Vector]:
    """Keyed leaves."""
    task, key = TaskId(some("task")), some("leaf key")
    return [
        {
            "leaf_key": key.hex(), "task": task.hex(), "index": index, "chunk": chunk.hex(),
            "leaf": leaf(key, task, index, chunk).hex(),
        }
        for index, chunk in [(0, b""), (1, b"yes"), (65_535, some("chunk", 1_024))]
    ]  # fmt: skip


def roots() -> list[Vector]:
    """Roots over 1..9 leaves: every way in which an odd node rises."""
    made = []
    for count in range(1, 10):
        level = [Digest(some(f"leaf {i}")) for i in range(count)]
        made.append({"leaves": [each.hex() for each in level], "root": merkle_root(level).hex()})
    return made


def commitments() -> list[Vector]:
    """An executor's (salt of 32 bytes) and a panel member's (64)."""
    task, node, root = TaskId(some("task")), NodeId(some("node")), some("root")
    salts = [some("salt"), some("salt") + some("executor salt")]
    return [
        {
            "task": task.hex(), "node": node.hex(), "root": root.hex(), "salt": salt.hex(),
            "commitment": commitment(task, node, root, salt).hex(),
        }
        for salt in salts
    ]  # fmt: skip


def blobs() -> list[Vector]:
    """Around the borders of a chunk; contents are a repeated byte."""
    sizes = [0, 1, BLOB_CHUNK - 1, BLOB_CHUNK, BLOB_CHUNK + 1, 3 * BLOB_CHUNK]
    return [{"byte": 0xA5, "size": size, "digest": blob_digest(b"\xa5" * size).hex()} for size in sizes]


def derived() -> list[Vector]:
    """What derives from a data key; not computed in Move."""
    data_key, task, node = some("data key"), TaskId(some("task")), NodeId(some("node"))
    leaf_key = keys.leaf_key(data_key, task)
    return [
        {
            "data_key": data_key.hex(),
            "task": task.hex(),
            "node": node.hex(),
            "leaf_key": leaf_key.hex(),
            "salt": keys.salt(data_key, task, node).hex(),
            "input_key": keys.input_key(data_key, task).hex(),
            "key_commitment": keys.key_commitment(data_key, task).hex(),
            "wrap_ephemeral": keys.wrap_ephemeral(data_key, task, node).hex(),
            "output": output.hex(),
            "output_ephemeral": keys.output_ephemeral(data_key, task, node, output).hex(),
            "output_root": output_root(leaf_key, task, output).hex(),
        }
        for output in [b"", b"an output", some("output", 3 * CHUNK - 1), some("output", 3 * CHUNK + 1)]
    ]


def draws() -> list[Vector]:
    """Small and uneven rosters, exclusions, more draws than operators, both kinds."""
    made = []
    for depth, weights, excluded, count in [
        (3, [5, 5, 5, 5, 5, 5, 5], [], 4),
        (3, [5, 5, 5, 5, 5, 5, 5], [2], 4),
        (3, [1, 2, 3, 4, 5, 6, 7, 8], [7, 0], 6),
        (3, [1, 2, 3, 4, 5, 6, 7, 8], [7, 0], 8),
        (2, [0, 9, 0, 1], [], 3),
        (1, [7, 7], [1], 2),
        (1, [7, 7], [0, 1], 2),
        (2, [0, 0, 0, 0], [], 2),
        (3, [5, 5, 5, 5, 5], [NONE, 3, NONE], 5),
        (4, [1] * 16, [15, 3], 16),
        (12, [1_000 + slot for slot in range(40)], [39], 16),
        (5, [10**18, 1, 10**12, 3, 0, 10**15, 2, 2, 10**18], [5], 8),
    ]:
        sums = draw.fenwick(weights, depth)
        slots = [Slot(slot) for slot in excluded]
        for i in range(3):
            seed = some(f"seed {i}")
            made.append(
                {
                    "depth": depth, "weights": weights, "seed": seed.hex(), "excluded": excluded, "count": count,
                    "without": list(draw.draw_without(sums, seed, count, slots)),
                    "with": list(draw.draw_with(sums, seed, count, slots)),
                }
            )  # fmt: skip
    return made


def audits() -> list[Vector]:
    """The flag at the edges of probability and around one half."""
    made = []
    for i in range(4):
        seed = some(f"seed {i}")
        edge = draw.word(seed, 65_535) % draw.ALWAYS
        for probability in (0, edge, edge + 1, draw.ALWAYS // 2, draw.ALWAYS):
            audited = draw.is_audited(seed, probability)
            made.append({"seed": seed.hex(), "probability": str(probability), "audited": audited})
    return made


def quotes() -> list[Vector]:
    """What a task costs; above all the rounding of the premium."""
    price, reservation = Mist(1_000_000), Mist(100_000)
    made = []
    for probability, auditors, fee in [
        (0, 2, 300_000), (1, 2, 300_000), (draw.ALWAYS // 3, 2, 300_001), (draw.probability("0.3"), 2, 300_000),
        (draw.ALWAYS // 2, 1, 1), (draw.ALWAYS - 1, 1, 1), (draw.ALWAYS, 1, 0), (draw.ALWAYS, 16, 2**40),
    ]:  # fmt: skip
        params = replace(PARAMS, audit_probability=probability, auditors=auditors)
        made.append(
            {
                "probability": str(probability), "auditors": auditors, "price": price, "auditor_fee": fee,
                "reservation_fee": reservation, "premium": money.premium(params, Mist(fee)),
                "quote": money.quote(params, price, Mist(fee), reservation),
            }
        )  # fmt: skip
    return made


PARAMS = Params(
    min_stake=Mist(10**10), executor_lock=Mist(10**9), auditor_lock=Mist(5 * 10**8), auditors=2, dispute_seats=5,
    audit_probability=draw.ALWAYS // 2, input_ms=Millis(100), commit_ms=Millis(200), delivery_ms=Millis(100),
    ticket_ms=Millis(100), handoff_ms=Millis(100), audit_ms=Millis(200), reveal_ms=Millis(100), grace_ms=Millis(50),
    period_ms=Millis(1_000), unbonding_ms=Millis(20_000), challenge_ms=Millis(1_000), heartbeat_ms=Millis(5_000),
    absence_bps=2_000, undecided_bps=1_000, victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000,
)  # fmt: skip
NETWORK, POOL = Address(some("network")), Address(some("pool"))
TASK, NODE = TaskId(some("task")), NodeId(some("node"))
INPUT, COMMITMENT = BlobId(some("input")), Digest(some("commitment"))


def statements() -> list[Vector]:
    """Signing bytes of each statement."""
    seats = (
        TicketSeat(NodeId(some("seat 0")), TeeKind.NITRO, 3, some("hpke 0")),
        TicketSeat(NodeId(some("seat 1")), TeeKind.SIMULATED, 1, some("hpke 1")),
    )
    made = [
        CommitStatement(NETWORK, TASK, NODE, 7, INPUT, COMMITMENT, BlobId(some("sealed output")), 1_234),
        InvalidInputStatement(NETWORK, TASK, NODE, 7, INPUT, InvalidReason.HEADER),
        HandoffStatement(NETWORK, TASK, NODE, 7, 2, (some("wrap 0", 80), some("wrap 1", 80))),
        AuditStatement(NETWORK, TASK, NODE, 7, 1, INPUT, COMMITMENT),
        VerdictStatement(
            NETWORK, POOL, NODE, 7, some("challenge"), BlobId(some("evidence")), TeeKind.SEV_SNP,
            some("measurement", 48), Digest(some("manifest")), some("hpke"), some("sign"), Millis(1_800_000_000_000),
            Digest(some("policy")),
        ),
        TicketStatement(NETWORK, TASK, 2, INPUT, seats, Millis(1_800_000_000_000)),
    ]  # fmt: skip
    return [
        {"statement": type(each).__name__, "scope": each.SCOPE, "bytes": each.signing_bytes().hex()} for each in made
    ]


FILES: dict[str, Callable[[], list[Vector]]] = {
    "leaf": leaves, "root": roots, "commitment": commitments, "blob": blobs, "derived": derived, "draw": draws,
    "audit": audits, "quote": quotes, "statement": statements,
}  # fmt: skip


def as_json(vectors: list[Vector]) -> str:
    """One vector a line, so that a change is seen where it is."""
    return "[\n" + ",\n".join(json.dumps(each) for each in vectors) + "\n]\n"


def as_move() -> str:
    """A Move test module over the same vectors."""
    tests = {
        "leaves_are_the_vectors": _lines(leaves(), _leaf),
        "roots_are_the_vectors": _lines(roots(), _root),
        "commitments_are_the_vectors": _lines(commitments(), _commitment),
        "blob_digests_are_the_vectors": _lines(blobs(), _blob),
        **_draws(draws()),
        "audit_flags_are_the_vectors": _lines(audits(), _audit),
        "premiums_are_the_vectors": _lines(quotes(), _premium),
        "statements_are_the_vectors": _statements(statements()),
    }
    body = "\n\n".join(f"#[test]\nfun {name}() {{\n{lines}\n}}" for name, lines in tests.items())
    return f"{_HEAD}\n{body}\n"


_HEAD = """// Written by tests/vectors/emit.py: do not edit.
#[test_only]
module enclavia::vectors_tests;

use enclavia::commitment;
use enclavia::draw;
use enclavia::params;
use enclavia::pool;
use enclavia::statement;

fun repeated(byte: u8, size: u64): vector<u8> {
    let mut bytes = vector[];
    let mut i = 0;
    while (i < size) { bytes.push_back(byte); i = i + 1; };
    bytes
}

fun fenwick(depth: u8, weights: vector<u64>): (vector<u64>, u64) {
    let mut fen = vector[0];
    let mut i = 0;
    while (i < 1u64 << depth) { fen.push_back(0); i = i + 1; };
    let mut total = 0;
    i = 0;
    while (i < weights.length()) {
        draw::add(&mut fen, depth, i, 0, weights[i]);
        total = total + weights[i];
        i = i + 1;
    };
    (fen, total)
}
"""


def _lines(vectors: Iterable[Vector], line: Callable[[Vector], str]) -> str:
    return "\n".join("    " + line(vector).replace("\n", "\n    ") for vector in vectors)


def _hex(text: str) -> str:
    return f'x"{text}"'


def _hexes(texts: list[str]) -> str:
    return ", ".join(map(_hex, texts))


def _leaf(v: Vector) -> str:
    call = f"commitment::leaf({_hex(v['leaf_key'])}, @0x{v['task']}, {v['index']}, {_hex(v['chunk'])})"
    return f"assert!({call} == {_hex(v['leaf'])});"


def _root(v: Vector) -> str:
    return f"assert!(commitment::root(vector[{_hexes(v['leaves'])}]) == {_hex(v['root'])});"


def _blob(v: Vector) -> str:
    return f"assert!(commitment::blob_digest(repeated({v['byte']}, {v['size']})) == {_hex(v['digest'])});"


def _audit(v: Vector) -> str:
    return f"assert!(draw::is_audited(&{_hex(v['seed'])}, {v['probability']}) == {str(v['audited']).lower()});"


def _premium(v: Vector) -> str:
    params = replace(PARAMS, audit_probability=int(v["probability"]), auditors=v["auditors"])
    arguments = ", ".join(map(str, params.in_order()))
    return f"assert!(pool::premium(&params::new({arguments}), {v['auditor_fee']}) == {v['premium']});"


def _commitment(v: Vector) -> str:
    return (
        f"assert!(commitment::commitment(@0x{v['task']}, @0x{v['node']}, {_hex(v['root'])}, {_hex(v['salt'])})"
        f" == {_hex(v['commitment'])});"
    )


def _draws(vectors: list[Vector]) -> dict[str, str]:
    """A function for each roster: the compiler's stack overflows on a function of a hundred statements."""
    rosters: dict[str, list[Vector]] = {}
    for v in vectors:
        rosters.setdefault(f"{v['depth']} {v['weights']} {v['excluded']} {v['count']}", []).append(v)
    return {
        f"draws_from_roster_{number}_are_the_vectors": _roster(same[0]) + "\n" + _lines(same, _draw)
        for number, same in enumerate(rosters.values())
    }


def _roster(v: Vector) -> str:
    return f"    let (fen, total) = fenwick({v['depth']}, vector{v['weights']});"


def _draw(v: Vector) -> str:
    call = f"&fen, {v['depth']}, total, &{_hex(v['seed'])}, {v['count']}, vector{v['excluded']}"
    return f"assert!(draw::without({call}) == vector{v['without']});\nassert!(draw::with({call}) == vector{v['with']});"


def _statements(vectors: list[Vector]) -> str:
    at = f"@0x{NETWORK.hex()}, @0x{TASK.hex()}, @0x{NODE.hex()}"
    inputs = _hex(INPUT.hex())
    calls = [
        f"commit_bytes({at}, 7, {inputs}, {_hex(COMMITMENT.hex())}, {_hex(some('sealed output').hex())}, 1234)",
        f"invalid_bytes({at}, 7, {inputs}, 4)",
        f"handoff_bytes({at}, 7, 2, vector[{_hexes([some('wrap 0', 80).hex(), some('wrap 1', 80).hex()])}])",
        f"audit_bytes({at}, 7, 1, {inputs}, {_hex(COMMITMENT.hex())})",
        f"verdict_bytes(@0x{NETWORK.hex()}, @0x{POOL.hex()}, @0x{NODE.hex()}, 7, {_hex(some('challenge').hex())},"
        f" {_hex(some('evidence').hex())}, 3, {_hex(some('measurement', 48).hex())}, {_hex(some('manifest').hex())},"
        f" {_hex(some('hpke').hex())}, {_hex(some('sign').hex())}, 1800000000000, {_hex(some('policy').hex())})",
        f"ticket_bytes(@0x{NETWORK.hex()}, @0x{TASK.hex()}, 2, {inputs}, vector["
        f"statement::seat(@0x{some('seat 0').hex()}, 1, 3, {_hex(some('hpke 0').hex())}),"
        f" statement::seat(@0x{some('seat 1').hex()}, 0, 1, {_hex(some('hpke 1').hex())})], 1800000000000)",
    ]
    return "\n".join(
        f"    assert!(statement::{call} == {_hex(vector['bytes'])});"
        for call, vector in zip(calls, vectors, strict=True)
    )


def main() -> None:
    """Write every file."""
    for name, make in FILES.items():
        (HERE / f"{name}.json").write_text(as_json(make()))
    MOVE.write_text(as_move())


if __name__ == "__main__":
    main()
