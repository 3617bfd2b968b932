"""What can be called: one value per Move call of docs/spec/protocol.md §7, without what is the chain's own affair.

Objects of the deployment (Network, Pool, Roster, RosterQueue), the Clock, Random and gas are filled in by the adapter.
Money is Mist and is split off the sender's coins. Coins and caps that a call returns go to the sender.

A call is checked by the chain, not here. Calls of one `submit` are one transaction: all take effect, or none. Those
that draw (`RANDOM`) take chance from the chain, which allows no other call behind them in the same transaction.

One file for each Move module; `pool::quote` and `task::opens` change nothing and are no calls here: see
`agent.protocol.deterrence.quote` and `agent.protocol.commitment`.
"""

from typing import Final

from agent.chain.calls.attestation import Attest, AttestNitro, PostEvidence, RequestChallenge, Revoke
from agent.chain.calls.audit import (
    AuditCommit,
    BeginAudit,
    BeginDispute,
    DrawDispute,
    Handoff,
    IssueTicket,
    Redraw,
    Reveal,
    Rule,
)
from agent.chain.calls.crank import Advance, Settle
from agent.chain.calls.delivery import ClaimUndelivered, DisputeDelivery, PostOutputKey, PublishOutput, SubmitOutput
from agent.chain.calls.member import (
    ClaimFees,
    Deposit,
    Leave,
    RegisterNode,
    ReplaceNode,
    Retire,
    Unbond,
    Unjail,
    UpdateWeight,
    Withdraw,
    WithdrawUnbonded,
)
from agent.chain.calls.network import (
    AddPolicy,
    ApplyCommittee,
    ApplyParams,
    CancelProposals,
    CreateNetwork,
    Heartbeat,
    MigrateNetwork,
    ProposeCommittee,
    ProposeParams,
    SetPaused,
    SunsetPolicy,
)
from agent.chain.calls.pool import (
    ApplyPrices,
    ApplyWithdrawal,
    CreatePool,
    FundAudits,
    MigratePool,
    ProposePrices,
    ProposeWithdrawal,
)
from agent.chain.calls.request import CancelRequest, CreateRequest, OpenRequest
from agent.chain.calls.roster import LaunchRoster, MigrateRoster, RollPeriod
from agent.chain.calls.task import (
    AssignAndPostInput,
    CancelRevoked,
    Challenge,
    Commit,
    MigrateTask,
    OpenTask,
    Reap,
    RejectExecutor,
    ReportInvalidInput,
)
from agent.protocol.units import Mist

__all__ = [
    "RANDOM",
    "AddPolicy",
    "Advance",
    "ApplyCommittee",
    "ApplyParams",
    "ApplyPrices",
    "ApplyWithdrawal",
    "AssignAndPostInput",
    "Attest",
    "AttestNitro",
    "AuditCommit",
    "BeginAudit",
    "BeginDispute",
    "Call",
    "CancelProposals",
    "CancelRequest",
    "CancelRevoked",
    "Challenge",
    "ClaimFees",
    "ClaimUndelivered",
    "Commit",
    "CreateNetwork",
    "CreatePool",
    "CreateRequest",
    "Deposit",
    "DisputeDelivery",
    "DrawDispute",
    "FundAudits",
    "Handoff",
    "Heartbeat",
    "IssueTicket",
    "LaunchRoster",
    "Leave",
    "MigrateNetwork",
    "MigratePool",
    "MigrateRoster",
    "MigrateTask",
    "OfAttestation",
    "OfAudit",
    "OfCrank",
    "OfDelivery",
    "OfMember",
    "OfNetwork",
    "OfPool",
    "OfRequest",
    "OfRoster",
    "OfTask",
    "OpenRequest",
    "OpenTask",
    "PostEvidence",
    "PostOutputKey",
    "ProposeCommittee",
    "ProposeParams",
    "ProposePrices",
    "ProposeWithdrawal",
    "PublishOutput",
    "Reap",
    "Redraw",
    "RegisterNode",
    "RejectExecutor",
    "ReplaceNode",
    "ReportInvalidInput",
    "RequestChallenge",
    "Retire",
    "Reveal",
    "Revoke",
    "RollPeriod",
    "Rule",
    "SetPaused",
    "Settle",
    "SubmitOutput",
    "SunsetPolicy",
    "Unbond",
    "Unjail",
    "UpdateWeight",
    "Withdraw",
    "WithdrawUnbonded",
    "spends",
]

OfNetwork = (
    CreateNetwork
    | Heartbeat
    | SetPaused
    | ProposeParams
    | ApplyParams
    | ProposeCommittee
    | ApplyCommittee
    | CancelProposals
    | AddPolicy
    | SunsetPolicy
    | MigrateNetwork
)
OfPool = CreatePool | ProposePrices | ApplyPrices | ProposeWithdrawal | ApplyWithdrawal | MigratePool | FundAudits
OfRoster = LaunchRoster | RollPeriod | MigrateRoster
OfMember = (
    RegisterNode
    | ReplaceNode
    | Deposit
    | Unbond
    | WithdrawUnbonded
    | Leave
    | Withdraw
    | Retire
    | ClaimFees
    | UpdateWeight
    | Unjail
)
OfAttestation = RequestChallenge | PostEvidence | Attest | AttestNitro | Revoke
OfRequest = CreateRequest | CancelRequest | OpenRequest
OfTask = (
    OpenTask
    | RejectExecutor
    | AssignAndPostInput
    | ReportInvalidInput
    | CancelRevoked
    | Commit
    | Challenge
    | Reap
    | MigrateTask
)
OfAudit = BeginAudit | Redraw | IssueTicket | Handoff | AuditCommit | Reveal | DrawDispute | BeginDispute | Rule
OfDelivery = ClaimUndelivered | PublishOutput | SubmitOutput | DisputeDelivery | PostOutputKey
OfCrank = Advance | Settle

Call = (
    OfNetwork
    | OfPool
    | OfRoster
    | OfMember
    | OfAttestation
    | OfRequest
    | OfTask
    | OfAudit
    | OfDelivery
    | OfCrank
)
"""Everything that `Chain.submit` takes."""

RANDOM: Final = (RequestChallenge, OpenTask, OpenRequest, Commit, Challenge, Redraw, DrawDispute)
"""Calls that draw: the last of their transaction."""


def spends(call: Call) -> Mist:
    """What `call` takes from the sender's coins, gas not counted."""
    match call:
        case RegisterNode(stake=amount) | ReplaceNode(stake=amount):
            return amount
        case Deposit(amount=amount) | FundAudits(amount=amount):
            return amount
        case OpenTask(payment=amount) | CreateRequest(payment=amount) | RejectExecutor(fee=amount):
            return amount
        case Challenge(bond=amount) | ClaimUndelivered(bond=amount) | DisputeDelivery(bond=amount):
            return amount
        case _:
            return Mist(0)
