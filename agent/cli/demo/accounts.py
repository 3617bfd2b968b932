"""What became of each node: stake, fees, slashes, absences; read from the chain at the end."""

from collections.abc import Callable, Sequence

from agent.chain.port import Chain
from agent.cli.demo import world
from agent.cli.demo.report import NodeRow
from agent.protocol.money import LATE, executor_loss, panel_loss
from agent.protocol.records import TaskView
from agent.protocol.states import Mark
from agent.protocol.units import NodeId, Slot


async def node_rows(chain: Chain, resident: Sequence[float | None], cast: Callable[[Slot], str], tasks: Sequence[TaskView]) -> tuple[NodeRow, ...]:
    """A row for each slot; `resident` is the memory of its process, MiB; `tasks` are all tasks as they were settled."""
    rows = []
    for index, mib in enumerate(resident):
        member = await chain.member(Slot(index))
        assert member is not None, "it registered, and nobody left"
        wanted, absences = _penalties(member.node, tasks)
        slashed = world.STAKE - member.stake
        rows.append(
            NodeRow(
                slot=index, node="0x" + member.node.hex(), behaviour=cast(Slot(index)), stake_before=world.STAKE, stake_after=member.stake,
                fees=member.fees + member.fees_owed, slashes=len(wanted), slashed=slashed, absences=absences,
                # what the chain took has to be what the rules ask for, absences included
                absences_slashed=absences if slashed == sum(wanted) else 0,
                resident_mib=mib,
            )
        )
    return tuple(rows)


def _penalties(node: NodeId, tasks: Sequence[TaskView]) -> tuple[list[int], int]:
    """Every loss that the rules ask of `node`, and how many of them are absences."""
    losses: list[int] = []
    absences = 0
    for task in tasks:
        if task.executor.node == node:
            loss = executor_loss(task.outcome, task.executor.lock, task.params)
            losses += [loss] if loss else []
            absences += task.outcome in LATE
        for each in task.rounds:
            for seat in each.seats:
                if seat.node != node:
                    continue
                loss = panel_loss(task, each, seat)
                losses += [loss] if loss else []
                absences += each.handed and seat.mark is Mark.WAITING
    return losses, absences
