"""Audit probabilities are Q64, read and written without a float."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.protocol.draw import ALWAYS, BadProbability, probability, probability_fraction, probability_text

q64s = st.integers(0, ALWAYS) | st.integers(0, 10**6) | st.integers(ALWAYS - 10**6, ALWAYS)


@pytest.mark.parametrize(
    ("text", "q64"),
    [
        ("0", 0), ("1", ALWAYS), ("1.000", ALWAYS), ("0.5", 1 << 63), (".5", 1 << 63), ("1/4", 1 << 62), (" 2.5e-1 ", 1 << 62),
        ("1/3", 6148914691236517205), ("2/3", 12297829382473034411), ("0.1", 1844674407370955162), ("1e-99", 0),
    ],
)  # fmt: skip
def test_probabilities_are_read_to_the_nearest(text: str, q64: int) -> None:
    assert probability(text) == q64


def test_a_decimal_is_not_read_by_way_of_a_float() -> None:
    assert probability("0.1") != int(0.1 * 2**64)


@given(st.integers(0, 10**20), st.integers(1, 10**20))
def test_a_fraction_is_read_to_within_half_a_step(numerator: int, denominator: int) -> None:
    exact = Fraction(min(numerator, denominator), denominator)
    assert abs(probability(exact) - exact * ALWAYS) <= Fraction(1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "-0.1", "1.1", "often", "1/0", "0/0", "2/1", "nan", "inf", "0x1", "1e5", "1e-999999999", "1 /2",
        "1/" + "9" * 100, "\N{ARABIC-INDIC DIGIT ONE}",
    ],
)  # fmt: skip
def test_what_is_no_probability_is_refused(text: str) -> None:
    with pytest.raises(BadProbability, match="number from 0 to 1"):
        probability(text)


def test_a_float_is_refused_because_it_is_rounded_already() -> None:
    with pytest.raises(BadProbability, match=r"written like"):
        probability(0.1)  # type: ignore[arg-type]


@given(st.text(alphabet="0123456789./eE+- ", max_size=12))
def test_hostile_text_gives_a_probability_or_a_refusal(text: str) -> None:
    try:
        assert 0 <= probability(text) <= ALWAYS
    except BadProbability:
        pass


@given(q64s)
def test_a_q64_becomes_its_fraction_and_comes_back(q64: int) -> None:
    assert probability(probability_fraction(q64)) == q64


@given(q64s)
@example(0)
@example(1)
@example(ALWAYS - 1)
@example(ALWAYS)
def test_a_q64_becomes_text_and_comes_back(q64: int) -> None:
    text = probability_text(q64)
    assert probability(text) == q64
    assert len(text) <= 22


@pytest.mark.parametrize("text", ["0", "1", "0.3", "0.05", "0.125", "0.999"])
def test_text_comes_back_as_it_was_written(text: str) -> None:
    assert probability_text(probability(text)) == text


@pytest.mark.parametrize("q64", [-1, ALWAYS + 1])
def test_a_q64_beyond_one_is_no_probability(q64: int) -> None:
    with pytest.raises(BadProbability):
        probability_text(q64)
