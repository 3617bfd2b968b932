"""The vectors against a second spelling of the rules, from docs/spec/protocol.md and the standard library alone.

`agent` is not imported here: that is how another implementation would use these files.
"""

import hmac
import json
from fractions import Fraction
from hashlib import blake2b, sha256
from math import ceil
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
NOBODY = 2**64 - 1


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((HERE / f"{name}.json").read_text())


def b2(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=32).digest()


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def root(level: list[bytes]) -> bytes:
    if len(level) == 1:
        return level[0]
    pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
    return root([b2(b"enclavia-branch/1:", *pair) if len(pair) == 2 else pair[0] for pair in pairs])


def chunks(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)] or [b""]


def hkdf(ikm: bytes, info: bytes) -> bytes:
    return hmac.digest(hmac.digest(bytes(32), ikm, "sha256"), info + b"\x01", "sha256")


def word(seed: bytes, j: int) -> int:
    return int.from_bytes(b2(seed, j.to_bytes(2, "big")), "big")


def output_leaf(key: bytes, task: bytes, index: int, chunk: bytes) -> bytes:
    return b2(key, b"enclavia-leaf/1:", task, index.to_bytes(4, "little"), chunk)


@pytest.mark.parametrize("vector", vectors("leaf"))
def test_leaf(vector: dict[str, Any]) -> None:
    key, task, chunk, leaf = unhex(vector, "leaf_key", "task", "chunk", "leaf")
    assert output_leaf(key, task, vector["index"], chunk) == leaf


@pytest.mark.parametrize("vector", vectors("root"))
def test_root(vector: dict[str, Any]) -> None:
    assert root([bytes.fromhex(leaf) for leaf in vector["leaves"]]).hex() == vector["root"]


@pytest.mark.parametrize("vector", vectors("commitment"))
def test_commitment(vector: dict[str, Any]) -> None:
    *parts, posted = unhex(vector, "task", "node", "root", "salt", "commitment")
    assert b2(b"enclavia-commit/1:", *parts) == posted


@pytest.mark.parametrize("vector", vectors("blob"))
def test_blob(vector: dict[str, Any]) -> None:
    pieces = chunks(bytes([vector["byte"]]) * vector["size"], 16_384)
    leaves = [b2(b"enclavia-blob/1:", i.to_bytes(4, "little"), b2(piece[:8_192]), b2(piece[8_192:])) for i, piece in enumerate(pieces)]
    assert root(leaves).hex() == vector["digest"]


@pytest.mark.parametrize("vector", vectors("special"))
def test_special(vector: dict[str, Any]) -> None:
    byte = {"BAD_WRAP": 0xFF, "FORGED": 0xFE, "BAD_KEY": 0xFD, "NO_INPUT": 0xFC, "EARLIER_WRAP": 0xFB}[vector["name"]]
    task, node, salt, posted = unhex(vector, "task", "node", "salt", "commitment")
    assert bytes.fromhex(vector["root"]) == bytes([byte]) * 32
    assert b2(b"enclavia-commit/1:", task, node, bytes([byte]) * 32, salt, bytes(32)) == posted


@pytest.mark.parametrize("vector", vectors("derived"))
def test_derived(vector: dict[str, Any]) -> None:
    given = ("data_key", "output_secret", "network", "task", "node", "output")
    data_key, secret, network, task, node, output = unhex(vector, *given)
    leaf_key = hkdf(data_key, b"enclavia-leaf-key/1:" + task)
    leaves = [output_leaf(leaf_key, task, i, chunk) for i, chunk in enumerate(chunks(output, 1_024))]
    seat = network + task + node + vector["key_epoch"].to_bytes(8, "little")
    assert {name: vector[name] for name in vector if name not in (*given, "key_epoch")} == {
        "leaf_key": leaf_key.hex(),
        "salt": hkdf(data_key, b"enclavia-salt/1:" + task + node).hex(),
        "input_key": hkdf(data_key, b"enclavia-input/1:" + task).hex(),
        "key_commitment": b2(b"enclavia-key/1:", task, data_key).hex(),
        "wrap_ephemeral": hkdf(data_key, b"enclavia-wrap/1:" + task + node).hex(),
        "wrap_info": (b"enclavia-handoff/1:" + seat).hex(),
        "arbiter_salt": hkdf(secret, b"enclavia-salt/1:" + task + node).hex(),
        "arbiter_wrap_ephemeral": hkdf(secret, b"enclavia-wrap/1:" + task + node).hex(),
        "arbiter_wrap_info": (b"enclavia-output-key/1:" + seat).hex(),
        "output_ephemeral": hkdf(data_key, b"enclavia-output/1:" + task + node + b2(output)).hex(),
        "output_root": root(leaves).hex(),
    }


