"""Draws by stake: docs/spec/protocol.md §3. Readable here, branch-free in Move; the same results by vectors."""

from bisect import insort
from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Final

from agent.protocol.units import NONE, Slot

ALWAYS: Final = 1 << 64
"""Q64: an audit probability of one."""
_AUDIT_WORD: Final = 65_535


class BadProbability(ValueError):
    """Not a number in 0..1."""


def probability(text: str) -> int:
    """Q64 of a decimal or a fraction such as "0.3" or "1/3", to the nearest.

    Raises:
        BadProbability
    """
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise BadProbability(f"{text!r}: a probability is a number from 0 to 1, such as 0.3") from None
    if not 0 <= value <= 1:
        raise BadProbability(f"{text!r}: a probability is a number from 0 to 1, such as 0.3")
    return round(value * ALWAYS)


def is_audited(seed: bytes, audit_probability: int) -> bool:
    """Whether `seed` says audited."""
    return word(seed, _AUDIT_WORD) % ALWAYS < audit_probability


def word(seed: bytes, index: int) -> int:
    """The `index`-th 256-bit word of a seed."""
    return int.from_bytes(blake2b(seed + index.to_bytes(2, "big"), digest_size=32).digest(), "big")


def fenwick(weights: Sequence[int], depth: int) -> list[int]:
    """Fenwick sums of 2^depth slots; `weights` from slot 0 on, the rest 0."""
    sums = [0] * ((1 << depth) + 1)
    for slot, weight in enumerate(weights):
        add(sums, Slot(slot), weight)
    return sums


def add(sums: list[int], slot: Slot, delta: int) -> None:
    """Change the weight of `slot` by `delta`, in place."""
    at = slot + 1
    while at < len(sums):
        sums[at] += delta
        at += at & -at


def prefix(sums: Sequence[int], slot: int) -> int:
    """Sum of the weights below `slot`."""
    total = 0
    while slot:
        total += sums[slot]
        slot &= slot - 1
    return total


def weight_of(sums: Sequence[int], slot: Slot) -> int:
    """The weight of `slot`."""
    return prefix(sums, slot + 1) - prefix(sums, slot)


def draw_without(sums: Sequence[int], seed: bytes, count: int, excluded: Iterable[Slot] = ()) -> tuple[Slot, ...]:
    """`count` different slots by weight, none of `excluded`; NONE where nobody is left."""
    return _draw(sums, seed, count, excluded, take=True)


def draw_with(sums: Sequence[int], seed: bytes, count: int, excluded: Iterable[Slot] = ()) -> tuple[Slot, ...]:
    """`count` slots by weight, the same one perhaps several times; NONE where nobody is left."""
    return _draw(sums, seed, count, excluded, take=False)


def _draw(sums: Sequence[int], seed: bytes, count: int, excluded: Iterable[Slot], *, take: bool) -> tuple[Slot, ...]:
    taken: list[tuple[int, int]] = []
    left = sums[-1]
    for slot in excluded:
        if slot != NONE:
            insort(taken, (prefix(sums, slot), weight_of(sums, slot)))
            left -= weight_of(sums, slot)
    drawn = []
    for index in range(count):
        if left == 0:
            drawn.append(NONE)
            continue
        at = word(seed, index) % left
        for start, width in taken:
            if at >= start:
                at += width
        slot = _find(sums, at)
        drawn.append(slot)
        if take:
            insort(taken, (prefix(sums, slot), weight_of(sums, slot)))
            left -= weight_of(sums, slot)
    return tuple(drawn)


def _find(sums: Sequence[int], at: int) -> Slot:
    """The slot whose interval holds `at`."""
    slot = 0
    step = (len(sums) - 1) >> 1
    while step:
        if at >= sums[slot + step]:
            at -= sums[slot + step]
            slot += step
        step >>= 1
    return Slot(slot)
