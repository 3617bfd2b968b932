"""What an event means for this node: which duties it opens, and which it has looked at again. Pure.

Waking too often is harmless, so every event about a task wakes whatever this node has open for it.
"""

from collections.abc import Sequence

from agent.node.duties.audit import AUDIT, NAMED
from agent.node.duties.crank import CRANK, WATCHING
from agent.node.duties.execute import ASSIGNED, EXECUTE
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyKey, DutyRow, Effect, Open, Wake
from agent.protocol.events import (
    Attested,
    ChallengeIssued,
    Committed,
    DisputeDrawn,
    Event,
    EvidencePosted,
    InputPosted,
    Left,
    NodeRegistered,
    Paid,
    PeriodRolled,
    RoundBegun,
    Slashed,
    Stalled,
    WeightQueued,
)
from agent.protocol.units import TaskId

ABOUT_A_NODE = (ChallengeIssued, EvidencePosted, Attested, WeightQueued, Slashed, Paid, Left, NodeRegistered)


def route(event: Event, me: NodeIdentity) -> Sequence[Effect]:
    """The effects of `event` for the node `me`; none for events of other pools."""
    match event:
        case Stalled():
            return [Wake(me.network)] if event.network == me.network else []
        case PeriodRolled():
            return [Wake(me.node)] if event.pool == me.pool else []
        case _ if isinstance(event, ABOUT_A_NODE):
            return [Wake(me.node)] if event.node == me.node else []
        case _:
            return [*_opened(event, me), *_woken(event, me)]


def _opened(event: Event, me: NodeIdentity) -> list[Effect]:
    match event:
        case InputPosted() if event.pool == me.pool and event.node == me.node:
            key = DutyKey(EXECUTE, event.task)
            return [Open(DutyRow(key, ASSIGNED, {"epoch": event.key_epoch}, event.deadline)), _crank(event.task)]
        case RoundBegun() if event.pool == me.pool and me.node in event.nodes:
            return [Open(DutyRow(DutyKey(AUDIT, event.task, event.round), NAMED)), _crank(event.task)]
        # Drawn members crank too: an executor that fears the audit would not begin it.
        case Committed() if event.pool == me.pool and event.audited and me.slot in event.panel:
            return [_crank(event.task)]
        case DisputeDrawn() if event.pool == me.pool and me.slot in event.slots:
            return [_crank(event.task)]
        case _:
            return []


def _woken(event: Event, me: NodeIdentity) -> list[Effect]:
    task = getattr(event, "task", None)
    ours = getattr(event, "pool", me.pool) == me.pool
    return [Wake(task)] if task is not None and ours else []


def _crank(task: TaskId) -> Effect:
    return Open(DutyRow(DutyKey(CRANK, task), WATCHING))
