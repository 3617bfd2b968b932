"""From an open task to a posted input: whom it is sealed for, and what is kept of it."""

from dataclasses import replace

import pytest
from client_world import NETWORK, PARAMS, PRICES, TASK, Enclave, World, some

from agent.chain.calls import AssignAndPostInput, OpenTask, RejectExecutor
from agent.chain.errors import PoolBusy, WrongExecutor
from agent.chain.port import Receipt, TxDigest
from agent.client.errors import EvidenceUnavailable, NoExecutor, QuoteTooHigh
from agent.client.posting import MAX_FETCHES
from agent.client.requester import Opened
from agent.delivery.errors import StoreFull, StoreUnreachable
from agent.protocol.deterrence import quote
from agent.protocol.errors import ValueTooHigh
from agent.protocol.events import TaskOpened
from agent.protocol.lifecycle import TaskState
from agent.protocol.units import Address, BlobId, Mist, ObjectId, Slot

NOBODY = Address(bytes(32))


def opening(world: World):
    def happen(calls) -> Receipt:
        event = TaskOpened(TASK, NETWORK, NOBODY, NOBODY, NOBODY, ObjectId(bytes(32)), (Slot(0),), Mist(0), 0, Mist(103), world.view.deadline)
        return Receipt(TxDigest("opened"), 1, (event,), (), Mist(0))

    return happen


async def test_input_is_sealed_for_the_candidate_whose_turn_it_is() -> None:
    world = World(0, 1)
    submission = await world.post("hello")
    assert (submission.node, submission.slot) == (Enclave(0).node, 0)
    _, opened = Enclave(0).opens(world.blobs.content[world.view.input_digest])
    assert opened.text == "hello"


async def test_plaintext_is_in_no_blob_no_call_and_no_repr() -> None:
    world = World(0)
    submission = await world.post("a secret that nobody sees")
    assert world.blobs.content
    assert not any(b"a secret" in blob for blob in world.blobs.content.values())
    assert "a secret" not in repr((world.chain.submissions, submission, world.store.entries))


async def test_evidence_is_judged_before_anything_is_sealed() -> None:
    world = World(0)

    def nothing_yet() -> None:
        assert (world.blobs.content, world.store.entries[TASK].attempts, world.sent) == ({}, (), [])

    world.judge.on_ask = nothing_yet
    await world.post()
    assert world.judge.asked == [0]


async def test_candidate_whose_evidence_is_refused_is_rejected_for_the_fee() -> None:
    world = World(0, 1, bad=(0,))
    submission = await world.post()
    assert world.chain.calls[0] == RejectExecutor(TASK, Enclave(0).node, PRICES.reservation_fee)
    assert submission.slot == 1


async def test_view_from_before_a_rejection_does_not_have_the_next_candidate_rejected() -> None:
    world = World(0, 1, bad=(0,))
    stale = [world.view] * 3
    task = world.chain.task

    async def lagging(task_id):
        rejected = world.sent.count("RejectExecutor")
        return stale.pop() if rejected and stale else await task(task_id)

    world.chain.task = lagging  # type: ignore[method-assign]
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    assert (await requester.post(Opened(TASK, Mist(103)), "text")).slot == 1
    assert world.sent.count("RejectExecutor") == 1


@pytest.mark.parametrize("failures", [MAX_FETCHES - 1, MAX_FETCHES])
async def test_candidate_is_not_rejected_because_the_store_of_its_evidence_does_not_answer(failures: int) -> None:
    world = World(0, 1)
    waits: list[float] = []
    left = [StoreUnreachable(BlobId(some("evidence")), "no route")] * failures

    def down() -> None:
        if left:
            raise left.pop()

    async def changed(_, within_s: float) -> None:
        waits.append(within_s)

    world.judge.on_ask = down
    requester = world.requester()
    requester._feed.changed = changed  # type: ignore[method-assign]
    if failures == MAX_FETCHES:
        with pytest.raises(EvidenceUnavailable, match="no route"):
            await requester.post(Opened(TASK, Mist(103)), "text")
    else:
        assert (await requester.post(Opened(TASK, Mist(103)), "text")).slot == 0
    assert "RejectExecutor" not in world.sent
    assert waits == [1, 2, 4, 8]


async def _at_once() -> None:
    return


async def test_candidate_that_became_ineligible_meanwhile_is_not_sealed_for_again() -> None:
    world = World(0, 1)

    def full(call) -> None:
        if isinstance(call, AssignAndPostInput) and call.node == Enclave(0).node:
            world.chain.views.members[Slot(0)] = replace(Enclave(0).member(), locked=Mist(10**9))
            raise WrongExecutor("task", 8)

    world.before = full
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    assert (await requester.post(Opened(TASK, Mist(103)), "text")).slot == 1


