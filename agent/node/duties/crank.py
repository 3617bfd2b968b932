"""The duty to keep tasks moving: whatever anybody may do, this node does for the tasks it takes part in, and, where
`[duties] bounties` says so, for everybody's (docs/spec/protocol.md §6).

    watching ── settled ──> settled ── reaped ──> done

Each crank costs gas and only the first of several succeeds; who ends an absence earns a bounty. So the executor, who
waits for his money, goes at once, and every other node after a delay of its own; being overtaken is no failure.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from agent.chain.calls import Advance, BeginAudit, BeginDispute, Call, DrawDispute, Heartbeat, Reap, Redraw, Settle
from agent.chain.errors import TooEarly
from agent.node.duties.duty import DONE, Duty, Moved, Step, Wait, sent
from agent.node.duties.sight import Sight
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station
from agent.node.journal import DutyRow
from agent.protocol.lifecycle import AT_ONCE, Crank, TaskState, next_crank
from agent.protocol.records import TaskView
from agent.protocol.units import Millis, NodeId

CRANK: Final = "crank"

WATCHING: Final = "watching"
SETTLED: Final = "settled"

FIRST_PAUSE_MS: Final = 1_000

MAX_SPREAD_MS: Final = 5_000
"""No node waits longer than this behind the first one that may act."""

_CALLS: Final[dict[Crank, type[Advance | BeginAudit | Redraw | DrawDispute | BeginDispute | Settle | Reap]]] = {
    Crank.ADVANCE: Advance,
    Crank.BEGIN_AUDIT: BeginAudit,
    Crank.REDRAW: Redraw,
    Crank.DRAW_DISPUTE: DrawDispute,
    Crank.BEGIN_DISPUTE: BeginDispute,
    Crank.SETTLE: Settle,
    Crank.REAP: Reap,
}


@dataclass(frozen=True, slots=True)
class Due:
    """What moves a task on."""

    call: Call
    at: Millis | None
    """From when on, in the time of deadlines; None: at once."""


def due(task: TaskView, now: Millis) -> Due:
    """What anybody may do next for `task`, seen at `now` (protocol time), and when. Pure."""
    step = next_crank(task, now)
    return Due(_CALLS[step.crank](task.id), None if step.since == AT_ONCE else step.since)


def pause(draws: int, task: TaskView) -> int:
    """How long to wait before drawing once more, after `draws` draws that gave nobody: somebody may have come free. Pure."""
    return 0 if draws <= 1 else min(task.params.delivery_ms // 8, FIRST_PAUSE_MS << min(draws - 2, 20))


def decide(row: DutyRow, sight: Sight | None, me: NodeId) -> Call | Moved | Wait:
    """The next thing for a node that keeps this task moving. Pure."""
    if sight is None:
        return Moved(row.close(DONE))
    task = sight.task
    if task.state is TaskState.SETTLED and row.state != SETTLED:
        return Moved(row.to(SETTLED))
    next_ = due(task, sight.now)
    stage = f"{task.state.name}/{len(task.rounds)}/{type(next_.call).__name__}"
    draws = isinstance(next_.call, (Redraw, DrawDispute))
    if row.facts.get("stage") != stage:
        drawn = int(row.facts.get("draws", 0)) + draws
        return Moved(row.to(row.state, stage=stage, since=sight.clock, draws=drawn))
    first = row.number("since") if next_.at is None else sight.at_clock(next_.at)
    if draws:
        first += pause(row.number("draws"), task)
    mine = task.executor.node == me
    start = Millis(first + (0 if mine else stagger(task.id, me, min(MAX_SPREAD_MS, task.params.grace_ms))))
    if sight.clock < start:
        return Wait(start)
    silence = sight.clock - sight.network.heartbeat_at
    if isinstance(next_.call, Advance) and silence > sight.network.params.heartbeat_ms:
        # Alone, because an abort of `advance` would take the heartbeat back: after a halt it is too early for it again.
        return Heartbeat()
    return next_.call


class CrankDuty(Duty):
    """Moves tasks on."""

    kind: ClassVar[str] = CRANK

    def __init__(self, station: Station) -> None:
        self._at = station

    async def step(self, row: DutyRow) -> Step:
        sight = await self._at.look(row)
        decision = decide(row, sight, self._at.me.node)
        if isinstance(decision, (Moved, Wait)):
            return decision
        assert sight is not None
        try:
            await self._at.submitter.submit(decision, purpose=f"{row.key}:{type(decision).__name__}:{row.facts['stage']!s}")
        except TooEarly:
            # a halt was noticed between looking and sending: deadlines have moved
            return sent(sight.clock)
        return sent(sight.clock)
