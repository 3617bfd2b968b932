"""Events of the module `delivery`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.events.event import Event
from agent.protocol.units import Address, Millis, Mist, TaskId


@dataclass(frozen=True, slots=True)
class DeliveryClaimed(Event):
    """The requester says that it got nothing; the executor publishes the output until `deadline`."""

    task: TaskId
    pool: Address
    bond: Mist
    deadline: Millis


@dataclass(frozen=True, slots=True)
class ChunkPublished(Event):
    """A chunk of the sealed output is on chain: here."""

    task: TaskId
    index: U64
    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class OutputPublished(Event):
    """The whole sealed output is on chain."""

    task: TaskId
    pool: Address
    chunks: U64
    deadline: Millis


@dataclass(frozen=True, slots=True)
class DeliveryDisputed(Event):
    """The requester says that the published output is not what the executor committed to."""

    task: TaskId
    pool: Address
    bond: Mist
