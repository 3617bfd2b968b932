"""What a dApp does: open a task, check who drew it, seal, post, and open what comes back.

    async with Requester(chain, blobs, blob_uri, evidence).following() as requester:
        submission = await requester.submit("a confidential text")
        result = await requester.result(submission)
        ended = await requester.settled(submission.task)

Nothing that comes from chain node, blob store or executor is believed: evidence is verified before sealing, the output against the
commitment, the receipt against the executor's key.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from agent.chain.calls import Advance, AssignAndPostInput, OpenTask, RejectExecutor, Settle
from agent.chain.errors import Aborted, NotFound, Overtaken, TooEarly, WrongExecutor
from agent.chain.port import Chain, Receipt
from agent.client.errors import NoExecutor, ReceiptMismatch, ResultLate, TaskEnded
from agent.client.evidence import EvidenceCheck
from agent.client.feed import TaskFeed
from agent.client.receipt import TaskReceipt, receipt_of
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.enclave.sealing import (
    MAX_SEALED_OUTPUT,
    InputHeader,
    OpenedOutput,
    Recipient,
    TaskSecrets,
    open_output,
    seal_input,
)
from agent.protocol.eligibility import next_candidate
from agent.protocol.events import TaskOpened
from agent.protocol.lifecycle import Crank, Outcome, TaskState, next_crank
from agent.protocol.money import quote
from agent.protocol.records import MemberView, PoolView, TaskView
from agent.protocol.units import Millis, Mist, NodeId, Slot, TaskId

LOOK_AGAIN_S: Final = 5.0
"""A waiter reads the chain this often even if no event comes."""
NO_RESULT: Final = (
    Outcome.GUILTY, Outcome.REFUSED, Outcome.ABSENT, Outcome.INVALID_INPUT, Outcome.EXPIRED, Outcome.VOID, Outcome.UNDECIDED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """A task that waits for its input."""

    task: TaskId
    paid: Mist
    """The escrow."""
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Submission:
    """An input under way; keep it until the result is here: without `secrets` nobody can open it."""

    task: TaskId
    node: NodeId
    sign_pk: bytes
    """Of the executor's enclave, out of the evidence that was verified."""
    slot: Slot
    secrets: TaskSecrets = field(repr=False)
    paid: Mist
    receipt: Receipt
    """Of the transaction that posted the input."""
    simulated: bool
    """True: no hardware keeps the executor's operator from reading the input."""


@dataclass(frozen=True, slots=True)
class Result:
    """An output that is the one committed on chain, with the executor's signed statement."""

    task: TaskId
    output: bytes = field(repr=False)
    receipt: TaskReceipt
    simulated: bool


