"""What a transaction costs. The model is written out in docs/localnet.md; storage is Sui's, computation is simpler than Sui's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from localnet.ledger.model import GasSummary, Mist

BUCKET: Final = 1_000
"""Computation is rounded up to whole buckets of so many units."""
MAX_UNITS: Final = 5_000_000
"""Units that one transaction may use, whatever its budget."""
MIN_BUDGET_UNITS: Final = BUCKET
MAX_BUDGET: Final = Mist(50_000_000_000)
MAX_PRICE: Final = Mist(100_000)
MAX_COINS: Final = 256

STORAGE_PRICE: Final = Mist(76 * 100)
"""Per byte of an object, as on Sui: 100 units of 76 Mist."""
REFUNDABLE: Final = 9_900
"""Of 10,000 parts of a deposit, as on Sui."""

METADATA_BYTES: Final = 80
"""Owner (40), previous transaction (32) and deposit (8), as Sui counts them."""


def deposit(type_bytes: int, content_bytes: int) -> Mist:
    """What an object of that size has to leave with the storage fund."""
    return Mist((METADATA_BYTES + type_bytes + 9 + content_bytes) * STORAGE_PRICE)  # 9: version and `store` flag


def deposit_of_package(size: int) -> Mist:
    """What a package of so many bytes (`packaging.package_size`) has to leave with the storage fund."""
    return Mist((METADATA_BYTES + size) * STORAGE_PRICE)


def units_of(budget: Mist, price: Mist) -> int:
    """Units of computation that the budget pays for."""
    return min(budget // price, MAX_UNITS)


def computation(used: int, price: Mist, budget: Mist) -> Mist:
    """Price of `used` units, rounded up to buckets, at most the budget."""
    buckets = max(1, -(-min(used, MAX_UNITS) // BUCKET))
    return Mist(min(buckets * BUCKET * price, budget))


@dataclass(frozen=True, slots=True)
class StorageBill:
    """Deposits that a transaction paid in and got out."""

    paid: Mist
    returned: Mist
    kept: Mist
    """Of the deposits taken out, what nobody gets back."""

    @property
    def net(self) -> int:
        """Mist to pay; negative if there is something to get."""
        return self.paid - self.returned

    def with_computation(self, cost: Mist) -> GasSummary:
        """The whole bill."""
        return GasSummary(cost, self.paid, self.returned, self.kept)


def storage_bill(paid: Iterable[Mist], released: Iterable[Mist]) -> StorageBill:
    """Bill deposits `paid` in for new versions, and those `released` by old ones; each is rounded for itself, as on Sui."""
    total = back = 0
    for deposited in released:
        total += deposited
        back += (deposited * REFUNDABLE + 5_000) // 10_000
    return StorageBill(Mist(sum(paid)), Mist(back), Mist(total - back))


NO_STORAGE: Final = StorageBill(Mist(0), Mist(0), Mist(0))
FREE: Final = GasSummary(Mist(0), Mist(0), Mist(0), Mist(0))
