"""What a dApp does: open a task, check who drew it, seal, post, open what comes back, and complain if it has to.

    async with Requester(chain, blobs, blob_uri, evidence, store=store, complain=True).following() as requester:
        submission = await requester.submit("a confidential text")
        result = await requester.result(submission)
        ended = await requester.settled(submission.task)

Nothing that comes from chain node, blob store or executor is believed: evidence is verified before sealing, the output
against the commitment, the receipt against the executor's key. A process that ends goes on with `resume`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from agent.chain.calls import Heartbeat, OpenRequest, OpenTask
from agent.chain.errors import AlreadyChallenged, AlreadyComplained, NotFound, Overtaken, TooLate
from agent.chain.port import Chain, Receipt
from agent.client.complaints import Complainant, Fault, remedy
from agent.client.cranks import Cranks
from agent.client.delivered import Deliveries
from agent.client.errors import OutputRefused, QuoteTooHigh, ReceiptMismatch, ResultLate, TaskEnded, UnknownTask
from agent.client.evidence import EvidenceCheck
from agent.client.feed import TaskFeed
from agent.client.posting import Posting
from agent.client.receipt import TaskReceipt, receipt_of
from agent.client.store import MemoryRequesterStore, RequesterStore, TaskEntry
from agent.client.submission import Opened, Result, Submission
from agent.delivery.blob_store import BlobStore
from agent.enclave.sealing import OpenedOutput, TaskSecrets
from agent.protocol.deterrence import quote
from agent.protocol.eligibility import ANY_TEE
from agent.protocol.events import TaskOpened
from agent.protocol.lifecycle import Act, Outcome, TaskState
from agent.protocol.records import NetworkView, TaskView
from agent.protocol.units import Address, Millis, Mist, ObjectId, TaskId

__all__ = ["Opened", "Requester", "Result", "Submission"]

LOOK_AGAIN_S: Final = 5.0
"""A waiter reads the chain this often even if no event comes."""
RESULT: Final = (Outcome.NONE, Outcome.ACCEPTED, Outcome.UPHELD)
"""Outcomes with which an output counts; every other one means that there is none."""
ENDED: Final = (TaskState.DECIDED, TaskState.SETTLED)


class Requester:
    """The dApp's side of one Pool; pays from the wallet of `chain`."""

    def __init__(
        self,
        chain: Chain,
        blobs: BlobStore,
        blob_uri: str,
        evidence: EvidenceCheck,
        *,
        store: RequesterStore | None = None,
        complain: bool = False,
        max_units: int = 1 << 32,
        tee_mask: int = ANY_TEE,
    ) -> None:
        """`blobs` is the store at `blob_uri`, which executor and auditors have to reach.

        Without a `store` the secrets end with this process. With `complain`, `result` claims what is not delivered,
        disputes what is forged and challenges what no auditor would agree to, each for a bond; else it raises, and the
        methods of these names are the dApp's to call. `tee_mask`: TEE kinds that may audit, unless `post` says otherwise.
        """
        self._chain = chain
        self._store = store or MemoryRequesterStore()
        self._complains = complain
        self._tee_mask = tee_mask
        self._feed = TaskFeed(chain)
        self._posting = Posting(chain, blobs, blob_uri, evidence, self._store, self._feed, max_units)
        self._deliveries = Deliveries(chain, blobs, self._store)
        self._complainant = Complainant(chain)
        self._cranks = Cranks(chain)

    @asynccontextmanager
    async def following(self) -> AsyncIterator["Requester"]:
        """Follow the chain while the body runs, so that waiting needs no polling."""
        async with self._feed.following():
            yield self

    # --- opening and posting

    async def submit(
        self,
        text: str,
        *,
        value: Mist = Mist(0),  # noqa: B008  a NewType: an int, which cannot change
        tee_mask: int | None = None,
        denied: Sequence[Address] = (),
        at_most: Mist | None = None,
    ) -> Submission:
        """`open`, then `post`."""
        return await self.post(await self.open(value=value, at_most=at_most), text, tee_mask=tee_mask, denied=denied)

    async def quote(self, value: Mist = Mist(0)) -> Mist:  # noqa: B008  as above
        """What a task costs now if `value` is at risk beyond the price: the more, the likelier its audit.

        Raises:
            ValueTooHigh: no audit deters a lie about so much.
        """
        pool, network = await self._chain.pool(), await self._chain.network()
        return quote(network.params, pool.prices, value)

    async def open(self, *, value: Mist = Mist(0), at_most: Mist | None = None) -> Opened:  # noqa: B008  as above
        """Open a task for exactly the Pool's quote; the chain draws its candidates.

        Raises:
            QuoteTooHigh: it costs more than `at_most`; nothing was sent.
            Paused, RosterTooSmall, WrongPayment, InsufficientFunds, …: see `agent.chain.errors`.
        """
        price = await self.quote(value)
        if at_most is not None and price > at_most:
            raise QuoteTooHigh(price, at_most)
        return self._opened(await self._chain.submit(OpenTask(price, value), purpose="open_task"))

    async def open_request(self, request: ObjectId) -> Opened:
        """Open the task that somebody, perhaps a contract, paid for in our name.

        Raises:
            RequestExpired, PaymentTooSmall, NotFound, …: see `agent.chain.errors`.
        """
        return self._opened(await self._chain.submit(OpenRequest(request), purpose="open_request"))

    async def adopt(self, task: TaskId) -> Opened:
        """A task that somebody else opened for us out of a request of ours."""
        return Opened(task, (await self._posting.view(task)).escrow)

    async def post(
        self, opened: Opened, text: str, *, tee_mask: int | None = None, denied: Sequence[Address] = ()
    ) -> Submission:
        """Verify the evidence of the candidate whose turn it is, seal `text` for it, store the seal, and post it.

        A candidate whose evidence is not accepted is rejected on chain, which costs a reservation fee each time.
        `tee_mask` and `denied` (operators, at most eight) keep auditors away; where they keep all away the task is
        accepted without an audit.

        Raises:
            NoExecutor: no candidate is left.
            PlaintextTooLarge: the text does not fit.
            TooLate: the input window has passed; `settled` gets what is refunded.
        """
        mask = self._tee_mask if tee_mask is None else tee_mask
        known = await self._store.load(opened.task)
        # what an earlier call sent may still take effect
        attempts = known.attempts if known is not None else ()
        entry = TaskEntry(opened.task, opened.paid, text, mask, tuple(denied), attempts)
        await self._store.save(entry)
        return await self._post(entry)

    # --- going on after a restart

    async def unfinished(self) -> tuple[TaskId, ...]:
        """Tasks in the store: those that `post` was called for and `forget` was not."""
        return tuple(await self._store.tasks())

    async def resume(self, task: TaskId) -> Submission:
        """The submission of an earlier process; its input is posted now if it was not.

        Raises:
            UnknownTask: the store knows nothing of it.
            As `post`.
        """
        entry = await self._entry(task)
        if entry.text is not None:
            return await self._post(entry)
        (attempt,) = entry.attempts
        return Submission.of(entry, attempt)

    async def forget(self, task: TaskId) -> None:
        """Drop the secrets of a task whose output is not needed any more."""
        await self._store.drop(task)
        self._feed.forget(task)

    # --- the result

    async def result(self, submission: Submission, *, within_s: float = 600.0) -> Result:
        """Wait for the output, open it, and check it against chain and receipt [C4].

        It comes as soon as it is delivered; whether an audit upholds it, `settled` tells.

        Raises:
            TaskEnded: there will be none.
            OutputRefused: what was delivered is not what it should be, and no complaint is made, or it did not help.
            ReceiptMismatch: the executor on chain is not the enclave that was verified.
            ResultLate: not within `within_s`; the task goes on.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    found = await self._look(submission)
                    if isinstance(found, Result):
                        return found
                    if not found:
                        await self._feed.changed(submission.task, LOOK_AGAIN_S)
        except TimeoutError:
            raise ResultLate(
                submission.task, f"no result in {within_s:g} s; ask again, or let the deadlines pass and call `settled`"
            ) from None

    async def settled(self, task_id: TaskId, *, within_s: float = 600.0) -> TaskView:
        """Wait until the task is settled, cranking whatever is due and leading a dispute that was begun; returns it then.

        Raises:
            ResultLate: not within `within_s`.
        """
        entry = await self._store.load(task_id)
        try:
            async with asyncio.timeout(within_s):
                while True:
                    task = await self._posting.view(task_id)
                    if task.state is TaskState.SETTLED:
                        self._feed.forget(task_id)
                        return task
                    attempt = entry.posted(task.input_digest) if entry else None
                    if not await self._move(task, attempt.secrets if attempt else None):
                        await self._feed.changed(task_id, LOOK_AGAIN_S)
        except TimeoutError:
            raise ResultLate(task_id, f"not settled in {within_s:g} s") from None

    async def receipt(self, task_id: TaskId) -> TaskReceipt:
        """The executor's signed statement, checked.

        Raises:
            ReceiptMismatch: it is not committed yet, or not as the chain says.
        """
        task = await self._chain.task(task_id)
        if not task.commitment:
            raise ReceiptMismatch(task_id, "there is no commitment yet: wait for `result`")
        receipt = receipt_of(task)
        receipt.check(task)
        return receipt

    # --- complaints, by hand

    async def challenge(self, task_id: TaskId) -> None:
        """Have a task audited that chance left out; once, in its first delivery window. It costs `challenge_bond`, which
        comes back if the executor is found guilty.

        Raises:
            AlreadyChallenged, WrongState, TooLate, InsufficientFunds, …: see `agent.chain.errors`.
        """
        await self._complainant.challenge(await self._chain.task(task_id))

    async def claim_undelivered(self, task_id: TaskId) -> None:
        """Have the executor put its output on chain, or lose a part of its stake; `result` then reads it from there. It
        costs `claim_bond`, of which the executor gets what publishing costs it.
        """
        await self._complainant.claim(await self._chain.task(task_id))

    async def dispute_delivery(self, submission: Submission, *, within_s: float = 600.0) -> None:
        """Have arbiters judge what was delivered; puts it on chain first where nobody did. `settled` leads the dispute to
        its end. It costs `delivery_bond`, which is lost unless the executor is found to have forged.

        Raises:
            OutputRefused: nothing that was delivered could be found, in a store or on chain.
            WrongState, TooLate, AlreadyComplained, InsufficientFunds, …: see `agent.chain.errors`.
            ResultLate: not within `within_s`.
        """
        try:
            async with asyncio.timeout(within_s):
                while not (task := await self._posting.view(submission.task)).delivery.disputed:
                    if task.delivery.published:
                        await self._complainant.dispute(task)
                    else:
                        sealed = await self._deliveries.sealed(task)
                        if sealed is None:
                            raise OutputRefused(task.id, Fault.MISSING.value, Act.CLAIM_UNDELIVERED)
                        await self._complainant.submit_output(task, sealed)
                    # a view from before our transaction would have it sent again
                    await self._posting.other_view(task)
        except TimeoutError:
            raise ResultLate(submission.task, f"not disputed in {within_s:g} s") from None

    # --- one look

    async def _look(self, submission: Submission) -> Result | bool:
        """The result; while there is none, whether we changed the task, so that it is worth another look at once."""
        try:
            task = await self._chain.task(submission.task)
        except NotFound:
            # a node that has not caught up yet
            return False
        if task.outcome not in RESULT:
            raise TaskEnded(task.id, task.outcome)
        if task.commitment:
            receipt = receipt_of(task)
            if (task.executor.node, receipt.sign_pk) != (submission.node, submission.sign_pk):
                raise ReceiptMismatch(task.id, "another enclave than the one whose evidence was verified is the executor on chain")
            receipt.check(task)
            found = await self._deliveries.opened(task, submission.secrets)
            if isinstance(found, OpenedOutput):
                return Result(task.id, found.output, receipt, submission.simulated, found)
            if await self._respond(task, found):
                return True
        return await self._move(task, submission.secrets)

    async def _respond(self, task: TaskView, fault: Fault) -> bool:
        """Complain about `fault` if that is wanted and possible now; returns whether we did.

        Raises:
            OutputRefused: no complaint is made by us, or none can help any more.
        """
        able = self._complains and task.requester == self._chain.address and task.state not in ENDED
        if not able and fault is not Fault.MISSING:
            helps = Act.CHALLENGE if fault is Fault.MISKEYED else Act.DISPUTE_DELIVERY
            advice = "the task has ended" if task.state in ENDED else f"`{helps.value}` while its delivery window is open"
            raise OutputRefused(task.id, f"{fault.value}; {advice}", helps)
        now, _ = await self._time()
        act = remedy(task, fault, now) if able else None
        if act is None:
            return False
        sealed = await self._deliveries.sealed(task) if act is Act.SUBMIT_OUTPUT else None
        try:
            await self._complainant.act(act, task, sealed or b"")
        except (Overtaken, AlreadyComplained, AlreadyChallenged, TooLate):
            # an earlier complaint took effect, or the window has passed: a later look tells
            return False
        await self._posting.other_view(task)
        return True

    async def _move(self, task: TaskView, secrets: TaskSecrets | None) -> bool:
        """Do what is the requester's to do next: the key for arbiters, and cranks that the nodes left lying. Returns whether
        something took effect.
        """
        now, network = await self._time()
        if secrets is not None and task.requester == self._chain.address:
            try:
                if await self._complainant.post_output_key(task, secrets.output_sk, now):
                    await self._posting.other_view(task)
                    return True
            except (Overtaken, TooLate):
                return False
        made = await self._cranks.move(task, network, await self._chain.now())
        if made is not None and not isinstance(made, Heartbeat):
            await self._posting.other_view(task)
        return made is not None

    async def _time(self) -> tuple[Millis, NetworkView]:
        network = await self._chain.network()
        return network.protocol_time(await self._chain.now()), network

    # --- entries

    async def _post(self, entry: TaskEntry) -> Submission:
        attempt = await self._posting.post(entry)
        await self._posting.posted(entry, attempt)
        return Submission.of(entry, attempt)

    async def _entry(self, task: TaskId) -> TaskEntry:
        entry = await self._store.load(task)
        if entry is None:
            raise UnknownTask(task, "the store has no secrets of it: use the store that it was posted with")
        return entry

    @staticmethod
    def _opened(receipt: Receipt) -> Opened:
        event = receipt.event(TaskOpened)
        return Opened(event.task, event.escrow)
