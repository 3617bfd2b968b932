"""Draws by stake: docs/spec/protocol.md §3. Readable here, branch-free in Move; the same results by vectors."""

import re
from bisect import insort
from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Final

from agent.protocol.errors import BadProbability
from agent.protocol.units import NONE, Slot

__all__ = [
    "ALWAYS",
    "BadProbability",
    "add",
    "draw_with",
    "draw_without",
    "fenwick",
    "is_audited",
    "prefix",
    "probability",
    "probability_fraction",
    "probability_text",
    "set_weight",
    "weight_of",
    "word",
]

ALWAYS: Final = 1 << 64
"""Q64: an audit probability of one."""
_AUDIT_WORD: Final = 65_535
"""Panels never use it."""
_TEXT: Final = re.compile(r"\d{1,40}/\d{1,40}|(?=\.?\d)\d{0,40}(\.\d{0,80})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
"""Short enough that no exponent makes a number of gigabytes."""


def probability(value: str | Fraction) -> int:
    """Q64 of "0.3", "1/3", "1e-3" or a fraction, to the nearest; read exactly, never by way of a float.

    Raises:
        BadProbability: it is no number from 0 to 1.
    """
    if isinstance(value, str):
        text = value.strip()
        if not _TEXT.fullmatch(text):
            raise BadProbability(value[:100])
        try:
            exact = Fraction(text)
        except (ValueError, ZeroDivisionError):
            raise BadProbability(value[:100]) from None
    elif isinstance(value, Fraction | int):
        exact = Fraction(value)
    else:  # a float has been rounded already
        raise BadProbability(value)
    if not 0 <= exact <= 1:
        raise BadProbability(value)
    return round(exact * ALWAYS)


def probability_fraction(q64: int) -> Fraction:
    """What a Q64 is exactly.

    Raises:
        BadProbability: it is below 0 or above 2^64.
    """
    if not 0 <= q64 <= ALWAYS:
        raise BadProbability(q64)
    return Fraction(q64, ALWAYS)


def probability_text(q64: int) -> str:
    """The shortest decimal that `probability` reads as this Q64 again: "0.3", not "0.29999999999999999999".

    Raises:
        BadProbability: it is below 0 or above 2^64.
    """
    exact = probability_fraction(q64)
    places = 0
    # 20 places are finer than 2^-64
    while round(Fraction(round(exact * 10**places), 10**places) * ALWAYS) != q64:
        places += 1
    digits = str(round(exact * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


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


def set_weight(sums: list[int], slot: Slot, weight: int) -> None:
    """Apply a change of the queue: `slot` weighs `weight` from now on; in place."""
    add(sums, slot, weight - weight_of(sums, slot))


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
    """`count` different slots by weight, none of `excluded`; NONE where nobody is left.

    `excluded` are different slots, or NONE, which excludes nobody.
    """
    return _draw(sums, seed, count, excluded, take=True)


def draw_with(sums: Sequence[int], seed: bytes, count: int, excluded: Iterable[Slot] = ()) -> tuple[Slot, ...]:
    """`count` slots by weight, none of `excluded`, the same one perhaps several times; NONE where nobody is left."""
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
