"""The duty to put in force what the administrator proposed, once its timelock is over: parameters, committee, prices
(docs/spec/protocol.md §7). Anybody may; a network must not hang on its administrator for it.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from agent.chain.calls import ApplyCommittee, ApplyParams, ApplyPrices, Call
from agent.node.duties.duty import Duty, Step, Wait, sent
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.records import NetworkView, PoolView
from agent.protocol.units import Millis, NodeId

UPKEEP: Final = "upkeep"

SPREAD_MS: Final = 30_000
"""Nothing hurries here: one node after the other tries, over this time."""


@dataclass(frozen=True, slots=True)
class Due:
    """A proposal that can be put in force."""

    call: Call
    at: Millis
    """From when on, protocol time."""


def due(network: NetworkView, pool: PoolView) -> Due | None:
    """The proposal that is due first; None if nothing is proposed. Pure."""
    proposals: list[Due] = []
    if network.next_params.value:
        proposals.append(Due(ApplyParams(), network.next_params.at))
    if network.next_committee.value:
        proposals.append(Due(ApplyCommittee(), network.next_committee.at))
    if pool.next_prices.value:
        proposals.append(Due(ApplyPrices(), pool.next_prices.at))
    return min(proposals, key=lambda each: each.at) if proposals else None


def start(proposal: Due, network: NetworkView, me: NodeId) -> Millis:
    """The chain clock at which `me` puts `proposal` in force if nobody has. Pure."""
    return Millis(proposal.at + network.stall_ms + stagger(network.id, me, min(SPREAD_MS, network.params.timelock_ms // 4)))


class UpkeepDuty(Duty):
    """Applies proposals."""

    kind: ClassVar[str] = UPKEEP

    def __init__(self, station: Station) -> None:
        self._at = station

    def row(self) -> DutyRow:
        """The row to begin with, if the journal has none."""
        return DutyRow(DutyKey(UPKEEP, self._at.me.network), "watching")

    async def step(self, row: DutyRow) -> Step:
        network = await self._at.chain.network()
        proposal = due(network, await self._at.chain.pool())
        if proposal is None:
            return Wait()
        clock = await self._at.time.now()
        begin = start(proposal, network, self._at.me.node)
        if clock < begin:
            return Wait(begin)
        await self._at.submitter.submit(proposal.call, purpose=f"{row.key}:{type(proposal.call).__name__}/{proposal.at}")
        return sent(clock)
