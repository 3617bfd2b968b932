"""The vectors against a second spelling of the rules, from docs/spec/protocol.md and the standard library alone.

`agent` is not imported here: that is how another implementation would use these files.
"""

import hmac
import json
from hashlib import blake2b
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
    leaves = [b2(b"enclavia-blob/1:", i.to_bytes(4, "little"), piece) for i, piece in enumerate(pieces)]
    assert root(leaves).hex() == vector["digest"]


@pytest.mark.parametrize("vector", vectors("derived"))
def test_derived(vector: dict[str, Any]) -> None:
    data_key, task, node, output = unhex(vector, "data_key", "task", "node", "output")
    leaf_key = hkdf(data_key, b"enclavia-leaf-key/1:" + task)
    leaves = [output_leaf(leaf_key, task, i, chunk) for i, chunk in enumerate(chunks(output, 1_024))]
    assert {name: vector[name] for name in vector if name not in ("data_key", "task", "node", "output")} == {
        "leaf_key": leaf_key.hex(),
        "salt": hkdf(data_key, b"enclavia-salt/1:" + task + node).hex(),
        "input_key": hkdf(data_key, b"enclavia-input/1:" + task).hex(),
        "key_commitment": b2(b"enclavia-key/1:", task, data_key).hex(),
        "wrap_ephemeral": hkdf(data_key, b"enclavia-wrap/1:" + task + node).hex(),
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


@pytest.mark.parametrize("vector", vectors("quote"))
def test_quote(vector: dict[str, Any]) -> None:
    cost = int(vector["probability"]) * vector["auditors"] * vector["auditor_fee"]
    assert vector["premium"] == (cost + 2**64 - 1) // 2**64
    assert vector["quote"] == vector["price"] + vector["reservation_fee"] + vector["premium"]


def test_vectors_reach_the_edges() -> None:
    draws, audits = vectors("draw"), vectors("audit")
    assert any(NOBODY in v["without"] and NOBODY not in v["with"] for v in draws)
    assert any(set(v["with"]) == {NOBODY} for v in draws)
    assert any(NOBODY in v["excluded"] for v in draws)
    assert any(len(set(v["with"])) < len(v["with"]) for v in draws)
    assert {v["probability"] for v in audits} >= {"0", str(2**64)}
    assert {v["audited"] for v in audits} == {True, False}
    assert {len(v["leaves"]) % 2 for v in vectors("root")} == {0, 1}
    assert {v["scope"] for v in vectors("statement")} == {1, 2, 3, 4, 5, 6}
