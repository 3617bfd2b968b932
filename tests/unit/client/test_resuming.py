"""A requester that was killed at any line goes on from its store and the chain."""

from dataclasses import replace

import pytest
from client_world import TASK, Enclave, World

from agent.chain.errors import Unreachable, Unsettled
from agent.client.errors import NoExecutor, UnknownTask
from agent.client.requester import Opened
from agent.protocol.lifecycle import TaskState
from agent.protocol.units import Mist

OPENED = Opened(TASK, Mist(103))


class Killed(BaseException):
    """The process ends here."""


async def test_next_process_opens_the_result_of_the_one_before() -> None:
    world = World(0)
    submission = await world.post()
    await world.blobs.put(world.commit(b"the output"))
    again = world.requester()
    assert await again.unfinished() == (TASK,)
    resumed = await again.resume(TASK)
    assert resumed == submission
    assert (await again.result(resumed)).output == b"the output"


async def test_process_killed_before_it_posted_posts_at_the_next_start() -> None:
    world = World(0)

    def die(call) -> None:
        raise Killed

    world.before = die
    with pytest.raises(Killed):
        await world.post("the text")
    world.before = lambda _: None
    submission = await world.requester().resume(TASK)
    opened = Enclave(0).opens(world.blobs.content[world.view.input_digest])[1]
    assert (opened.text, submission.node) == ("the text", Enclave(0).node)


async def test_process_killed_after_it_posted_finds_the_secrets_of_what_took_effect() -> None:
    world = World(0)
    save = world.store.save
    posted = []

    async def die(entry) -> None:
        if entry.text is None:
            raise Killed
        await save(entry)

    world.store.save = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await world.post()
    posted = list(world.chain.calls)
    world.store.save = save  # type: ignore[method-assign]
    again = world.requester()
    submission = await again.resume(TASK)
    assert world.chain.calls == posted, "nothing is posted twice"
    await world.blobs.put(world.commit(b"the output"))
    assert (await again.result(submission)).output == b"the output"


async def test_transaction_of_unknown_fate_that_took_effect_is_found_among_several_attempts() -> None:
    world = World(0)
    lost = []

    def lose(call) -> None:
        lost.append(call)
        raise Unsettled("nobody answers")

    world.before = lose
    for _ in range(2):
        with pytest.raises(Unsettled):
            await world.requester().post(OPENED, "text")
    world.before = lambda _: None
    world._on_submit((lost[0],))
    submission = await world.requester().resume(TASK)
    assert submission.secrets.output_pk == lost[0].output_pk
    assert len(world.store.entries[TASK].attempts) == 1


async def test_input_of_ours_that_is_not_on_chain_is_no_submission() -> None:
    world = World(0)

    def lose(call) -> None:
        raise Unsettled("nobody answers")

    world.before = lose
    with pytest.raises(Unsettled):
        await world.post()
    world.view = replace(world.view, state=TaskState.DECIDED)
    with pytest.raises(NoExecutor):
        await world.requester().resume(TASK)


async def test_task_that_the_store_does_not_know_cannot_be_resumed() -> None:
    with pytest.raises(UnknownTask, match="use the store that it was posted with"):
        await World(0).requester().resume(TASK)


async def test_forgotten_task_leaves_no_secrets() -> None:
    world = World(0)
    await world.post()
    await world.requester().forget(TASK)
    assert world.store.entries == {}


async def test_endpoint_that_fails_leaves_what_was_kept() -> None:
    world = World(0)

    def fail(call) -> None:
        raise Unreachable("down")

    world.before = fail
    with pytest.raises(Unreachable):
        await world.post("the text")
    entry = world.store.entries[TASK]
    assert (entry.text, len(entry.attempts)) == ("the text", 1)
