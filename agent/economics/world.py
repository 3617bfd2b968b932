"""Who holds the stake, and who is drawn: nodes of an adversary among honest ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.errors import BadGame
from agent.economics.settlement import Flags
from agent.protocol.deterrence import cost, premium, task_probability
from agent.protocol.disputes import MAX_SEATS
from agent.protocol.draw import ALWAYS
from agent.protocol.records import Params, Prices
from agent.protocol.shares import BPS
from agent.protocol.units import Mist

Nodes: TypeAlias = NDArray[np.int32]
"""Indices of nodes; -1: nobody."""

SPARES: Final = 2
"""Auditors drawn beyond those wanted; the contract's `params::spares`."""
_LARGEST: Final = 100
"""Honest stakes are Pareto distributed, exponent 2, from the minimum to so many times that."""
_MOST: Final = 10
"""The adversary has at most one of so many slots."""
_FINE: Final = 1 << 20
"""Units of weight of the minimum."""


_NOTHING: Final = Mist(0)
_PUBLICATION: Final = Mist(5_000_000)


@dataclass(frozen=True, slots=True)
class Setup:
    """What is simulated: a Network's parameters, a Pool's prices, how many there are, and what is assumed of people and machines."""

    params: Params = DEFAULT
    prices: Prices = PRICES
    value: Mist = _NOTHING
    """At risk beyond the price, as requesters say truly; what a lie that is believed brings the liar."""
    nodes: int = 1_000_000
    controlled: float = DEFAULT.controlled_bps / BPS
    """The adversary's share of the stake."""
    diligence: float = 0.9
    """The share of requesters that complain of a delivery that is missing or forged."""
    locked: float = 0.5
    """The share of the honest stake that an attacker of the electorate keeps busy; a Pool takes no tasks that could use up more."""
    mismatch: float = 1e-6
    """How likely an input made for it sets two honest machines at odds."""
    publication_gas: Mist = _PUBLICATION
    """What publishing a chunk of an output on chain costs; measured of a full one."""
    audited: Fraction | None = None
    """The audit probability to play with; None: what the chain makes of parameters, price and value."""

    def __post_init__(self) -> None:
        if self.nodes < 4 * (self.params.auditors + SPARES):
            raise BadGame(f"{self.nodes} nodes: at least {4 * (self.params.auditors + SPARES)}, so that a panel can be drawn")
        if not 0 < self.controlled < 1:
            raise BadGame(f"controlled {self.controlled}: the adversary's share of the stake, above 0 and below 1")
        if not 0 <= self.diligence <= 1 or not 0 <= self.mismatch <= 1:
            raise BadGame("diligence and mismatch are probabilities from 0 to 1")

    @property
    def probability(self) -> float:
        """Of an audit.

        Raises:
            ValueTooHigh: no probability deters a lie about `value`.
        """
        return self._q64 / ALWAYS

    @property
    def escrow(self) -> int:
        """What a task costs, Mist."""
        audits = premium(self._q64, self.params.auditors, self.prices.auditor_fee)
        return self.prices.price + self.prices.reservation_fee + audits

    @property
    def run_cost(self) -> Mist:
        """C, Mist."""
        return cost(self.params, self.prices.price)

    @property
    def second_seats(self) -> int:
        """Of the second dispute."""
        return min(2 * self.params.dispute_seats, MAX_SEATS)

    @property
    def _q64(self) -> int:
        if self.audited is not None:
            return round(self.audited * ALWAYS)
        return task_probability(self.params, self.prices.price, self.value)


@dataclass(frozen=True, slots=True)
class World:
    """Nodes by weight; the adversary's come last."""

    honest: int
    """How many honest nodes there are: a node from this index on is the adversary's."""
    sums: NDArray[np.int64] = field(repr=False)
    """Cumulated weights."""

    @classmethod
    def of(cls, setup: Setup, shares: Sequence[float], rng: Generator) -> "World":
        """`setup.nodes` nodes, of which the adversary's have these shares of his stake (a tenth of all slots at most), honest ones the rest."""
        shares = shares[: setup.nodes // _MOST]
        honest = setup.nodes - len(shares)
        # division and square root are the same on every machine; a logarithm is not
        weights = (_FINE * np.minimum(_LARGEST, 1 / np.sqrt(1 - rng.random(honest)))).astype(np.int64)
        ours = int(weights.sum()) * setup.controlled / (1 - setup.controlled)
        theirs = np.maximum(1, np.asarray(shares) / sum(shares) * ours).astype(np.int64)
        return cls(honest, np.cumsum(np.concatenate([weights, theirs])))

    def is_adverse(self, nodes: Nodes) -> Flags:
        """Which of `nodes` are the adversary's."""
        return nodes >= self.honest

    def draw(self, rng: Generator, tasks: int) -> Nodes:
        """A node a task, by weight."""
        return self._find(rng.integers(0, self.sums[-1], tasks))

    def draw_adverse(self, rng: Generator, tasks: int) -> Nodes:
        """One of the adversary's nodes a task, by weight."""
        return self._find(rng.integers(self.sums[self.honest - 1], self.sums[-1], tasks))

    def draw_honest(self, rng: Generator, tasks: int) -> Nodes:
        """An honest node a task, by weight."""
        return self._find(rng.integers(0, self.sums[self.honest - 1], tasks))

    def draw_without(self, rng: Generator, excluded: Nodes, count: int) -> Nodes:
        """[tasks, count] different nodes a task, none of its `excluded` ([tasks, …]), by the weight of who is left."""
        found = np.full((len(excluded), count), -1, np.int32)
        for column in range(count):
            found[:, column] = self._draw_other(rng, np.concatenate([excluded, found[:, :column]], axis=1))
        return found

    def draw_with(self, rng: Generator, excluded: Nodes, count: int) -> Nodes:
        """[tasks, count] nodes a task, the same one perhaps several times, none of its `excluded`."""
        columns = [self._draw_other(rng, excluded) for _ in range(count)]
        return np.stack(columns, axis=1)

    def _draw_other(self, rng: Generator, excluded: Nodes) -> Nodes:
        """A node a task that is none of its `excluded`: drawn again until it is not, which is the same as from what is left."""
        found = self.draw(rng, len(excluded))
        while (again := np.flatnonzero((found[:, None] == excluded).any(axis=1))).size:
            found[again] = self.draw(rng, again.size)
        return found

    def _find(self, at: NDArray[np.int64]) -> Nodes:
        return np.searchsorted(self.sums, at, side="right").astype(np.int32)


def again(nodes: Nodes) -> Flags:
    """[tasks, seats]: whose node has an earlier seat of the same round: one lock and one fee, but another vote."""
    found = np.zeros(nodes.shape, np.bool_)
    for column in range(1, nodes.shape[1]):
        found[:, column] = (nodes[:, :column] == nodes[:, column, None]).any(axis=1)
    return found
