"""A Request: a task that some contract paid for, and a second transaction opens (docs/spec/protocol.md §5)."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.records.record import Record
from agent.protocol.units import Address, Millis, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class RequestView(Record):
    """A Request; `origin` 0x0: no contract wants to be named."""

    id: ObjectId
    version: U64
    network: Address
    pool: Address
    requester: Address
    origin: Address
    value: Mist
    payment: Mist
    expires_at: Millis
