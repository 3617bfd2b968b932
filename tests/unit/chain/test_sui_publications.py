"""A published output is put together from the events that hold it, and from nothing else."""

from dataclasses import replace

import pytest
from call_examples import CAP, DEPLOYMENT, OPERATOR, TASK
from fake_full_node import FakeFullNode
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2
from view_examples import plain

from agent.chain.calls import Call, Heartbeat, PublishOutput, SubmitOutput
from agent.chain.errors import NotFound, Unsupported
from agent.chain.sui.names import to_hex
from agent.protocol.bcs import encode
from agent.protocol.blob import BLOB_CHUNK, blob_digest
from agent.protocol.events import ChunkPublished
from agent.protocol.records import Delivery, Output, TaskView
from agent.protocol.units import TaskId

PACKAGE = to_hex(DEPLOYMENT.package)
SEALED = bytes(range(256)) * 64 * 2 + b"the end"
CHUNKS = [SEALED[at : at + BLOB_CHUNK] for at in range(0, len(SEALED), BLOB_CHUNK)]
OTHER = TaskId(b"\x72" * 32)


def task_of(task: TaskId, sealed: bytes) -> TaskView:
    output = plain(Output, sealed_digest=blob_digest(sealed))
    return plain(TaskView, id=task, requester=OPERATOR, output=output, delivery=plain(Delivery, published=True))


def submit(index: int, chunk: bytes | None = None, task: TaskId = TASK) -> SubmitOutput:
    chunk = CHUNKS[index] if chunk is None else chunk
    return SubmitOutput(task, index, chunk[:100], chunk[100:], last=index == 2)


@pytest.fixture
def publish(node: FakeFullNode, open_chain, wallet):
    """Submits calls as one transaction each, which the node answers with their events."""
    node.fund(wallet.address, 10**12)
    for task in (TASK, OTHER):
        node.share(to_hex(task), f"{PACKAGE}::task::Task", contents=task_of(task, SEALED).encode())
    node.own(to_hex(CAP), f"{PACKAGE}::member::NodeOperatorCap", wallet.address)

    async def publishing(*transactions: tuple[Call, ...]):
        chain = await open_chain()
        for calls in transactions:
            pending = [call for call in calls if isinstance(call, SubmitOutput | PublishOutput)]

            def happen(module: str, function: str, pending=pending) -> list[v2.Event]:
                if module != "delivery":
                    return []
                # asked in the dry run and in the execution: the calls come round again
                call = pending[0]
                pending.append(pending.pop(0))
                contents = v2.Bcs(value=encode(ChunkPublished(call.task, call.index, call.head, call.tail)))
                return [v2.Event(event_type=f"{PACKAGE}::delivery::ChunkPublished", contents=contents)]

            node.on_call = happen
            await chain.submit(*calls, purpose="publish")
        return chain

    return publishing


async def test_chunks_of_several_transactions_are_one_output(publish):
    chain = await publish((submit(0), submit(1)), (submit(2),))
    assert await chain.published_output(TASK) == SEALED
    assert await chain.published_chunks(TASK) == tuple(CHUNKS)


async def test_executors_own_publication_is_read_as_well(publish):
    calls = [PublishOutput(TASK, CAP, i, chunk[:9], chunk[9:], last=i == 2) for i, chunk in enumerate(CHUNKS)]
    chain = await publish((Heartbeat(), *calls))
    assert await chain.published_output(TASK) == SEALED


async def test_chunk_that_was_put_up_again_counts_with_all_that_follows_it(publish):
    wrong = bytes(BLOB_CHUNK)
    chain = await publish((submit(0), submit(1, wrong)), (submit(0, wrong), submit(0)), (submit(1), submit(2)))
    assert await chain.published_output(TASK) == SEALED


async def test_chunks_of_another_task_are_left_out(publish):
    chain = await publish((submit(0), submit(0, bytes(BLOB_CHUNK), OTHER)), (submit(1), submit(2)))
    assert await chain.published_output(TASK) == SEALED


async def test_output_that_was_not_published_is_not_found(node: FakeFullNode, publish):
    chain = await publish()
    view = task_of(TASK, SEALED)
    unpublished = replace(view, delivery=replace(view.delivery, published=False))
    node.share(to_hex(TASK), f"{PACKAGE}::task::Task", contents=unpublished.encode())
    with pytest.raises(NotFound, match="not put on chain"):
        await chain.published_output(TASK)


async def test_output_of_which_a_part_is_pruned_is_not_found(publish):
    chain = await publish((submit(0), submit(1)))
    with pytest.raises(NotFound, match="more history"):
        await chain.published_output(TASK)


async def test_endpoint_without_an_index_of_events_says_so(node: FakeFullNode, publish):
    chain = await publish((submit(0), submit(1), submit(2)))
    node.unsupported.add("ListEvents")
    with pytest.raises(Unsupported):
        await chain.published_output(TASK)
