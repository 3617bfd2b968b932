"""Real enclave processes that die, are starved of sense, or are restarted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from enclave_world import Node, audit_order, bound_node, committed, delivery_order, post, signed, ticket_for

from agent.enclave.channel import SeqpacketChannel
from agent.enclave.errors import EnclaveDead
from agent.enclave.frames import MAX_MESSAGE
from agent.enclave.launcher import EnclaveProcess, ProcessLauncher
from agent.enclave.orders import PostedWrap

LAUNCHER = ProcessLauncher(lambda measurement: measurement[:32])


def process_of(node: Node) -> EnclaveProcess:
    launched = node.client._launched
    assert isinstance(launched, EnclaveProcess)
    return launched


def raw(node: Node) -> SeqpacketChannel:
    channel = process_of(node).channel
    assert isinstance(channel, SeqpacketChannel)
    return channel


@pytest.fixture
async def executor() -> AsyncIterator[Node]:
    node = await bound_node("x", LAUNCHER)
    yield node
    await node.client.close()


async def test_a_task_goes_all_the_way_through_processes(executor: Node) -> None:
    """Execution, audit, a dispute that the auditor handed off, and a dispute of the delivery, each in a locked process."""
    auditor, arbiter = await bound_node("a", LAUNCHER), await bound_node("b", LAUNCHER)
    posted, answer = await committed(executor, "from here to there " * 3000)
    ticket = ticket_for(posted, auditor)
    handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    order = audit_order(posted, auditor, answer.statement.commitment)
    assert handed.wraps == tuple(each.octets for each in order.wraps)
    vote = await auditor.client.audit(order, posted.blob)
    assert vote.root == posted.open(answer.statement, answer.sealed_output).root
    second = ticket_for(posted, arbiter, in_round=2)
    stood_in = await auditor.client.handoff(second, (0, 2), signed(second), posted.order)
    seat = arbiter.seat()
    mine = PostedWrap(seat.node, seat.key_epoch, seat.hpke_pk, stood_in.wraps[0])
    dispute = audit_order(posted, arbiter, answer.statement.commitment, 2, wraps=(mine,), earlier=order.wraps)
    assert (await arbiter.client.audit(dispute, posted.blob)).root == vote.root
    assert (await arbiter.client.arbitrate(delivery_order(posted, answer, arbiter), answer.sealed_output)).root == vote.root
    await auditor.client.close()
    await arbiter.client.close()


async def test_an_auditor_that_was_killed_hands_off_the_same_after_it(executor: Node) -> None:
    auditor = await bound_node("a", LAUNCHER)
    posted, answer = await committed(executor)
    await auditor.client.audit(audit_order(posted, auditor, answer.statement.commitment), posted.blob)
    state = await auditor.client.seal_state()
    ticket = ticket_for(posted, executor, in_round=2)
    before = await auditor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    os.kill(process_of(auditor).pid, signal.SIGKILL)
    await auditor.client.closed()
    await auditor.client.close()
    again = await bound_node("a", LAUNCHER, state=state)
    assert await again.client.handoff(ticket, (0, 2), signed(ticket), posted.order) == before
    await again.client.close()


async def test_a_killed_enclave_is_a_typed_error_and_says_how_it_ended(executor: Node) -> None:
    os.kill(process_of(executor).pid, signal.SIGKILL)
    with pytest.raises(EnclaveDead):
        await executor.client.seal_state()
    assert "signal 9" in await executor.client.closed()


async def test_an_enclave_killed_while_it_works_is_a_typed_error(executor: Node) -> None:
    pid = process_of(executor).pid
    os.kill(pid, signal.SIGSTOP)
    working = asyncio.ensure_future(executor.client.seal_state())
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EnclaveDead):
        await working


async def test_what_was_sealed_before_the_crash_serves_after_it(executor: Node) -> None:
    auditor = await bound_node("a", LAUNCHER)
    posted = post(executor, "survives")
    before = await executor.client.execute(posted.order, posted.blob)
    state = await executor.client.seal_state()
    os.kill(process_of(executor).pid, signal.SIGKILL)
    await executor.client.closed()
    again = await bound_node("x", LAUNCHER, state=state)
    assert await again.client.execute(posted.order, posted.blob) == before
    ticket = ticket_for(posted, auditor)
    handed = await again.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    assert len(handed.wraps) == 1
    await again.client.close()
    await auditor.client.close()


async def test_garbage_messages_are_answered_and_the_enclave_lives_on(executor: Node) -> None:
    channel = raw(executor)
    for garbage in (b"", b"\x00", os.urandom(1000), b"\xa4" * MAX_MESSAGE):
        await channel.send(garbage)
        assert b"BadRequest" in await channel.receive()
    assert await executor.client.seal_state()


async def test_broken_framing_ends_that_enclave_only(executor: Node) -> None:
    other = await bound_node("a", LAUNCHER)
    raw(executor)._end.send(b"\xff" * 20)
    assert "exit code" in await executor.client.closed()
    with pytest.raises(EnclaveDead):
        await executor.client.seal_state()
    assert await other.client.seal_state()
    await other.client.close()


async def test_a_closed_client_leaves_no_process(executor: Node) -> None:
    pid = process_of(executor).pid
    await executor.client.close()
    await executor.client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(EnclaveDead):
        await executor.client.seal_state()
