"""The duty to be drawn: have the Roster carry the weight that the stake gives, and get out of jail in time
(docs/spec/protocol.md §6, [C7]).

waiting ── weight queued ──> queued ── period rolled ──> drawn ── stake changed ──> queued …
jailed ── its time is over, unjailed ──> waiting
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

import structlog

from agent.chain.calls import RollPeriod, Unjail, UpdateWeight
from agent.node.duties.duty import Duty, Moved, Step, Wait, sent
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.draw import weight_of
from agent.protocol.records import MemberView, NetworkView, PoolView, RosterView
from agent.protocol.units import Millis, Mist, NodeId

JOIN: Final = "join"

WAITING: Final = "waiting"
QUEUED: Final = "queued"
DRAWN: Final = "drawn"
JAILED: Final = "jailed"
REPLACED: Final = "replaced"

MAX_SPREAD_MS: Final = 5_000


class Act(Enum):
    """What a node can have to do to be drawn."""

    UPDATE_WEIGHT = auto()
    ROLL_PERIOD = auto()
    UNJAIL = auto()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator wants."""

    price_floor: Mist
    auto_unjail: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of this node's place in the Roster."""

    member: MemberView
    network: NetworkView
    pool: PoolView
    roster: RosterView
    clock: Millis

    @property
    def weight(self) -> Mist:
        """What `update_weight` would queue: the stake, or 0 for who is leaving, jailed, below the minimum or not attested."""
        member = self.member
        if member.leaving_at or member.jailed_until or member.current() is None:
            return Mist(0)
        return member.stake if member.stake >= self.network.params.min_stake else Mist(0)


def decide(row: DutyRow, seen: Standing, me: NodeId, terms: Terms) -> Act | Moved | Wait:  # noqa: PLR0911 - one return a rule
    """The next thing for a node's weight. Pure."""
    member, roster = seen.member, seen.roster
    if member.jailed_until and not member.leaving_at and row.state != JAILED:
        return Moved(row.to(JAILED))
    if member.weight != seen.weight:
        if not member.weight and seen.pool.price < terms.price_floor:
            return Wait()
        return Act.UPDATE_WEIGHT
    if row.state == JAILED and member.jailed_until:
        free = Millis(member.jailed_until + seen.network.stall_ms)
        if terms.auto_unjail and seen.clock >= free:
            return Act.UNJAIL
        return _in_the_roster(seen, me) or Wait(free if terms.auto_unjail else None)
    if weight_of(roster.fen, member.slot) == member.weight:
        state = DRAWN if member.weight else WAITING
        return Wait() if row.state == state else Moved(row.to(state))
    if row.state != QUEUED:
        return Moved(row.to(QUEUED))
    return _in_the_roster(seen, me) or Wait()


def _in_the_roster(seen: Standing, me: NodeId) -> Act | Wait | None:
    """What brings the queued weight into the Roster; None if it is there. A jailed node too hurries to be out of the draws."""
    roster = seen.roster
    if weight_of(roster.fen, seen.member.slot) == seen.member.weight:
        return None
    if roster.period == 0:
        # Its administrator launches it, once; the event of that wakes this duty.
        return Wait()
    spread = min(MAX_SPREAD_MS, seen.network.params.grace_ms)
    start = Millis(roster.period_ends + seen.network.stall_ms + stagger(roster.id, me, spread))
    return Wait(start) if seen.clock < start else Act.ROLL_PERIOD


class JoinDuty(Duty):
    """Keeps the Roster's weight of this node what its stake gives."""

    kind: ClassVar[str] = JOIN

    def __init__(self, station: Station) -> None:
        self._at = station
        self._log = structlog.get_logger("agent.node.duties")

    def row(self) -> DutyRow:
        """The row to begin with, if the journal has none."""
        return DutyRow(DutyKey(JOIN, self._at.me.node), WAITING)

    async def step(self, row: DutyRow) -> Step:  # noqa: PLR0911 - one return an act
        seen = await self._look()
        if seen is None:
            if row.state == REPLACED:
                return Wait()
            self._log.error("this node's slot was taken by somebody who staked more", do="`enclavia node withdraw` once unbonded, then register anew")
            return Moved(row.to(REPLACED))
        terms = Terms(self._at.admission.price_floor, self._at.policy.auto_unjail)
        decision = decide(row, seen, self._at.me.node, terms)
        match decision:
            case Act.UPDATE_WEIGHT:
                purpose = f"{row.key}:weight/{seen.weight}"
                await self._at.submitter.submit(UpdateWeight(self._at.me.slot), purpose=purpose)
                return sent(seen.clock)
            case Act.ROLL_PERIOD:
                await self._at.submitter.submit(RollPeriod(), purpose=f"{row.key}:roll/{seen.roster.period}")
                return sent(seen.clock)
            case Act.UNJAIL:
                await self._at.submitter.submit(Unjail(self._at.me.operator_cap), purpose=f"{row.key}:unjail/{seen.member.jailed_until}")
                return sent(seen.clock)
            case Moved(row=moved) if moved.state == JAILED:
                self._tell_of_jail(seen)
                return decision
            case _:
                return decision

    def _tell_of_jail(self, seen: Standing) -> None:
        self._log.error(
            "this node is in jail: it was absent too often",
            strikes=seen.member.strikes,
            until_ms=seen.member.jailed_until,
            do="find out why duties were missed: `enclavia node tasks`; "
            + ("it asks to be drawn again by itself" if self._at.policy.auto_unjail else "then `enclavia node unjail`"),
        )

    async def _look(self) -> Standing | None:
        """None if somebody else has the slot now."""
        chain = self._at.chain
        member = await chain.member(self._at.me.slot)
        if member is None or member.node != self._at.me.node:
            return None
        network, pool, roster = await chain.network(), await chain.pool(), await chain.roster()
        return Standing(member, network, pool, roster, await self._at.time.now())
