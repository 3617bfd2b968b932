"""From an open task to a posted input: whose turn it is, whether its evidence is accepted, a seal for it and nobody else.

Every attempt has secrets of its own and is kept before it is sent: an enclave that was sealed for and did not get the
task must not hold the key of what another runs, and a process that dies between the two must find its secrets again.
"""

from dataclasses import dataclass, replace
from typing import Final

from agent.attestation.verdict import Verdict
from agent.chain.calls import AssignAndPostInput, RejectExecutor
from agent.chain.errors import NoCandidate, NotFound, Overtaken, PoolBusy, WrongExecutor
from agent.chain.port import Chain
from agent.client.errors import EvidenceUnavailable, NoExecutor
from agent.client.evidence import EvidenceCheck
from agent.client.feed import TaskFeed
from agent.client.store import Attempt, RequesterStore, TaskEntry
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import StoreUnreachable
from agent.enclave.sealing import InputHeader, Recipient, SealedInput, TaskSecrets, seal_input
from agent.protocol.eligibility import next_candidate
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import MemberView, NetworkView, PoolView, TaskView
from agent.protocol.units import Millis, Slot, TaskId

MAX_ATTEMPTS: Final = 16
"""Candidates that change their keys, or become ineligible, while one seals; more is no race any more."""
MAX_FETCHES: Final = 5
"""Of one candidate's evidence, while its store gives no answer; the waits between double from `SOON_S`."""
BUSY_S: Final = 5.0
"""Until a Pool that is full of tasks is tried again."""
SOON_S: Final = 1.0
"""Until a view is read again that is behind a transaction of ours."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the chain shows at one moment, and whose turn it is."""

    task: TaskView
    pool: PoolView
    network: NetworkView
    clock: Millis
    member: MemberView


class Posting:
    """Posts inputs of one requester."""

    def __init__(
        self,
        chain: Chain,
        blobs: BlobStore,
        blob_uri: str,
        evidence: EvidenceCheck,
        store: RequesterStore,
        feed: TaskFeed,
        max_units: int,
    ) -> None:
        self._chain = chain
        self._blobs = blobs
        self._uri = blob_uri
        self._evidence = evidence
        self._store = store
        self._feed = feed
        self._max_units = max_units

    async def post(self, entry: TaskEntry) -> Attempt:
        """Post the text of `entry`; if an attempt of an earlier process was posted already, return that.

        Raises:
            NoExecutor: no candidate is left, or candidates keep changing.
            EvidenceUnavailable: the store of a candidate's evidence gives no answer.
            PlaintextTooLarge: the text does not fit.
            TooLate: the input window has passed; the task expires.
            StoreError, BlobError: the secrets or the sealed input cannot be kept; nothing was posted.
        """
        for _ in range(MAX_ATTEMPTS):
            task = await self.view(entry.task)
            if task.state is not TaskState.OPEN:
                return self._found(entry, task)
            turn = await self._turn(task)
            verdict = await self._judged(turn)
            if not verdict.ok:
                await self._reject(turn)
                continue
            attempt, sealed = self._seal(entry, turn, simulated=verdict.simulated)
            entry = entry.with_attempt(attempt)
            await self._store.save(entry)
            await self._blobs.put(sealed.blob)
            call = AssignAndPostInput(
                task.id, attempt.node, attempt.key_epoch, self._uri, sealed.digest, sealed.key_commitment,
                attempt.secrets.output_pk, entry.tee_mask, entry.denied,
            )  # fmt: skip
            try:
                await self._submit(call)
            except (WrongExecutor, NoCandidate, Overtaken):
                # another's turn, or new keys, meanwhile; or an earlier attempt took effect: look again
                await self._feed.changed(task.id, SOON_S)
                continue
            return attempt
        raise NoExecutor(entry.task, f"its candidates changed {MAX_ATTEMPTS} times while one was sealed for: post again")

    async def _judged(self, turn: _Turn) -> Verdict:
        for attempt in range(MAX_FETCHES):
            try:
                return await self._evidence.of(turn.member, turn.pool, turn.network, turn.clock)
            except StoreUnreachable as error:
                # a rejection pays the node: that our own way to a store is broken must not cost us every candidate
                if attempt == MAX_FETCHES - 1:
                    raise EvidenceUnavailable(turn.task.id, str(error)) from error
            await self._feed.changed(turn.task.id, SOON_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _submit(self, call: AssignAndPostInput) -> None:
        while True:
            try:
                await self._chain.submit(call, purpose="post_input")
            except PoolBusy:
                # tasks settle all the time; the input window ends the wait
                await self._feed.changed(call.task, BUSY_S)
            else:
                return

    async def posted(self, entry: TaskEntry, attempt: Attempt) -> None:
        """Forget what only posting needed: the text, and the secrets of the other attempts."""
        await self._store.save(replace(entry, text=None, attempts=(attempt,)))

    async def view(self, task: TaskId) -> TaskView:
        """The task, as soon as the endpoint shows it."""
        while True:
            try:
                return await self._chain.task(task)
            except NotFound:
                await self._feed.changed(task, SOON_S)

    async def other_view(self, before: TaskView) -> TaskView:
        """The task once the endpoint shows another than `before`, as it has to after a transaction that changed it."""
        while (task := await self.view(before.id)) == before:
            await self._feed.changed(task.id, SOON_S)
        return task

    @staticmethod
    def _found(entry: TaskEntry, task: TaskView) -> Attempt:
        attempt = entry.posted(task.input_digest) if task.input_digest else None
        if attempt is None:
            raise NoExecutor(entry.task, f"it is {task.state.name} without an input of ours: `settled` gets what is refunded")
        return attempt

    async def _turn(self, task: TaskView) -> _Turn:
        pool, network, clock = await self._chain.pool(), await self._chain.network(), await self._chain.now()
        members: dict[Slot, MemberView] = {}
        for slot in task.candidates[task.candidate :]:
            member = await self._chain.member(slot)
            if member is not None:
                members[slot] = member
        slot_ = next_candidate(task, pool, network, members, clock)
        if slot_ is None:
            raise NoExecutor(task.id, "no candidate can take it; it expires at its deadline, all but the reservation fee comes back")
        return _Turn(task, pool, network, clock, members[slot_])

    async def _reject(self, turn: _Turn) -> None:
        """Reject the candidate, and wait until the endpoint shows it: else it would be judged, and named, once more."""
        task = turn.task
        try:
            await self._chain.submit(RejectExecutor(task.id, turn.member.node, task.reservation_fee), purpose="reject_executor")
        except (NoCandidate, Overtaken, WrongExecutor):
            await self._feed.changed(task.id, SOON_S)
            return
        await self.other_view(task)

    def _seal(self, entry: TaskEntry, turn: _Turn, *, simulated: bool) -> tuple[Attempt, SealedInput]:
        assert entry.text is not None, "a text is kept until it is posted"
        task, record = turn.task, turn.member.attestation
        secrets = TaskSecrets.generate()
        header = InputHeader(
            network=task.network, task=task.id, manifest=turn.pool.manifest, opened_at=task.opened_at,
            output_pk=secrets.output_pk, max_units=self._max_units, tee_mask=entry.tee_mask, denied=entry.denied,
        )  # fmt: skip
        sealed = seal_input(entry.text, header, secrets, Recipient(turn.member.node, record.key_epoch, record.hpke_pk))
        attempt = Attempt(
            turn.member.node, turn.member.slot, record.key_epoch, record.sign_pk, simulated, sealed.digest, secrets
        )
        return attempt, sealed