class Requester:
    """The dApp's side of one Pool; pays from the wallet of `chain`."""

    def __init__(
        self,
        chain: Chain,
        blobs: BlobStore,
        blob_uri: str,
        evidence: EvidenceCheck,
        *,
        max_units: int = 1 << 32,
        tee_mask: int = 2**64 - 1,
    ) -> None:
        self._chain = chain
        self._blobs = blobs
        self._uri = blob_uri
        self._evidence = evidence
        self._max_units = max_units
        self._tee_mask = tee_mask
        self._feed = TaskFeed(chain)

    @asynccontextmanager
    async def following(self) -> AsyncIterator["Requester"]:
        """Follow the chain while the body runs, so that waiting needs no polling."""
        async with self._feed.following():
            yield self

    async def submit(self, text: str) -> Submission:
        """`open`, then `post`."""
        return await self.post(await self.open(), text)

    async def open(self) -> Opened:
        """Open a task for exactly the Pool's quote; the chain draws its candidates.

        Raises:
            Paused, RosterTooSmall, InsufficientFunds, …: see `agent.chain.errors`.
        """
        pool, network = await self._chain.pool(), await self._chain.network()
        price = quote(network.params, pool.price, pool.auditor_fee, pool.reservation_fee)
        receipt = await self._chain.submit(OpenTask(price), purpose="open_task")
        return Opened(TaskId(receipt.event(TaskOpened).task), price, receipt)

    async def post(self, opened: Opened, text: str, *, secrets: TaskSecrets | None = None) -> Submission:
        """Verify the evidence of the candidate whose turn it is, seal `text` for it, store the seal, and post it.

        A candidate whose evidence is not accepted is rejected on chain, which costs a reservation fee each time.

        Raises:
            NoExecutor: no candidate is left.
            PlaintextTooLarge: the text does not fit.
        """
        while True:
            task, pool = await self._chain.task(opened.task), await self._chain.pool()
            clock = await self._chain.now()
            slot, member = await self._turn(opened.task, task, pool, clock)
            verdict = await self._evidence.of(member, pool, clock)
            if not verdict.ok:
                await self._chain.submit(RejectExecutor(opened.task, task.reservation_fee), purpose="reject_executor")
                continue
            keys = secrets or TaskSecrets.generate()
            record = member.attestation
            header = InputHeader(
                network=task.network, task=opened.task, manifest=pool.manifest, opened_at=task.opened_at,
                output_pk=keys.output_pk, max_units=self._max_units, tee_mask=self._tee_mask,
            )  # fmt: skip
            sealed = seal_input(text, header, keys, Recipient(member.node, record.key_epoch, record.hpke_pk))
            await self._blobs.put(sealed.blob)
            call = AssignAndPostInput(
                opened.task, member.node, record.key_epoch, self._uri, sealed.digest, sealed.key_commitment, keys.output_pk,
                self._tee_mask,
            )  # fmt: skip
            try:
                receipt = await self._chain.submit(call, purpose="post_input")
            except WrongExecutor:
                # the candidate became ineligible meanwhile: look again, seal for the next
                continue
            return Submission(opened.task, member.node, record.sign_pk, slot, keys, opened.paid, receipt, verdict.simulated)

    async def result(self, submission: Submission, *, within_s: float = 600.0) -> Result:
        """Wait for the commitment, fetch the sealed output, open it, and check it against chain and receipt [C4].

        Raises:
            TaskEnded: there will be none.
            ReceiptMismatch, OutputMismatch, SealBroken: what was delivered is not what was committed.
            ResultLate: not within `within_s`; the task goes on.
        """
        task_id = submission.task
        try:
            async with asyncio.timeout(within_s):
                task = await self._committed(task_id)
                receipt = receipt_of(task)
                if (task.executor.node, receipt.sign_pk) != (submission.node, submission.sign_pk):
                    raise ReceiptMismatch(task_id, "another enclave than the one whose evidence was verified is the executor on chain")
                receipt.check(task)
                while True:
                    try:
                        sealed = await self._blobs.fetch(task.sealed_output_digest, limit=MAX_SEALED_OUTPUT)
                        break
                    except BlobError:
                        await self._feed.changed(task_id, LOOK_AGAIN_S)
        except TimeoutError:
            raise ResultLate(task_id, f"no result in {within_s:g} s; ask again, or let the deadlines pass and settle") from None
        opened: OpenedOutput = open_output(
            sealed, submission.secrets, task_id, task.executor.node,
            posted_commitment=task.commitment, sealed_output_digest=task.sealed_output_digest,
        )  # fmt: skip
        return Result(task_id, opened.output, receipt, submission.simulated)

    async def settled(self, task_id: TaskId, *, within_s: float = 600.0) -> TaskView:
        """Wait until the task is settled, cranking whatever is due; returns it as it is then.

        Raises:
            ResultLate: not within `within_s`.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    task = await self._chain.task(task_id)
                    if task.state is TaskState.SETTLED:
                        self._feed.forget(task_id)
                        return task
                    await self._crank(task_id, task)
                    await self._feed.changed(task_id, LOOK_AGAIN_S)
        except TimeoutError:
            raise ResultLate(task_id, f"not settled in {within_s:g} s") from None

    async def _turn(self, task_id: TaskId, task: TaskView, pool: PoolView, clock: Millis) -> tuple[Slot, MemberView]:
        members: dict[Slot, MemberView] = {}
        for slot in task.candidates[task.candidate :]:
            member = await self._chain.member(slot)
            if member is not None:
                members[slot] = member
        slot_ = next_candidate(task, pool, members, clock)
        if slot_ is None:
            raise NoExecutor(task_id, "no candidate can take it; it expires at its deadline, all but the reservation fee comes back")
        return slot_, members[slot_]

    async def _committed(self, task_id: TaskId) -> TaskView:
        while True:
            try:
                task = await self._chain.task(task_id)
            except NotFound:
                # a node that has not caught up yet
                await self._feed.changed(task_id, LOOK_AGAIN_S)
                continue
            if task.outcome in NO_RESULT:
                raise TaskEnded(task_id, task.outcome)
            if task.commitment:
                return task
            await self._crank(task_id, task)
            await self._feed.changed(task_id, LOOK_AGAIN_S)

    async def _crank(self, task_id: TaskId, task: TaskView) -> None:
        """The requester wants refunds: it moves on what the nodes left lying well past its deadline."""
        step = next_crank(task)
        try:
            if step.crank is Crank.SETTLE:
                await self._chain.submit(Settle(task_id), purpose="settle")
            elif step.crank is Crank.ADVANCE:
                now = (await self._chain.network()).protocol_time(await self._chain.now())
                # nodes crank at once; the requester a grace later, so that they do not race
                if step.is_due(Millis(now - task.params.grace_ms)):
                    await self._chain.submit(Advance(task_id), purpose="advance")
        except (Overtaken, TooEarly):
            return
        except Aborted as aborted:
            if aborted.module != "task":
                raise
