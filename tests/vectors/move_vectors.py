"""The vectors as a Move test module."""

from collections.abc import Callable, Iterable
from dataclasses import fields

from vector_rules import (
    COMMITMENT,
    FACTS,
    INPUT,
    NETWORK,
    NODE,
    PARAMS,
    POOL,
    TASK,
    VARIED,
    Vector,
    audits,
    blobs,
    commitments,
    derived,
    deterrences,
    draws,
    leaves,
    natives,
    premiums,
    roots,
    some,
    special,
    statements,
)

from agent.protocol.commitment import CHUNK
from agent.protocol.records import Params
from agent.protocol.statements import FORGED, NO_SALT


def as_move() -> str:
    """A Move test module over the same vectors."""
    tests = {
        **_tests("leaves_are_the_vectors", leaves(), _leaf),
        **_tests("roots_are_the_vectors", roots(), _root),
        **_tests("commitments_are_the_vectors", commitments(), _commitment),
        **_tests("special_roots_are_the_vectors", special(), _special),
        **_tests("blob_digests_are_the_vectors", blobs(), _blob),
        **_tests("output_roots_are_the_vectors", derived(), _output_root),
        **_draws(draws()),
        **_tests("audit_flags_are_the_vectors", audits(), _audit),
        **_tests("premiums_are_the_vectors", premiums(), _premium),
        **_tests("deterrence_is_the_vectors", deterrences(), _deterred),
        "statements_are_the_vectors": _statements(statements()),
        **_tests("native_digests_are_the_vectors", natives(), _native),
    }
    body = "\n\n".join(f"#[test]\nfun {name}() {{\n{lines}\n}}" for name, lines in tests.items())
    return f"{_HEAD.replace('PARAMETERS', _parameters())}\n{body}\n"


LONGEST = 16
"""Vectors in one Move test: the compiler's stack overflows on a function of a hundred statements."""


def _tests(name: str, vectors: list[Vector], line: Callable[[Vector], str]) -> dict[str, str]:
    parts = [vectors[at : at + LONGEST] for at in range(0, len(vectors), LONGEST)]
    return {name if len(parts) == 1 else f"{name}_{number}": _lines(part, line) for number, part in enumerate(parts)}


_HEAD = """// Written by tests/vectors/emit.py: do not edit.
#[test_only]
module enclavia::vectors_tests;

use enclavia::commitment;
use enclavia::draw;
use enclavia::params::{Self, Params};
use enclavia::pool;
use enclavia::round;
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

PARAMETERS

fun deterred(p: &Params, price: u64, value: u64, slash: u64, required: u128) {
    assert!(params::effective_slash(p, price) == slash);
    assert!(params::required_probability(p, price, value) == required);
}

fun deterred_by(p: &Params, price: u64, value: u64, slash: u64, required: u128, probability: u128) {
    deterred(p, price, value, slash, required);
    assert!(params::audit_probability_of(p, price, value) == probability);
}
"""


def _parameters() -> str:
    """A Move function that makes parameters of the VARIED ones."""
    types = ", ".join(f"{name}: {'u128' if name == 'audit_probability' else 'u64'}" for name in VARIED)
    values = ", ".join(
        each.name if each.name in VARIED else str(value)
        for each, value in zip(fields(Params), PARAMS.in_order(), strict=True)
    )
    return f"fun parameters({types}): Params {{\n    params::new({values})\n}}"


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


def _output_root(v: Vector) -> str:
    call = f"commitment::output_root({_hex(v['leaf_key'])}, @0x{v['task']}, {_hex(v['output'])}, {CHUNK})"
    return f"assert!({call} == {_hex(v['output_root'])});"