async def test_candidate_that_changed_its_keys_meanwhile_is_judged_and_sealed_for_anew() -> None:
    world = World(0)
    newer = Enclave(0, epoch=2)

    def rotate(call) -> None:
        if isinstance(call, AssignAndPostInput) and call.key_epoch == 1:
            world.enclaves[0] = newer
            world.chain.views.members[Slot(0)] = newer.member()
            raise WrongExecutor("task", 8)

    world.before = rotate
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    submission = await requester.post(Opened(TASK, Mist(103)), "text")
    first, second = (call for call in world.chain.calls if isinstance(call, AssignAndPostInput))
    assert world.judge.asked == [0, 0]
    assert (second.key_epoch, submission.sign_pk) == (2, newer.record().sign_pk)
    # the enclave that did not get the task must not hold the key of what another runs
    assert first.key_commitment != second.key_commitment
    assert first.output_pk != second.output_pk
    assert newer.opens(world.blobs.content[second.input_digest])[1].text == "text"


async def test_pool_that_is_full_of_tasks_is_waited_for_with_the_same_seal() -> None:
    world = World(0)
    busy = [PoolBusy("pool", 11)] * 3

    def refuse(call) -> None:
        if busy:
            raise busy.pop()

    world.before = refuse
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    await requester.post(Opened(TASK, Mist(103)), "text")
    assert len(world.chain.calls) == 4
    assert len({call.input_digest for call in world.chain.calls}) == 1


async def test_candidates_that_keep_changing_are_given_up() -> None:
    world = World(0)

    def never(call) -> None:
        raise WrongExecutor("task", 8)

    world.before = never
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    with pytest.raises(NoExecutor, match="changed 16 times"):
        await requester.post(Opened(TASK, Mist(103)), "text")


async def test_without_a_candidate_nothing_is_sent() -> None:
    world = World()
    with pytest.raises(NoExecutor):
        await world.post()
    assert world.sent == []


async def test_candidate_under_a_policy_that_ended_is_passed_over() -> None:
    world = World(0, 1)
    other = replace(Enclave(0).record(), policy=some("an older policy"))
    world.chain.views.members[Slot(0)] = replace(Enclave(0).member(), attestation=other)
    assert (await world.post()).slot == 1


async def test_restrictions_of_the_audit_are_on_chain_and_inside_the_seal() -> None:
    world = World(0)
    denied = (Address(some("a rival")),)
    await world.post(tee_mask=6, denied=denied)
    (call,) = world.chain.calls
    _, opened = Enclave(0).opens(world.blobs.content[world.view.input_digest])
    assert (call.tee_mask, call.denied) == (6, denied)
    assert (opened.header.tee_mask, opened.header.denied) == (6, denied)


async def test_secrets_are_kept_before_the_input_is_posted() -> None:
    world = World(0)

    def kept(call) -> None:
        assert world.store.entries[TASK].posted(call.input_digest) is not None

    world.before = kept
    await world.post()
    assert world.sent == ["AssignAndPostInput"]


async def test_text_is_forgotten_once_it_is_posted() -> None:
    world = World(0)
    await world.post()
    entry = world.store.entries[TASK]
    assert (entry.text, len(entry.attempts)) == (None, 1)


async def test_input_that_no_store_keeps_is_not_posted() -> None:
    world = World(0)

    async def full(blob, content) -> None:
        raise StoreFull(blob, "full")

    world.blobs.write = full  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        await world.post()
    assert world.sent == []


async def test_task_that_is_over_says_so() -> None:
    world = World(0)
    world.view = replace(world.view, state=TaskState.DECIDED)
    with pytest.raises(NoExecutor, match="DECIDED without an input of ours"):
        await world.post()


async def test_payment_is_the_quote_for_the_value() -> None:
    world = World(0)
    world.chain.views.network = replace(world.chain.views.network, params=replace(PARAMS, executor_lock=Mist(10**6), cost_bps=5_000))
    params = world.chain.views.network.params
    world.chain.on_submit = opening(world)
    opened = await world.requester().open(value=Mist(500))
    price = quote(params, PRICES, Mist(500))
    assert price > quote(params, PRICES, Mist(0))
    assert world.chain.calls == [OpenTask(price, Mist(500))]
    assert opened == Opened(TASK, Mist(103))


async def test_quote_above_the_limit_is_not_paid() -> None:
    world = World(0)
    price = await world.requester().quote()
    with pytest.raises(QuoteTooHigh) as refused:
        await world.requester().open(at_most=Mist(price - 1))
    assert (refused.value.quote, world.sent) == (price, [])


async def test_value_that_nothing_deters_is_refused_before_it_costs() -> None:
    world = World(0)
    with pytest.raises(ValueTooHigh):
        await world.requester().open(value=Mist(2**63))
    assert world.sent == []


async def test_task_that_another_opened_out_of_our_request_can_be_adopted() -> None:
    world = World(0)
    opened = await world.requester().adopt(TASK)
    submission = await world.requester().post(opened, "text")
    assert (opened.paid, submission.paid) == (103, 103)

