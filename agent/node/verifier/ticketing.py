"""The duty of a committee member towards drawn rounds of one task: confirm to the enclaves that hold the data key, which
see no chain, who was drawn [C6].

    watching ── a round waits: read, checked, signed, sent ──> watching … ── the task is decided ──> done
"""

from typing import ClassVar, Final

from agent.attestation.binding import Binding
from agent.attestation.collecting import Collected
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import MAX_EVIDENCE, Evidence
from agent.chain.calls import IssueTicket
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import DONE, Duty, Moved, Step, Wait, sent
from agent.node.duties.sight import Sight, look
from agent.node.errors import DutyError
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.agreement import Agreement
from agent.node.verifier.member import ticket_of
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import MemberView, NetworkView, TaskView
from agent.protocol.units import Address, BlobId, Millis, TaskId

TICKET: Final = "ticket"

WATCHING: Final = "watching"


def row_for(task: TaskId) -> DutyRow:
    """The duty towards `task`: one for all its rounds."""
    return DutyRow(DutyKey(TICKET, task), WATCHING)


def awaited(row: DutyRow, sight: Sight | None) -> Moved | Wait | None:
    """What to do while no ticket can be issued; None if one is wanted now. Pure."""
    if sight is None or sight.task.state in (TaskState.DECIDED, TaskState.SETTLED):
        return Moved(row.close(DONE))
    if sight.task.state is not TaskState.TICKET or not sight.open:
        return Wait()
    return None


def objection(task: TaskView, network: NetworkView) -> str | None:  # noqa: PLR0911 - one return a rule
    """Why the seats of the round under way are not what a draw gives; None if they are. Pure.

    The chain enforces all of it. It is checked again because a ticket opens a client's input, and costs nothing to look
    at twice.
    """
    if task.network != Address(network.id):
        return "the task belongs to another network"
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
        if seat.operator in task.input.denied:
            return f"the requester allows no enclave of operator 0x{seat.operator.hex()[:16]}…"
    if len({seat.slot for seat in round_.seats}) != len(round_.seats):
        return "a slot is seated twice"
    return None


class TicketDuty(Duty):
    """Signs draw tickets; `archive` has the evidence of whoever has to believe them."""

    kind: ClassVar[str] = TICKET

    def __init__(self, agreement: Agreement, *, chain: Chain, time: ChainTime, submitter: Submitter, archive: BlobStore) -> None:
        self._agreement = agreement
        self._chain = chain
        self._time = time
        self._submitter = submitter
        self._archive = archive

    async def step(self, row: DutyRow) -> Step:
        sight = await look(self._chain, self._time, TaskId(row.key.subject))
        waiting = awaited(row, sight)
        if waiting is not None or sight is None:
            return waiting or Moved(row.close(DONE))
        task, network = sight.task, sight.network
        wrong = objection(task, network)
        if wrong is not None:
            # not abandoned: another round of the task may be sound
            raise DutyError(f"no ticket is signed: {wrong}")
        bench = self._agreement.member.bench_trusted_by(network, sight.now, await self._trusted(task, network, sight.now))
        ticket = ticket_of(task, network)
        found = await self._agreement.seek(row, ticket, bench, sight.clock)
        if not isinstance(found, Collected):
            return found
        call = IssueTicket(task.id, ticket.issued_at, found.epoch, found.signers, found.signatures)
        await self._submitter.submit(call, purpose=f"{row.key}:issue/{len(task.rounds)}")
        return sent(sight.clock)

    async def _trusted(self, task: TaskView, network: NetworkView, now: Millis) -> bytes | None:
        """The committee hash that the executor's enclave was bound to; None where it is not known or cannot matter."""
        if now >= network.previous_until:
            return None
        digest = evidence_of(await self._chain.member(task.executor.slot), task)
        if digest is None:
            return None
        try:
            evidence = Evidence.decode(await self._archive.fetch(digest, limit=MAX_EVIDENCE))
            return Binding.decode(evidence.binding).committee_hash
        except (BlobError, EvidenceError):
            return None


def evidence_of(member: MemberView | None, task: TaskView) -> BlobId | None:
    """The digest of the evidence behind the executor's keys, if the chain still has that record. Pure."""
    if member is None or member.node != task.executor.node:
        return None
    for record in (member.attestation, member.previous):
        if record.key_epoch == task.executor.key_epoch:
            return record.evidence_digest
    return None
