"""One look at a task: what the chain says of it and what time it is there."""

from dataclasses import dataclass

from agent.chain.errors import NotFound
from agent.chain.port import Chain
from agent.node.chain_time import ChainTime
from agent.protocol.records import NetworkView, TaskView
from agent.protocol.units import Millis, TaskId


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen together."""

    task: TaskView
    network: NetworkView
    clock: Millis
    """The chain's clock."""

    @property
    def now(self) -> Millis:
        """The time of deadlines: the clock less what the chain stood still [H6]."""
        return self.network.protocol_time(self.clock)

    @property
    def open(self) -> bool:
        """Whether an act bound to the task's deadline is still allowed."""
        return self.now < self.task.deadline

    def at_clock(self, moment: int) -> Millis:
        """The chain clock at which the time of deadlines is `moment`, if the chain does not stand still again."""
        return Millis(moment + self.network.stall_ms)


async def look(chain: Chain, time: ChainTime, task: TaskId) -> Sight | None:
    """See `task` now; None if it is not there (any more)."""
    try:
        view = await chain.task(task)
    except NotFound:
        return None
    return Sight(view, await chain.network(), await time.now())
