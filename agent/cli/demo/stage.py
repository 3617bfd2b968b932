"""Sets the stage: localnet, blob server, contracts, committee, nodes; lets the dApp play; counts the money; clears away.

The localnet, each node and each enclave are processes of their own. The blob server, the committee and the dApp live in this one.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.chain.calls import CreateNetwork, FundAudits, LaunchRoster
from agent.chain.deployment import Deployment
from agent.chain.port import Chain, MemoryTransactionLog
from agent.chain.sui import PoolTerms, Wallet
from agent.cli.connect import Endpoint, deploy, open_endpoint, request_sui
from agent.cli.demo import committee, world
from agent.cli.demo.accounts import node_rows
from agent.cli.demo.options import SUI, DemoError, DemoOptions
from agent.cli.demo.play import Direct, Play
from agent.cli.demo.processes import Child, first_line, start
from agent.cli.demo.progress import Progress
from agent.cli.demo.report import Conservation, Report
from agent.cli.platform import PLATFORM_FILE
from agent.client.evidence import EvidenceCheck
from agent.client.requester import Requester
from agent.delivery.file_store import FileBlobStore
from agent.delivery.http_store import HttpBlobStore
from agent.delivery.server import BlobServer
from agent.enclave.measurement import measure
from agent.enclave.workloads import load_workload
from agent.enclave.workloads.workload import manifest_hash
from agent.node.config import CONFIG_FILE
from agent.protocol.statements import TeeKind
from agent.protocol.units import Digest, Millis, Slot
from agent.telemetry.logs import configure_logs

LIAR: Final = 2
FORGER: Final = 3
ABSENTEE: Final = 5
"""Slots of those that misbehave; the forger only if asked for."""
LOCALNET_S: Final = 60.0
JOIN_S: Final = 300.0
"""How long all nodes may take to load their models, be attested and join."""


async def run_demo(options: DemoOptions, console: Console) -> Report:
    """Play the whole demo and return what came of it.

    Raises:
        DemoError: the stage could not be set; the text names the log to read.
    """
    directory = options.directory or Path(tempfile.mkdtemp(prefix="enclavia-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    progress = Progress(console, options.tasks)
    log = (directory / "demo.log").open("a")
    configure_logs(stream=log, node="committee and dApp")
    texts = options.texts()
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, options, directory, progress)
        direct = await asyncio.to_thread(_ask_directly, options.workload, texts)
        evidence = EvidenceCheck(stage.dapp, stage.blobs, stage.policy, stage.verifiers)
        requester = Requester(stage.dapp, stage.blobs, stage.blob_uri, evidence, complain=options.forger)
        async with requester.following() as following:
            play = Play(following, texts, direct, stage.cast, progress.told, options.at_once)
            with progress.live():
                rows = await play.run()
        resident = [child.resident_mib() for child in stage.children]
        nodes = await node_rows(stage.dapp, resident, stage.cast, tuple(play.views.values()))
        status = await stage.status()
        exhibits = (f"logs, journals and configuration: {directory}",) if options.directory else ()
        books = Conservation(status["minted"], status["held"], status["gas_burnt"], status["storage_fund"])
        return Report(rows, nodes, books, status["transactions"], options.seed, options.audit_probability, exhibits)


def _ask_directly(workload_name: str, texts: list[str]) -> list[Direct]:
    """What the model says without any protocol; also the measure of the model's own time."""
    workload = load_workload(workload_name)
    workload.run("warm up")
    answers = []
    for text in texts:
        began = time.perf_counter()
        output = workload.run(text).output
        answers.append(Direct(output, time.perf_counter() - began))
    return answers


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    options: DemoOptions
    directory: Path
    endpoint: Endpoint
    policy: Policy
    verifiers: tuple[SimulatedVerifier, ...]
    deployment: Deployment
    dapp: Chain
    blobs: HttpBlobStore
    blob_uri: str
    http: httpx.AsyncClient
    children: list[Child] = field(default_factory=list)

    @classmethod
    async def set(cls, stack: AsyncExitStack, options: DemoOptions, directory: Path, progress: Progress) -> "Stage":
        """Start and join everything; `stack` clears it away."""
        progress.say("starting the localnet")
        localnet = await start("localnet", _localnet_arguments(options, directory), directory)
        stack.push_async_callback(localnet.stop)
        ready = await first_line(localnet, LOCALNET_S)
        endpoint = Endpoint(ready["url"], None)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30.0))
        store = FileBlobStore(directory / "blobs")
        server = await stack.enter_async_context(BlobServer(store).serving("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{server.port}"
        blobs = HttpBlobStore(uri, http)

        progress.say("publishing the contracts, creating a Network and a Pool (TEE: SIMULATED)")
        admin, dapp = _wallet(options, "admin"), _wallet(options, "dapp")
        members = [_wallet(options, f"member {number}") for number in range(committee.MEMBERS)]
        for wallet in (admin, dapp, *members):
            await request_sui(endpoint, wallet.address, world.OPERATOR_FUNDS)
        measurement = await asyncio.to_thread(measure, options.workload)
        manifest = await asyncio.to_thread(_manifest, options.workload)
        authority = SimulatedAuthority.create("demo", _now(), os.urandom)
        verifiers = (SimulatedVerifier(authority.root),)
        policy = Policy(
            version=1, max_age=Millis(7 * 24 * 3_600_000), allow_simulated=True,
            vendor=Layer(allow=frozenset({Allowance(TeeKind.SIMULATED, measurement)})),
        )  # fmt: skip
        keys = committee.new_keys()
        network = CreateNetwork(
            params=world.params(options.audit_probability, forger=options.forger),
            allow_simulated=True,
            policy=policy.digest(),
            verifiers=committee.public(keys),
            threshold=committee.THRESHOLD,
        )
        terms = PoolTerms(manifest, 1 << TeeKind.SIMULATED, world.PRICE, world.AUDITOR_FEE, world.RESERVATION_FEE, world.DEPTH)
        deployment = await deploy(endpoint, admin, network, terms)
        chain = await stack.enter_async_context(open_endpoint(endpoint, deployment, dapp, MemoryTransactionLog()))
        stage = cls(options, directory, endpoint, policy, verifiers, deployment, chain, blobs, uri, http)
        async with open_endpoint(endpoint, deployment, admin, MemoryTransactionLog()) as administration:
            await administration.submit(FundAudits(world.AUDIT_FUND), purpose="fund audits")
            serving = committee.serving(
                keys, policy, verifiers, directory, lambda number, log: open_endpoint(endpoint, deployment, members[number], log), blobs, uri, http,
            )  # fmt: skip
            await stack.enter_async_context(serving)
            await stage._nodes(stack, authority, progress)
            assert deployment.admin_cap is not None, "we deployed it"
            await administration.submit(LaunchRoster(deployment.admin_cap), purpose="launch the roster")
        return stage

    def cast(self, slot: Slot) -> str:
        """Who plays in `slot`."""
        misbehaving = {LIAR: "liar", ABSENTEE: "absentee"} | ({FORGER: "forger"} if self.options.forger else {})
        return misbehaving.get(int(slot), "honest")

    async def status(self) -> dict[str, int]:
        """The localnet's books, in Mist."""
        answer = await self.http.get(f"{self.endpoint.url}/localnet/status")
        found: dict[str, int] = answer.raise_for_status().json()
        return found

    async def _nodes(self, stack: AsyncExitStack, authority: SimulatedAuthority, progress: Progress) -> None:
        """Start all nodes, each registered before the next so that slots are cast the same every time; wait until all are attested and queued."""
        stack.push_async_callback(self._stop_nodes)
        for index in range(self.options.nodes):
            progress.say(f"node {index + 1} of {self.options.nodes} registers and stakes {world.STAKE // SUI} SUI")
            directory = self.directory / f"node-{index}"
            await self._furnish(directory, index, authority)
            role = self.cast(Slot(index))
            arguments = ["-m", "agent.cli.main", "node", "run", "-c", str(directory)]
            if role != "honest":
                arguments = ["-m", f"agent.cli.demo.{role}", str(directory)]
            child = await start(f"node-{index}", arguments, self.directory, {"OMP_NUM_THREADS": "1"})
            self.children.append(child)
            await self._until(partial(self._registered, index), f"{child.name} to register")
        for index in range(self.options.nodes):
            progress.say(f"node {index + 1} of {self.options.nodes}: waiting for its attestation (SIMULATED) and weight")
            await self._until(partial(self._weighs, index), f"node-{index} to be attested and join")

    async def _furnish(self, directory: Path, index: int, authority: SimulatedAuthority) -> None:
        directory.mkdir()  # noqa: ASYNC240  a few small files, once
        wallet = _wallet(self.options, f"node {index}")
        wallet.save(directory / "wallet.json")
        await request_sui(self.endpoint, wallet.address, world.NODE_FUNDS)
        self.deployment.save(directory / "deployment.json")
        platform = directory / PLATFORM_FILE
        platform.touch(mode=0o600)
        platform.write_bytes(authority.platform(f"node {index}", _now(), os.urandom).encode())
        (directory / CONFIG_FILE).write_text(
            f'[chain]\nendpoint = "{self.endpoint.url}"\n[blobs]\nurl = "{self.blob_uri}"\n'
            f'[stake]\npool = "0x{self.deployment.pool.id.hex()}"\namount = "{world.STAKE // SUI} SUI"\n'
            f'[enclave]\nworkload = "{self.options.workload}"\n'
            # the dApp cranks what its nodes leave lying: seven more watchers of every task would only warm two cores
            "[duties]\nbounties = false\n"
        )

    async def _registered(self, index: int) -> bool:
        return await self.dapp.member(Slot(index)) is not None

    async def _weighs(self, index: int) -> bool:
        member = await self.dapp.member(Slot(index))
        return member is not None and member.weight > 0

    async def _until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(JOIN_S):
                while not await true():
                    for child in self.children:
                        if not child.running:
                            raise DemoError(f"{child.name} ended with code {child.process.returncode}; its log ends:\n{child.tail()}")
                    await asyncio.sleep(0.2)
        except TimeoutError:
            last = self.children[-1]
            raise DemoError(f"waited {JOIN_S:g} s for {what}; the log of {last.name} ends:\n{last.tail()}") from None

    async def _stop_nodes(self) -> None:
        async with asyncio.TaskGroup() as group:
            for child in self.children:
                group.create_task(child.stop())


def _localnet_arguments(options: DemoOptions, directory: Path) -> list[str]:
    arguments = ["-m", "localnet", "--port", "0", "--dir", str(directory / "localnet")]
    return arguments if options.seed is None else [*arguments, "--seed", f"enclavia demo {options.seed}", "--repeatable"]


def _wallet(options: DemoOptions, name: str) -> Wallet:
    entropy = world.entropy(options.seed, name)
    return Wallet.generate() if entropy is None else Wallet.generate(entropy)


def _manifest(workload: str) -> Digest:
    return Digest(manifest_hash(load_workload(workload).manifest.encode()))


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)

