"""The duty to be drawn: have the Roster carry the weight that the stake gives (docs/spec/protocol.md §6, [C7]).

waiting ── weight queued ──> queued ── period rolled ──> drawn ── stake changed ──> queued …
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

from agent.chain.calls import RollPeriod, UpdateWeight
from agent.node.duties.duty import Duty, Moved, Step, Wait, sent
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station
from agent.node.errors import NodeError
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.draw import weight_of
from agent.protocol.records import MemberView, NetworkView, PoolView, RosterView
from agent.protocol.units import Millis, Mist, NodeId

JOIN: Final = "join"

WAITING: Final = "waiting"
QUEUED: Final = "queued"
DRAWN: Final = "drawn"

MAX_SPREAD_MS: Final = 5_000


class Act(Enum):
    """What a node can have to do to be drawn."""

    UPDATE_WEIGHT = auto()
    ROLL_PERIOD = auto()


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
        """What `update_weight` would queue: the stake, or 0 for who is leaving, below the minimum or never attested."""
        member = self.member
        if member.leaving_at or not member.attestation.key_epoch:
            return Mist(0)
        return member.stake if member.stake >= self.network.params.min_stake else Mist(0)


def decide(row: DutyRow, seen: Standing, me: NodeId, price_floor: Mist) -> Act | Moved | Wait:
    """The next thing for a node's weight. Pure."""
    member, roster = seen.member, seen.roster
    if member.weight != seen.weight:
        if not member.weight and seen.pool.price < price_floor:
            return Wait()
        return Act.UPDATE_WEIGHT
    if weight_of(roster.fen, member.slot) == member.weight:
        state = DRAWN if member.weight else WAITING
        return Wait() if row.state == state else Moved(row.to(state))
    if row.state != QUEUED:
        return Moved(row.to(QUEUED))
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

    def row(self) -> DutyRow:
        """The row to begin with, if the journal has none."""
        return DutyRow(DutyKey(JOIN, self._at.me.node), WAITING)

    async def step(self, row: DutyRow) -> Step:
        seen = await self._look()
        decision = decide(row, seen, self._at.me.node, self._at.admission.price_floor)
        match decision:
            case Act.UPDATE_WEIGHT:
                purpose = f"{row.key}:weight/{seen.weight}"
                await self._at.submitter.submit(UpdateWeight(self._at.me.slot), purpose=purpose)
                return sent(seen.clock)
            case Act.ROLL_PERIOD:
                await self._at.submitter.submit(RollPeriod(), purpose=f"{row.key}:roll/{seen.roster.period}")
                return sent(seen.clock)
            case _:
                return decision

    async def _look(self) -> Standing:
        chain = self._at.chain
        member = await chain.member(self._at.me.slot)
        if member is None or member.node != self._at.me.node:
            raise NodeError(f"slot {self._at.me.slot} of the pool is not this node's: check identity.json")
        network, pool, roster = await chain.network(), await chain.pool(), await chain.roster()
        return Standing(member, network, pool, roster, await self._at.time.now())
