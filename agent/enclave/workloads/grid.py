"""Real numbers as whole steps of a grid, and which of them lie on a boundary between two steps [H3]."""

from collections.abc import Sequence
from typing import Final

from agent.enclave.errors import WorkloadError
from agent.enclave.workloads.workload import Alternative, Run

STEPS: Final = 1_000_000
"""Steps per unit: values are rounded to 1e-6."""

BOUNDARY: Final = 1e-9 * STEPS
"""Distance from a rounding boundary, in steps, within which both directions are honest."""

WORD_BYTES: Final = 4


def on_grid(values: Sequence[float]) -> Run:
    """`values`, components of a unit vector, as int32 little endian steps; with the alternative of each that lies
    within `BOUNDARY` of a boundary.

    Raises:
        WorkloadError: a value is not a number, or no component of a unit vector.
    """
    words: list[bytes] = []
    near: list[tuple[float, Alternative]] = []
    for index, value in enumerate(values):
        scaled = value * STEPS
        if not abs(scaled) <= 2 * STEPS:  # written so that NaN fails it
            raise WorkloadError("the model gave a value that is no part of a unit vector")
        below = int(scaled // 1)
        distance = scaled - below - 0.5
        step, other = (below + 1, below) if distance >= 0 else (below, below + 1)
        words.append(_word(step))
        if abs(distance) <= BOUNDARY:
            near.append((abs(distance), Alternative(index * WORD_BYTES, _word(other))))
    near.sort(key=lambda pair: pair[0])
    return Run(b"".join(words), tuple(alternative for _, alternative in near))


def _word(step: int) -> bytes:
    return step.to_bytes(WORD_BYTES, "little", signed=True)
