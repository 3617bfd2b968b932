"""Requests: a task that somebody, perhaps a contract, paid for, and a second transaction opens."""

from dataclasses import dataclass

from agent.protocol.units import Address, Millis, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """`request::create`: shares a Request; its id is in the event RequestCreated."""

    payment: Mist
    """At least the Pool's quote; what exceeds it comes back to `requester` when the task is opened."""
    value: Mist
    requester: Address
    """Who posts the input, complains, and gets what is refunded."""
    origin: Address
    """The contract's object that wants to know its task again; 32 zero bytes: none."""
    ttl_ms: Millis


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """`request::cancel`: the payment goes back; by anybody once it has expired."""

    request: ObjectId


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """`task::open_request`, by anybody. Draws."""

    request: ObjectId
