"""The duty of an auditor (round 1) and of an arbiter (rounds 2 and 3): run the task again, vote, open the vote.

    named ── key handed off, enclave ran it ──> computed ──> committed ──> revealed ── the chain decided ──> done

Root and salts are in the row before the vote is posted, so a crash cannot keep a posted vote from being opened. If the
journal is lost all the same, the enclave computes them again: they derive from the data key [C8].
"""

from enum import Enum, auto
from typing import ClassVar, Final

from agent.chain.calls import AuditCommit, Reveal
from agent.enclave.orders import AuditOrder
from agent.node.duties.duty import ABANDONED, DONE, Busy, Duty, Moved, Step, Wait
from agent.node.duties.sight import Sight
from agent.node.duties.station import Station, execute_order
from agent.node.duties.tickets import round_of
from agent.node.journal import DutyRow
from agent.protocol.lifecycle import Mark, TaskState
from agent.protocol.records import Seat, TaskView
from agent.protocol.units import Digest, NodeId, TaskId

AUDIT: Final = "audit"

NAMED: Final = "named"
COMPUTED: Final = "computed"
VOTED: Final = "committed"
REVEALED: Final = "revealed"


class Act(Enum):
    """What an auditor can have to do."""

    COMPUTE = auto()
    COMMIT = auto()
    REVEAL = auto()
    FORGET = auto()


def seat_of(task: TaskView, number: int, me: NodeId) -> tuple[int, Seat] | None:
    """My seat in round `number` and its index; one node has one seat, however many votes."""
    round_ = round_of(task, number)
    index = None if round_ is None else round_.seat_of(me)
    return None if round_ is None or index is None else (index, round_.seats[index])


def decide(row: DutyRow, sight: Sight | None, me: NodeId) -> Act | Moved | Wait:  # noqa: PLR0911 - one return a rule
    """The next thing for the auditor `me` of round `row.key.round`. Pure."""
    if sight is None:
        return Moved(row.close(DONE, "reaped"))
    task = sight.task
    if task.state >= TaskState.DECIDED:
        return Act.FORGET
    found = seat_of(task, row.key.round, me)
    if found is None:
        return Moved(row.close(DONE, "not seated"))
    mark = found[1].mark
    if "epoch" not in row.facts:
        return Moved(row.to(row.state, epoch=found[1].key_epoch))
    if mark in _OPENED:
        return Wait() if row.state == REVEALED else Moved(row.to(REVEALED))
    if task.round != row.key.round or task.state not in _ROUND_STATES:
        # Later rounds do not undo what was missed in this one.
        return Wait()
    if task.state == TaskState.AUDITING and mark is Mark.WAITING and sight.open:
        return Act.COMPUTE if row.state == NAMED else Act.COMMIT
    if task.state == TaskState.AUDITING and mark is Mark.COMMITTED and row.state != VOTED:
        return Moved(row.to(VOTED))
    if task.state == TaskState.REVEALING and mark is Mark.COMMITTED and sight.open:
        return Act.REVEAL if "root" in row.facts else Act.COMPUTE
    return Wait()


def missed(row: DutyRow, task: TaskView, me: NodeId) -> str | None:
    """What this node failed to do in its round, once the task is decided; None if nothing. Pure."""
    found = seat_of(task, row.key.round, me)
    if found is None or not found[1].wrap or found[1].mark in _OPENED:
        return None
    what = "opened" if found[1].mark is Mark.COMMITTED else "posted"
    return f"the vote was not {what} in time; last: {row.reason or row.state}"


_ROUND_STATES: Final = (TaskState.TICKET, TaskState.HANDOFF, TaskState.AUDITING, TaskState.REVEALING)
_OPENED: Final = (Mark.AGREES, Mark.DIFFERS)


class AuditDuty(Duty):
    """Serves the seats this node was drawn for."""

    kind: ClassVar[str] = AUDIT

    def __init__(self, station: Station) -> None:
        self._at = station

    async def step(self, row: DutyRow) -> Step:  # noqa: PLR0911 - one return an act
        sight = await self._at.look(row)
        decision = decide(row, sight, self._at.me.node)
        if not isinstance(decision, Act):
            return decision
        assert sight is not None
        me = self._at.me.node
        found = seat_of(sight.task, row.key.round, me)
        if found is None:
            return Moved(row.close(DONE, "not seated"))
        index, seat = found
        match decision:
            case Act.COMPUTE:
                return await self._compute(row, sight, seat)
            case Act.COMMIT:
                return await self._commit(row, index)
            case Act.REVEAL:
                return await self._reveal(row, index)
            case Act.FORGET:
                await self._at.forget(sight.task.id, seat.key_epoch)
                failure = missed(row, sight.task, me)
                if failure is not None:
                    return Moved(row.close(ABANDONED, failure))
                return Moved(row.close(DONE, sight.task.outcome.name))

    async def _compute(self, row: DutyRow, sight: Sight, seat: Seat) -> Step:
        if not self._at.computing.enter():
            return Busy()
        try:
            task = sight.task
            sealed = await self._at.fetch_input(task)
            order = AuditOrder(
                task=execute_order(task),
                node=self._at.me.node,
                key_epoch=seat.key_epoch,
                round=row.key.round,
                commitment=task.commitment,
            )
            audited = await self._at.enclaves.ask(seat.key_epoch, lambda client: client.audit(order, sealed, seat.wrap))
            await self._at.enclaves.keep(seat.key_epoch)
        finally:
            self._at.computing.leave()
        return Moved(
            row.to(
                COMPUTED,
                commitment=audited.statement.commitment,
                signature=audited.signature,
                root=audited.root,
                salt=audited.salt,
                executor_salt=audited.executor_salt,
            )
        )

    async def _commit(self, row: DutyRow, seat: int) -> Step:
        call = AuditCommit(TaskId(row.key.subject), seat, Digest(row.octets("commitment")), row.octets("signature"))
        await self._at.submitter.submit(call, purpose=f"{row.key}:commit")
        return Moved(row.to(VOTED))

    async def _reveal(self, row: DutyRow, seat: int) -> Step:
        call = Reveal(TaskId(row.key.subject), seat, Digest(row.octets("root")), row.octets("salt"), row.octets("executor_salt"))
        await self._at.submitter.submit(call, purpose=f"{row.key}:reveal")
        return Moved(row.to(REVEALED))
