from dataclasses import replace

import pytest
from enclave_world import NETWORK, OPENED_AT, TASK, Node, audit_order, binding_request, bound_node, node, post

from agent.enclave import messages as m
from agent.enclave.client import EnclaveClient
from agent.enclave.errors import AlreadyBound, ConflictingOrder, StateRefused, TooManyTasks
from agent.enclave.frames import MAX_MESSAGE
from agent.enclave.handoff import wrap
from agent.enclave.identity import EnclaveConfig
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import Executed, ExecuteOrder
from agent.enclave.state import EnclaveState, open_state, seal_state
from agent.enclave.task_memory import MAX_FORGOTTEN, MAX_TASKS, Execution, Handed, TaskMemory, Vote
from agent.protocol.blob import blob_digest
from agent.protocol.units import Digest, TaskId


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


def test_memory_is_bounded_and_says_what_to_do() -> None:
    memory = TaskMemory()
    memory._executions = {TaskId(i.to_bytes(32, "big")): None for i in range(MAX_TASKS)}  # type: ignore[misc]
    memory.admit(TaskId(bytes(32)))  # known: served on
    with pytest.raises(TooManyTasks):
        memory.admit(TASK)
    memory.forget(TaskId(bytes(32)))
    memory.admit(TASK)


async def test_a_full_memory_still_fits_one_message(executor: Node, auditor: Node) -> None:
    posted = post(executor, "full")
    answer = await executor.client.execute(posted.order, posted.blob)
    assert isinstance(answer, Executed)
    order = audit_order(posted, auditor, answer.statement.commitment)
    good = wrap(posted.secrets.data_key, NETWORK, TASK, auditor.seat())
    voted = Vote(order, await auditor.client.audit(order, posted.blob, good))
    ids = [TaskId(i.to_bytes(32, "big")) for i in range(MAX_FORGOTTEN)]
    handed = tuple(Handed(in_round, 32, answer.statement.commitment) for in_round in (1, 2, 3))
    ran = [
        Execution(replace(posted.order, task=ids[i]), bytes(32), answer.statement, None, handed)
        for i in range(MAX_TASKS)
    ]
    votes = [replace(voted, order=replace(order, task=replace(order.task, task=ids[i]))) for i in range(MAX_TASKS)]
    full = EnclaveState(bytes(32), bytes(32), binding_request(executor.id), TaskMemory(tuple(ran), tuple(votes), tuple(ids)))
    envelope = seal_state(full, bytes(32), bytes(12))
    assert len(m.pack(1, m.SealedState(envelope))) < MAX_MESSAGE
    assert open_state(envelope, bytes(32)).memory.contents() == full.memory.contents()


def test_the_list_of_the_forgotten_is_bounded() -> None:
    memory = TaskMemory(forgotten=tuple(TaskId(i.to_bytes(32, "big")) for i in range(MAX_FORGOTTEN)))
    memory.forget(TASK)
    assert len(memory.contents()[2]) == MAX_FORGOTTEN
    with pytest.raises(ConflictingOrder):
        memory.admit(TASK)


def _order() -> ExecuteOrder:
    return ExecuteOrder(NETWORK, TASK, node("x"), 1, blob_digest(b""), Digest(bytes(32)), bytes(32), 1, OPENED_AT)
