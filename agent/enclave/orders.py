"""What the host asks an enclave to do, and what it gets back: docs/spec/protocol.md §2, §4, §6.

An order repeats what the chain says of a task. The host could lie in it; every lie either breaks a check against the
sealed header, or makes a statement that the contract does not accept: a liar spoils only his own task.
"""

from dataclasses import dataclass

from agent.protocol.statements import (
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InvalidInputStatement,
    TicketStatement,
)
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId


@dataclass(frozen=True, slots=True)
class Committee:
    """The verifiers whose tickets an enclave believes; its hash stands in the attested binding."""

    threshold: int
    verifiers: tuple[bytes, ...]
    """Ed25519, 32 bytes each, in the order of `Network.verifiers`."""


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """Whom the enclave is to serve: one node, one key epoch."""

    chain_id: str
    network: Address
    pool: Address
    node: NodeId
    key_epoch: int
    challenge: bytes
    """Chain randomness, 32 bytes: evidence cannot be made before it."""
    not_after: Millis
    committee: Committee


@dataclass(frozen=True, slots=True)
class ExecuteOrder:
    """A Task after `post_input`."""

    network: Address
    task: TaskId
    node: NodeId
    """The executor."""
    key_epoch: int
    """The executor's, as pinned in the Task."""
    input_digest: BlobId
    key_commitment: Digest
    output_pk: bytes
    tee_mask: int
    opened_at: Millis


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """A seat in the audit (round 1) or a dispute (rounds 2 and 3) of a task."""

    task: ExecuteOrder
    node: NodeId
    """Who audits."""
    key_epoch: int
    """The auditor's, as pinned in its seat."""
    round: int
    commitment: Digest
    """The executor's, from the Task."""


@dataclass(frozen=True, slots=True)
class HandoffOrder:
    """Wrap the task's data key for the seats of a draw ticket."""

    order: ExecuteOrder
    ticket: TicketStatement
    signers: tuple[int, ...]
    """Indices into the committee, rising."""
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Executed:
    """The workload ran."""

    statement: CommitStatement
    signature: bytes
    sealed_output: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The input cannot be run, and the requester is to blame [H2]."""

    statement: InvalidInputStatement
    signature: bytes


@dataclass(frozen=True, slots=True)
class HandedOff:
    """The data key, wrapped for every seat in the ticket's order."""

    statement: HandoffStatement
    signature: bytes

    @property
    def wraps(self) -> tuple[bytes, ...]:
        """80 bytes a seat, as they go on chain."""
        return tuple(self.statement.wraps)


@dataclass(frozen=True, slots=True)
class Audited:
    """The task was run again, or the wrap was bad; `root`, `salt` and `executor_salt` are for `reveal`."""

    statement: AuditStatement
    signature: bytes
    root: Digest
    salt: bytes
    executor_salt: bytes
