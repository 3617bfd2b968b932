"""Events of the module `network`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.events.event import Event
from agent.protocol.units import Address, Millis, ObjectId


@dataclass(frozen=True, slots=True)
class NetworkCreated(Event):
    """A Network was shared."""

    network: Address
    admin_cap: ObjectId
    allow_simulated: bool


@dataclass(frozen=True, slots=True)
class Stalled(Event):
    """A halt of the chain was found: deadlines moved by `added_ms`."""

    network: Address
    added_ms: Millis
    stall_ms: Millis
