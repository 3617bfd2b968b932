"""Draws against a second, naive spelling: line up everybody's stake, cut out who is out, point at a place."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import draw
from agent.protocol.units import NONE, Slot

seeds = st.binary(min_size=32, max_size=32)
weights = st.lists(st.just(0) | st.integers(0, 20) | st.integers(0, 2**57), max_size=16)


def naive(weights: Sequence[int], seed: bytes, count: int, excluded: Sequence[int], *, again: bool) -> tuple[int, ...]:
    alive = {slot: weight for slot, weight in enumerate(weights) if slot not in excluded}
    drawn: list[int] = []
    for j in range(count):
        left = sum(alive.values())
        if not left:
            drawn.append(NONE)
            continue
        place = int.from_bytes(blake2b(seed + bytes([j >> 8, j & 255]), digest_size=32).digest(), "big") % left
        for slot, weight in sorted(alive.items()):
            if place < weight:
                drawn.append(slot)
                break
            place -= weight
        if not again:
            del alive[drawn[-1]]
    return tuple(drawn)


@given(weights, seeds, st.integers(0, 18), st.data())
def test_draws_are_those_of_the_naive_spelling(weights: list[int], seed: bytes, count: int, data: st.DataObject) -> None:
    excluded = data.draw(st.lists(st.integers(0, 15), unique=True, max_size=5))
    sums = draw.fenwick(weights, 4)
    slots = [Slot(slot) for slot in excluded]
    assert draw.draw_without(sums, seed, count, slots) == naive(weights, seed, count, excluded, again=False)
    assert draw.draw_with(sums, seed, count, slots) == naive(weights, seed, count, excluded, again=True)


@given(weights, seeds)
def test_excluding_nobody_excludes_nobody(weights: list[int], seed: bytes) -> None:
    sums = draw.fenwick(weights, 4)
    assert draw.draw_without(sums, seed, 4, [NONE, NONE]) == draw.draw_without(sums, seed, 4)


@given(weights, seeds)
def test_a_draw_changes_no_sums(weights: list[int], seed: bytes) -> None:
    sums = draw.fenwick(weights, 4)
    draw.draw_without(sums, seed, 8, [Slot(0)])
    assert sums == draw.fenwick(weights, 4)


def test_stake_decides_how_often_one_is_drawn() -> None:
    sums = draw.fenwick([1, 0, 3, 6], 2)
    drawn = Counter(draw.draw_with(sums, blake2b(b"%d" % i).digest(), 1)[0] for i in range(2_000))
    # six standard deviations of the seeds are less than 150
    assert drawn[Slot(1)] == 0
    assert abs(drawn[Slot(0)] - 200) < 150
    assert abs(drawn[Slot(2)] - 600) < 150
    assert abs(drawn[Slot(3)] - 1_200) < 150


@given(weights)
def test_sums_give_back_every_weight_and_prefix(weights: list[int]) -> None:
    sums = draw.fenwick(weights, 4)
    padded = weights + [0] * (16 - len(weights))
    assert [draw.weight_of(sums, Slot(slot)) for slot in range(16)] == padded
    assert [draw.prefix(sums, slot) for slot in range(17)] == [sum(padded[:slot]) for slot in range(17)]
    assert sums[-1] == sum(weights)


@given(weights, st.lists(st.tuples(st.integers(0, 15), st.integers(0, 100))))
def test_changes_give_the_sums_of_the_changed_weights(weights: list[int], changes: list[tuple[int, int]]) -> None:
    sums = draw.fenwick(weights, 4)
    changed = weights + [0] * (16 - len(weights))
    for slot, weight in changes:
        draw.set_weight(sums, Slot(slot), weight)
        changed[slot] = weight
    assert sums == draw.fenwick(changed, 4)


@given(seeds)
def test_nothing_is_audited_at_zero_and_everything_at_one(seed: bytes) -> None:
    assert not draw.is_audited(seed, 0)
    assert draw.is_audited(seed, draw.ALWAYS)


def test_the_flag_comes_true_as_often_as_its_probability_says() -> None:
    p = draw.probability("0.3")
    audited = sum(draw.is_audited(blake2b(b"%d" % i).digest(), p) for i in range(2_000))
    assert abs(audited - 600) < 130


@given(seeds)
def test_the_flag_is_of_another_word_than_any_seat(seed: bytes) -> None:
    flag = draw.word(seed, 65_535)
    assert flag not in {draw.word(seed, j) for j in range(64)}
