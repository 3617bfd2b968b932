"""The calculator: the paper's worked numbers, and the chain's own rule to the last bit."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.deterrence import Game, game_of
from agent.economics.errors import BadGame
from agent.protocol.deterrence import deters, max_value, required_probability
from agent.protocol.draw import ALWAYS
from agent.protocol.units import Mist


def paper(slash: str = "250", controlled: str = "1/2", auditors: int = 1, w1: str = "1.2", w2: str = "2.4", p: str = "0.01") -> Game:
    """R = 1.2 C."""
    return Game(
        Fraction("1.2"), Fraction(1), Fraction(slash), Fraction(controlled), auditors, Fraction(w1), Fraction(w2), Fraction(p)
    )


@pytest.mark.parametrize(
    ("slash", "controlled", "percent"),
    [("250", "1/2", 0.796), ("100", "1/10", 1.098), ("250", "1/10", 0.442), ("250", "1/3", 0.597)],
)
def test_least_audit_probability_of_one_auditor_is_the_paper_s(slash: str, controlled: str, percent: float) -> None:
    found = paper(slash, controlled).p_min
    assert found is not None
    assert float(100 * found) == pytest.approx(percent, abs=5e-4)


@pytest.mark.parametrize(
    ("p", "tenth", "third", "half"), [("0.01", 109.9, 148.8, 198.8), ("0.05", 21.0, 28.8, 38.8), ("0.1", 9.9, 13.8, 18.8)]
)
def test_least_slash_is_the_paper_s(p: str, tenth: float, third: float, half: float) -> None:
    found = [paper(controlled=share, p=p).s_min for share in ("1/10", "1/3", "1/2")]
    assert [float(each) for each in found if each is not None] == pytest.approx([tenth, third, half], abs=0.05)


@pytest.mark.parametrize(("auditors", "percent"), [(2, 0.531), (3, 0.455)])
def test_more_auditors_want_fewer_audits(auditors: int, percent: float) -> None:
    assert float(100 * (paper(auditors=auditors).p_min or 0)) == pytest.approx(percent, abs=5e-4)


@pytest.mark.parametrize(
    ("w1", "w2", "percents"), [("10", "20", (4.2, 5.8, 7.8)), ("100", "200", (33, 50, 79))]
)
def test_a_bribe_wants_more_audits(w1: str, w2: str, percents: tuple[float, ...]) -> None:
    found = [float(100 * (paper(controlled=share, w1=w1, w2=w2).p_min or 0)) for share in ("1/10", "1/3", "1/2")]
    assert found == pytest.approx(percents, rel=0.02)


def test_one_stake_behind_many_cheats_would_pay() -> None:
    """The hole that a lock for each task closes: gains grow with the cheats, the loss does not."""
    p, r, slash = 0.008, 0.5, 250
    gains = {k: (k, slash * (1 - (1 - p * (1 - r)) ** k)) for k in (100, 250)}
    assert all(gain > loss for gain, loss in gains.values())
    assert [round(loss) for _, loss in gains.values()] == [83, 158]
    assert paper(p="0.008").deterred


games = st.builds(
    Game, reward=st.fractions(1, 3), cost=st.just(Fraction(1)), slash=st.fractions(0, 500), controlled=st.fractions(0, Fraction(9, 10)),
    auditors=st.integers(1, 5), unchecked=st.fractions(0, 50), colluded=st.fractions(0, 100), probability=st.fractions(0, 1),
)  # fmt: skip


@given(games)
def test_deterred_is_what_the_inequality_says(game: Game) -> None:
    """Theorem A.3 without its bracket, written out; p_min and s_min are where it turns."""
    escape = game.controlled**game.auditors
    p, s, r, c, w1, w2 = game.probability, game.slash, game.reward, game.cost, game.unchecked, game.colluded
    honest = r + p * s - (1 - p) * w1 - c >= p * escape * (w2 + s - r)
    assert game.deterred == honest or game.temptation <= 0
    if game.s_min is not None and game.temptation > 0:
        assert replace(game, slash=game.s_min).deterred
        assert game.s_min == 0 or not replace(game, slash=game.s_min * Fraction(99, 100)).deterred or p == 0
    if game.p_min is not None:
        assert replace(game, probability=game.p_min).deterred


@given(
    lock=st.integers(1, 10**12), price=st.integers(1, 10**9), value=st.integers(0, 10**10), bps=st.integers(1, 10_000),
    controlled=st.integers(0, 9_999), undecided=st.integers(0, 10_000), bounty=st.integers(0, 10**7),
)  # fmt: skip
def test_the_chain_requires_what_the_calculator_finds(
    lock: int, price: int, value: int, bps: int, controlled: int, undecided: int, bounty: int
) -> None:
    params = replace(
        DEFAULT, executor_lock=Mist(lock), cost_bps=bps, controlled_bps=controlled, undecided_bps=undecided, bounty=Mist(bounty)
    )
    game = game_of(params, Mist(price), Mist(value))
    required = required_probability(params, Mist(price), Mist(value))
    if game.p_min is None:
        assert required > ALWAYS
    else:
        assert required == -(-game.p_min.numerator * ALWAYS // game.p_min.denominator)
    if not value:
        assert game.deterred == deters(replace(params, max_price=Mist(price)))
    else:
        limit = max_value(params, Mist(price))
        assert game.deterred == (limit is not None and value <= limit)


@pytest.mark.parametrize(
    "wrong",
    [{"controlled": Fraction(1)}, {"probability": Fraction(2)}, {"auditors": 0}, {"auditors": 65}, {"cost": Fraction(0)}, {"slash": Fraction(-1)}],
)
def test_numbers_that_are_no_game_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadGame):
        replace(paper(), **wrong)


def test_a_run_that_costs_nothing_is_no_game() -> None:
    with pytest.raises(BadGame, match="cost_bps"):
        game_of(replace(DEFAULT, cost_bps=0), PRICES.price, Mist(0))


def test_nothing_deters_without_audits_nor_a_bribe_above_every_stake() -> None:
    assert paper(p="0").s_min is None
    assert paper(w1="10000", w2="10000").p_min is None
    assert not paper(w1="10000", w2="10000", p="1").deterred
