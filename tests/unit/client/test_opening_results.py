"""What counts as a result: the output that opens the commitment, of the enclave that was verified, and no other."""

from dataclasses import replace

import pytest
from client_world import TASK, World, look, some
from view_examples import plain

from agent.client.errors import OutputRefused, ReceiptMismatch, ResultLate, TaskEnded
from agent.protocol.commitment import commitment, output_root
from agent.protocol.lifecycle import Act, Outcome, TaskState
from agent.protocol.records import Delivery
from agent.protocol.units import BlobId


async def running() -> tuple[World, object]:
    world = World(0)
    return world, await world.post()


async def test_output_that_opens_the_commitment_is_the_result() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit(b"the output"))
    result = await world.requester().result(submission)
    assert result.output == b"the output"
    assert result.receipt.statement.commitment == world.view.commitment


async def test_result_holds_what_shows_a_contract_that_it_is_the_output() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit(b"the output"))
    opened = (await world.requester().result(submission)).opened
    root = output_root(opened.leaf_key, TASK, opened.output)
    assert commitment(TASK, submission.node, root, opened.salt) == world.view.commitment


async def test_forged_output_is_refused_with_the_complaint_to_make() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())
    with pytest.raises(OutputRefused, match="does not open") as refused:
        await world.requester().result(submission)
    assert refused.value.complaint is Act.DISPUTE_DELIVERY
    assert world.sent == ["AssignAndPostInput"]


@pytest.mark.parametrize("sealed", [b"not sealed for us", b"x" * 2_000])
async def test_bytes_that_are_no_seal_are_forged_too(sealed: bytes) -> None:
    world, submission = await running()
    world.commit(sealed=sealed)
    await world.blobs.put(sealed)
    with pytest.raises(OutputRefused) as refused:
        await world.requester().result(submission)
    assert refused.value.complaint is Act.DISPUTE_DELIVERY


@pytest.mark.parametrize("how", [{"leaf_key": b"k" * 32}, {"salt": b"s" * 32}])
async def test_output_that_opens_by_keys_of_the_executors_own_is_to_be_challenged(how: dict[str, bytes]) -> None:
    world, submission = await running()
    await world.blobs.put(world.commit(**how))
    with pytest.raises(OutputRefused, match="no auditor would agree") as refused:
        await world.requester().result(submission)
    assert refused.value.complaint is Act.CHALLENGE


async def test_receipt_of_another_enclave_than_the_verified_one_is_refused() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit())
    with pytest.raises(ReceiptMismatch, match="another enclave"):
        await world.requester().result(replace(submission, sign_pk=b"x" * 32))


@pytest.mark.parametrize(
    "outcome", [each for each in Outcome if each not in (Outcome.NONE, Outcome.ACCEPTED, Outcome.UPHELD)], ids=lambda each: each.name
)
async def test_task_that_ended_without_a_result_says_how(outcome: Outcome) -> None:
    world, submission = await running()
    await world.blobs.put(world.commit())
    world.view = replace(world.view, state=TaskState.SETTLED, outcome=outcome)
    with pytest.raises(TaskEnded) as ended:
        await world.requester().result(submission)
    assert ended.value.outcome is outcome


async def test_result_of_a_settled_task_can_still_be_had() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit(b"the output"))
    world.view = replace(world.view, state=TaskState.SETTLED, outcome=Outcome.UPHELD)
    assert (await world.requester().result(submission)).output == b"the output"


async def test_output_that_is_not_delivered_is_late_not_lost() -> None:
    world, submission = await running()
    world.commit()
    with pytest.raises(ResultLate):
        await world.requester().result(submission, within_s=0.05)


async def test_output_that_no_store_has_is_read_from_the_chain_once_it_is_there() -> None:
    world, submission = await running()
    sealed = world.commit(b"the output")
    assert await look(world.requester(), submission) is None
    world.chain.views.published[TASK] = sealed
    assert await look(world.requester(), submission) is None, "the Task does not say yet that it is published"
    world.view = replace(world.view, delivery=plain(Delivery, claimed=True, published=True))
    assert (await look(world.requester(), submission)).output == b"the output"


async def test_store_that_serves_other_bytes_has_delivered_nothing() -> None:
    world, submission = await running()
    world.commit()
    world.blobs.content[world.view.sealed_output_digest] = b"other bytes"
    assert await look(world.requester(), submission) is None


async def test_receipt_is_checked_and_told() -> None:
    world, _ = await running()
    with pytest.raises(ReceiptMismatch, match="no commitment yet"):
        await world.requester().receipt(TASK)
    world.commit()
    assert (await world.requester().receipt(TASK)).statement.task == TASK
    forged = replace(world.view.output, sealed_digest=BlobId(some("another")))
    world.view = replace(world.view, output=forged)
    with pytest.raises(ReceiptMismatch, match="not signed"):
        await world.requester().receipt(TASK)


