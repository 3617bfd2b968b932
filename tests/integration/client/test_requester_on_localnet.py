"""The whole SDK against the compiled contracts: what a dApp gets, and what it can do when it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from client_stage import PARAMS, SUI, TERMS, Stage, staged

from agent.chain.calls import CreateRequest
from agent.chain.errors import NotFound
from agent.client.errors import OutputRefused, TaskEnded
from agent.client.requester import Requester, Submission
from agent.enclave import hpke
from agent.protocol import keys
from agent.protocol.events import RequestCreated
from agent.protocol.lifecycle import Act, Outcome, TaskState
from agent.protocol.money import settlement
from agent.protocol.records import TaskView
from agent.protocol.units import Address, Millis, Mist, ObjectId

LONG = bytes(range(256)) * 200


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as made:
        yield made


async def running(stage: Stage, **more) -> tuple[Requester, Submission, TaskView]:
    requester = stage.requester(**more)
    submission = await requester.submit("a confidential text")
    return requester, submission, await stage.dapp.task(submission.task)


async def test_output_is_opened_paid_for_and_receipted(stage: Stage) -> None:
    requester, submission, task = await running(stage)
    assert (task.state, task.requester, task.executor.node) == (TaskState.RUNNING, stage.dapp.address, submission.node)
    await stage.blobs.put(await stage.executor(task).commit(task, stage.blobs, output=LONG))
    result = await requester.result(submission)
    assert result.output == LONG
    await stage.let_pass(task.id)
    ended = await requester.settled(task.id)
    assert ended.outcome is Outcome.ACCEPTED
    assert (await stage.member(submission.slot)).fees == TERMS.price + TERMS.reservation_fee


async def test_output_that_no_store_has_is_claimed_and_read_from_the_chain(stage: Stage) -> None:
    requester, submission, task = await running(stage, complain=True)
    executor = stage.executor(task)
    sealed = await executor.commit(task, stage.blobs, output=LONG)
    await stage.pass_time(PARAMS.delivery_ms / 2_000)
    assert await requester._look(submission) is True
    assert (await stage.dapp.task(task.id)).state is TaskState.PUBLISHING
    await executor.publish(task.id, sealed)
    assert (await requester.result(submission)).output == LONG
    assert await stage.dapp.published_output(task.id) == sealed


async def test_executor_that_delivers_nothing_loses_and_the_requester_gets_all_back(stage: Stage) -> None:
    requester, submission, task = await running(stage, complain=True)
    await stage.executor(task).commit(task, stage.blobs, output=LONG)
    before = await stage.member(submission.slot)
    await stage.pass_time(PARAMS.delivery_ms / 2_000)
    await requester._look(submission)
    await stage.let_pass(task.id)
    ended = await requester.settled(task.id)
    assert ended.outcome is Outcome.UNDELIVERED
    assert before.stake - (await stage.member(submission.slot)).stake == PARAMS.executor_lock * PARAMS.absence_bps // 10_000
    with pytest.raises(TaskEnded):
        await requester.result(submission)


async def test_forger_is_convicted_though_the_client_is_restarted_at_every_step(stage: Stage) -> None:
    _, submission, task = await running(stage)
    sealed = await stage.executor(task).commit(task, stage.blobs, output=b"forged", committed=b"honest")
    await stage.blobs.put(sealed)
    with pytest.raises(OutputRefused):
        await stage.requester().result(submission)
    stage.blobs.content.clear()
    # published, disputed, drawn, seated, key handed: each by a process of its own
    for state in (TaskState.DISPUTED, TaskState.DRAWN, TaskState.HANDOFF, TaskState.AUDITING):
        again = stage.requester(complain=True)
        while (await stage.dapp.task(task.id)).state is not state:
            assert await again._look(await again.resume(task.id)) is True
    view = await stage.dapp.task(task.id)
    secret = submission.secrets.output_sk
    for seat in view.rounds[-1].seats:
        info = keys.output_wrap_info(view.network, task.id, seat.node, seat.key_epoch)
        assert hpke.open_sealed(stage.at(seat.slot).hpke, seat.wrap, info=info) == secret
    await stage.vote(task.id)
    decided = await stage.dapp.task(task.id)
    assert decided.outcome is Outcome.FORGED
    before = await stage.dapp.balance()
    moved = settlement(decided, Mist(0))
    ended = await stage.requester().settled(task.id)
    assert ended.outcome is Outcome.FORGED
    assert moved.refunded > decided.escrow + decided.bonds.held
    assert abs(await stage.dapp.balance() - before - moved.refunded) < SUI // 10, "all but the gas of settling"
    with pytest.raises(TaskEnded):
        await again.result(submission)


async def test_output_by_keys_of_the_executors_own_is_challenged_into_an_audit(stage: Stage) -> None:
    requester, submission, task = await running(stage, complain=True)
    executor = stage.executor(task)
    from agent.enclave import cbor
    from agent.enclave.padding import pad
    from agent.enclave.sealing import output_info

    leaf_key = b"k" * 32
    salt = keys.salt(submission.secrets.data_key, task.id, executor.node)
    plaintext = pad(cbor.encode({"v": 1, "output": b"output", "salt": salt, "leaf_key": leaf_key}))
    sealed = hpke.seal(task.output_pk, plaintext, info=output_info(task.id, executor.node), ephemeral_ikm=b"e" * 32)
    await executor.commit(task, stage.blobs, output=b"output", leaf_key=leaf_key, sealed=sealed)
    await stage.blobs.put(sealed)
    assert await requester._look(submission) is True
    view = await stage.dapp.task(task.id)
    assert (view.draw.challenged, view.audited) == (True, True)
    assert view.bonds.challenge == PARAMS.auditors * TERMS.auditor_fee + TERMS.reservation_fee


async def test_complaint_of_a_task_that_may_be_audited_by_hand_is_typed(stage: Stage) -> None:
    requester, submission, task = await running(stage)
    await stage.executor(task).commit(task, stage.blobs, output=b"output")
    with pytest.raises(OutputRefused) as refused:
        await requester.dispute_delivery(submission, within_s=20)
    assert refused.value.complaint is Act.CLAIM_UNDELIVERED


async def test_task_that_a_request_paid_for_is_opened_and_posted(stage: Stage) -> None:
    requester = stage.requester()
    price = await requester.quote()
    origin = Address(b"o" * 32)
    create = CreateRequest(Mist(price + 5), Mist(0), stage.dapp.address, origin, Millis(60_000))
    # anybody pays, the dApp is named as the requester
    made = (await stage.admin.submit(create, purpose="request")).event(RequestCreated)
    request = await stage.dapp.request(ObjectId(made.request))
    assert (request.payment, request.requester, request.origin) == (price + 5, stage.dapp.address, origin)
    opened = await requester.open_request(ObjectId(made.request))
    assert opened.paid == price
    submission = await requester.post(opened, "a confidential text")
    view = await stage.dapp.task(submission.task)
    assert (view.origin, view.state) == (origin, TaskState.RUNNING)
    with pytest.raises(NotFound):
        await stage.dapp.request(ObjectId(made.request))


async def test_operators_are_found_by_their_address(stage: Stage) -> None:
    for node in stage.nodes:
        assert await stage.dapp.slot_of(node.chain.address) == node.slot
    assert await stage.dapp.slot_of(stage.dapp.address) is None
    assert await stage.dapp.departed(stage.nodes[0].node) is None


async def test_requester_that_follows_the_chain_needs_no_second_look(stage: Stage) -> None:
    async with stage.requester().following() as requester:
        submission = await requester.submit("a confidential text", denied=(stage.nodes[0].chain.address,), tee_mask=1)
        task = await stage.dapp.task(submission.task)
        assert task.input.denied == (stage.nodes[0].chain.address,)
        sealed = await stage.executor(task).commit(task, stage.blobs, output=b"output")
        await stage.blobs.put(sealed)
        assert (await requester.result(submission, within_s=30)).output == b"output"
