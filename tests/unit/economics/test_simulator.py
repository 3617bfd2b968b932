"""The simulator: repeatable, and where arithmetic can tell what it should find, it finds that."""

from dataclasses import replace
from math import comb, sqrt

import numpy as np
import pytest

from agent.economics import simulate as simulation
from agent.economics.errors import BadGame, NoSuchStrategy
from agent.economics.panels import dispute_it, seat_panel
from agent.economics.simulate import find, simulate
from agent.economics.strategies import STRATEGIES
from agent.economics.strategies.strategy import MANY
from agent.economics.world import Setup, World, again
from agent.protocol.units import Mist

SETUP = Setup(nodes=2_000)
TASKS = 200_000


def test_the_same_seed_gives_the_same_result_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "BATCH", 1_000)
    one, two = (simulate(SETUP, 4_500, seed=3, strategies=find(["colluding fraction"]), threads=n) for n in (1, 4))
    assert one == two
    assert one != simulate(SETUP, 4_500, seed=4, strategies=find(["colluding fraction"]))


def test_a_result_does_not_depend_on_which_others_are_played() -> None:
    alone = simulate(SETUP, 2_000, strategies=find(["lazy"]))[1]
    assert alone in simulate(SETUP, 2_000, strategies=find(["copycat", "lazy", "sybil split"]))


def test_honesty_is_always_played_and_first() -> None:
    assert find(["lazy"])[0].name == STRATEGIES[0].name == "honest"
    assert len({each.name for each in STRATEGIES}) == len(STRATEGIES)
    with pytest.raises(NoSuchStrategy, match="there are: honest"):
        find(["greedy"])


def test_every_task_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "BATCH", 1_000)
    told: list[int] = []
    found = simulate(SETUP, 4_500, strategies=find(["lazy"]), progress=told.append)
    assert sum(told) == 9_000
    assert {each.tasks for each in found} == {4_500}


def test_a_lazy_node_earns_what_arithmetic_says() -> None:
    """(1 - p)(R + reservation) - p S, and with value what is believed."""
    p, c = SETUP.probability, SETUP.run_cost
    earned = (SETUP.prices.price + SETUP.prices.reservation_fee) / c
    lock = SETUP.params.executor_lock / c
    lazy = simulate(SETUP, TASKS, strategies=find(["lazy"]))[1]
    sigma = sqrt(p * (1 - p) / TASKS) * (earned + lock)
    assert abs(lazy.profit_per_task - ((1 - p) * earned - p * lock)) < 5 * sigma


def test_honesty_earns_what_arithmetic_says() -> None:
    """R + reservation - C, and of its share of the audits the fee less C."""
    p, c, r = SETUP.probability, SETUP.run_cost, SETUP.controlled
    own = (SETUP.prices.price + SETUP.prices.reservation_fee) / c - 1
    audits = p * SETUP.params.auditors * r * (SETUP.prices.auditor_fee / c - 1)
    honest = simulate(SETUP, TASKS, strategies=find(["honest"]))[0]
    assert honest.profit_per_task == pytest.approx(own + audits, abs=2e-4)
    assert abs(honest.victim_loss_per_task) < 0.02


def test_without_audits_lies_pay_and_with_certain_ones_nobody_escapes_alone() -> None:
    never, always = (simulate(replace(SETUP, audited=simulation_p), 5_000, strategies=find(["lazy"])) for simulation_p in (0, 1))
    assert never[1].profit_per_task > never[0].profit_per_task
    assert always[1].profit_per_task == pytest.approx(-SETUP.params.executor_lock / SETUP.run_cost)


def test_value_believed_by_the_requester_is_the_liar_s_gain_and_the_victim_s_loss() -> None:
    c = SETUP.run_cost
    worth = replace(SETUP, value=Mist(5 * c), audited=0)
    poor, rich = (simulate(each, 5_000, strategies=find(["lazy"]))[1] for each in (replace(worth, value=Mist(0)), worth))
    assert rich.profit_per_task - poor.profit_per_task == pytest.approx(5)
    assert rich.victim_loss_per_task - poor.victim_loss_per_task == pytest.approx(5)


def test_panels_are_different_nodes_and_not_the_executor() -> None:
    rng = np.random.default_rng(1)
    world = World.of(replace(SETUP, nodes=40), MANY[:10], rng)
    executors = world.draw(rng, 5_000)
    panel = world.draw_without(rng, executors[:, None], 5)
    assert not again(panel).any()
    assert not (panel == executors[:, None]).any()
    assert panel.min() >= 0


def test_draws_are_by_weight() -> None:
    rng = np.random.default_rng(2)
    world = World.of(SETUP, MANY, rng)
    mine = world.is_adverse(world.draw(rng, 100_000)).mean()
    assert mine == pytest.approx(SETUP.controlled, abs=0.01)
    weights = np.diff(world.sums, prepend=0)
    heaviest = int(np.argmax(weights[: world.honest]))
    share = (world.draw(rng, 400_000) == heaviest).mean()
    assert share == pytest.approx(weights[heaviest] / world.sums[-1], rel=0.25)


def test_a_node_drawn_again_has_one_seat() -> None:
    nodes = np.array([[5, 7, 5, 5, 7, 8]], np.int32)
    assert again(nodes).tolist() == [[False, False, True, True, True, False]]


def test_the_first_eligible_of_a_panel_are_seated() -> None:
    panel = np.array([[1, 2, 3, 4]], np.int32)
    assert seat_panel(panel, np.array([[False, True, True, True]]), 2).tolist() == [[-1, 2, 3, -1]]


@pytest.mark.parametrize("controlled", [1 / 3, 0.6])
def test_disputes_are_lost_as_often_as_the_binomial_says(controlled: float) -> None:
    """Two thirds of the seats win; a third keeps them undecided once; the committee finds the truth after twice."""
    setup = replace(SETUP, nodes=4_000, controlled=controlled)
    rng = np.random.default_rng(3)
    world = World.of(setup, (1.0,) * 1_000, rng)
    first, second = setup.params.dispute_seats, setup.second_seats
    blocked = sum(_pmf(first, k, controlled) for k in range(first + 1) if first < 3 * k < 2 * first)
    expected = _tail(first, controlled) + blocked * _tail(second, controlled)
    cases = 60_000
    found = dispute_it(world, setup, rng, np.full((cases, 1), -1, np.int32), wants=True).lie_won.mean()
    assert abs(found - expected) < 5 * sqrt(expected * (1 - expected) / cases) + 2e-4


def _pmf(n: int, k: int, p: float) -> float:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def _tail(n: int, p: float) -> float:
    return sum(_pmf(n, k, p) for k in range(n + 1) if 3 * k >= 2 * n)


@pytest.mark.parametrize("wrong", [{"nodes": 5}, {"controlled": 0.0}, {"controlled": 1.0}, {"diligence": 2.0}, {"mismatch": -1.0}])
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadGame):
        replace(SETUP, **wrong)


def test_no_tasks_are_refused() -> None:
    with pytest.raises(BadGame):
        simulate(SETUP, 0)
