"""The executor's duty, from the posted input to the end of the task (docs/spec/protocol.md §6).

    assigned ── the enclave ran it, its output is stored ──> executed ──> committed ── the chain decided ──> done
        └────── the enclave refused the input ──> refused ──────^            │  hand off at each ticket
                                                                             └  publish the output when it is claimed

The sealed state of the enclave is on disk, and the sealed output in this node's own store and in the one that others
read, before `executed` is written; so whoever holds the row in that state can commit, hand off and publish after any
crash.
"""

from enum import Enum, auto
from typing import ClassVar, Final

from agent.chain.calls import CancelRevoked, Commit, Handoff, ReportInvalidInput
from agent.delivery.errors import BlobError, UnknownStore
from agent.enclave.orders import Executed
from agent.enclave.sealing import MAX_SEALED_OUTPUT
from agent.node.duties import publishing
from agent.node.duties.duty import ABANDONED, DONE, Busy, Duty, Moved, Step, Wait, sent
from agent.node.duties.sight import Sight
from agent.node.duties.station import Station, execute_order
from agent.node.duties.tickets import issued_ticket
from agent.node.errors import KeysLost, Unmeetable
from agent.node.journal import NO_DEADLINE, DutyRow
from agent.protocol.blob import chunks_of
from agent.protocol.lifecycle import TaskState
from agent.protocol.states import RoundKind
from agent.protocol.units import NONE, BlobId, Digest, TaskId

EXECUTE: Final = "execute"

ASSIGNED: Final = "assigned"
EXECUTED: Final = "executed"
REFUSED: Final = "refused"
COMMITTED: Final = "committed"


class Act(Enum):
    """What an executor can have to do."""

    COMPUTE = auto()
    COMMIT = auto()
    REPORT = auto()
    HAND_OFF = auto()
    PUBLISH = auto()
    FORGET = auto()


def decide(row: DutyRow, sight: Sight | None) -> Act | Moved | Wait:  # noqa: PLR0911 - one return a rule
    """The next thing for an executor in state `row` that sees `sight`. Pure."""
    if sight is None:
        return Moved(row.close(DONE, "reaped"))
    task = sight.task
    if task.state in (TaskState.DECIDED, TaskState.SETTLED):
        return Act.FORGET
    if task.state is TaskState.RUNNING:
        if not sight.open:
            return Moved(row.close(ABANDONED, f"not committed in time; last: {row.reason or row.state}"))
        # A row that says committed is ahead of an endpoint that lags behind.
        return _ACTS.get(row.state) or Wait()
    if row.state != COMMITTED:
        return Moved(row.to(COMMITTED, deadline=NO_DEADLINE))
    if task.state is TaskState.HANDOFF and sight.open and task.round < RoundKind.DELIVERY:
        return Act.HAND_OFF
    if task.state is TaskState.PUBLISHING and sight.open:
        return Act.PUBLISH
    return Wait()


_ACTS: Final = {ASSIGNED: Act.COMPUTE, EXECUTED: Act.COMMIT, REFUSED: Act.REPORT}


