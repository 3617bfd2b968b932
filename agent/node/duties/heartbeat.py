"""The duty to say that the chain lives, so that a quiet hour is not taken for a halt of the chain
(docs/spec/protocol.md §6).

A silence longer than `heartbeat_ms` moves every deadline by its excess. One of the nodes breaks it in time; which one,
the stagger says.
"""

from typing import ClassVar, Final

from agent.chain.calls import Heartbeat
from agent.node.duties.duty import Duty, Step, Wait, sent
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.records import NetworkView
from agent.protocol.units import Millis, NodeId

HEARTBEAT: Final = "heartbeat"


def due(network: NetworkView, me: NodeId) -> Millis:
    """The chain clock at which `me` breaks the silence: between half and three quarters of what is allowed. Pure."""
    allowed = network.params.heartbeat_ms
    return Millis(network.heartbeat_at + allowed // 2 + stagger(network.id, me, allowed // 4))


class HeartbeatDuty(Duty):
    """Breaks silences."""

    kind: ClassVar[str] = HEARTBEAT

    def __init__(self, station: Station) -> None:
        self._at = station

    def row(self) -> DutyRow:
        """The row to begin with, if the journal has none."""
        return DutyRow(DutyKey(HEARTBEAT, self._at.me.network), "beating")

    async def step(self, row: DutyRow) -> Step:
        network = await self._at.chain.network()
        start = due(network, self._at.me.node)
        clock = await self._at.time.now()
        if clock < start:
            return Wait(start)
        await self._at.submitter.submit(Heartbeat(), purpose=f"{row.key}:{network.heartbeat_at}")
        return sent(clock)
