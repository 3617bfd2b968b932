"""The Network: docs/spec/protocol.md §5, its time §6."""

from dataclasses import dataclass, replace
from typing import Self

from agent.protocol.bcs import U64
from agent.protocol.records.params import Params
from agent.protocol.records.record import Record
from agent.protocol.units import Digest, Millis, ObjectId


@dataclass(frozen=True, slots=True)
class NetworkView(Record):
    """The Network."""

    id: ObjectId
    version: U64
    allow_simulated: bool
    paused: bool
    params: Params
    policy: Digest
    verifiers: tuple[bytes, ...]
    threshold: U64
    stall_ms: Millis
    heartbeat_at: Millis

    def protocol_time(self, clock: Millis) -> Millis:
        """Deadlines are compared with this: the chain's clock less the time it stood still."""
        return Millis(clock - self.stall_ms)

    def is_alive(self, clock: Millis) -> bool:
        """Whether a crank that may cost stake is allowed at `clock` (chain clock) without a heartbeat before it."""
        return clock - self.heartbeat_at <= self.params.heartbeat_ms

    def after_heartbeat(self, clock: Millis) -> Self:
        """The Network once a `heartbeat` ran at `clock`: what was silence beyond `heartbeat_ms` counts as a halt."""
        halt = max(0, clock - self.heartbeat_at - self.params.heartbeat_ms)
        return replace(self, stall_ms=Millis(self.stall_ms + halt), heartbeat_at=clock)
