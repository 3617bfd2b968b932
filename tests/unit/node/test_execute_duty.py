from pathlib import Path

import pytest

from agent.chain import calls as c
from agent.node.config import AdmissionSection
from agent.node.duties.crank import CRANK
from agent.node.duties.execute import EXECUTE
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.units import TaskId
from node_world import NodeHarness, Tripwire, World, ignore_crash


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def state_is(world: World, task: TaskId, state: TaskState) -> bool:
    return task not in world.state.tasks or world.state.tasks[task].state >= state


def commits(world: World) -> int:
    return sum(isinstance(call, c.Commit) for call in world.state.done)


async def test_an_unaudited_task_is_executed_and_settled_by_its_executor(world: World) -> None:
    node = await world.node(0)
    task = await world.post(0)
    await world.run_until(lambda: state_is(world, task, TaskState.SETTLED))
    assert [type(call) for call in world.state.done] == [c.Commit, c.Advance, c.Settle]
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED
    assert world.state.tasks[task].sealed_output_digest in world.blobs.content
    await node.journal.close()
