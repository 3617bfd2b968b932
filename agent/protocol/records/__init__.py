"""Objects on chain, decoded from their BCS: docs/spec/protocol.md §5. A view is what was read; it does not change."""

from agent.protocol.records.member import Attestation, MemberView, OwnerCap
from agent.protocol.records.network import AdminCap, Committee, NetworkView, PolicyEntry
from agent.protocol.records.params import Params
from agent.protocol.records.pending import Pending
from agent.protocol.records.pool import PoolView, Prices, Withdrawal
from agent.protocol.records.record import Record
from agent.protocol.records.request import RequestView
from agent.protocol.records.roster import Change, QueueView, RosterView
from agent.protocol.records.round import Round, Seat
from agent.protocol.records.task import Bonds, Delivery, Draw, Input, Output, TaskView, Terms, Verdict

__all__ = [
    "AdminCap",
    "Attestation",
    "Bonds",
    "Change",
    "Committee",
    "Delivery",
    "Draw",
    "Input",
    "MemberView",
    "NetworkView",
    "Output",
    "OwnerCap",
    "Params",
    "Pending",
    "PolicyEntry",
    "PoolView",
    "Prices",
    "QueueView",
    "Record",
    "RequestView",
    "RosterView",
    "Round",
    "Seat",
    "TaskView",
    "Terms",
    "Verdict",
    "Withdrawal",
]
