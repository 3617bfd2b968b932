"""The executor puts its sealed output on chain when the requester says it got nothing [C5]."""

from dataclasses import replace

import pytest
from node_world import NodeHarness, World, crash_anywhere

from agent.chain import calls as c
from agent.node.duties.publishing import CHUNKS_AT_ONCE, next_calls, published
from agent.protocol.blob import BLOB_CHUNK, BLOB_HALF, blob_digest, blob_leaf, chunks_of
from agent.protocol.commitment import merkle_root
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.units import Digest, Mist, ObjectId, TaskId

TASK, CAP = TaskId(b"\x01" * 32), ObjectId(b"\x02" * 32)


def claim(world: World, task: TaskId) -> None:
    """Have the requester say, once it sees the commitment, that it got nothing."""

    def say(event: object) -> None:
        if type(event).__name__ == "Committed":
            world.clock.call_later(1, lambda: world.state.apply(c.ClaimUndelivered(task, Mist(10))))

    world.state.watchers.append(say)


async def claimed(world: World) -> tuple[NodeHarness, TaskId]:
    node = await world.node(0)
    task = await world.post(0)
    claim(world, task)
    return node, task


def many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an output of some 2 KiB travel in many chunks."""
    monkeypatch.setattr("agent.protocol.blob.BLOB_CHUNK", 64)
    for module in ("agent.node.duties.publishing", "agent.protocol.blob"):
        monkeypatch.setattr(f"{module}.BLOB_HALF", 32)


async def test_a_claimed_output_is_published_and_the_task_accepted(world: World) -> None:
    _, task = await claimed(world)
    await world.run_until(lambda: world.reached(task, TaskState.SETTLED) and world.state.tasks[task].state is TaskState.SETTLED)
    view = world.state.tasks[task]
    assert world.calls() == ["Commit", "ClaimUndelivered", "PublishOutput", "Advance", "Settle"]
    assert view.outcome is Outcome.ACCEPTED
    assert blob_digest(b"".join(world.state.chunks[task])) == view.sealed_output_digest


async def test_a_large_output_goes_up_in_order_in_few_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many_chunks(monkeypatch)
    _, task = await claimed(world)
    await world.run_until(lambda: bool(world.state.tasks[task].delivery.published))
    calls = [call for call in world.state.done if isinstance(call, c.PublishOutput)]
    assert len(calls) > 2 * CHUNKS_AT_ONCE
    assert [call.index for call in calls] == list(range(len(calls)))
    assert [call.last for call in calls] == [False] * (len(calls) - 1) + [True]


@pytest.mark.parametrize("at", range(60, 160, 8))
async def test_an_executor_that_crashes_anywhere_publishes_all_of_it(world: World, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    many_chunks(monkeypatch)
    node, task = await claimed(world)
    await crash_anywhere(world, node, lambda: world.state.tasks[task].state is TaskState.SETTLED, at)
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED
    assert blob_digest(b"".join(world.state.chunks[task])) == world.state.tasks[task].sealed_output_digest


async def test_an_output_that_the_store_lost_is_published_from_the_nodes_own_copy(world: World) -> None:
    _, task = await claimed(world)
    await world.run_until(lambda: world.reached(task, TaskState.COMMITTED), at_once=True)
    world.blobs.content.clear()
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED


async def test_copies_are_kept_until_the_task_is_decided_and_no_longer(world: World) -> None:
    node, task = await claimed(world)
    await world.run_until(lambda: bool(world.state.tasks[task].delivery.published))
    view = world.state.tasks[task]
    assert {view.input_digest, view.sealed_output_digest} <= node.kept.content.keys()
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    await world.run_until(lambda: not node.kept.content)


async def test_nothing_is_published_after_the_deadline(world: World) -> None:
    node, task = await claimed(world)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.PUBLISHING, at_once=True)
    world.state.heartbeat_at = world.state.at + 10**6
    world.clock.advance(world.state.params.delivery_ms / 1000)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    assert "PublishOutput" not in world.calls()
    assert world.state.tasks[task].outcome is Outcome.UNDELIVERED
    assert node.runner.statistics().failures == 0


def test_chunks_make_the_digest() -> None:
    sealed = bytes(range(256)) * 200
    leaves = [blob_leaf(index, chunk) for index, chunk in enumerate(chunks_of(sealed))]
    assert merkle_root(leaves) == blob_digest(sealed)
    assert chunks_of(b"") == (b"",)


def test_a_chunk_travels_in_two_arguments_of_which_each_fits() -> None:
    chunks = chunks_of(bytes(3 * BLOB_CHUNK + 5))
    calls = next_calls(TASK, CAP, chunks, 0)
    assert [call.head + call.tail for call in calls] == list(chunks)
    assert all(max(len(call.head), len(call.tail)) <= BLOB_HALF for call in calls)


def test_a_transaction_stays_below_what_sui_takes() -> None:
    chunks = chunks_of(bytes(64 * BLOB_CHUNK))
    calls = next_calls(TASK, CAP, chunks, 0)
    assert sum(len(call.head) + len(call.tail) for call in calls) < 128 * 1024 - 16_384
    assert not any(call.last for call in calls)


@pytest.mark.parametrize(("right", "count"), [(0, 0), (1, 1), (3, 3), (5, 5)])
def test_publication_goes_on_behind_the_chunks_that_are_right(right: int, count: int) -> None:
    chunks = chunks_of(bytes(4 * BLOB_CHUNK + 9))
    leaves = [blob_leaf(index, chunk) for index, chunk in enumerate(chunks[:right])]
    assert published([*leaves, Digest(b"\x01" * 32)][:5], chunks) == count


async def test_what_another_put_up_wrongly_is_put_up_again(world: World) -> None:
    _, task = await claimed(world)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.PUBLISHING, at_once=True)
    view = world.state.tasks[task]
    world.change(task, delivery=replace(view.delivery, leaves=(Digest(b"\x01" * 32),)))
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED
