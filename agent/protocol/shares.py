"""Shares of money in basis points."""

from typing import Final

from agent.protocol.units import Mist

BPS: Final = 10_000
"""Basis points of one."""


def share(amount: int, bps: int) -> Mist:
    """`amount · bps / 10,000`, rounded down."""
    return Mist(amount * bps // BPS)
