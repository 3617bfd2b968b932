"""Complaints: which one, when, for what, and led to its end."""

from dataclasses import replace

import pytest
from client_world import NETWORK, PARAMS, PRICES, TASK, WINDOW, Enclave, World, look
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from view_examples import plain

from agent.chain.calls import Challenge, ClaimUndelivered, DisputeDelivery, PostOutputKey, SubmitOutput
from agent.chain.errors import AlreadyComplained, InsufficientFunds, TooLate, WrongState
from agent.client.complaints import Fault, remedy
from agent.client.errors import OutputRefused, TaskEnded
from agent.client.publication import next_calls
from agent.enclave import hpke
from agent.enclave.sealing import TaskSecrets
from agent.protocol import keys
from agent.protocol.blob import BLOB_CHUNK, blob_digest
from agent.protocol.commitment import merkle_root
from agent.protocol.lifecycle import Act, Outcome, TaskState
from agent.protocol.records import Delivery, Draw, Round, Verdict
from agent.protocol.states import RoundKind
from agent.protocol.units import NONE, Address, Digest, Millis, Mist

NOTHING = plain(Delivery)


async def running() -> tuple[World, object]:
    world = World(0, 1)
    return world, await world.post()


def uses(world: World) -> list:
    """What was sent after the input."""
    return world.chain.calls[1:]


# --- which complaint helps


@pytest.mark.parametrize(
    ("fault", "delivery", "wanted"),
    [
        (Fault.MISSING, NOTHING, Act.CLAIM_UNDELIVERED),
        (Fault.MISSING, replace(NOTHING, claimed=True), None),
        (Fault.MISSING, replace(NOTHING, published=True), None),
        (Fault.FORGED, NOTHING, Act.SUBMIT_OUTPUT),
        (Fault.FORGED, replace(NOTHING, published=True), Act.DISPUTE_DELIVERY),
        (Fault.FORGED, replace(NOTHING, published=True, disputed=True), None),
        (Fault.MISKEYED, NOTHING, Act.CHALLENGE),
        (Fault.MISKEYED, replace(NOTHING, claimed=True), None),
    ],
)
async def test_remedy_is_what_helps_and_is_allowed(fault: Fault, delivery: Delivery, wanted: Act | None) -> None:
    world, _ = await running()
    world.commit()
    view = replace(world.view, delivery=delivery)
    assert remedy(view, fault, Millis(view.deadline - 1)) is wanted
    assert remedy(view, fault, view.deadline) is None


async def test_while_an_audit_is_due_there_is_nothing_to_complain_of() -> None:
    world, _ = await running()
    world.commit()
    view = replace(world.view, draw=plain(Draw, audited=True))
    assert [remedy(view, fault, Millis(view.deadline - 1)) for fault in Fault] == [None, None, None]
    upheld = replace(view, verdict=Verdict(Digest(b"r" * 32), True), outcome=Outcome.UPHELD)
    assert remedy(upheld, Fault.FORGED, Millis(view.deadline - 1)) is Act.SUBMIT_OUTPUT
    assert remedy(upheld, Fault.MISKEYED, Millis(view.deadline - 1)) is None, "it was audited"


# --- nothing delivered


async def test_what_is_not_delivered_is_claimed_when_half_of_the_window_is_over() -> None:
    world, submission = await running()
    world.commit()
    requester = world.requester(complain=True)
    world.seconds(4.9)
    assert await look(requester, submission) is None
    assert uses(world) == []
    world.seconds(0.1)
    await look(requester, submission)
    assert uses(world) == [ClaimUndelivered(TASK, Mist(64 * PARAMS.bounty))]


async def test_nothing_is_claimed_that_was_not_asked_to() -> None:
    world, submission = await running()
    world.commit()
    world.seconds(9)
    assert await look(world.requester(), submission) is None
    assert uses(world) == []


async def test_blob_that_comes_late_but_in_time_is_not_claimed() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit())
    world.seconds(9)
    assert (await look(world.requester(complain=True), submission)).output == b"the output"
    assert uses(world) == []


# --- forged


