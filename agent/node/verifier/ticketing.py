"""The duty of a committee member towards a drawn round: confirm to the executor's enclave, which sees no chain, who was
drawn [C6].

    begun ── read, checked, signed, sent ──> done
"""

from typing import ClassVar, Final

from agent.attestation.committee import Committee, CommitteeMember
from agent.attestation.errors import SigningRefused
from agent.chain.calls import IssueTicket
from agent.chain.port import Chain
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import ABANDONED, DONE, Duty, Moved, Step
from agent.node.duties.sight import Sight, look
from agent.node.errors import Unmeetable
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.signatures import SignatureCollector
from agent.protocol.events import RoundBegun
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import TaskView
from agent.protocol.units import TaskId

TICKET: Final = "ticket"

BEGUN: Final = "begun"


def row_for(event: RoundBegun) -> DutyRow:
    """The duty that `event` opens."""
    return DutyRow(DutyKey(TICKET, event.task, event.round), BEGUN)


def over(row: DutyRow, sight: Sight | None) -> Moved | None:
    """How the duty ended without this member doing anything; None if the chain still waits. Pure."""
    if sight is None or sight.task.round != row.key.round or sight.task.state != TaskState.TICKET:
        return Moved(row.close(DONE))
    if not sight.open:
        return Moved(row.close(ABANDONED, f"the ticket's deadline has passed; last: {row.reason or row.state}"))
    return None


def objection(task: TaskView) -> str | None:
    """Why the seats of the round under way are not what a draw gives; None if they are. Pure.

    The chain enforces all of it. It is checked again because a ticket opens a client's input, and costs nothing to look
    at twice.
    """
    round_ = task.rounds[-1]
    if not round_.seats:
        return "the round seats nobody"
    for seat in round_.seats:
        if seat.slot not in round_.slots:
            return f"slot {seat.slot} is seated and was not drawn"
        if seat.slot == task.executor.slot or seat.node == task.executor.node:
            return "the executor is seated"
        if not task.tee_mask >> seat.tee_kind & 1:
            return f"the requester allows no {seat.tee_kind.name} enclave"
    if len({seat.slot for seat in round_.seats}) != len(round_.seats):
        return "a slot is seated twice"
    return None


class TicketDuty(Duty):
    """Signs draw tickets."""

    kind: ClassVar[str] = TICKET

    def __init__(
        self,
        member: CommitteeMember,
        collector: SignatureCollector,
        *,
        chain: Chain,
        time: ChainTime,
        submitter: Submitter,
    ) -> None:
        self._member = member
        self._collector = collector
        self._chain = chain
        self._time = time
        self._submitter = submitter

    async def step(self, row: DutyRow) -> Step:
        sight = await look(self._chain, self._time, TaskId(row.key.subject))
        ended = over(row, sight)
        if ended is not None or sight is None:
            return ended or Moved(row.close(DONE))
        task = sight.task
        wrong = objection(task)
        if wrong is not None:
            raise Unmeetable(f"no ticket is signed: {wrong}")
        try:
            signed = self._member.sign_ticket(task, sight.network, sight.clock, sight.clock)
        except SigningRefused as error:
            raise Unmeetable(str(error)) from error
        committee = Committee.of(sight.network)
        found = await self._collector.collect(signed.statement, signed.signer, signed.signature, committee)
        call = IssueTicket(task.id, signed.statement.issued_at, found.signers, found.signatures)
        await self._submitter.submit(call, purpose=f"{row.key}:issue")
        return Moved(row.close(DONE))
