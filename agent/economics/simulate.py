"""Plays strategies: in batches of bounded memory, on as many threads as wanted, with the same result for the same seed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from agent.economics.errors import BadGame, NoSuchStrategy
from agent.economics.ledger import Ledger
from agent.economics.strategies import STRATEGIES, Strategy
from agent.economics.world import Setup, World

BATCH: Final = 1 << 15
"""Tasks; some hundred bytes each while they are played, a few thousand where each is disputed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a strategy. Money in units of C, the cost of an honest run."""

    strategy: str
    profit_per_task: float
    victim_loss_per_task: float
    honest_slash_rate: float
    """Of all locks of honest stake, how many were slashed."""
    tasks: int


def find(names: Sequence[str]) -> tuple[Strategy, ...]:
    """Strategies by name, honesty always and first; all of them for no names.

    Raises:
        NoSuchStrategy: one of `names` is none.
    """
    known = {each.name: each for each in STRATEGIES}
    for name in names:
        if name not in known:
            raise NoSuchStrategy(f"{name!r} is no strategy; there are: {', '.join(known)}")
    return tuple(each for each in STRATEGIES if not names or each.name in names or each is STRATEGIES[0])


def simulate(
    setup: Setup, tasks: int, seed: int = 0, *, strategies: Sequence[Strategy] = STRATEGIES, threads: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Result, ...]:  # fmt: skip
    """Play `tasks` tasks of each strategy; `progress` is told of each batch how many tasks it had.

    Raises:
        BadGame: no tasks.
        AmountsTooLarge: the parameters' amounts do not fit.
    """
    if tasks < 1:
        raise BadGame(f"{tasks} tasks: at least one")
    return tuple(_play(each, setup, tasks, seed, threads, progress) for each in strategies)


def _play(strategy: Strategy, setup: Setup, tasks: int, seed: int, threads: int, progress: Callable[[int], None]) -> Result:
    # by name, so that a strategy's result does not depend on which others are played
    root = [seed, int.from_bytes(strategy.name.encode(), "little")]
    if strategy.alone:
        setup = replace(setup, controlled=1 / setup.nodes)
    world = World.of(setup, strategy.shares, np.random.default_rng([*root, 0]))

    def batch(index: int) -> Ledger:
        size = min(BATCH, tasks - index * BATCH)
        ledger = strategy.play(world, setup, np.random.default_rng([*root, 1, index]), size)
        progress(size)
        return ledger

    total = Ledger()
    with ThreadPoolExecutor(threads) as pool:
        for ledgers in _chunks(range(-(-tasks // BATCH)), 64):
            total = sum(pool.map(batch, ledgers), total)
    unit = setup.run_cost * tasks
    return Result(strategy.name, total.profit / unit, total.victim_loss / unit, total.slashed / max(1, total.exposed), tasks)


def _chunks(numbers: range, size: int) -> Iterator[list[int]]:
    """A few at a time: an error or an interrupt ends the work soon."""
    left = iter(numbers)
    while chunk := list(islice(left, size)):
        yield chunk
