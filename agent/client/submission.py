"""What a requester has in hand: a task that is open, an input under way, an output."""

from dataclasses import dataclass, field
from typing import Self

from agent.client.receipt import TaskReceipt
from agent.client.store import Attempt, TaskEntry
from agent.enclave.sealing import OpenedOutput, TaskSecrets
from agent.protocol.units import Mist, NodeId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class Opened:
    """A task that waits for its input."""

    task: TaskId
    paid: Mist
    """The escrow."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An input under way. The requester's store has the same: `resume` gets it back."""

    task: TaskId
    node: NodeId
    slot: Slot
    sign_pk: bytes
    """Of the executor's enclave, out of the evidence that was verified."""
    secrets: TaskSecrets = field(repr=False)
    paid: Mist
    simulated: bool
    """True: no hardware keeps the executor's operator from reading the input."""

    @classmethod
    def of(cls, entry: TaskEntry, attempt: Attempt) -> Self:
        """What is kept of a posted input."""
        return cls(entry.task, attempt.node, attempt.slot, attempt.sign_pk, attempt.secrets, entry.paid, attempt.simulated)


@dataclass(frozen=True, slots=True)
class Result:
    """An output that is the one committed on chain, with the executor's signed statement."""

    task: TaskId
    output: bytes = field(repr=False)
    receipt: TaskReceipt
    simulated: bool
    opened: OpenedOutput = field(repr=False)
    """With salt and leaf key: what shows a contract that this is the output (`task::opens`)."""
