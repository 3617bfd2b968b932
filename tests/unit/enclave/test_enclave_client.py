"""The client: one request at a time, cancellation and timeouts leave it usable."""

import asyncio
from collections.abc import Callable

import pytest
from enclave_world import TASK, Node, bound_node, post

from agent.enclave import launcher as launcher_module
from agent.enclave import messages as m
from agent.enclave.channel import MemoryChannel
from agent.enclave.client import EnclaveClient
from agent.enclave.errors import EnclaveDead, EnclaveStartFailed, EnclaveTimeout, MalformedMessage, WorkloadError
from agent.enclave.identity import EnclaveConfig
from agent.enclave.launcher import ProcessLauncher
from agent.enclave.memory import MemoryEnclave, MemoryLauncher
from agent.enclave.orders import Executed

HASH = EnclaveConfig("sha256-stream")


class SlowChannel(MemoryChannel):
    """Holds answers back until it is told to let them go."""

    def __init__(self, serve: Callable[[bytes], bytes]) -> None:
        super().__init__(serve)
        self.open = asyncio.Event()
        self.open.set()

    async def receive(self) -> bytes:
        await self.open.wait()
        return await super().receive()


class SlowLauncher(MemoryLauncher):
    async def launch(self, config: EnclaveConfig) -> MemoryEnclave:
        made = await super().launch(config)
        made.channel = SlowChannel(made.channel._serve)
        return made


async def slow_node(seconds: float) -> tuple[Node, SlowChannel]:
    launcher = SlowLauncher()
    node = await bound_node("x", launcher)
    node.client._request_seconds = seconds
    channel = launcher.launched[0].channel
    assert isinstance(channel, SlowChannel)
    return node, channel


async def test_a_request_that_takes_too_long_is_a_typed_error_and_the_next_gets_its_own_answer() -> None:
    node, channel = await slow_node(0.05)
    channel.open.clear()
    posted = post(node, "late")
    with pytest.raises(EnclaveTimeout):
        await node.client.seal_state()
    channel.open.set()
    assert isinstance(await node.client.execute(posted.order, posted.blob), Executed)
    assert node.client.statistics().timeouts == 1


async def test_a_cancelled_request_leaves_the_next_its_own_answer() -> None:
    node, channel = await slow_node(10)
    channel.open.clear()
    given_up = asyncio.ensure_future(node.client.seal_state())
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    channel.open.set()
    posted = post(node, "next")
    assert isinstance(await node.client.execute(posted.order, posted.blob), Executed)


async def test_requests_of_many_tasks_take_turns(executor: Node) -> None:
    posted = post(executor, "many")
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(executor.client.execute(posted.order, posted.blob)) for _ in range(20)]
    assert len({task.result().signature for task in asked}) == 1


async def test_a_killed_twin_is_a_typed_error() -> None:
    launcher = MemoryLauncher()
    node = await bound_node("x", launcher)
    launcher.launched[0].channel.kill()
    with pytest.raises(EnclaveDead):
        await node.client.forget(TASK)


async def test_an_answer_to_no_request_is_malformed() -> None:
    class Confused(MemoryLauncher):
        async def launch(self, config: EnclaveConfig) -> MemoryEnclave:
            made = await super().launch(config)
            made.channel = MemoryChannel(lambda _: m.pack(99, m.Forgotten()))
            return made

    with pytest.raises(MalformedMessage):
        await EnclaveClient(Confused()).start(HASH)


async def test_an_answer_of_another_kind_is_malformed() -> None:
    class Confused(MemoryLauncher):
        async def launch(self, config: EnclaveConfig) -> MemoryEnclave:
            made = await super().launch(config)
            made.channel = MemoryChannel(lambda data: m.pack(m.open_envelope(data).id, m.Forgotten()))
            return made

    with pytest.raises(MalformedMessage):
        await EnclaveClient(Confused()).start(HASH)


async def test_nothing_is_asked_before_start() -> None:
    with pytest.raises(EnclaveDead):
        await EnclaveClient(MemoryLauncher()).seal_state()


async def test_a_client_starts_one_enclave() -> None:
    client = EnclaveClient(MemoryLauncher())
    await client.start(HASH)
    with pytest.raises(EnclaveDead):
        await client.start(HASH)


async def test_an_unknown_workload_is_named_before_anything_starts() -> None:
    with pytest.raises(WorkloadError, match="sha256-stream"):
        await EnclaveClient(ProcessLauncher(lambda _: bytes(32))).start(EnclaveConfig("gpt-9"))


async def test_a_process_that_does_not_come_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher_module, "BOOTSTRAP", "raise SystemExit('the model is not there')")
    with pytest.raises(EnclaveStartFailed, match="the model is not there"):
        await EnclaveClient(ProcessLauncher(lambda _: bytes(32))).start(HASH)
