"""Events of the module `audit`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.events.event import Event
from agent.protocol.states import RoundKind
from agent.protocol.units import Address, Digest, Millis, NodeId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class RoundBegun(Event):
    """Members were seated in a round and their stake locked."""

    task: TaskId
    pool: Address
    round: RoundKind
    nodes: tuple[NodeId, ...]
    deadline: Millis


@dataclass(frozen=True, slots=True)
class PanelEmpty(Event):
    """None of the drawn auditors could serve; a panel may be drawn anew until `deadline`."""

    task: TaskId
    pool: Address
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Redrawn(Event):
    """A panel was drawn anew."""

    task: TaskId
    pool: Address
    seed: bytes
    panel: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class TicketIssued(Event):
    """The committee confirmed the seats of a round."""

    task: TaskId
    pool: Address
    round: RoundKind
    deadline: Millis


@dataclass(frozen=True, slots=True)
class HandedOff(Event):
    """The key is on chain, wrapped for each seat; `by` is a node, or in a dispute of the delivery the requester.

    `uri`: where the sealed input lies too.
    """

    task: TaskId
    pool: Address
    round: RoundKind
    by: Address
    uri: bytes
    deadline: Millis


@dataclass(frozen=True, slots=True)
class AuditCommitted(Event):
    """A seat posted its blinded commitment."""

    task: TaskId
    pool: Address
    node: NodeId
    round: RoundKind
    seat: U64


@dataclass(frozen=True, slots=True)
class RevealsOpen(Event):
    """Every seat that committed may reveal now."""

    task: TaskId
    pool: Address
    round: RoundKind
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Revealed(Event):
    """A seat opened its commitment; `agrees`: to the executor's root."""

    task: TaskId
    pool: Address
    node: NodeId
    round: RoundKind
    seat: U64
    agrees: bool


@dataclass(frozen=True, slots=True)
class Upheld(Event):
    """A verdict agrees with the executor; a delivery window runs until `deadline`."""

    task: TaskId
    pool: Address
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Disputed(Event):
    """A round ended without a verdict; a dispute may be drawn until `deadline`."""

    task: TaskId
    pool: Address
    deadline: Millis


@dataclass(frozen=True, slots=True)
class DisputeDrawn(Event):
    """Who sits in a dispute was drawn."""

    task: TaskId
    pool: Address
    round: RoundKind
    seed: bytes
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class FalseHandoff(Event):
    """A dispute found that the wraps of the auditor `node` do not open."""

    task: TaskId
    pool: Address
    node: NodeId


@dataclass(frozen=True, slots=True)
class RulingAwaited(Event):
    """The committee, of last resort, rules until `deadline`."""

    task: TaskId
    pool: Address
    round: RoundKind
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Ruled(Event):
    """The committee ruled: `signers` of the committee of epoch `committee`."""

    task: TaskId
    pool: Address
    round: RoundKind
    root: Digest
    agrees: bool
    committee: U64
    signers: tuple[U64, ...]
