"""Arbiters of a delivery open what was published, and find a forgery, a false complaint, or nothing [C4]."""

from dataclasses import replace
from typing import Any

import pytest
from enclave_world import (
    NETWORK,
    TASK,
    Node,
    Posted,
    audit_order,
    bound_node,
    changed,
    committed,
    delivery_order,
    node,
    output_wraps,
    restarted,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enclave import cbor, hpke
from agent.enclave.arbitration import vote_on_delivery
from agent.enclave.errors import ConflictingOrder, WrongOrder
from agent.enclave.handoff import wrap
from agent.enclave.orders import Audited, DeliveryOrder, Executed, ExecuteOrder
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.padding import pad
from agent.enclave.sealing import LARGEST_OUTPUT, TaskSecrets, output_info, seal_output
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.statements import BAD_KEY, FORGED, NO_SALT
from agent.protocol.units import Digest, Millis


@pytest.fixture
async def arbiter(auditor: Node) -> Node:
    return auditor


async def vote_on(posted: Posted, answer: Executed, arbiter: Node, sealed: bytes, **changes: object) -> Audited:
    """The vote where `sealed` is what was published."""
    order = delivery_order(posted, answer, arbiter, **({"sealed_output_digest": blob_digest(sealed)} | changes))
    return await arbiter.client.arbitrate(order, sealed)


async def test_an_honest_delivery_agrees_with_the_commitment(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    vote = await vote_on(posted, answer, arbiter, answer.sealed_output)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) == answer.statement.commitment
    arbiter.verify(vote.signature, vote.statement.signing_bytes())


async def test_the_vote_is_blinded_by_what_the_requester_handed_over(executor: Node, arbiter: Node) -> None:
    """An arbiter has no data key."""
    posted, answer = await committed(executor)
    vote = await vote_on(posted, answer, arbiter, answer.sealed_output)
    assert vote.salt == keys.arbiter_salt(posted.secrets.output_sk, TASK, arbiter.id)
    assert vote.statement.commitment == commitment(TASK, arbiter.id, vote.root, vote.salt + vote.executor_salt)
    assert (vote.statement.round, vote.statement.input_digest) == (4, posted.order.input_digest)


async def test_an_arbiter_and_an_auditor_find_the_same_root(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    other = await bound_node("b")
    judged = await other.client.audit(audit_order(posted, other, answer.statement.commitment), posted.blob)
    vote = await vote_on(posted, answer, arbiter, answer.sealed_output)
    assert (vote.root, vote.executor_salt) == (judged.root, judged.executor_salt)
    await other.client.close()


def spoilt(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


async def test_an_output_that_does_not_open_is_forged(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    vote = await vote_on(posted, answer, arbiter, spoilt(answer.sealed_output))
    assert (vote.root, vote.executor_salt) == (FORGED, NO_SALT)
    assert vote.salt == keys.arbiter_salt(posted.secrets.output_sk, TASK, arbiter.id)


@pytest.mark.parametrize("sealed", [b"", b"x" * 47, b"x" * 4096])
async def test_bytes_that_are_no_sealed_output_are_forged(executor: Node, arbiter: Node, sealed: bytes) -> None:
    posted, answer = await committed(executor)
    assert (await vote_on(posted, answer, arbiter, sealed)).root == FORGED


async def test_another_output_than_the_committed_one_is_forged(executor: Node, arbiter: Node) -> None:
    """The C4 forgery: the right commitment on chain, sealed and signed bytes that hold something else."""
    posted, answer = await committed(executor)
    other = seal_output(b"something else", posted.secrets.data_key, posted.secrets.output_pk, TASK, executor.id)
    assert (await vote_on(posted, answer, arbiter, other)).root == FORGED


async def test_an_output_sealed_for_another_task_or_node_is_forged(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    output = posted.open(answer.statement, answer.sealed_output).output
    other = seal_output(output, posted.secrets.data_key, posted.secrets.output_pk, TASK, node("y"))
    assert (await vote_on(posted, answer, arbiter, other)).root == FORGED


CONTENT: dict[str, Any] = {"v": 1, "output": b"yes", "salt": b"s" * 32, "leaf_key": b"k" * 32}


@pytest.mark.parametrize(
    "content",
    [
        {**CONTENT, "v": 2},
        {**CONTENT, "more": 1},
        {**CONTENT, "salt": b"s" * 33},
        {**CONTENT, "leaf_key": b"k" * 31},
        {**CONTENT, "output": "yes"},
        {"v": 1, "output": b"yes", "salt": b"s" * 32},
        [1, 2],
    ],
    ids=str,
)
async def test_an_output_of_another_shape_is_forged(executor: Node, arbiter: Node, content: Any) -> None:
    posted, answer = await committed(executor)
    info = output_info(TASK, executor.id)
    sealed = hpke.seal(posted.secrets.output_pk, pad(cbor.encode(content), LARGEST_OUTPUT), info=info, ephemeral_ikm=b"e" * 32)
    claimed = answer.statement.commitment
    if isinstance(content, dict) and isinstance(content["output"], bytes) and "leaf_key" in content:
        # even where the executor committed to just this
        claimed = commitment(TASK, executor.id, output_root(content["leaf_key"], TASK, content["output"]), content["salt"])
    assert (await vote_on(posted, answer, arbiter, sealed, commitment=claimed)).root == FORGED


async def test_an_output_that_is_not_padded_to_its_class_is_forged(executor: Node, arbiter: Node) -> None:
    """Its length would tell the length of the answer."""
    posted, answer = await committed(executor)
    info = output_info(TASK, executor.id)
    sealed = hpke.seal(posted.secrets.output_pk, cbor.encode(CONTENT), info=info, ephemeral_ikm=b"e" * 32)
    assert (await vote_on(posted, answer, arbiter, sealed)).root == FORGED


async def test_a_wrap_that_does_not_open_is_a_bad_key(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    (good,) = output_wraps(posted.secrets.output_sk, arbiter.seat())
    for false in (b"", bytes(80), wrap(posted.secrets.output_sk, NETWORK, TASK, arbiter.seat())):
        other = await bound_node("a")
        mine = replace(good, hpke_pk=other.identity.hpke_pk, octets=false)
        vote = await vote_on(posted, answer, other, answer.sealed_output, wraps=(mine,))
        assert (vote.root, vote.executor_salt) == (BAD_KEY, NO_SALT)
        await other.client.close()


async def test_the_secret_of_another_key_is_a_bad_key(executor: Node, arbiter: Node) -> None:
    """The requester has the output opened with a key of another, to have an honest delivery called a forgery."""
    posted, answer = await committed(executor)
    other = output_wraps(TaskSecrets.generate().output_sk, arbiter.seat())
    assert (await vote_on(posted, answer, arbiter, answer.sealed_output, wraps=other)).root == BAD_KEY


async def test_a_false_wrap_for_another_arbiter_is_seen_by_all(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    mine, others = output_wraps(posted.secrets.output_sk, arbiter.seat(), replace(arbiter.seat(), node=node("b")))
    vote = await vote_on(posted, answer, arbiter, answer.sealed_output, wraps=(mine, replace(others, octets=mine.octets)))
    assert vote.root == BAD_KEY


async def test_another_spelling_of_the_same_secret_is_seen_by_all(executor: Node, arbiter: Node) -> None:
    """X25519 ignores five bits: two spellings have one public key, but not one salt."""
    posted, answer = await committed(executor)
    sk = posted.secrets.output_sk
    respelt = bytes([sk[0] ^ 1]) + sk[1:]
    assert TaskSecrets(bytes(32), respelt).output_pk == posted.secrets.output_pk
    (mine,) = output_wraps(respelt, arbiter.seat())
    (others,) = output_wraps(sk, replace(arbiter.seat(), node=node("b")))
    assert (await vote_on(posted, answer, arbiter, answer.sealed_output, wraps=(mine, others))).root == BAD_KEY


async def test_no_output_key_is_owed_to_a_seat_with_a_broken_key(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    handed = output_wraps(posted.secrets.output_sk, arbiter.seat(), replace(arbiter.seat(), node=node("b"), hpke_pk=bytes(32)))
    assert handed[1].octets == bytes(80)
    vote = await vote_on(posted, answer, arbiter, answer.sealed_output, wraps=handed)
    assert vote.root not in (BAD_KEY, FORGED)


async def test_an_output_wrap_is_no_data_key_wrap(executor: Node, arbiter: Node) -> None:
    """Each opens for its own purpose only, though both are made for one seat."""
    posted, _ = await committed(executor)
    (output,) = output_wraps(posted.secrets.data_key, arbiter.seat())
    assert output.octets != wrap(posted.secrets.data_key, NETWORK, TASK, arbiter.seat())


async def test_bytes_that_are_not_the_published_ones_are_no_vote(executor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    with pytest.raises(WrongOrder):
        await arbiter.client.arbitrate(delivery_order(posted, answer, arbiter), spoilt(answer.sealed_output))


ELSEWHERE: list[dict[str, Any]] = [{"node": node("z")}, {"key_epoch": 2}, {"round": 3}, {"round": 6}, {"wraps": ()}]


@pytest.mark.parametrize("change", ELSEWHERE, ids=str)
async def test_a_dispute_of_another_seat_is_refused(executor: Node, arbiter: Node, change: dict[str, Any]) -> None:
    posted, answer = await committed(executor)
    with pytest.raises(WrongOrder):
        await arbiter.client.arbitrate(delivery_order(posted, answer, arbiter, **change), answer.sealed_output)


async def test_nobody_arbitrates_its_own_delivery(executor: Node) -> None:
    posted, answer = await committed(executor)
    with pytest.raises(WrongOrder):
        await executor.client.arbitrate(delivery_order(posted, answer, executor), answer.sealed_output)
    as_another = replace(posted, order=changed(posted, node=node("y")))
    with pytest.raises(ConflictingOrder):
        await executor.client.arbitrate(delivery_order(as_another, answer, executor), answer.sealed_output)


async def test_one_vote_a_round_stands_and_after_a_restart_too(executor: Node) -> None:
    arbiter = await bound_node("a")
    posted, answer = await committed(executor)
    first = await vote_on(posted, answer, arbiter, answer.sealed_output)
    again = await restarted(arbiter)
    assert await vote_on(posted, answer, again, answer.sealed_output) == first
    with pytest.raises(ConflictingOrder):
        await vote_on(posted, answer, again, spoilt(answer.sealed_output))
    second_round = await vote_on(posted, answer, again, answer.sealed_output, round=5)
    assert second_round.root == first.root
    await again.client.close()


SECRETS = TaskSecrets(b"\x05" * 32, b"\x06" * 32)
OWN = EnclaveKeys.restored(b"\x07" * 32, b"\x08" * 32, b"\x09" * 32)
EXECUTOR, ARBITER = node("x"), node("a")


def order_for(output: bytes, sealed: bytes) -> DeliveryOrder:
    root = output_root(keys.leaf_key(SECRETS.data_key, TASK), TASK, output)
    posted = commitment(TASK, EXECUTOR, root, keys.salt(SECRETS.data_key, TASK, EXECUTOR))
    task = ExecuteOrder(NETWORK, TASK, EXECUTOR, 1, blob_digest(b""), Digest(bytes(32)), SECRETS.output_pk, 1, (), Millis(1))
    seat = delivery_seat()
    return DeliveryOrder(task, ARBITER, 1, 4, posted, blob_digest(sealed), output_wraps(SECRETS.output_sk, seat))


def delivery_seat() -> Any:
    from agent.enclave.sealing import Recipient

    return Recipient(ARBITER, 1, OWN.hpke_pk)


@given(st.binary(max_size=5000))
@settings(max_examples=40)
def test_what_an_honest_enclave_sealed_is_never_called_forged(output: bytes) -> None:
    sealed = seal_output(output, SECRETS.data_key, SECRETS.output_pk, TASK, EXECUTOR)
    ballot = vote_on_delivery(order_for(output, sealed), sealed, OWN)
    assert commitment(TASK, EXECUTOR, ballot.root, ballot.executor_salt) == order_for(output, sealed).commitment


@given(st.binary(max_size=300), st.data())
@settings(max_examples=60)
def test_whatever_else_was_published_is_forged(output: bytes, data: st.DataObject) -> None:
    """Also where a broken executor can seal any plaintext at all to the requester."""
    sealed = seal_output(output, SECRETS.data_key, SECRETS.output_pk, TASK, EXECUTOR)
    plaintext = data.draw(st.binary(max_size=300) | st.binary(max_size=300).map(pad))
    forged = data.draw(
        st.just(hpke.seal(SECRETS.output_pk, plaintext, info=output_info(TASK, EXECUTOR), ephemeral_ikm=b"e" * 32))
        | st.integers(0, len(sealed) - 1).map(lambda at: sealed[:at] + bytes([sealed[at] ^ 0x80]) + sealed[at + 1 :])
    )
    ballot = vote_on_delivery(order_for(output, forged), forged, OWN)
    assert (ballot.root, ballot.executor_salt) == (FORGED, NO_SALT)
