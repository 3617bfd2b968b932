"""Calls of the module `roster`."""

from dataclasses import dataclass

from agent.protocol.units import ObjectId


@dataclass(frozen=True, slots=True)
class LaunchRoster:
    """`roster::launch`: once, with those who wait in the queue; before it nobody is drawn."""

    cap: ObjectId


@dataclass(frozen=True, slots=True)
class RollPeriod:
    """`roster::roll_period`, by anybody, once the period is over."""


@dataclass(frozen=True, slots=True)
class MigrateRoster:
    """`roster::migrate`, with its queue, by anybody, once the Network is."""
