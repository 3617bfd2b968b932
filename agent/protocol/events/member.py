"""Events of the module `member`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.events.event import Event
from agent.protocol.units import Address, Millis, Mist, NodeId, Slot


@dataclass(frozen=True, slots=True)
class NodeRegistered(Event):
    """A node staked; it cannot be drawn yet."""

    pool: Address
    node: NodeId
    slot: Slot
    operator: Address
    stake: Mist


@dataclass(frozen=True, slots=True)
class Replaced(Event):
    """`node` was pushed out of its slot by `by`, which staked more."""

    pool: Address
    node: NodeId
    slot: Slot
    by: NodeId


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    """A node's stake grew by `amount` to `stake`."""

    pool: Address
    node: NodeId
    slot: Slot
    amount: Mist
    stake: Mist


@dataclass(frozen=True, slots=True)
class Unbonding(Event):
    """Part of a node's stake is on its way out."""

    pool: Address
    node: NodeId
    slot: Slot
    amount: Mist
    until: Millis


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """Unbonded stake was taken."""

    pool: Address
    node: NodeId
    slot: Slot
    amount: Mist


@dataclass(frozen=True, slots=True)
class WeightQueued(Event):
    """From the next period on a node weighs `weight`."""

    pool: Address
    node: NodeId
    slot: Slot
    weight: Mist


@dataclass(frozen=True, slots=True)
class Leaving(Event):
    """A node takes no more tasks; its stake is free from `until` on."""

    pool: Address
    node: NodeId
    slot: Slot
    until: Millis


@dataclass(frozen=True, slots=True)
class Retired(Event):
    """A node's record is gone; its slot is free."""

    pool: Address
    node: NodeId
    slot: Slot


@dataclass(frozen=True, slots=True)
class FeesClaimed(Event):
    """A node took its earnings; `owed` is what the audit fund still lacked."""

    pool: Address
    node: NodeId
    slot: Slot
    amount: Mist
    owed: Mist


@dataclass(frozen=True, slots=True)
class Unjailed(Event):
    """A jailed node serves again."""

    pool: Address
    node: NodeId
    slot: Slot
