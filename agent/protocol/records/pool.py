"""The Pool: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.records.pending import Pending
from agent.protocol.records.record import Record
from agent.protocol.units import Address, Digest, Mist, ObjectId, Slot


@dataclass(frozen=True, slots=True)
class Prices(Record):
    """What a Pool asks."""

    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist


@dataclass(frozen=True, slots=True)
class Withdrawal(Record):
    """Of the treasury."""

    amount: Mist
    to: Address


@dataclass(frozen=True, slots=True)
class PoolView(Record):
    """The Pool, without its members."""

    id: ObjectId
    version: U64
    network: Address
    roster: Address
    queue: Address
    manifest: Digest
    tee_mask: U64
    prices: Prices
    bonded: Mist
    """Sum of the weights that members have queued."""
    spoken_for: Mist
    """What the tasks under way lock, and would lock if all of them were audited."""
    slots: U64
    next_slot: Slot
    free: tuple[Slot, ...]
    """Slots given back, to be taken again."""
    fees_owed: Mist
    treasury: Mist
    audit_fund: Mist
    burnt: Mist
    next_prices: Pending[Prices]
    next_withdrawal: Pending[Withdrawal]

    @property
    def price(self) -> Mist:
        """Of the next task."""
        return self.prices.price

    @property
    def auditor_fee(self) -> Mist:
        """Of the next task, for each auditor that was right."""
        return self.prices.auditor_fee

    @property
    def reservation_fee(self) -> Mist:
        """Of the next task."""
        return self.prices.reservation_fee
