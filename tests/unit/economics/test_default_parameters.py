"""The defaults are parameters that `params::new` and a Pool take, and under which no cheat pays."""

from dataclasses import replace

import pytest

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.simulate import Result, find, simulate
from agent.economics.strategies import STRATEGIES
from agent.economics.world import Setup
from agent.protocol.deterrence import deters
from agent.protocol.shares import share
from agent.protocol.units import Mist

SETUP = Setup(nodes=5_000)
WITHHOLDING = "withholding delivery"


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    return {each.strategy: each for each in simulate(SETUP, 100_000, seed=7)}


@pytest.mark.parametrize("name", [each.name for each in STRATEGIES[1:]])
def test_every_cheat_earns_less_than_honesty(results: dict[str, Result], name: str) -> None:
    assert results[name].profit_per_task < results["honest"].profit_per_task - 0.005


def test_withholding_would_pay_if_a_bounty_were_more_than_publishing_costs() -> None:
    """Why the bounty is what it is: the executor gets one for each chunk that it publishes."""
    free = simulate(replace(SETUP, publication_gas=Mist(0)), 10_000, strategies=find([WITHHOLDING]))
    assert free[1].profit_per_task > free[0].profit_per_task
    assert DEFAULT.bounty < SETUP.publication_gas


@pytest.mark.parametrize("value", [1, 3, 10, 30, 100])
@pytest.mark.parametrize("name", ["lazy", "colluding fraction", "refusing handoff", "sybil split", "forged delivery"])
def test_lies_about_something_of_value_do_not_pay(name: str, value: int) -> None:
    setup = replace(SETUP, value=Mist(value * SETUP.run_cost))
    honest, lie = simulate(setup, 20_000, strategies=find([name]))
    assert lie.profit_per_task < honest.profit_per_task


def test_honest_stake_is_safe_where_nobody_pays_for_accusing_it(results: dict[str, Result]) -> None:
    assert results["honest"].honest_slash_rate == 0
    assert max(each.honest_slash_rate for each in results.values()) < 0.005


def test_the_chain_takes_them() -> None:
    p = DEFAULT
    assert deters(p)
    assert 1 <= p.auditors <= 16
    assert 3 <= p.dispute_seats <= 32
    assert p.audit_reserve >= p.auditor_lock
    assert p.min_stake >= p.executor_lock + p.audit_reserve
    assert p.bounty <= share(min(p.executor_lock, p.auditor_lock), p.absence_bps)
    assert p.victim_bps + p.panel_bps + p.treasury_bps <= 10_000
    windows = (p.input_ms, p.commit_ms, p.delivery_ms, p.ticket_ms, p.handoff_ms, p.audit_ms, p.reveal_ms)
    assert p.heartbeat_ms <= min(windows) // 2
    assert p.period_ms > p.input_ms + p.commit_ms
    assert p.unbonding_ms >= p.span() + p.period_ms
    assert p.rotation_ms > p.span()
    assert p.timelock_ms > p.unbonding_ms


def test_a_pool_takes_their_prices() -> None:
    assert PRICES.price <= DEFAULT.max_price
    assert 3 * DEFAULT.dispute_seats * PRICES.auditor_fee <= min(DEFAULT.auditor_lock, DEFAULT.delivery_bond)
    assert PRICES.auditor_fee > SETUP.run_cost, "nobody would audit"
    assert PRICES.reservation_fee > 2 * DEFAULT.bounty, "opening and cranking the expiry oneself would be cheap"
