import os
from dataclasses import replace

import pytest
from enclave_world import NETWORK, OPENED_AT, TASK, Node, audit_order, binding_request, bound_node, committed, node

from agent.enclave import messages as m
from agent.enclave.client import EnclaveClient
from agent.enclave.errors import AlreadyBound, ConflictingOrder, StateRefused, TooManyTasks
from agent.enclave.frames import MAX_MESSAGE
from agent.enclave.identity import EnclaveConfig
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import ExecuteOrder
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.state import EnclaveState, open_state, seal_state
from agent.enclave.task_memory import MAX_FORGOTTEN, MAX_TASKS, Contents, Execution, Handed, TaskMemory, Vote
from agent.protocol.blob import blob_digest
from agent.protocol.units import Address, Digest, Millis, TaskId


async def restored(state: bytes, key: bytes = bytes(32)) -> EnclaveClient:
    client = EnclaveClient(MemoryLauncher(lambda _: key))
    await client.start(EnclaveConfig("sha256-stream", state))
    return client


async def test_a_restored_enclave_has_the_same_keys_and_node() -> None:
    first = await bound_node("x")
    state = await first.client.seal_state()
    second = await bound_node("x", state=state)
    assert (second.identity.hpke_pk, second.identity.sign_pk) == (first.identity.hpke_pk, first.identity.sign_pk)
    with pytest.raises(AlreadyBound):
        await second.client.bind(binding_request(node("y")))


async def test_the_state_of_other_code_does_not_open() -> None:
    state = await (await bound_node("x")).client.seal_state()
    with pytest.raises(StateRefused):
        await restored(state, key=b"\x01" * 32)


@pytest.mark.parametrize("at", [0, 11, 12, 100, -1])
async def test_an_altered_state_does_not_open(at: int) -> None:
    state = bytearray(await (await bound_node("x")).client.seal_state())
    state[at] ^= 1
    with pytest.raises(StateRefused):
        await restored(bytes(state))


@pytest.mark.parametrize("state", [b"", b"\x00" * 12, b"\x00" * 28])
async def test_garbage_is_no_state(state: bytes) -> None:
    with pytest.raises(StateRefused):
        await restored(state)


async def test_the_forgotten_stay_forgotten_after_a_restart() -> None:
    first = await bound_node("x")
    await first.client.report_unavailable(_order())
    await first.client.forget(TASK)
    client = await restored(await first.client.seal_state())
    with pytest.raises(ConflictingOrder):
        await client.report_unavailable(_order())


async def test_a_state_shows_no_key() -> None:
    """Two envelopes of one state have nothing in common but their length."""
    client = (await bound_node("x")).client
    one, two = await client.seal_state(), await client.seal_state()
    assert len(one) == len(two)
    assert one[12:44] != two[12:44]


def refusal(order: ExecuteOrder) -> Execution:
    return Execution(order, None, None, None)


def numbered(i: int) -> TaskId:
    return TaskId(i.to_bytes(32, "big"))


def order_of(task: TaskId, opened_at: int = OPENED_AT) -> ExecuteOrder:
    return replace(_order(), task=task, opened_at=Millis(opened_at))


def test_memory_is_bounded_and_says_what_to_do() -> None:
    memory = TaskMemory(Contents(tuple(refusal(order_of(numbered(i))) for i in range(MAX_TASKS))))
    memory.admit(order_of(numbered(0)))  # known: served on
    with pytest.raises(TooManyTasks):
        memory.admit(_order())
    memory.forget(numbered(0))
    memory.admit(_order())


async def test_a_full_memory_still_fits_one_message(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    voted = await auditor.client.audit(audit_order(posted, auditor, answer.statement.commitment), posted.blob)
    fullest = replace(posted.order, denied=tuple(Address(bytes([i]) * 32) for i in range(8)))
    ids = [numbered(i) for i in range(MAX_FORGOTTEN)]
    handed = tuple(Handed(in_round, answer.statement.commitment) for in_round in (1, 2, 3))
    orders = [replace(fullest, task=ids[i]) for i in range(MAX_TASKS)]
    ran = tuple(Execution(order, bytes(32), answer.statement, None, handed) for order in orders)
    votes = tuple(Vote(order, voted, bytes(32), handed) for order in orders)
    memory = TaskMemory(Contents(ran, votes, tuple((task, OPENED_AT) for task in ids), Millis(7)))
    keys = EnclaveKeys.generate(os.urandom)
    envelope = seal_state(EnclaveState(keys, binding_request(executor.id), memory), bytes(32), bytes(12))
    assert len(m.pack(1, m.SealedState(envelope))) < MAX_MESSAGE
    assert open_state(envelope, bytes(32)).memory.contents() == memory.contents()


def forgetful(count: int) -> TaskMemory:
    """A memory that has forgotten `count` tasks, opened one after another from `OPENED_AT` on."""
    return TaskMemory(Contents(forgotten=tuple((numbered(i), Millis(OPENED_AT + i)) for i in range(count))))


def test_the_list_of_the_forgotten_is_bounded() -> None:
    memory = forgetful(MAX_FORGOTTEN)
    later = order_of(TASK, OPENED_AT + MAX_FORGOTTEN)
    memory.answer(refusal(later))
    memory.forget(TASK)
    assert len(memory.contents().forgotten) == MAX_FORGOTTEN
    with pytest.raises(ConflictingOrder):
        memory.admit(later)


def test_what_fell_off_the_list_of_the_forgotten_is_not_served_again() -> None:
    """Else a host could flood the list with tasks of its own, and have a second answer to the first."""
    memory = forgetful(MAX_FORGOTTEN)
    memory.answer(refusal(order_of(TASK, OPENED_AT + MAX_FORGOTTEN)))
    memory.forget(TASK)
    fallen = order_of(numbered(0), OPENED_AT)
    assert fallen.task not in dict(memory.contents().forgotten)
    for again in (memory, TaskMemory(memory.contents())):
        with pytest.raises(ConflictingOrder):
            again.admit(fallen)
        with pytest.raises(ConflictingOrder):
            again.admit_vote(fallen, 1)
        again.admit(order_of(numbered(MAX_FORGOTTEN + 1), OPENED_AT + MAX_FORGOTTEN + 1))


def test_an_old_task_that_is_still_under_way_is_served_on() -> None:
    memory = TaskMemory(Contents(executions=(refusal(_order()),), floor=Millis(OPENED_AT + 1)))
    memory.admit(_order())


def test_forgetting_what_was_never_answered_is_nothing() -> None:
    memory = TaskMemory()
    memory.forget(TASK)
    assert memory.contents() == Contents()
    memory.admit(_order())


async def test_forgetting_a_task_drops_the_key_that_its_auditor_kept(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    voted = await auditor.client.audit(order, posted.blob)
    memory = TaskMemory(Contents(votes=(Vote(posted.order, voted, posted.secrets.data_key),)))
    memory.forget(TASK)
    assert memory.contents() == Contents(forgotten=((TASK, OPENED_AT),))


def _order() -> ExecuteOrder:
    return ExecuteOrder(NETWORK, TASK, node("x"), 1, blob_digest(b""), Digest(bytes(32)), bytes(32), 1, (), OPENED_AT)