async def test_forged_output_is_put_on_chain_then_disputed() -> None:
    world, submission = await running()
    sealed = world.forge(b"f" * 30_000)
    await world.blobs.put(sealed)
    requester = world.requester(complain=True)
    await look(requester, submission)
    chunks = uses(world)
    assert all(isinstance(call, SubmitOutput) for call in chunks)
    assert b"".join(call.head + call.tail for call in chunks) == sealed
    world.view = replace(world.view, delivery=plain(Delivery, published=True))
    world.chain.submissions.clear()
    await look(requester, submission)
    assert world.chain.calls == [DisputeDelivery(TASK, PARAMS.delivery_bond)]


async def test_forged_output_that_the_store_loses_is_disputed_by_the_next_process_all_the_same() -> None:
    world, submission = await running()
    sealed = world.forge()
    await world.blobs.put(sealed)
    with pytest.raises(OutputRefused):
        await look(world.requester(), submission)
    world.blobs.content.clear()
    again = world.requester(complain=True)
    await look(again, await again.resume(TASK))
    (call,) = uses(world)
    assert call.head + call.tail == sealed


async def test_dispute_that_convicts_ends_the_task() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())
    world.view = replace(world.view, state=TaskState.DECIDED, outcome=Outcome.FORGED, delivery=plain(Delivery, published=True, disputed=True))
    with pytest.raises(TaskEnded) as ended:
        await look(world.requester(complain=True), submission)
    assert ended.value.outcome is Outcome.FORGED


async def test_dispute_that_failed_leaves_no_result() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())
    world.view = replace(world.view, state=TaskState.SETTLED, outcome=Outcome.ACCEPTED, delivery=plain(Delivery, published=True, disputed=True))
    with pytest.raises(OutputRefused, match="the task has ended"):
        await look(world.requester(complain=True), submission)


async def test_task_of_another_wallet_is_not_complained_of() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())
    world.view = replace(world.view, requester=Address(b"o" * 32))
    with pytest.raises(OutputRefused):
        await look(world.requester(complain=True), submission)
    assert uses(world) == []


@pytest.mark.parametrize("error", [WrongState("task", 2), TooLate("task", 3), AlreadyComplained("delivery", 1)])
async def test_complaint_that_was_overtaken_is_looked_at_again(error: Exception) -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())

    def refuse(call) -> None:
        raise error

    world.before = refuse
    assert await look(world.requester(complain=True), submission) is None


async def test_wallet_that_cannot_pay_the_bond_says_so() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())

    def refuse(call) -> None:
        raise InsufficientFunds("0x1", 2, 1)

    world.before = refuse
    with pytest.raises(InsufficientFunds):
        await look(world.requester(complain=True), submission)


# --- miskeyed


async def test_output_by_keys_of_the_executors_own_is_challenged() -> None:
    world, submission = await running()
    await world.blobs.put(world.commit(leaf_key=b"k" * 32))
    await look(world.requester(complain=True), submission)
    assert uses(world) == [Challenge(TASK, Mist(PARAMS.auditors * PRICES.auditor_fee + PRICES.reservation_fee))]


# --- the key for the arbiters


def disputed(world: World) -> None:
    arbiters = (Enclave(5), Enclave(6))
    seated = plain(Round, kind=RoundKind.DELIVERY, seats=tuple(each.seat(votes=1) for each in arbiters), handed_by=NONE)
    delivery = plain(Delivery, published=True, disputed=True)
    deadline = Millis(world.chain.clock + WINDOW)
    world.view = replace(world.view, state=TaskState.HANDOFF, deadline=deadline, rounds=(seated,), delivery=delivery)


def opened(call: PostOutputKey, place: int, arbiter: Enclave) -> bytes:
    info = keys.output_wrap_info(NETWORK, TASK, arbiter.node, arbiter.epoch)
    return hpke.open_sealed(arbiter.hpke, call.wraps[place], info=info)


async def test_arbiters_get_the_secret_of_the_output_key_each_by_its_own_wrap() -> None:
    world, submission = await running()
    world.forge()
    disputed(world)
    await look(world.requester(complain=True), submission)
    (call,) = uses(world)
    assert isinstance(call, PostOutputKey)
    for place, arbiter in enumerate((Enclave(5), Enclave(6))):
        secret = opened(call, place, arbiter)
        assert X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() == world.view.output_pk