def _special(v: Vector) -> str:
    root = _hex(v["root"])
    checks = {
        "BAD_WRAP": f"round::blames_handoff(&{root}) && !round::is_no_input(&{root})",
        "NO_INPUT": f"round::blames_handoff(&{root}) && round::is_no_input(&{root})",
        "EARLIER_WRAP": f"round::blames(&{root}) && round::is_special(&{root}) && !round::blames_handoff(&{root})",
        "FORGED": f"round::is_forged(&{root})",
        "BAD_KEY": f"round::is_bad_key(&{root})",
    }
    call = f"commitment::commitment(@0x{v['task']}, @0x{v['node']}, {root}, {_hex(v['salt'] + NO_SALT.hex())})"
    return f"assert!({checks[v['name']]});\nassert!({call} == {_hex(v['commitment'])});"


def _premium(v: Vector) -> str:
    return f"assert!(pool::premium({v['probability']}, {v['auditors']}, {v['auditor_fee']}) == {v['premium']});"


def _deterred(v: Vector) -> str:
    params = f"parameters({', '.join(v[name] for name in VARIED)})"
    where = f"{v['price']}, {v['value']}"
    return (
        f"deterred(&{params}, {where}, {v['effective_slash']}, {v['required_probability']});"
        if v["probability"] is None
        else f"deterred_by(&{params}, {where}, {v['effective_slash']}, {v['required_probability']}, {v['probability']});"
    )


def _native(v: Vector) -> str:
    call = (
        f"@0x{v['network']}, @0x{v['pool']}, @0x{v['node']}, {v['key_epoch']}, {_hex(v['challenge'])}, {_hex(v['hpke_pk'])},"
        f" {_hex(v['sign_pk'])}, {_hex(v['manifest'])}, vector[{_hexes(v['verifiers'])}], {v['threshold']}, {v['not_after']}"
    )
    return f"assert!(statement::native_digest({call}) == {_hex(v['digest'])});"


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
    facts = f"{_hex(FACTS.key_commitment.hex())}, {_hex(FACTS.output_pk.hex())}, 3, vector[@0x{FACTS.denied[0].hex()}], 9"
    calls = [
        f"commit_bytes({at}, 7, {inputs}, {_hex(COMMITMENT.hex())}, {_hex(some('sealed output').hex())}, 1234)",
        f"invalid_bytes({at}, 7, {inputs}, statement::input_facts({facts}), 4)",
        f"handoff_bytes({at}, 7, 2, vector[{_hexes([some('wrap 0', 80).hex(), some('wrap 1', 80).hex()])}])",
        f"audit_bytes({at}, 7, 1, {inputs}, {_hex(COMMITMENT.hex())})",
        f"verdict_bytes(@0x{NETWORK.hex()}, @0x{POOL.hex()}, @0x{NODE.hex()}, 7, {_hex(some('challenge').hex())},"
        f" {_hex(some('evidence').hex())}, 3, {_hex(some('measurement', 48).hex())}, {_hex(some('manifest').hex())},"
        f" {_hex(some('hpke').hex())}, {_hex(some('sign').hex())}, 1800000000000, {_hex(some('policy').hex())})",
        f"ticket_bytes(@0x{NETWORK.hex()}, @0x{TASK.hex()}, 2, {inputs}, vector["
        f"statement::seat(@0x{some('seat 0').hex()}, @0x{some('operator 0').hex()}, 1, 3, {_hex(some('hpke 0').hex())}),"
        f" statement::seat(@0x{some('seat 1').hex()}, @0x{some('operator 1').hex()}, 0, 1, {_hex(some('hpke 1').hex())})], 1800000000000)",
        f"revocation_bytes(@0x{NETWORK.hex()}, @0x{POOL.hex()}, @0x{NODE.hex()}, 7, 3)",
        f"ruling_bytes(@0x{NETWORK.hex()}, @0x{TASK.hex()}, 3, {_hex(some('root').hex())}, true)",
        f"ruling_bytes(@0x{NETWORK.hex()}, @0x{TASK.hex()}, 5, {_hex(FORGED.hex())}, false)",
    ]
    return "\n".join(
        f"    assert!(statement::{call} == {_hex(vector['bytes'])});"
        for call, vector in zip(calls, vectors, strict=True)
    )
