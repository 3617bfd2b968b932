"""Auditors open the executor's commitment, agree where it is honest, and vote BAD_WRAP where nobody could have been."""

from dataclasses import replace

import pytest
from enclave_world import TASK, Node, Posted, audit_order, bound_node, changed, node, post, signed, ticket_for

from agent.enclave.agreement import BAD_WRAP, NO_SALT
from agent.enclave.errors import ConflictingOrder, WrongOrder
from agent.enclave.handoff import wrap
from agent.enclave.orders import Audited, Executed
from agent.enclave.sealing import TaskSecrets
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment
from agent.protocol.units import Digest

TEXT = "trust, but verify"


async def committed(executor: Node) -> tuple[Posted, Executed]:
    posted = post(executor, TEXT)
    answer = await executor.client.execute(posted.order, posted.blob)
    assert isinstance(answer, Executed)
    return posted, answer


async def audited(executor: Node, auditor: Node) -> tuple[Posted, Executed, Audited]:
    posted, answer = await committed(executor)
    ticket = ticket_for(posted, auditor)
    handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    order = audit_order(posted, auditor, answer.statement.commitment)
    return posted, answer, await auditor.client.audit(order, posted.blob, handed.wraps[0])


async def test_auditor_opens_the_executors_commitment(executor: Node, auditor: Node) -> None:
    _, answer, vote = await audited(executor, auditor)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) == answer.statement.commitment


async def test_the_vote_binds_both_salts_and_the_auditor(executor: Node, auditor: Node) -> None:
    _, _, vote = await audited(executor, auditor)
    auditor.verify(vote.signature, vote.statement.signing_bytes())
    assert vote.statement.commitment == commitment(TASK, auditor.id, vote.root, vote.salt + vote.executor_salt)


async def test_a_lying_executors_root_is_not_found(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    lie = commitment(TASK, executor.id, Digest(b"\x11" * 32), keys.salt(posted.secrets.data_key, TASK, executor.id))
    good = wrap(posted.secrets.data_key, posted.order.network, TASK, auditor.seat())
    vote = await auditor.client.audit(audit_order(posted, auditor, lie), posted.blob, good)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) != lie
    assert vote.root != BAD_WRAP


async def bad_wrap_vote(posted: Posted, auditor: Node, wrapped: bytes) -> Audited:
    return await auditor.client.audit(audit_order(posted, auditor, Digest(b"\x00" * 32)), posted.blob, wrapped)


async def test_a_wrap_that_does_not_open_is_a_vote(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    for_another = wrap(posted.secrets.data_key, posted.order.network, TASK, replace(auditor.seat(), node=node("z")))
    vote = await bad_wrap_vote(posted, auditor, for_another)
    assert (vote.root, vote.salt, vote.executor_salt) == (BAD_WRAP, NO_SALT, NO_SALT)
    assert vote.statement.commitment == commitment(TASK, auditor.id, BAD_WRAP, NO_SALT + NO_SALT)


async def test_a_wrap_of_another_key_is_a_vote(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    other = wrap(TaskSecrets.generate().data_key, posted.order.network, TASK, auditor.seat())
    assert (await bad_wrap_vote(posted, auditor, other)).root == BAD_WRAP


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 80, b"\xff" * 81])
async def test_garbage_instead_of_a_wrap_is_a_vote(executor: Node, auditor: Node, garbage: bytes) -> None:
    posted, _ = await committed(executor)
    assert (await bad_wrap_vote(posted, auditor, garbage)).root == BAD_WRAP


async def test_an_input_that_no_honest_executor_ran_is_a_vote(executor: Node, auditor: Node) -> None:
    """The executor's enclave is broken: it committed to an input whose header names another mask."""
    posted, _ = await committed(executor)
    good = wrap(posted.secrets.data_key, posted.order.network, TASK, auditor.seat())
    order = audit_order(replace(posted, order=changed(posted, tee_mask=0b11)), auditor, Digest(b"\x00" * 32))
    assert (await auditor.client.audit(order, posted.blob, good)).root == BAD_WRAP


async def test_a_blob_that_is_not_the_tasks_is_no_vote(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    with pytest.raises(WrongOrder):
        await auditor.client.audit(order, b"something else", b"")


@pytest.mark.parametrize("field", ["node", "key_epoch", "round"])
async def test_an_audit_for_another_seat_is_refused(executor: Node, auditor: Node, field: str) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    wrong = replace(order, **{field: {"node": node("z"), "key_epoch": 2, "round": 4}[field]})
    with pytest.raises(WrongOrder):
        await auditor.client.audit(wrong, posted.blob, b"")


async def test_nobody_audits_itself(executor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, executor, answer.statement.commitment)
    with pytest.raises(WrongOrder):
        await executor.client.audit(order, posted.blob, b"")


async def test_one_vote_a_round_stands(executor: Node, auditor: Node) -> None:
    posted, answer, first = await audited(executor, auditor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    good = wrap(posted.secrets.data_key, posted.order.network, TASK, auditor.seat())
    assert await auditor.client.audit(order, posted.blob, good) == first
    with pytest.raises(ConflictingOrder):
        await auditor.client.audit(order, posted.blob, b"")


async def test_a_restarted_auditor_votes_the_same(executor: Node) -> None:
    auditor = await bound_node("a")
    posted, answer, first = await audited(executor, auditor)
    state = await auditor.client.seal_state()
    await auditor.client.close()
    again = await bound_node("a", state=state)
    order = audit_order(posted, again, answer.statement.commitment)
    good = wrap(posted.secrets.data_key, posted.order.network, TASK, again.seat())
    assert await again.client.audit(order, posted.blob, good) == first
    assert blob_digest(posted.blob) == first.statement.input_digest
    await again.client.close()
