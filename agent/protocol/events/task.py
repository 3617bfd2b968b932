"""Events of the module `task`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U8, U64
from agent.protocol.events.event import Event
from agent.protocol.states import Outcome
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class TaskOpened(Event):
    """A task waits for its input; its candidates are drawn."""

    task: TaskId
    network: Address
    pool: Address
    requester: Address
    candidates: tuple[Slot, ...]
    escrow: Mist
    deadline: Millis


@dataclass(frozen=True, slots=True)
class ExecutorRejected(Event):
    """The requester did not trust a candidate's evidence."""

    task: TaskId
    pool: Address
    slot: Slot


@dataclass(frozen=True, slots=True)
class InputPosted(Event):
    """An executor is seated and its input lies in the store."""

    task: TaskId
    pool: Address
    node: NodeId
    slot: Slot
    key_epoch: U64
    input_digest: BlobId
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Committed(Event):
    """The executor committed; chance has said whether it is audited, and by whom."""

    task: TaskId
    pool: Address
    node: NodeId
    commitment: Digest
    sealed_output_digest: BlobId
    seed: bytes
    panel: tuple[Slot, ...]
    audited: bool
    deadline: Millis


@dataclass(frozen=True, slots=True)
class RoundBegun(Event):
    """Members were seated in a round and their stake locked."""

    task: TaskId
    pool: Address
    round: U8
    nodes: tuple[NodeId, ...]
    deadline: Millis


@dataclass(frozen=True, slots=True)
class TicketIssued(Event):
    """The committee confirmed the seats of a round."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class HandedOff(Event):
    """The data key is on chain, wrapped for each seat."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class AuditCommitted(Event):
    """A seat posted its blinded commitment."""

    task: TaskId
    pool: Address
    node: NodeId
    round: U8
    seat: U64


@dataclass(frozen=True, slots=True)
class RevealsOpen(Event):
    """Every seat that committed may reveal now."""

    task: TaskId
    pool: Address
    round: U8
    deadline: Millis


@dataclass(frozen=True, slots=True)
class Revealed(Event):
    """A seat opened its commitment; `agrees`: to the executor's root."""

    task: TaskId
    pool: Address
    node: NodeId
    round: U8
    seat: U64
    agrees: bool


@dataclass(frozen=True, slots=True)
class Disputed(Event):
    """A round ended without a verdict."""

    task: TaskId
    pool: Address


@dataclass(frozen=True, slots=True)
class DisputeDrawn(Event):
    """Who sits in a dispute was drawn."""

    task: TaskId
    pool: Address
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """A task has its outcome."""

    task: TaskId
    pool: Address
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """A task was paid, refunded and slashed for."""

    task: TaskId
    pool: Address
    requester: Address
    node: NodeId
    outcome: Outcome
    paid: Mist
    refunded: Mist
    slashed: Mist


@dataclass(frozen=True, slots=True)
class Reaped(Event):
    """A settled task was deleted."""

    task: TaskId
