"""The requester wants its result and its refunds: it moves on what the nodes left lying."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from agent.chain.calls import Advance, BeginAudit, BeginDispute, Call, DrawDispute, Heartbeat, Redraw, Settle
from agent.chain.errors import Aborted, InsufficientFunds, Overtaken, TooEarly, TooLate
from agent.chain.port import Chain
from agent.protocol.lifecycle import Crank, next_crank
from agent.protocol.records import NetworkView, TaskView
from agent.protocol.units import Millis, TaskId

CALLS: Final[Mapping[Crank, Callable[[TaskId], Call]]] = {
    Crank.ADVANCE: Advance,
    Crank.BEGIN_AUDIT: BeginAudit,
    Crank.REDRAW: Redraw,
    Crank.DRAW_DISPUTE: DrawDispute,
    Crank.BEGIN_DISPUTE: BeginDispute,
    Crank.SETTLE: Settle,
}
"""Reaping is left to others: it costs the dApp its record."""


class Cranks:
    """Cranks by transactions of the requester's wallet."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._logger = structlog.get_logger("agent.client.cranks")

    async def move(self, task: TaskView, network: NetworkView, clock: Millis) -> Call | None:
        """Crank `task` if that is due at `clock` (chain clock) and nobody else did it; returns what took effect. A crank
        that fails is no error.
        """
        call = due(task, network, clock)
        if call is None:
            return None
        try:
            await self._chain.submit(call, purpose=type(call).__name__)
        except (Overtaken, TooEarly, TooLate):
            # a node was faster, or the clocks differ a little
            return None
        except (Aborted, InsufficientFunds) as refused:
            # whoever waits goes on waiting: the nodes crank as well
            self._logger.warning("a crank was refused", task=task.id.hex(), crank=type(call).__name__, error=str(refused))
            return None
        return call


def due(task: TaskView, network: NetworkView, clock: Millis) -> Call | None:
    """What the requester cranks at `clock`. Nodes crank at once; he a grace later, but what is his own affair at once too."""
    now = network.protocol_time(clock)
    step = next_crank(task, now)
    make = CALLS.get(step.crank)
    if make is None or not step.is_due(now):
        return None
    mine = step.crank is Crank.SETTLE or task.delivery.disputed
    begun = task.deadline - task.params.delivery_ms if step.crank is not Crank.ADVANCE else step.since
    if not mine and now < begun + task.params.grace_ms:
        return None
    if step.crank is Crank.ADVANCE and not network.is_alive(clock):
        # the heartbeat of an `advance` that aborts would be taken back: it goes alone first
        return Heartbeat()
    return make(TaskId(task.id))
