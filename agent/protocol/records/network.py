"""The Network: docs/spec/protocol.md §5, its time §6."""

from dataclasses import dataclass, replace
from typing import Self

from agent.protocol.bcs import U64
from agent.protocol.records.params import Params
from agent.protocol.records.pending import Pending
from agent.protocol.records.record import Record
from agent.protocol.units import Address, Digest, Millis, ObjectId


@dataclass(frozen=True, slots=True)
class Committee(Record):
    """Who checks evidence: `threshold` of `verifiers` (Ed25519 keys) sign; `epoch` 0: there was none."""

    epoch: U64
    verifiers: tuple[bytes, ...]
    threshold: U64


@dataclass(frozen=True, slots=True)
class PolicyEntry(Record):
    """An attestation policy, and when verdicts and records under it count."""

    digest: Digest
    activates_at: Millis
    sunset_at: Millis
    nitro: tuple[bytes, ...]
    """PCR0 values that the native path takes."""

    def in_force(self, now: Millis) -> bool:
        """Whether it counts at `now` (protocol time)."""
        return self.activates_at <= now < self.sunset_at


@dataclass(frozen=True, slots=True)
class AdminCap(Record):
    """The administrator's right to the calls that docs/spec/protocol.md §7 lists."""

    id: ObjectId
    network: Address


@dataclass(frozen=True, slots=True)
class NetworkView(Record):
    """The Network."""

    id: ObjectId
    version: U64
    allow_simulated: bool
    paused: bool
    params: Params
    policies: tuple[PolicyEntry, ...]
    committee: Committee
    previous: Committee
    previous_until: Millis
    next_params: Pending[Params]
    next_committee: Pending[Committee]
    stall_ms: Millis
    heartbeat_at: Millis

    @property
    def verifiers(self) -> tuple[bytes, ...]:
        """Keys of the present committee."""
        return self.committee.verifiers

    @property
    def threshold(self) -> int:
        """How many of the present committee must sign."""
        return self.committee.threshold

    @property
    def policy(self) -> Digest:
        """The policy added first; where there are several, `policy_at` knows which one to name."""
        return self.policies[0].digest if self.policies else Digest(b"")

    def policy_at(self, now: Millis) -> Digest | None:
        """The policy that a new verdict names at `now` (protocol time): of those in force the one activated last."""
        there = [entry for entry in self.policies if entry.in_force(now)]
        return max(there, key=lambda entry: entry.activates_at).digest if there else None

    def is_in_force(self, policy: Digest, now: Millis) -> bool:
        """Whether verdicts and records under `policy` count at `now` (protocol time)."""
        return any(entry.digest == policy and entry.in_force(now) for entry in self.policies)

    def committee_of(self, epoch: int, now: Millis) -> Committee | None:
        """The committee of `epoch`, if its signatures count at `now` (protocol time)."""
        if epoch == self.committee.epoch:
            return self.committee
        return self.previous if epoch == self.previous.epoch and now < self.previous_until else None

    def protocol_time(self, clock: Millis) -> Millis:
        """Deadlines are compared with this: the chain's clock less the time it stood still."""
        return Millis(clock - self.stall_ms)

    def is_alive(self, clock: Millis) -> bool:
        """Whether a crank that may cost stake is allowed at `clock` (chain clock) without a heartbeat before it."""
        return clock - self.heartbeat_at <= self.params.heartbeat_ms

    def after_heartbeat(self, clock: Millis) -> Self:
        """The Network once a `heartbeat` ran at `clock`: a silence longer than `heartbeat_ms` counts as a halt, all of it."""
        gap = clock - self.heartbeat_at
        halt = gap if gap > self.params.heartbeat_ms else 0
        return replace(self, stall_ms=Millis(self.stall_ms + halt), heartbeat_at=clock)
