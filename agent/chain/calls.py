"""What can be called: one value per Move call of docs/spec/protocol.md §7, without what is the chain's own affair.

Objects of the deployment (Network, Pool, Roster, RosterQueue), the Clock, Random and gas are filled in by the adapter.
Money is Mist and is split off the sender's coins. Coins and caps that a call returns go to the sender, unless its
docstring says otherwise.

A call is checked by the chain, not here. Calls of one `submit` are one transaction: all take effect, or none. Those
that draw (`RANDOM`) take chance from the chain, which allows no other call behind them in the same transaction.
"""

from dataclasses import dataclass
from typing import Final

from agent.protocol.records import Params
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

# --- network and pool, by their administrator


@dataclass(frozen=True, slots=True)
class CreateNetwork:
    """`params::new` and `network::create`; the AdminCap goes to the sender."""

    params: Params
    allow_simulated: bool
    policy: Digest
    verifiers: tuple[bytes, ...]
    """Ed25519 public keys of the committee, 32 bytes each."""
    threshold: int


@dataclass(frozen=True, slots=True)
class SetPaused:
    """`network::set_paused`: stops `open_task` only."""

    cap: ObjectId
    paused: bool


@dataclass(frozen=True, slots=True)
class SetCommittee:
    """`network::set_committee`."""

    cap: ObjectId
    verifiers: tuple[bytes, ...]
    threshold: int
    policy: Digest


@dataclass(frozen=True, slots=True)
class CreatePool:
    """`pool::create` with 2^depth slots."""

    cap: ObjectId
    manifest: Digest
    tee_mask: int
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    depth: int


@dataclass(frozen=True, slots=True)
class LaunchRoster:
    """`roster::launch`: once, with those who wait in the queue; before it nobody is drawn."""

    cap: ObjectId


@dataclass(frozen=True, slots=True)
class FundAudits:
    """`pool::fund_audits`."""

    amount: Mist


# --- membership


@dataclass(frozen=True, slots=True)
class RegisterNode:
    """`pool::register`: splits the stake; the NodeOwnerCap goes to the sender, the NodeOperatorCap to `operator`."""

    operator: Address
    stake: Mist


@dataclass(frozen=True, slots=True)
class Deposit:
    """`pool::deposit`: anybody may add stake to a member."""

    slot: Slot
    amount: Mist


@dataclass(frozen=True, slots=True)
class RequestChallenge:
    """`pool::request_challenge`: the next key epoch. Draws."""

    operator_cap: ObjectId


@dataclass(frozen=True, slots=True)
class PostEvidence:
    """`pool::post_evidence`."""

    operator_cap: ObjectId
    evidence_digest: BlobId
    uri: str


@dataclass(frozen=True, slots=True)
class Attest:
    """`pool::attest`: carries the committee's verdict."""

    slot: Slot
    evidence_digest: BlobId
    tee_kind: int
    measurement: bytes
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis
    signers: tuple[int, ...]
    """Indices into the Network's verifiers, rising."""
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class UpdateWeight:
    """`pool::update_weight`: queues the weight that the stake gives now."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Leave:
    """`pool::leave`."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`pool::withdraw`; the coin goes to the sender."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class ClaimFees:
    """`pool::claim_fees`; the coin goes to the sender."""

    owner_cap: ObjectId


# --- cranks without a task


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`network::heartbeat`."""


@dataclass(frozen=True, slots=True)
class RollPeriod:
    """`roster::roll_period`."""


# --- a task, by its requester


@dataclass(frozen=True, slots=True)
class OpenTask:
    """`task::open_task`: splits the payment, which has to be exactly the Pool's quote. Draws."""

    payment: Mist


@dataclass(frozen=True, slots=True)
class RejectExecutor:
    """`task::reject_executor`: splits the fee, which has to be exactly the task's `reservation_fee`."""

    task: TaskId
    fee: Mist


@dataclass(frozen=True, slots=True)
class AssignAndPostInput:
    """`task::assign` and `task::post_input`, which only one transaction can hold."""

    task: TaskId
    node: NodeId
    key_epoch: int
    input_uri: str
    input_digest: BlobId
    key_commitment: Digest
    output_pk: bytes
    tee_mask: int


# --- a task, by those who serve it


@dataclass(frozen=True, slots=True)
class ReportInvalidInput:
    """`task::report_invalid_input`."""

    task: TaskId
    reason: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """`task::commit`. Draws."""

    task: TaskId
    commitment: Digest
    sealed_output_digest: BlobId
    units: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class IssueTicket:
    """`task::issue_ticket`."""

    task: TaskId
    issued_at: Millis
    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Handoff:
    """`task::handoff`: 80 bytes a seat, in seat order."""

    task: TaskId
    wraps: tuple[bytes, ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class AuditCommit:
    """`task::audit_commit`."""

    task: TaskId
    seat: int
    commitment: Digest
    signature: bytes


@dataclass(frozen=True, slots=True)
class Reveal:
    """`task::reveal`."""

    task: TaskId
    seat: int
    root: Digest
    salt: bytes
    executor_salt: bytes


# --- a task, by anybody


@dataclass(frozen=True, slots=True)
class BeginAudit:
    """`task::begin_audit`."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class DrawDispute:
    """`task::draw_dispute`. Draws."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class BeginDispute:
    """`task::begin_dispute`."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Advance:
    """`network::heartbeat`, then `task::advance`, which may cost stake and therefore wants a fresh heartbeat.

    An abort takes the heartbeat back with it. So after a silence longer than `heartbeat_ms` this may abort with
    `TooEarly` however long one waits: somebody has to send `Heartbeat` alone first.
    """

    task: TaskId


@dataclass(frozen=True, slots=True)
class Settle:
    """`task::settle`."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Reap:
    """`task::reap`: deletes the task; the storage rebate goes to the sender."""

    task: TaskId


OfAdmin = CreateNetwork | SetPaused | SetCommittee | CreatePool | LaunchRoster
"""Calls that need the AdminCap, or make it."""

OfMember = (
    FundAudits
    | RegisterNode
    | Deposit
    | RequestChallenge
    | PostEvidence
    | Attest
    | UpdateWeight
    | Leave
    | Withdraw
    | ClaimFees
    | Heartbeat
    | RollPeriod
)
"""Calls about the Pool and its members, and cranks without a task."""

OfRequester = OpenTask | RejectExecutor | AssignAndPostInput
"""Calls of who buys."""

OfTask = (
    ReportInvalidInput
    | Commit
    | IssueTicket
    | Handoff
    | AuditCommit
    | Reveal
    | BeginAudit
    | DrawDispute
    | BeginDispute
    | Advance
    | Settle
    | Reap
)
"""Calls that move a task on once it has an input."""

Call = OfAdmin | OfMember | OfRequester | OfTask
"""Everything that `Chain.submit` takes."""

RANDOM: Final = (RequestChallenge, OpenTask, Commit, DrawDispute)
"""Calls that draw: the last of their transaction."""


def spends(call: Call) -> Mist:
    """What `call` takes from the sender's coins, gas not counted."""
    match call:
        case RegisterNode(stake=amount) | Deposit(amount=amount) | FundAudits(amount=amount):
            return amount
        case OpenTask(payment=amount) | RejectExecutor(fee=amount):
            return amount
        case _:
            return Mist(0)
