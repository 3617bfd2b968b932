"""Events of the module `settlement`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.events.event import Event
from agent.protocol.states import Outcome
from agent.protocol.units import Address, Mist, NodeId, TaskId


@dataclass(frozen=True, slots=True)
class BountyPaid(Event):
    """Who cranked an absence was paid for it."""

    task: TaskId
    to: Address
    amount: Mist


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """A task was paid, refunded and slashed for."""

    task: TaskId
    pool: Address
    requester: Address
    node: NodeId
    outcome: Outcome
    paid: Mist
    refunded: Mist
    slashed: Mist
