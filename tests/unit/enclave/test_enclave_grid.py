"""Values on a rounding boundary [H3]: two honest machines agree although they round apart; a liar finds no such excuse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.enclave.agreement import MAX_ALTERNATIVES, agreed_root
from agent.enclave.errors import WorkloadError
from agent.enclave.workloads.grid import on_grid
from agent.enclave.workloads.workload import Run
from agent.protocol import keys
from agent.protocol.commitment import commitment, output_root
from agent.protocol.units import Digest, NodeId, TaskId

TASK, EXECUTOR, DATA_KEY = TaskId(b"\x01" * 32), NodeId(b"\x02" * 32), b"\x03" * 32
HALF = 0.1234565
"""Half way between two steps."""
NOISE = 4e-16


def posted(run: Run) -> Digest:
    return commitment(TASK, EXECUTOR, root_of(run.output), keys.salt(DATA_KEY, TASK, EXECUTOR))


def root_of(output: bytes) -> Digest:
    return output_root(keys.leaf_key(DATA_KEY, TASK), TASK, output)


def vote(run: Run, committed: Digest) -> Digest:
    return agreed_root(run, DATA_KEY, TASK, EXECUTOR, committed)


def steps(run: Run) -> list[int]:
    return [int.from_bytes(run.output[i : i + 4], "little", signed=True) for i in range(0, len(run.output), 4)]


def test_values_are_rounded_to_whole_steps() -> None:
    assert steps(on_grid([0.0, 1.0, -1.0, 0.0000014, -0.0000014, 0.0000016])) == [0, 10**6, -(10**6), 1, -1, 2]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_no_value_moves_further_than_half_a_step(values: list[float]) -> None:
    assert all(abs(step - value * 1e6) <= 0.5 + 1e-9 for step, value in zip(steps(on_grid(values)), values, strict=True))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3.0])
def test_what_is_no_unit_vector_is_refused(value: float) -> None:
    with pytest.raises(WorkloadError):
        on_grid([value])


def test_machines_that_round_apart_agree() -> None:
    ours, theirs = on_grid([0.5, HALF + NOISE, -0.25]), on_grid([0.5, HALF - NOISE, -0.25])
    assert ours.output != theirs.output
    assert vote(ours, posted(theirs)) == root_of(theirs.output)
    assert vote(theirs, posted(ours)) == root_of(ours.output)


def test_several_boundary_values_at_once_agree() -> None:
    values = [HALF + i * 1e-2 for i in range(5)]
    ours = on_grid([value + NOISE for value in values])
    theirs = on_grid([value + (NOISE if i % 2 else -NOISE) for i, value in enumerate(values)])
    assert ours.output != theirs.output
    assert vote(ours, posted(theirs)) == root_of(theirs.output)


def test_a_step_too_far_from_a_boundary_is_a_lie() -> None:
    honest, lie = on_grid([0.5, HALF - 2e-9]), on_grid([0.5, HALF + 2e-9])
    assert honest.output != lie.output
    assert vote(honest, posted(lie)) == root_of(honest.output)


def test_a_boundary_value_excuses_no_other_value() -> None:
    honest, lie = on_grid([0.5, HALF]), on_grid([0.500001, HALF])
    assert vote(honest, posted(lie)) == root_of(honest.output)


def test_nearest_boundaries_are_tried_first_and_the_search_is_bounded() -> None:
    values = [HALF + 5e-10] * (MAX_ALTERNATIVES + 5) + [HALF + NOISE]
    ours = on_grid(values)
    theirs = on_grid([*values[:-1], HALF - NOISE])
    assert vote(ours, posted(theirs)) == root_of(theirs.output)


def test_exact_arithmetic_has_one_root() -> None:
    run = Run(b"exact")
    assert vote(run, Digest(bytes(32))) == root_of(b"exact")