class ExecuteDuty(Duty):
    """Runs tasks that were posted for this node."""

    kind: ClassVar[str] = EXECUTE

    def __init__(self, station: Station) -> None:
        self._at = station

    async def step(self, row: DutyRow) -> Step:  # noqa: PLR0911 - one return an act
        sight = await self._at.look(row)
        decision = decide(row, sight)
        if not isinstance(decision, Act):
            return decision
        assert sight is not None
        match decision:
            case Act.COMPUTE:
                return await self._cancelled(row, sight) or await self._compute(row, sight)
            case Act.COMMIT:
                return await self._commit(row)
            case Act.REPORT:
                return await self._report(row)
            case Act.HAND_OFF:
                return await self._hand_off(row, sight)
            case Act.PUBLISH:
                return await self._publish(row, sight)
            case Act.FORGET:
                return await self._forget(row, sight)

    async def _cancelled(self, row: DutyRow, sight: Sight) -> Step | None:
        """With revoked keys nobody would believe the result; the lock comes back by `cancel_revoked`."""
        member = await self._at.chain.member(self._at.me.slot)
        if member is None or member.node != self._at.me.node or not member.is_revoked(sight.task.executor.key_epoch):
            return None
        await self._at.submitter.submit(CancelRevoked(sight.task.id), purpose=f"{row.key}:cancel_revoked")
        return sent(sight.clock)

    async def _compute(self, row: DutyRow, sight: Sight) -> Step:
        if not self._at.admission.admits(sight.task.requester):
            raise Unmeetable("the requester is not admitted by [admission] of node.toml")
        if not self._at.computing.enter():
            return Busy()
        try:
            return await self._run(row, sight)
        except KeysLost as error:
            raise Unmeetable(str(error)) from error
        finally:
            self._at.computing.leave()

    async def _run(self, row: DutyRow, sight: Sight) -> Step:
        enclaves, task = self._at.enclaves, sight.task
        epoch = task.executor.key_epoch
        order = execute_order(task)
        try:
            sealed = await self._at.fetch_input(task)
        except (BlobError, UnknownStore):
            # Until then the blob may still come; afterwards there would be no time left to run it.
            if sight.now < task.deadline - task.params.commit_ms // 4:
                raise
            refused = await enclaves.ask(epoch, lambda client: client.report_unavailable(order))
            await enclaves.keep(epoch)
            return Moved(row.to(REFUSED, reason_code=int(refused.statement.reason), signature=refused.signature))
        answer = await enclaves.ask(epoch, lambda client: client.execute(order, sealed))
        await enclaves.keep(epoch)
        if not isinstance(answer, Executed):
            return Moved(row.to(REFUSED, reason_code=int(answer.statement.reason), signature=answer.signature))
        await self._at.kept.put(answer.sealed_output)
        await self._at.home.put(answer.sealed_output)
        return Moved(
            row.to(
                EXECUTED,
                commitment=answer.statement.commitment,
                sealed_output_digest=answer.statement.sealed_output_digest,
                units=answer.statement.units,
                signature=answer.signature,
            )
        )

    async def _commit(self, row: DutyRow) -> Step:
        call = Commit(
            task=TaskId(row.key.subject),
            commitment=Digest(row.octets("commitment")),
            sealed_output_digest=BlobId(row.octets("sealed_output_digest")),
            units=row.number("units"),
            signature=row.octets("signature"),
        )
        await self._at.submitter.submit(call, purpose=f"{row.key}:commit")
        return Moved(row.to(COMMITTED, deadline=NO_DEADLINE))

    async def _report(self, row: DutyRow) -> Step:
        call = ReportInvalidInput(TaskId(row.key.subject), row.number("reason_code"), row.octets("signature"))
        await self._at.submitter.submit(call, purpose=f"{row.key}:report")
        return Moved(row.to(COMMITTED, deadline=NO_DEADLINE))

    async def _hand_off(self, row: DutyRow, sight: Sight) -> Step:
        task = sight.task
        ticket, signers, signatures = issued_ticket(task)
        order = execute_order(task)
        handed = await self._at.enclaves.ask(task.executor.key_epoch, lambda client: client.handoff(ticket, signers, signatures, order))
        call = Handoff(task.id, NONE, handed.wraps, await self._at.offer_input(sight), handed.signature)
        await self._at.submitter.submit(call, purpose=f"{row.key}:handoff/{len(task.rounds)}")
        return sent(sight.clock)

    async def _publish(self, row: DutyRow, sight: Sight) -> Step:
        task = sight.task
        chunks = chunks_of(await self._sealed_output(task.sealed_output_digest))
        first = publishing.published(task.delivery.leaves, chunks)
        if first == len(chunks):
            # all are up: the view is behind the transaction that brought the last one
            return sent(sight.clock)
        calls = publishing.next_calls(task.id, self._at.me.operator_cap, chunks, first)
        await self._at.submitter.submit(*calls, purpose=f"{row.key}:publish/{first}")
        return sent(sight.clock)

    async def _sealed_output(self, digest: BlobId) -> bytes:
        try:
            return await self._at.kept.fetch(digest, limit=MAX_SEALED_OUTPUT)
        except BlobError:
            return await self._at.home.fetch(digest, limit=MAX_SEALED_OUTPUT)

    async def _forget(self, row: DutyRow, sight: Sight) -> Step:
        """Decided: no audit and no claim can follow any more. The copy that others read stays where it is."""
        await self._at.forget(sight.task.id, sight.task.executor.key_epoch)
        await self._at.drop(sight.task)
        return Moved(row.close(DONE, sight.task.outcome.name))
