"""What the host asks an enclave to do, and what it gets back: docs/spec/protocol.md §2, §4, §6.

An order repeats what the chain says of a task, and the host could lie in it. A lie never opens a secret to anybody: who
learns a data key or an output is fixed by the sealed header and by the committee's tickets. But it can make the enclave
refuse a good input (HEADER, KEY_COMMITMENT), or vote against its own host: `agent/enclave/README.md`.
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
    denied: tuple[Address, ...]
    """Operators that may not audit."""
    opened_at: Millis


@dataclass(frozen=True, slots=True)
class PostedWrap:
    """What stands on chain for one seat: whoever holds what is wrapped can recompute it [H1]."""

    node: NodeId
    key_epoch: int
    hpke_pk: bytes
    octets: bytes
    """80 of them."""


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """A seat in the audit (round 1) or a dispute of the computation (rounds 2 and 3)."""

    task: ExecuteOrder
    node: NodeId
    """Who audits."""
    key_epoch: int
    """The auditor's, as pinned in its seat."""
    round: int
    commitment: Digest
    """The executor's, from the Task."""
    wraps: tuple[PostedWrap, ...]
    """Of every seat of this round, the auditor's own among them; empty where there is nothing to open (`report_no_input`)."""
    earlier: tuple[PostedWrap, ...]
    """Of every seat of every earlier round that the executor handed off."""


@dataclass(frozen=True, slots=True)
class DeliveryOrder:
    """A seat in a dispute of the delivery (rounds 4 and 5): no data key, no model, only bytes that are on chain."""

    task: ExecuteOrder
    node: NodeId
    """Who judges."""
    key_epoch: int
    round: int
    commitment: Digest
    """The executor's, from the Task."""
    sealed_output_digest: BlobId
    wraps: tuple[PostedWrap, ...]
    """Of the secret of `output_pk`, for every seat of this round."""


@dataclass(frozen=True, slots=True)
class HandoffOrder:
    """Wrap the task's data key for the seats of a draw ticket: the executor's order, or in a dispute an auditor's."""

    order: ExecuteOrder
    ticket: TicketStatement
    signers: tuple[int, ...]
    """Indices into the committee, rising."""
    signatures: tuple[bytes, ...]
    earlier: tuple[PostedWrap, ...]
    """What the executor handed off before: an auditor does not stand in for one that did so falsely. Empty from the executor."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What the evidence of a bound enclave carries."""

    binding: bytes
    """CBOR; `agent.attestation.binding.report_data` of it fills the report data."""
    native: bytes
    """32 bytes: the same, in the form that Move recomputes."""


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
    """A panel member's vote; `root`, `salt` and `executor_salt` are for `reveal`."""

    statement: AuditStatement
    signature: bytes
    root: Digest
    salt: bytes
    executor_salt: bytes
