"""The committed vectors are what the rules give; Move checks the same ones in `contracts/sui/tests/vectors_tests.move`."""

import importlib.util
import json
from pathlib import Path

import pytest

from agent.protocol import draw
from agent.protocol.commitment import commitment, leaf, merkle_root
from agent.protocol.units import NONE, Digest, NodeId, Slot, TaskId

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("emit_vectors", HERE / "emit.py")
assert SPEC is not None
assert SPEC.loader is not None
emit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(emit)


def vectors(name: str) -> list[dict]:
    return json.loads((HERE / f"{name}.json").read_text())


@pytest.mark.parametrize("name", list(emit.FILES))
def test_file_is_what_the_rules_give(name: str) -> None:
    assert (HERE / f"{name}.json").read_text() == emit.as_json(emit.FILES[name]())


def test_move_tests_are_over_the_same_vectors() -> None:
    assert emit.MOVE.read_text() == emit.as_move()


@pytest.mark.parametrize("vector", vectors("leaf"))
def test_leaf(vector: dict) -> None:
    made = leaf(bytes.fromhex(vector["leaf_key"]), TaskId(bytes.fromhex(vector["task"])), vector["index"], bytes.fromhex(vector["chunk"]))
    assert made.hex() == vector["leaf"]


@pytest.mark.parametrize("vector", vectors("root"))
def test_root(vector: dict) -> None:
    assert merkle_root([Digest(bytes.fromhex(each)) for each in vector["leaves"]]).hex() == vector["root"]


@pytest.mark.parametrize("vector", vectors("commitment"))
def test_commitment(vector: dict) -> None:
    task, node, root, salt = (bytes.fromhex(vector[name]) for name in ("task", "node", "root", "salt"))
    assert commitment(TaskId(task), NodeId(node), root, salt).hex() == vector["commitment"]


@pytest.mark.parametrize("vector", vectors("draw"))
def test_draw_takes_nobody_twice_and_nobody_excluded(vector: dict) -> None:
    sums = draw.fenwick(vector["weights"], vector["depth"])
    excluded = [Slot(slot) for slot in vector["excluded"]]
    drawn = draw.draw_without(sums, bytes.fromhex(vector["seed"]), vector["count"], excluded)
    people = [slot for slot in drawn if slot != NONE]
    assert list(drawn) == vector["without"]
    assert len(set(people)) == len(people)
    assert not set(people) & set(excluded)
    operators = [slot for slot, weight in enumerate(vector["weights"]) if weight and slot not in excluded]
    assert len(people) == min(vector["count"], len(operators))