@pytest.mark.parametrize("vector", vectors("draw"))
@pytest.mark.parametrize("kind", ["without", "with"])
def test_draw(vector: dict[str, Any], kind: str) -> None:
    alive = {slot: weight for slot, weight in enumerate(vector["weights"]) if slot not in vector["excluded"]}
    seed, drawn = bytes.fromhex(vector["seed"]), []
    for j in range(vector["count"]):
        left = sum(alive.values())
        place = word(seed, j) % left if left else -1
        drawn.append(NOBODY)
        for slot in sorted(alive):
            if 0 <= place < alive[slot]:
                drawn[-1] = slot
            place -= alive[slot]
        if kind == "without":
            alive.pop(drawn[-1], None)
    assert drawn == vector[kind]


@pytest.mark.parametrize("vector", vectors("audit"))
def test_audit(vector: dict[str, Any]) -> None:
    draw = word(bytes.fromhex(vector["seed"]), 65_535) % 2**64
    assert (draw < int(vector["probability"])) == vector["audited"]


@pytest.mark.parametrize("vector", vectors("premium"))
def test_premium(vector: dict[str, Any]) -> None:
    cost = int(vector["probability"]) * vector["auditors"] * vector["auditor_fee"]
    assert vector["premium"] == (cost + 2**64 - 1) // 2**64


@pytest.mark.parametrize("vector", vectors("deterrence"))
def test_deterrence(vector: dict[str, Any]) -> None:
    """By fractions: p (1 - r) (R + V + S) >= C + V."""
    v = {name: int(value) for name, value in vector.items() if value is not None}
    price, value, certain = v["price"], v["value"], 2**64
    lock = v["executor_lock"] - v["bounty"]
    kept = lock * v["panel_bps"] // 10_000 * v["controlled_bps"] // 10_000
    convicted = lock - min(lock * v["victim_bps"] // 10_000, price) - kept
    slash = min(convicted, v["executor_lock"] * v["undecided_bps"] // 10_000)
    gain = ceil(Fraction(price * v["cost_bps"], 10_000)) + value
    risk = (1 - Fraction(v["controlled_bps"], 10_000)) * (price + value + slash)
    required = ceil(Fraction(gain, 1) / risk * certain) if risk else (2**128 - 1 if gain else 0)
    probability = max(v["audit_probability"], required)
    assert (v["effective_slash"], v["required_probability"]) == (slash, required)
    if probability > certain:
        assert (vector["probability"], vector["quote"]) == (None, None)
    else:
        premium = ceil(Fraction(probability * v["auditors"] * v["auditor_fee"], certain))
        assert (v["probability"], v["quote"]) == (probability, price + v["reservation_fee"] + premium)


def uleb(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + uleb(value >> 7)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


@pytest.mark.parametrize("vector", vectors("native"))
def test_native(vector: dict[str, Any]) -> None:
    ids = b"".join(unhex(vector, "network", "pool", "node"))
    blobs = b"".join(uleb(len(each)) + each for each in unhex(vector, "challenge", "hpke_pk", "sign_pk", "manifest"))
    verifiers = [bytes.fromhex(each) for each in vector["verifiers"]]
    committee = uleb(len(verifiers)) + b"".join(uleb(len(each)) + each for each in verifiers) + u64(vector["threshold"])
    binding = ids + u64(vector["key_epoch"]) + blobs + committee + u64(vector["not_after"])
    assert sha256(b"enclavia-native/1:" + binding).hexdigest() == vector["digest"]


def test_vectors_reach_the_edges() -> None:
    draws, audits = vectors("draw"), vectors("audit")
    assert any(NOBODY in v["without"] and NOBODY not in v["with"] for v in draws)
    assert any(set(v["with"]) == {NOBODY} for v in draws)
    assert any(NOBODY in v["excluded"] for v in draws)
    assert any(len(set(v["with"])) < len(v["with"]) for v in draws)
    assert {v["probability"] for v in audits} >= {"0", str(2**64)}
    assert {v["audited"] for v in audits} == {True, False}
    assert {len(v["leaves"]) % 2 for v in vectors("root")} == {0, 1}
    assert {v["scope"] for v in vectors("statement")} == {1, 2, 3, 4, 5, 6, 7, 8}
    deterred = vectors("deterrence")
    assert {v["quote"] is None for v in deterred} == {True, False}
    assert any(int(v["required_probability"]) == 0 for v in deterred)
    # a task with more at risk is audited more often than the Network wants, and not only then
    assert {v["probability"] == v["audit_probability"] for v in deterred} == {True, False}
