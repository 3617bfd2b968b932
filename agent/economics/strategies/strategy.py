"""What a strategy is: a way to behave, and what it does in a batch of tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from numpy.random import Generator

from agent.economics.ledger import Ledger
from agent.economics.world import Setup, World

Play: TypeAlias = Callable[[World, Setup, Generator, int], Ledger]
"""Plays that many tasks."""

MANY: Final = (1.0,) * 100
"""The adversary's stake in a hundred equal slots."""
ONE: Final = (1.0,)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to behave. The texts are for people: docs/economics.md."""

    name: str
    controls: str
    """What the adversary has."""
    gains: str
    pays: str
    play: Play
    shares: tuple[float, ...] = MANY
    """How the adversary's stake is divided among its slots."""
    alone: bool = False
    """It has one node like any other, and nobody to collude with."""
