"""The duty of a drawn member: of an auditor (round 1) and of an arbiter (disputes of the computation, 2 and 3; of the
delivery, 4 and 5). Vote, and open the vote.

    named ── key handed off, enclave judged ──> computed ──> committed ──> revealed ── the chain decided ──> done
                                                                            └ an auditor hands off in a dispute, if the
                                                                              executor has not after half the window

Root and salts are in the row before the vote is posted, so a crash cannot keep a posted vote from being opened. If the
journal is lost all the same, the enclave computes them again: they derive from the data key [C8], in a dispute of the
delivery from the requester's output key.
"""

from enum import Enum, auto
from typing import ClassVar, Final

from agent.chain.calls import AuditCommit, Handoff, Reveal
from agent.enclave.errors import TicketRefused, UnknownTask
from agent.node.duties.arbitration import handed_before, judge
from agent.node.duties.duty import ABANDONED, DONE, Busy, Duty, Moved, Step, Wait, sent
from agent.node.duties.sight import Sight
from agent.node.duties.stagger import stagger
from agent.node.duties.station import Station, execute_order
from agent.node.duties.tickets import issued_ticket, round_of
from agent.node.journal import DutyRow
from agent.protocol.lifecycle import Mark, TaskState
from agent.protocol.records import Seat, TaskView
from agent.protocol.statements import BAD_WRAP
from agent.protocol.states import RoundKind
from agent.protocol.units import Digest, Millis, NodeId, TaskId

AUDIT: Final = "audit"

NAMED: Final = "named"
COMPUTED: Final = "computed"
VOTED: Final = "committed"
REVEALED: Final = "revealed"


class Act(Enum):
    """What a drawn member can have to do."""

    COMPUTE = auto()
    COMMIT = auto()
    REVEAL = auto()
    HAND_OFF = auto()
    FORGET = auto()


def seat_of(task: TaskView, kind: int, me: NodeId) -> tuple[int, int, Seat] | None:
    """The place of the last round of `kind` among the rounds, my seat's index in it, and my seat; one node has one seat,
    however many votes.
    """
    found = round_of(task, kind)
    index = None if found is None else found[1].seat_of(me)
    return None if found is None or index is None else (found[0], index, found[1].seats[index])


def decide(row: DutyRow, sight: Sight | None, me: NodeId) -> Act | Moved | Wait:  # noqa: PLR0911 - one return a rule
    """The next thing for the member `me` of round `row.key.round`. Pure."""
    if sight is None:
        return Moved(row.close(DONE, "reaped"))
    task = sight.task
    if task.state in (TaskState.DECIDED, TaskState.SETTLED):
        return Act.FORGET
    found = seat_of(task, row.key.round, me)
    if found is None:
        return Moved(row.close(DONE, "not seated"))
    place, _, seat = found
    if row.facts.get("place") != place:
        # a round may be held again: what was known of the one before does not count in it
        return Moved(DutyRow(row.key, NAMED, {"place": place, "epoch": seat.key_epoch}, row.deadline))
    if seat.mark.revealed:
        return _revealed(row, sight, me, seat)
    if place != len(task.rounds) - 1 or task.state not in _ROUND_STATES:
        # Later rounds do not undo what was missed in this one.
        return Wait()
    if task.state is TaskState.AUDITING and seat.mark is Mark.WAITING and sight.open:
        return Act.COMPUTE if row.state == NAMED else Act.COMMIT
    if task.state is TaskState.AUDITING and seat.mark is Mark.COMMITTED and row.state != VOTED:
        return Moved(row.to(VOTED))
    if task.state is TaskState.REVEALING and seat.mark is Mark.COMMITTED and sight.open:
        return Act.REVEAL if "root" in row.facts else Act.COMPUTE
    return Wait()


def _revealed(row: DutyRow, sight: Sight, me: NodeId, seat: Seat) -> Act | Moved | Wait:
    if row.state != REVEALED:
        return Moved(row.to(REVEALED))
    task = sight.task
    disputed = task.round in (RoundKind.DISPUTE, RoundKind.SECOND_DISPUTE)
    if row.key.round != RoundKind.AUDIT or task.state is not TaskState.HANDOFF or not disputed or not sight.open:
        return Wait()
    if seat.root == BAD_WRAP or row.facts.get("refused") == len(task.rounds):
        return Wait()
    start = stand_in_at(sight, me)
    return Wait(start) if sight.clock < start else Act.HAND_OFF


def stand_in_at(sight: Sight, me: NodeId) -> Millis:
    """The chain clock from which on the auditor `me` hands off in the executor's place: after half the window, auditors one
    after the other in the quarter that follows. Pure.
    """
    window = sight.task.params.handoff_ms
    half = sight.at_clock(sight.task.deadline - window // 2)
    return Millis(half + stagger(sight.task.id, me, window // 4))


def missed(row: DutyRow, task: TaskView, me: NodeId) -> str | None:
    """What this node failed to do in its round, once the task is decided; None if nothing. Pure."""
    found = seat_of(task, row.key.round, me)
    if found is None or not found[2].wrap or found[2].mark.revealed:
        return None
    what = "opened" if found[2].mark is Mark.COMMITTED else "posted"
    return f"the vote was not {what} in time; last: {row.reason or row.state}"


_ROUND_STATES: Final = (TaskState.TICKET, TaskState.HANDOFF, TaskState.AUDITING, TaskState.REVEALING)


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
        _, index, seat = found
        match decision:
            case Act.COMPUTE:
                return await self._compute(row, sight, seat)
            case Act.COMMIT:
                return await self._commit(row, index)
            case Act.REVEAL:
                return await self._reveal(row, index)
            case Act.HAND_OFF:
                return await self._hand_off(row, sight, index, seat)
            case Act.FORGET:
                await self._at.forget(sight.task.id, seat.key_epoch)
                await self._at.drop(sight.task)
                failure = missed(row, sight.task, me)
                if failure is not None:
                    return Moved(row.close(ABANDONED, failure))
                return Moved(row.close(DONE, sight.task.outcome.name))

    async def _compute(self, row: DutyRow, sight: Sight, seat: Seat) -> Step:
        if not self._at.computing.enter():
            return Busy()
        try:
            audited = await judge(self._at, sight, RoundKind(row.key.round), seat)
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
        await self._at.submitter.submit(call, purpose=f"{row.key}:commit/{row.number('place')}")
        return Moved(row.to(VOTED))

    async def _reveal(self, row: DutyRow, seat: int) -> Step:
        call = Reveal(TaskId(row.key.subject), seat, Digest(row.octets("root")), row.octets("salt"), row.octets("executor_salt"))
        await self._at.submitter.submit(call, purpose=f"{row.key}:reveal/{row.number('place')}")
        return Moved(row.to(REVEALED))

    async def _hand_off(self, row: DutyRow, sight: Sight, index: int, seat: Seat) -> Step:
        """In the executor's place: whoever audited holds the data key too, and a dispute must not hang on who is judged."""
        task = sight.task
        ticket, signers, signatures = issued_ticket(task)
        order, earlier = execute_order(task), handed_before(task)
        try:
            handed = await self._at.enclaves.ask(
                seat.key_epoch, lambda client: client.handoff(ticket, signers, signatures, order, earlier)
            )
        except (TicketRefused, UnknownTask):
            # another auditor's enclave may do it: this one stays out of this round
            return Moved(row.to(REVEALED, refused=len(task.rounds)))
        call = Handoff(task.id, index, handed.wraps, await self._at.offer_input(sight), handed.signature)
        await self._at.submitter.submit(call, purpose=f"{row.key}:handoff/{len(task.rounds)}")
        return sent(sight.clock)
