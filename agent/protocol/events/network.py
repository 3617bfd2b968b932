"""Events of the module `network`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.events.event import Event
from agent.protocol.records.params import Params
from agent.protocol.units import Address, Digest, Millis, ObjectId


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


@dataclass(frozen=True, slots=True)
class PauseSet(Event):
    """`open_task` was stopped, or allowed again."""

    network: Address
    paused: bool


@dataclass(frozen=True, slots=True)
class ParamsProposed(Event):
    """Parameters were proposed; in force from `at` on, once somebody applies them."""

    network: Address
    at: Millis


@dataclass(frozen=True, slots=True)
class ParamsChanged(Event):
    """Tasks opened from now on have `params`."""

    network: Address
    params: Params


@dataclass(frozen=True, slots=True)
class CommitteeProposed(Event):
    """A verifier committee was proposed; in office from `at` on, once somebody applies it."""

    network: Address
    at: Millis


@dataclass(frozen=True, slots=True)
class CommitteeChanged(Event):
    """Another committee is in office; the one before counts until `previous_until`."""

    network: Address
    epoch: U64
    verifiers: tuple[bytes, ...]
    threshold: U64
    previous_until: Millis


@dataclass(frozen=True, slots=True)
class ProposalsCancelled(Event):
    """The proposals of parameters and committee were withdrawn."""

    network: Address


@dataclass(frozen=True, slots=True)
class PolicyAdded(Event):
    """Verdicts may name the policy `digest` from `activates_at` on."""

    network: Address
    digest: Digest
    activates_at: Millis


@dataclass(frozen=True, slots=True)
class PolicySunset(Event):
    """Records under the policy `digest` count no longer from `at` on."""

    network: Address
    digest: Digest
    at: Millis


@dataclass(frozen=True, slots=True)
class Migrated(Event):
    """An object was raised to `version`; older packages refuse it."""

    object: ObjectId
    version: U64