async def test_process_that_only_waits_for_the_settlement_leads_the_dispute_too() -> None:
    world, _ = await running()
    world.forge()
    disputed(world)

    def settle(call) -> None:
        if isinstance(call, PostOutputKey):
            world.view = replace(world.view, state=TaskState.SETTLED, outcome=Outcome.FORGED)

    world.before = settle
    requester = world.requester()
    requester._feed.changed = lambda *_: _at_once()  # type: ignore[method-assign]
    ended = await requester.settled(TASK, within_s=5)
    assert ended.outcome is Outcome.FORGED
    assert world.sent[-1] == "PostOutputKey"


async def _at_once() -> None:
    return


async def test_after_the_deadline_no_key_is_given_away() -> None:
    world, submission = await running()
    world.forge()
    disputed(world)
    world.seconds(WINDOW / 1_000)
    await look(world.requester(complain=True), submission)
    assert not any(isinstance(call, PostOutputKey) for call in uses(world))


async def test_key_is_for_arbiters_of_the_delivery_only() -> None:
    world, submission = await running()
    world.forge()
    disputed(world)
    world.view = replace(world.view, rounds=(replace(world.view.rounds[0], kind=RoundKind.AUDIT),), delivery=NOTHING)
    await look(world.requester(complain=True), submission)
    assert uses(world) == []


# --- by hand


async def test_complaints_can_be_made_by_hand() -> None:
    world, _ = await running()
    world.commit()
    await world.requester().challenge(TASK)
    await world.requester().claim_undelivered(TASK)
    assert [type(call) for call in uses(world)] == [Challenge, ClaimUndelivered]


async def test_dispute_by_hand_publishes_what_nobody_has_published() -> None:
    world, submission = await running()
    await world.blobs.put(world.forge())

    def happen(call) -> None:
        if isinstance(call, SubmitOutput) and call.last:
            world.view = replace(world.view, delivery=plain(Delivery, published=True))
        elif isinstance(call, DisputeDelivery):
            world.view = replace(world.view, state=TaskState.DISPUTED, delivery=plain(Delivery, published=True, disputed=True))

    world.before = happen
    await world.requester().dispute_delivery(submission, within_s=5)
    assert [type(call) for call in uses(world)] == [SubmitOutput, DisputeDelivery]


async def test_nothing_can_be_disputed_that_is_nowhere() -> None:
    world, submission = await running()
    world.forge()
    with pytest.raises(OutputRefused) as refused:
        await world.requester().dispute_delivery(submission, within_s=5)
    assert refused.value.complaint is Act.CLAIM_UNDELIVERED


# --- chunks


SEALED = bytes(range(251)) * 700
CHUNKS = [SEALED[at : at + BLOB_CHUNK] for at in range(0, len(SEALED), BLOB_CHUNK)]


def leaves_of(calls) -> list[Digest]:
    from agent.protocol.blob import blob_leaf

    return [blob_leaf(call.index, call.head + call.tail) for call in calls]


def test_output_goes_up_in_transactions_that_the_chain_takes() -> None:
    leaves: list[Digest] = []
    transactions = []
    while len(leaves) < len(CHUNKS):
        calls = next_calls(TASK, SEALED, leaves)
        transactions.append(calls)
        leaves += leaves_of(calls)
    assert merkle_root(leaves) == blob_digest(SEALED)
    assert [call.last for calls in transactions for call in calls] == [False] * (len(CHUNKS) - 1) + [True]
    assert all(sum(len(call.head + call.tail) for call in calls) < 110_000 for calls in transactions)
    assert all(len(part) <= 16_380 for calls in transactions for call in calls for part in (call.head, call.tail))


def test_chunks_that_are_up_are_not_sent_again_wrong_ones_are() -> None:
    good = leaves_of(next_calls(TASK, SEALED, []))
    assert next_calls(TASK, SEALED, good[:4])[0].index == 4
    assert next_calls(TASK, SEALED, [*good[:2], Digest(b"w" * 32), good[3]])[0].index == 2


def test_last_chunk_is_sent_even_if_it_seems_to_be_up() -> None:
    small = b"one chunk"
    (call,) = next_calls(TASK, small, [])
    assert next_calls(TASK, small, leaves_of([call])) == (call,)


def test_secrets_do_not_show_in_a_repr() -> None:
    secrets = TaskSecrets(b"d" * 32, b"o" * 32)
    assert "dddd" not in repr(secrets)
    assert "oooo" not in repr(secrets)
