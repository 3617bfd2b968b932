"""Calls of the module `task`: by its requester, by its executor, by anybody."""

from dataclasses import dataclass

from agent.protocol.units import Address, BlobId, Digest, Mist, NodeId, TaskId


@dataclass(frozen=True, slots=True)
class OpenTask:
    """`task::open_task`: splits the payment, which has to be exactly the Pool's quote for `value`. Draws."""

    payment: Mist
    value: Mist = Mist(0)  # noqa: RUF009  a NewType: an int, which cannot change
    """What is at risk beyond the price; it makes the audit likelier."""


@dataclass(frozen=True, slots=True)
class RejectExecutor:
    """`task::reject_executor`: splits the fee, which has to be exactly the task's `reservation_fee`."""

    task: TaskId
    node: NodeId
    """Whose turn it was when it was judged; if it is another's by now, nobody is rejected (`WrongExecutor`)."""
    fee: Mist


@dataclass(frozen=True, slots=True)
class AssignAndPostInput:
    """`task::assign` and `task::post_input`, which only one transaction can hold."""

    task: TaskId
    node: NodeId
    key_epoch: int
    """Whose record the input is sealed to: the present one, or the previous one in its grace."""
    input_uri: str
    input_digest: BlobId
    key_commitment: Digest
    output_pk: bytes
    tee_mask: int
    denied: tuple[Address, ...] = ()
    """Operators that may not audit, at most eight."""


@dataclass(frozen=True, slots=True)
class ReportInvalidInput:
    """`task::report_invalid_input`."""

    task: TaskId
    reason: int
    """`agent.protocol.statements.InvalidReason`."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class CancelRevoked:
    """`task::cancel_revoked`: the executor's key epoch was revoked before it committed."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Commit:
    """`task::commit`. Draws."""

    task: TaskId
    commitment: Digest
    sealed_output_digest: BlobId
    units: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """`task::challenge`, by the requester: splits the bond, which has to be exactly `challenge_bond`. Draws."""

    task: TaskId
    bond: Mist


@dataclass(frozen=True, slots=True)
class Reap:
    """`task::reap`: deletes the task; the storage rebate goes to the sender."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class MigrateTask:
    """`task::migrate`, by anybody, once the Network is."""

    task: TaskId
