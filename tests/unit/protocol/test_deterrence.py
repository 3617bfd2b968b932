"""What a task costs: docs/spec/protocol.md §6. The vectors hold the numbers; here are the rules that they obey."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_records import PARAMS

from agent.protocol import deterrence
from agent.protocol.draw import ALWAYS
from agent.protocol.errors import ValueTooHigh
from agent.protocol.records import Params, Prices
from agent.protocol.units import Mist

PRICES = Prices(Mist(10**6), Mist(3 * 10**5), Mist(10**5))
bps = st.integers(0, 10_000)
prices = st.integers(0, 10**12).map(Mist)
values = st.integers(0, 10**13).map(Mist)


@st.composite
def any_params(draw: st.DrawFn) -> Params:
    """What `params::new` may take, as far as these rules look."""
    victim, panel = draw(bps), draw(bps)
    assume(victim + panel <= 10_000)
    return replace(
        PARAMS, executor_lock=Mist(draw(st.integers(1, 10**13))), bounty=Mist(draw(st.integers(0, 10**10))),
        audit_probability=draw(st.integers(0, ALWAYS)), undecided_bps=draw(bps), victim_bps=victim, panel_bps=panel,
        cost_bps=draw(bps), controlled_bps=draw(st.integers(0, 9_999)),
    )  # fmt: skip


def share_held(params: Params) -> Fraction:
    return Fraction(params.controlled_bps, 10_000)


@given(any_params(), prices, values)
def test_a_lie_does_not_pay_at_the_probability_of_the_task(params: Params, price: Mist, value: Mist) -> None:
    """p (1 - r) (R + V + S) >= C + V, exactly."""
    required = deterrence.required_probability(params, price, value)
    gain = deterrence.cost(params, price) + value
    risk = (1 - share_held(params)) * (price + value + deterrence.effective_slash(params, price))
    assert Fraction(required, ALWAYS) * risk >= gain
    assert required == 0 or Fraction(required - 1, ALWAYS) * risk < gain


@given(any_params(), prices, values, values)
def test_more_at_risk_never_wants_fewer_audits(params: Params, price: Mist, value: Mist, more: Mist) -> None:
    less = deterrence.required_probability(params, price, value)
    assert less <= deterrence.required_probability(params, price, Mist(value + more))


@given(any_params(), prices, values, st.integers(0, 10**12))
def test_more_stake_never_wants_more_audits(params: Params, price: Mist, value: Mist, more: int) -> None:
    richer = replace(params, executor_lock=Mist(params.executor_lock + more))
    slash, before = deterrence.effective_slash(richer, price), deterrence.effective_slash(params, price)
    assert slash >= before - 2  # two roundings
    if slash >= before:
        assert deterrence.required_probability(richer, price, value) <= deterrence.required_probability(params, price, value)


@given(any_params(), prices, values, st.integers(0, 9_999))
def test_who_holds_more_of_the_stake_wants_no_fewer_audits(params: Params, price: Mist, value: Mist, held: int) -> None:
    fewer, more = sorted((params.controlled_bps, held))
    required = [deterrence.required_probability(replace(params, controlled_bps=each), price, value) for each in (fewer, more)]
    assert required[0] <= required[1]


@given(any_params(), prices)
def test_the_largest_value_is_deterred_and_one_more_is_not(params: Params, price: Mist) -> None:
    largest = deterrence.max_value(params, price)
    if largest is None:
        assert deterrence.required_probability(params, price, Mist(0)) > ALWAYS
        return
    assert deterrence.required_probability(params, price, largest) <= ALWAYS
    if largest < 2**64 - 1:
        assert deterrence.required_probability(params, price, Mist(largest + 1)) > ALWAYS


@given(any_params(), prices, values)
def test_a_task_is_never_audited_less_often_than_the_network_wants(params: Params, price: Mist, value: Mist) -> None:
    largest = deterrence.max_value(params, price)
    if largest is None or value > largest:
        with pytest.raises(ValueTooHigh):
            deterrence.task_probability(params, price, value)
        return
    found = deterrence.task_probability(params, price, value)
    assert ALWAYS >= found >= params.audit_probability
    assert found in (params.audit_probability, deterrence.required_probability(params, price, value))


def test_a_value_that_no_audit_deters_is_refused_with_the_most_that_can_be() -> None:
    largest = deterrence.max_value(PARAMS, PRICES.price)
    assert largest is not None
    with pytest.raises(ValueTooHigh, match=f"at most {largest}"):
        deterrence.quote(PARAMS, PRICES, Mist(largest + 1))


def test_a_network_whose_stakes_are_too_small_is_told_apart() -> None:
    poor = replace(PARAMS, executor_lock=Mist(0), controlled_bps=9_000, cost_bps=10_000)
    with pytest.raises(ValueTooHigh, match="choose another Pool"):
        deterrence.quote(poor, PRICES, Mist(0))


@given(st.integers(0, 1 << 64), st.integers(1, 16), st.integers(0, 2**40))
def test_premium_covers_the_expected_audit(probability: int, auditors: int, fee: int) -> None:
    expected = Fraction(probability, 1 << 64) * auditors * fee
    assert expected <= deterrence.premium(probability, auditors, Mist(fee)) < expected + 1


def test_quote_is_price_reservation_and_premium() -> None:
    assert deterrence.quote(PARAMS, PRICES, Mist(0)) == 1_000_000 + 100_000 + 300_000


def test_quote_of_a_valuable_task_pays_for_its_likelier_audit() -> None:
    value = Mist(10**8)
    probability = deterrence.task_probability(PARAMS, PRICES.price, value)
    assert probability > PARAMS.audit_probability
    assert deterrence.quote(PARAMS, PRICES, value) == 1_100_000 + -(-probability * 600_000 // ALWAYS)


def test_a_challenge_costs_the_panel_s_fees_and_the_executor_s_handling() -> None:
    assert deterrence.challenge_bond(PARAMS, PRICES) == 2 * 300_000 + 100_000


def test_a_claim_costs_the_gas_of_the_largest_publication() -> None:
    assert deterrence.claim_bond(PARAMS) == 64 * PARAMS.bounty


@pytest.mark.parametrize(
    ("changes", "slash"),
    [
        # all less the bounty, less a compensation of at most the price, less 30 % of the panel's 40 %
        ({"undecided_bps": 10_000}, 999_000_000 - 10**6 - 399_600_000 * 3 // 10),
        ({"undecided_bps": 10_000, "victim_bps": 1, "controlled_bps": 0}, 999_000_000 - 99_900),
        ({}, 10**8),
        ({"bounty": Mist(2 * 10**9)}, 0),
    ],
)
def test_the_effective_slash_is_what_a_liar_cannot_get_back(changes: dict[str, int], slash: int) -> None:
    assert deterrence.effective_slash(replace(PARAMS, **changes), Mist(10**6)) == slash


def test_parameters_deter_where_their_probability_is_enough_for_the_dearest_task() -> None:
    required = deterrence.required_probability(PARAMS, PARAMS.max_price, Mist(0))
    assert deterrence.deters(replace(PARAMS, audit_probability=required))
    assert not deterrence.deters(replace(PARAMS, audit_probability=required - 1))
