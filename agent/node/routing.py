"""What an event means for this node: which duties it opens, and which it has looked at again. Pure.

Waking too often is harmless, so every event about a task wakes whatever this node has open for it, and every event
about time or rules wakes all.
"""

from collections.abc import Sequence
from typing import Final

from agent.node.duties.audit import AUDIT, NAMED
from agent.node.duties.crank import CRANK, WATCHING
from agent.node.duties.execute import ASSIGNED, EXECUTE
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyKey, DutyRow, Effect, Open, Wake, WakeAll
from agent.protocol.events import (
    Attested,
    Challenged,
    ChallengeIssued,
    Committed,
    CommitteeChanged,
    CommitteeProposed,
    Deposited,
    DisputeDrawn,
    Event,
    EvidencePosted,
    InputPosted,
    Jailed,
    Leaving,
    NodeRegistered,
    Paid,
    ParamsChanged,
    ParamsProposed,
    PeriodRolled,
    PolicyAdded,
    PolicySunset,
    PricesChanged,
    PricesProposed,
    Redrawn,
    Replaced,
    Retired,
    Revoked,
    RoundBegun,
    Slashed,
    Stalled,
    TaskOpened,
    Unbonding,
    Unjailed,
    WeightQueued,
    Withdrawn,
)
from agent.protocol.units import TaskId

ABOUT_A_NODE: Final = (
    Attested, ChallengeIssued, Deposited, EvidencePosted, Jailed, Leaving, NodeRegistered, Paid, Replaced, Retired, Slashed,
    Unbonding, Unjailed, WeightQueued, Withdrawn,
)  # fmt: skip
ABOUT_ALL: Final = (
    CommitteeChanged, CommitteeProposed, ParamsChanged, ParamsProposed, PolicyAdded, PolicySunset, Stalled,
)  # fmt: skip


def route(event: Event, me: NodeIdentity, *, bounties: bool = False) -> Sequence[Effect]:  # noqa: PLR0911 - one return a kind of event
    """The effects of `event` for the node `me`; none for events of other pools. With `bounties` it watches everybody's tasks."""
    if getattr(event, "pool", me.pool) != me.pool or getattr(event, "network", me.network) != me.network:
        return []
    match event:
        case TaskOpened():
            return [_crank(event.task)] if bounties else []
        case PeriodRolled():
            return [Wake(me.node)]
        case PricesProposed() | PricesChanged():
            return [Wake(me.network), Wake(me.node)]
        case Revoked():
            return [WakeAll()] if event.node == me.node else []
        case _ if isinstance(event, ABOUT_ALL):
            return [WakeAll()]
        case _ if isinstance(event, ABOUT_A_NODE):
            return [Wake(me.node)] if event.node == me.node else []
        case _:
            return [*_opened(event, me), *_woken(event)]


def _opened(event: Event, me: NodeIdentity) -> list[Effect]:
    match event:
        case InputPosted() if event.node == me.node:
            key = DutyKey(EXECUTE, event.task)
            return [Open(DutyRow(key, ASSIGNED, {"epoch": event.key_epoch}, event.deadline)), _crank(event.task)]
        case RoundBegun() if me.node in event.nodes:
            return [Open(DutyRow(DutyKey(AUDIT, event.task, event.round), NAMED)), _crank(event.task)]
        # Drawn members crank too: an executor that fears the audit would not begin it.
        case Committed() if event.audited and me.slot in event.panel:
            return [_crank(event.task)]
        case Challenged() | Redrawn() if me.slot in event.panel:
            return [_crank(event.task)]
        case DisputeDrawn() if me.slot in event.slots:
            return [_crank(event.task)]
        case _:
            return []


def _woken(event: Event) -> list[Effect]:
    task = getattr(event, "task", None)
    return [] if task is None else [Wake(task)]


def _crank(task: TaskId) -> Effect:
    return Open(DutyRow(DutyKey(CRANK, task), WATCHING))
