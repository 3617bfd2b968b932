"""Events of the module `request`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.events.event import Event
from agent.protocol.units import Address, Millis, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class RequestCreated(Event):
    """A contract, or anybody, paid for a task that a second transaction opens."""

    request: ObjectId
    network: Address
    pool: Address
    requester: Address
    origin: Address
    value: Mist
    payment: Mist
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class RequestCancelled(Event):
    """A Request was withdrawn or ran out; its payment went back."""

    request: ObjectId
