"""Events of the module `task`: docs/spec/protocol.md §8."""

from dataclasses import dataclass

from agent.protocol.bcs import U64, U128
from agent.protocol.events.event import Event
from agent.protocol.states import Outcome
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class TaskOpened(Event):
    """A task waits for its input; its candidates are drawn. `request` 0x0: it was opened without one."""

    task: TaskId
    network: Address
    pool: Address
    requester: Address
    origin: Address
    request: ObjectId
    candidates: tuple[Slot, ...]
    value: Mist
    audit_probability: U128
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
class Challenged(Event):
    """The requester had a panel drawn for a task that chance did not audit."""

    task: TaskId
    pool: Address
    seed: bytes
    panel: tuple[Slot, ...]
    bond: Mist


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """A task has its outcome."""

    task: TaskId
    pool: Address
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reaped(Event):
    """A settled task was deleted."""

    task: TaskId
