"""Objects on chain, decoded from their BCS: docs/spec/protocol.md §5. A view is what was read; it does not change."""

from agent.protocol.records.network import NetworkView
from agent.protocol.records.params import Params
from agent.protocol.records.pool import Attestation, MemberView, OwnerCap, PoolView
from agent.protocol.records.record import Record
from agent.protocol.records.roster import Change, QueueView, RosterView
from agent.protocol.records.task import Round, Seat, TaskView

__all__ = [
    "Attestation",
    "Change",
    "MemberView",
    "NetworkView",
    "OwnerCap",
    "Params",
    "PoolView",
    "QueueView",
    "Record",
    "RosterView",
    "Round",
    "Seat",
    "TaskView",
]
