"""Money moves between accounts: what one loses another gets, and no account gives more than it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from agent.protocol.errors import Overdrawn
from agent.protocol.units import Address, Mist, NodeId


class Account(Enum):
    """Where money lies before or after a settlement."""

    ESCROW = "escrow"
    BONDS = "bonds"
    STAKE = "stake"
    """A member's; its transfers name the node."""
    FEES = "fees"
    """A member's earnings; its transfers name the node."""
    REQUESTER = "requester"
    BOUNTY = "bounty"
    """Who cranked an absence; its transfers name him."""
    AUDIT_FUND = "audit fund"
    TREASURY = "treasury"
    BURNT = "burnt"
    SPOILS = "panel's share of slashes"
    """Empty before and after."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount` > 0 from one account to another; `node` is whose stake or fees it is, `cranker` whose bounty."""

    source: Account
    to: Account
    amount: Mist
    node: NodeId | None = None
    cranker: Address | None = None


class Books:
    """Makes transfers out of what the accounts held at first."""

    def __init__(self, opening: Mapping[Account, int]) -> None:
        self._left: Final = {account: opening.get(account, 0) for account in Account}
        self._made: Final[list[Transfer]] = []

    def left(self, account: Account) -> Mist:
        """What `account` holds now."""
        return Mist(self._left[account])

    def move(
        self, source: Account, to: Account, amount: int, node: NodeId | None = None, cranker: Address | None = None
    ) -> None:
        """Transfer `amount`; nothing is noted of 0.

        Raises:
            Overdrawn: `source` holds less.
        """
        if not 0 <= amount <= self._left[source]:
            raise Overdrawn(
                f"{source.value}: {amount} Mist wanted, {self._left[source]} there: read the task before it is settled"
            )
        if amount:
            self._left[source] -= amount
            self._left[to] += amount
            self._made.append(Transfer(source, to, Mist(amount), node, cranker))

    def transfers(self) -> tuple[Transfer, ...]:
        """All of them, in order."""
        return tuple(self._made)
