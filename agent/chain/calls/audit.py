"""Calls of the module `audit`: rounds of audit and dispute."""

from dataclasses import dataclass

from agent.protocol.units import Digest, Millis, TaskId


@dataclass(frozen=True, slots=True)
class BeginAudit:
    """`audit::begin_audit`."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Redraw:
    """`audit::redraw`: another panel, where nobody of the first could serve. Draws."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class IssueTicket:
    """`audit::issue_ticket`."""

    task: TaskId
    issued_at: Millis
    committee: int
    """The epoch of the committee that signed."""
    signers: tuple[int, ...]
    """Indices into that committee's verifiers, rising."""
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Handoff:
    """`audit::handoff`: 80 bytes a seat, in seat order."""

    task: TaskId
    by: int
    """NONE: the executor; else, in a dispute of the computation, a seat of the audit that revealed."""
    wraps: tuple[bytes, ...]
    uri: str
    """Where the sealed input lies too, at most 256 bytes; not signed."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class AuditCommit:
    """`audit::audit_commit`."""

    task: TaskId
    seat: int
    commitment: Digest
    signature: bytes


@dataclass(frozen=True, slots=True)
class Reveal:
    """`audit::reveal`."""

    task: TaskId
    seat: int
    root: Digest
    salt: bytes
    executor_salt: bytes


@dataclass(frozen=True, slots=True)
class DrawDispute:
    """`audit::draw_dispute`. Draws."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class BeginDispute:
    """`audit::begin_dispute`."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Rule:
    """`audit::rule`: the committee, of last resort."""

    task: TaskId
    root: Digest
    agrees: bool
    committee: int
    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]

