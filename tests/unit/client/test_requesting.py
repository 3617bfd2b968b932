"""The dApp's side against a chain that the test scripts."""

from dataclasses import dataclass, replace

import pytest
from test_task_receipts import KEY, PUBLIC, committed, some

from agent.chain.calls import AssignAndPostInput, RejectExecutor
from agent.chain.errors import WrongExecutor
from agent.chain.memory import MemoryChain
from agent.chain.port import Receipt, TxDigest
from agent.client.errors import NoExecutor, ReceiptMismatch, ResultLate, TaskEnded
from agent.client.receipt import receipt_of
from agent.client.requester import Opened, Requester, Submission
from agent.delivery.blob_store import MemoryBlobStore
from agent.enclave.errors import OutputMismatch
from agent.enclave.sealing import TaskSecrets, seal_output
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.records import Attestation, MemberView, NetworkView, PoolView
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot

VIEW = replace(committed(), state=TaskState.OPEN, commitment=Digest(b""), signature=b"", candidates=(Slot(0), Slot(1)), candidate=0)
NOTHING = Receipt(TxDigest("digest"), 1, (), (), Mist(0))
HPKE = TaskSecrets(b"d" * 32, b"o" * 32).output_pk


@dataclass
class Judged:
    ok: bool
    simulated: bool = True


class Judge:
    """Evidence of the slots in `bad` is not accepted."""

    def __init__(self, *bad: int) -> None:
        self.bad = bad

    async def of(self, member: MemberView, pool: PoolView, at: Millis) -> Judged:
        return Judged(member.slot not in self.bad)


def member(slot: int) -> MemberView:
    record = Attestation(1, TeeKind.SIMULATED, BlobId(some("e")), b"M" * 48, HPKE, PUBLIC, Millis(10**15))
    node = NodeId(some(f"node {slot}"))
    return MemberView(node, Slot(slot), Address(some("op")), Mist(100), Mist(0), Mist(0), Mist(0), Mist(100), Millis(0), 0, b"", Millis(0), 1, record)


def world(*slots: int) -> MemoryChain:
    chain = MemoryChain()
    chain.views.tasks[VIEW.id] = VIEW
    chain.views.members = {Slot(slot): member(slot) for slot in slots}
    chain.views.pool = PoolView(
        ObjectId(some("pool")), 1, VIEW.network, VIEW.roster, Address(some("q")), VIEW.manifest, 1, Mist(1), Mist(1), Mist(1), 8, Slot(2), *[Mist(0)] * 4
    )
    chain.views.network = NetworkView(ObjectId(VIEW.network), 1, True, False, VIEW.params, Digest(some("p")), (PUBLIC,), 1, Millis(0), Millis(0))
    return chain


def requester(chain: MemoryChain, *bad: int) -> Requester:
    return Requester(chain, MemoryBlobStore(), "memory", Judge(*bad))


OPENED = Opened(VIEW.id, Mist(3), NOTHING)


async def test_input_is_sealed_for_the_candidate_whose_turn_it_is() -> None:
    chain = world(0, 1)
    submission = await requester(chain).post(OPENED, "text")
    (call,) = chain.submissions[-1].calls
    assert isinstance(call, AssignAndPostInput)
    assert (call.node, submission.slot) == (member(0).node, 0)


async def test_plaintext_is_in_no_blob_and_no_call() -> None:
    chain, blobs = world(0), MemoryBlobStore()
    await Requester(chain, blobs, "memory", Judge()).post(OPENED, "a secret that nobody sees")
    assert blobs.content
    assert not any(b"a secret" in blob for blob in blobs.content.values())
    assert "a secret" not in repr(chain.submissions)


async def test_candidate_whose_evidence_is_refused_is_rejected_for_the_fee() -> None:
    chain = world(0, 1)

    def next_one(calls: tuple) -> Receipt:
        if isinstance(calls[0], RejectExecutor):
            chain.views.tasks[VIEW.id] = replace(VIEW, candidate=1)
        return NOTHING

    chain.on_submit = next_one
    submission = await requester(chain, 0).post(OPENED, "text")
    assert chain.submissions[0].calls == (RejectExecutor(VIEW.id, VIEW.reservation_fee),)
    assert submission.slot == 1


async def test_candidate_that_became_ineligible_meanwhile_is_not_sealed_for_again() -> None:
    chain = world(0, 1)

    def full(calls: tuple) -> Receipt:
        if calls[0].node == member(0).node:
            chain.views.members[Slot(0)] = replace(member(0), locked=Mist(100))
            raise WrongExecutor("task", 8)
        return NOTHING

    chain.on_submit = full
    assert (await requester(chain).post(OPENED, "text")).slot == 1


async def test_without_a_candidate_nothing_is_sent() -> None:
    chain = world()
    with pytest.raises(NoExecutor):
        await requester(chain).post(OPENED, "text")
    assert chain.submissions == []


def delivered(output: bytes = b"the output", committed_output: bytes | None = None):
    """A committed task, its submission and the sealed output."""
    secrets = TaskSecrets(b"d" * 32, b"o" * 32)
    view = committed()
    node = view.executor.node
    sealed = seal_output(output, secrets.data_key, secrets.output_pk, view.id, node)
    root = output_root(keys.leaf_key(secrets.data_key, view.id), view.id, output if committed_output is None else committed_output)
    posted = commitment(view.id, node, root, keys.salt(secrets.data_key, view.id, node))
    view = replace(view, commitment=posted, sealed_output_digest=blob_digest(sealed))
    view = replace(view, signature=KEY.sign(receipt_of(view).statement.signing_bytes()))
    return view, Submission(view.id, node, PUBLIC, Slot(3), secrets, Mist(3), NOTHING, True), sealed


async def result_of(view, submission, sealed: bytes, within_s: float = 5.0):
    chain, blobs = world(), MemoryBlobStore()
    chain.views.tasks[view.id] = view
    await blobs.put(sealed)
    return await Requester(chain, blobs, "memory", Judge()).result(submission, within_s=within_s)


async def test_output_that_opens_the_commitment_is_the_result() -> None:
    assert (await result_of(*delivered())).output == b"the output"


async def test_forged_output_is_refused() -> None:
    with pytest.raises(OutputMismatch):
        await result_of(*delivered(b"forged", b"committed"))


async def test_receipt_of_another_enclave_than_the_verified_one_is_refused() -> None:
    view, submission, sealed = delivered()
    with pytest.raises(ReceiptMismatch, match="another enclave"):
        await result_of(view, replace(submission, sign_pk=b"x" * 32), sealed)


async def test_task_that_ended_without_a_result_says_how() -> None:
    view, submission, sealed = delivered()
    with pytest.raises(TaskEnded) as ended:
        await result_of(replace(view, state=TaskState.SETTLED, outcome=Outcome.ABSENT), submission, sealed)
    assert ended.value.outcome is Outcome.ABSENT


async def test_output_that_is_not_delivered_is_late_not_lost() -> None:
    view, submission, _ = delivered()
    with pytest.raises(ResultLate):
        await result_of(view, submission, b"another blob", within_s=0.05)
