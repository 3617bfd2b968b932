"""Events of the module `pool`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.events.event import Event
from agent.protocol.units import Address, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class PoolCreated(Event):
    """A Pool was shared, with its Roster and queue."""

    pool: Address
    network: Address
    roster: ObjectId
    queue: ObjectId
    manifest: Digest
    tee_mask: U64
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist


@dataclass(frozen=True, slots=True)
class PricesProposed(Event):
    """Prices were proposed; in force from `at` on, once somebody applies them."""

    pool: Address
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    at: Millis


@dataclass(frozen=True, slots=True)
class PricesChanged(Event):
    """Tasks opened from now on cost this."""

    pool: Address
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist


@dataclass(frozen=True, slots=True)
class WithdrawalProposed(Event):
    """A withdrawal from the treasury was proposed; possible from `at` on."""

    pool: Address
    amount: Mist
    to: Address
    at: Millis


@dataclass(frozen=True, slots=True)
class TreasuryWithdrawn(Event):
    """Treasury went to `to`."""

    pool: Address
    amount: Mist
    to: Address


@dataclass(frozen=True, slots=True)
class AuditsFunded(Event):
    """Somebody gave to the audit fund."""

    pool: Address
    amount: Mist


@dataclass(frozen=True, slots=True)
class Slashed(Event):
    """A node lost stake; `reason` is an `Outcome` (an executor's) or a `SlashReason` (a panel member's)."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    reason: U8


@dataclass(frozen=True, slots=True)
class Paid(Event):
    """A node earned `amount`; `owed` is what the audit fund lacked."""

    pool: Address
    task: TaskId
    node: NodeId
    slot: Slot
    amount: Mist
    owed: Mist


@dataclass(frozen=True, slots=True)
class Jailed(Event):
    """A node was absent too often; it may unjail itself from `until` on."""

    pool: Address
    node: NodeId
    slot: Slot
    until: Millis
