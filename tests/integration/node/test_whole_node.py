"""A whole `Node` from its directory: real journal file, real enclave engine, the twin chain, a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from chain_twin import NETWORK, POOL, START, TwinChain, operator_cap
from node_world import AUTHORITY, CODE, HOME, CodeLauncher, FlakyLauncher, World

from agent.attestation.providers.simulated import SimulatedProvider
from agent.chain.port import Chain
from agent.delivery.stores import BlobStores
from agent.node.config import CONFIG_FILE, NodeConfig
from agent.node.duties.attest import ATTESTED
from agent.node.duties.join import DRAWN
from agent.node.errors import EnclaveDown, IdentityError, JournalInUse
from agent.node.identity import NodeIdentity
from agent.node.supervisor import Node
from agent.protocol.lifecycle import TaskState
from agent.protocol.units import Address, Millis, NodeId, ObjectId, Slot

TOML = f"""
[chain]
endpoint = "http://127.0.0.1:9000"
[blobs]
url = "{HOME}"
[stake]
pool = "0xa1"
amount = "1000 Mist"
[enclave]
workload = "sha256-stream"
restarts = 2
"""


class Site:
    """One node's directory and the world around it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.folder = folder / "node"
        self.folder.mkdir()
        (self.folder / CONFIG_FILE).write_text(TOML)
        node = NodeId(b"\xb0" * 32)
        self.me = NodeIdentity(NETWORK, POOL, node, Slot(0), ObjectId(node), operator_cap(node))
        self.me.save(self.folder)
        self.world.state.enrol(0, node)
        self.launcher: CodeLauncher = CodeLauncher()

    def node(self) -> Node:
        @asynccontextmanager
        async def connect(_: object) -> AsyncIterator[Chain]:
            yield TwinChain(self.world.state, Address(self.me.node))

        platform = AUTHORITY.platform("node", Millis(START), Random(0).randbytes)
        return Node(
            NodeConfig.load(self.folder),
            connect=connect,
            stores=BlobStores({HOME: self.world.blobs}),
            home=self.world.blobs,
            launcher=self.launcher,
            provider=SimulatedProvider(platform, CODE, lambda: self.world.state.at),
            clock=self.world.clock,
            random=Random(0),
        )

    async def run(self, *nodes: Node, until: Callable[[], bool]) -> None:
        """Run nodes and the committee until it is so, then stop the nodes as SIGTERM would."""
        running = [asyncio.ensure_future(node.run()) for node in nodes]
        committee = [asyncio.ensure_future(service.run()) for _, service in self.world.services]
        try:
            while not until() and not any(each.done() for each in running):
                for _ in range(200):
                    await asyncio.sleep(0)
                # files and the journal are written in threads, which the test's clock does not wait for
                await asyncio.sleep(0.003)
                self.world.clock.advance(0.25)
            for node in nodes:
                node.stop()
            await asyncio.gather(*running)
        finally:
            for each in (*running, *committee):
                each.cancel()
            await asyncio.gather(*running, *committee, return_exceptions=True)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    await site.world.verifier()
    yield site
    await site.world.close()


def is_attested(site: Site) -> bool:
    return site.world.state.members[0].attestation.key_epoch > 0


def is_drawn(site: Site) -> bool:
    return site.world.state.roster.positive > 0


async def test_a_node_started_from_its_directory_serves_and_stops(site: Site) -> None:
    await site.run(site.node(), until=lambda: is_drawn(site))
    task = await site.world.post(0)
    await site.run(site.node(), until=lambda: site.world.reached(task, TaskState.SETTLED))
    assert "Commit" in site.world.calls()


async def test_a_stopped_node_leaves_no_task_and_no_enclave(site: Site) -> None:
    before = asyncio.all_tasks()
    await site.run(site.node(), until=lambda: is_attested(site))
    assert asyncio.all_tasks() == before
    assert all(enclave._gone.is_set() for enclave in site.launcher.launched)


async def test_a_restarted_node_keeps_its_keys(site: Site) -> None:
    await site.run(site.node(), until=lambda: is_drawn(site))
    record = site.world.state.members[0].attestation
    start = site.world.clock.seconds()
    await site.run(site.node(), until=lambda: site.world.clock.seconds() > start + 100)
    assert site.world.state.members[0].attestation == record


async def test_two_processes_of_one_node_do_not_run(site: Site) -> None:
    with pytest.raises(JournalInUse):
        await site.run(site.node(), site.node(), until=lambda: False)


async def test_an_identity_of_another_deployment_is_refused(site: Site) -> None:
    replace(site.me, pool=Address(b"\x66" * 32)).save(site.folder)
    with pytest.raises(IdentityError, match="deployment"):
        await site.run(site.node(), until=lambda: False)


async def test_an_enclave_that_never_starts_ends_the_node(site: Site) -> None:
    site.launcher = FlakyLauncher()
    site.launcher.failures = 100
    with pytest.raises(EnclaveDown, match="out of memory"):
        await site.run(site.node(), until=lambda: False)


async def test_the_status_says_where_the_node_stands(site: Site) -> None:
    node = site.node()
    seen: list[Any] = []

    async def look() -> None:
        while not seen:
            snapshot = await node.status()
            if snapshot and snapshot.membership and snapshot.membership.state == DRAWN:
                seen.append(snapshot)
            await asyncio.sleep(0)

    looking = asyncio.ensure_future(look())
    await site.run(node, until=lambda: bool(seen))
    await looking
    assert seen[0].attestation.state == ATTESTED
    assert seen[0].enclaves.running == (1,)


async def test_health_tells_what_is_wrong_and_metrics_count(site: Site, unused_tcp_port: int) -> None:
    with (site.folder / CONFIG_FILE).open("a") as file:
        file.write(f'[telemetry]\nlisten = "127.0.0.1:{unused_tcp_port}"\n')
    answers: list[httpx.Response] = []

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as client:
            while not answers or answers[-1].status_code != 200:
                try:
                    answers.append(await client.get("/health"))
                except httpx.TransportError:
                    await asyncio.sleep(0)
            answers.append(await client.get("/metrics"))

    asking = asyncio.ensure_future(ask())
    await site.run(site.node(), until=asking.done)
    assert answers[0].status_code == 503
    assert answers[0].json()["checks"]["attestation"].startswith("not attested")
    assert b"enclavia_runner_steps" in answers[-1].content
