"""Events of the module `roster`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.events.event import Event
from agent.protocol.units import Address, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class PeriodRolled(Event):
    """The Roster took changes from its queue; `positive` operators weigh `total`."""

    roster: ObjectId
    pool: Address
    period: U64
    applied: U64
    positive: U64
    total: Mist
