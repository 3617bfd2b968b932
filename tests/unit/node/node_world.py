"""Nodes over a twin chain: real duties, journals and enclaves (in memory), a clock that only the test moves, and crashes where it wants them."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha384
from pathlib import Path
from random import Random
from typing import Any

from chain_twin import DEPLOYMENT, NETWORK, POOL, REQUESTER, ROSTER, START, TwinChain, TwinState, nothing, operator_cap, record
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.chain import calls as c
from agent.delivery.blob_store import MemoryBlobStore
from agent.delivery.stores import BlobStores
from agent.enclave.client import EnclaveClient
from agent.enclave.errors import EnclaveStartFailed
from agent.enclave.identity import EnclaveConfig
from agent.enclave.launcher import Launched
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import BindingRequest, Committee
from agent.enclave.sealing import InputHeader, Recipient, TaskSecrets, seal_input
from agent.enclave.workloads import load_workload
from agent.enclave.workloads.workload import manifest_hash
from agent.node.chain_time import ChainTime
from agent.node.clock import ManualClock
from agent.node.config import AdmissionSection, DutySection
from agent.node.duties import attest, audit, crank, execute, heartbeat, join, upkeep
from agent.node.duties.duty import Computing
from agent.node.duties.station import Station
from agent.node.enclaves import Enclaves
from agent.node.evidence import EvidenceMaker
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyKey, DutyRow, Journal, JournalTransactionLog
from agent.node.routing import route
from agent.node.runner import DutyRunner
from agent.node.submitter import Submitter
from agent.node.verifier import BoardPeer, Member, Orders, SignatureBoard, SignatureCollector, VerifierService
from agent.node.watcher import Watcher
from agent.protocol import events as e
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import Attestation, Input, PolicyEntry, TaskView, Terms
from agent.protocol.records import Committee as CommitteeView
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

WORKLOAD = "sha256-stream"
MANIFEST = Digest(manifest_hash(load_workload(WORKLOAD).manifest.encode()))
CODE = sha384(b"the enclave's code").digest()
HOME = "http://blobs"

VERIFIER = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
MEMBERS = (VERIFIER, *(Ed25519PrivateKey.from_private_bytes(bytes([0x08 + number]) * 32) for number in range(4)))
FOREVER = Millis(2**64 - 1)
AUTHORITY = SimulatedAuthority.create("twin", Millis(START), Random(1).randbytes)
POLICY = Policy(
    version=1,
    max_age=Millis(48 * 3_600_000),
    allow_simulated=True,
    vendor=Layer(allow=frozenset({Allowance(TeeKind.SIMULATED, CODE)})),
)


LIFE = [state for state in TaskState if state < TaskState.EMPTY]


class Crash(BaseException):
    """The end of the process, at one line."""


class Tripwire:
    """Counts everything a node does with the outside and crashes it at number `at`."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0
        self.where = ""

    async def __call__(self, where: str) -> None:
        await asyncio.sleep(0)
        self.passed += 1
        if self.passed == self.at:
            self.where = where
            raise Crash(where)


class CodeLauncher(MemoryLauncher):
    """Enclaves in memory that claim to be `CODE`: all zeros, as MemoryLauncher says, no policy takes."""

    async def launch(self, config: EnclaveConfig) -> Launched:
        launched = await super().launch(config)
        launched.measurement = CODE
        return launched


class FlakyLauncher(CodeLauncher):
    """Fails the next `failures` starts."""

    failures = 0

    async def launch(self, config: EnclaveConfig) -> Launched:
        if self.failures:
            self.failures -= 1
            raise EnclaveStartFailed("out of memory")
        return await super().launch(config)


class TripEnclaves(Enclaves):
    trip: Tripwire

    async def ask(self, epoch: int, request: Callable[[EnclaveClient], Any]) -> Any:
        await self.trip("ask")
        answer = await super().ask(epoch, request)
        await self.trip("answered")
        return answer


class TripBlobs(MemoryBlobStore):
    def __init__(self) -> None:
        super().__init__()
        self.trip: Callable[[str], Coroutine[Any, Any, None]] = nothing

    async def write(self, blob: BlobId, content: bytes) -> None:
        await self.trip("put")
        await super().write(blob, content)
        await self.trip("stored")

    async def read(self, blob: BlobId, limit: int) -> bytes:
        await self.trip("fetch")
        return await super().read(blob, limit)


class TripJournal:
    """A journal whose every use may be the last of this process; what is written stays."""

    def __init__(self, journal: Journal, trip: Tripwire) -> None:
        self._journal = journal
        self._trip = trip
        self.loaded = False
        """Whether the runner of this process has begun."""
        self.under_way = 0
        """Uses not answered yet: SQLite answers from a thread, and until then the clock must stand."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._journal, name)

        async def tripping(*args: Any, **kwargs: Any) -> Any:
            await self._trip(f"journal.{name}")
            self.under_way += 1
            try:
                result = await method(*args, **kwargs)
            finally:
                self.under_way -= 1
            self.loaded = self.loaded or name == "open_duties"
            await self._trip(f"journal.{name} done")
            return result

        return tripping


class AtOnce(ThreadPoolExecutor):
    """Does what it is given in the caller's thread: no test's clock runs on while a file is read."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            done.set_exception(error)
        return done


def input_header(task: TaskId, opened_at: Millis, output_pk: bytes) -> InputHeader:
    """What the requester seals in front of its text."""
    return InputHeader(NETWORK, task, MANIFEST, opened_at, output_pk, 1_000_000, 1)


def committee(threshold: int, members: int, epoch: int = 1) -> CommitteeView:
    """The first `members` of MEMBERS."""
    return CommitteeView(epoch, tuple(key.public_key().public_bytes_raw() for key in MEMBERS[:members]), threshold)


@dataclass
class World:
    """One chain, one blob store, one clock."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    blobs: TripBlobs = field(default_factory=TripBlobs)
    secrets: dict[TaskId, TaskSecrets] = field(default_factory=dict)
    """The requester's, of every task posted."""
    state: TwinState = field(init=False)
    nodes: list["NodeHarness"] = field(default_factory=list)
    journals: list[Journal] = field(default_factory=list)
    services: list[tuple[TwinChain, VerifierService]] = field(default_factory=list)
    processes: list[TripJournal] = field(default_factory=list)
    """The journals as the services see them."""
    archive: MemoryBlobStore = field(default_factory=MemoryBlobStore)

    def __post_init__(self) -> None:
        self.state = TwinState(
            self.clock, MANIFEST, committee=committee(1, 1), policies=(PolicyEntry(POLICY.digest(), Millis(0), FOREVER, ()),)
        )
        self.boards = [SignatureBoard(key.public_key().public_bytes_raw()) for key in MEMBERS]

    async def node(self, slot: int, *, attested: bool = True, **options: Any) -> "NodeHarness":
        """A member of the pool with its journal and enclave."""
        harness = NodeHarness(self, slot, await self.journal(), **options)
        self.nodes.append(harness)
        self.state.enrol(slot, harness.me.node)
        if attested:
            await harness.vouch()
        return harness

    async def verifier(
        self, number: int = 0, policies: tuple[Policy, ...] = (POLICY,), reload: Callable[[], tuple[Policy, ...]] | None = None
    ) -> VerifierService:
        """One member of the committee; all of them are each other's peers. `reload`: its policies, read anew."""
        member = Member(MEMBERS[number], policies, (SimulatedVerifier(AUTHORITY.root),))
        chain = TwinChain(self.state, Address(bytes([0xE0 + number]) * 32))
        peers = [BoardPeer(board) for other, board in enumerate(self.boards) if other != number]
        journal: Any = TripJournal(await self.journal(), Tripwire())
        self.processes.append(journal)
        service = VerifierService(
            member,
            SignatureCollector(self.boards[number], peers),
            self.orders(number),
            chain=chain,
            journal=journal,
            stores=BlobStores({HOME: self.blobs}),
            archive=self.archive,
            clock=self.clock,
            random=Random(number),
            places=(self.blobs,),
            reload=reload,
        )
        self.services.append((chain, service))
        return service

    def orders(self, number: int = 0) -> Orders:
        """What the person behind member `number` decides."""
        folder = self.folder / f"member-{number}"
        folder.mkdir(exist_ok=True)
        return Orders(folder)

    async def journal(self) -> Journal:
        """A journal in memory, closed with the world."""
        self.journals.append(await Journal.memory())
        return self.journals[-1]

    async def close(self) -> None:
        for node in self.nodes:
            await node.enclaves.close()
        for journal in self.journals:
            await journal.close()

    def reached(self, task: TaskId, state: TaskState) -> bool:
        """Whether `task` is in `state` or beyond, in the order of a life without complaints."""
        if task not in self.state.tasks:
            return True
        now = self.state.tasks[task].state
        return now is state or (now in LIFE and state in LIFE and LIFE.index(now) >= LIFE.index(state))

    def calls(self, kind: type[c.Call] | None = None) -> list[str]:
        """The names of the calls that took effect, heartbeats left out; those of one `kind` if given."""
        names = [type(call).__name__ for call in self.state.done if kind is None or isinstance(call, kind)]
        return [name for name in names if name != "Heartbeat"]

    async def post(self, executor: int, text: str = "sixteen words", number: int = 1) -> TaskId:
        """A task with a sealed input for the node in slot `executor`, as a requester would post it."""
        state, task = self.state, TaskId(bytes([0x70, number]) + bytes(30))
        seat = state.seat(executor)
        secrets = TaskSecrets.generate(Random(number).randbytes)
        header = input_header(task, state.now, secrets.output_pk)
        sealed = seal_input(text, header, secrets, Recipient(seat.node, seat.key_epoch, seat.hpke_pk))
        await MemoryBlobStore.write(self.blobs, sealed.digest, sealed.blob)
        view = state.tasks[task] = record(
            TaskView, id=task, network=NETWORK, pool=POOL, roster=ROSTER, requester=REQUESTER, manifest=MANIFEST,
            params=state.params, terms=record(Terms, price=Mist(1_000), tee_mask=1), state=TaskState.RUNNING, opened_at=state.now,
            deadline=Millis(state.now + state.params.commit_ms), candidates=(Slot(executor),), candidate=1, executor=seat,
            input=Input(HOME.encode(), sealed.digest, sealed.key_commitment, secrets.output_pk, 1, ()),
        )  # fmt: skip
        self.secrets[task] = secrets
        state.emit(
            e.InputPosted(task, POOL, seat.node, seat.slot, seat.key_epoch, sealed.digest, view.deadline), f"post{number}"
        )
        return task

    def change(self, task: TaskId, **changes: Any) -> None:
        """Have the chain show `task` otherwise; a flat name changes the group that holds it."""
        self.state.tasks[task] = replace(self.state.tasks[task], **changes)

    async def run_until(self, reached: Callable[[], bool], *, at_once: bool = False, hours: float = 2.0) -> None:
        """Run everybody, moving the clock whenever nobody has anything left to do.

        `at_once` stops in the middle of whatever is being done; otherwise what takes no time is finished first.
        """
        asyncio.get_running_loop().set_default_executor(AtOnce(1))
        for node in self.nodes:
            if node.used:
                node.restart()
        jobs = [job for node in self.nodes for job in node.jobs()]
        jobs += [service.run() for _, service in self.services]
        if not any(node.own for node in self.nodes):
            jobs.append(self._beat())
        limit = self.clock.seconds() + hours * 3600
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(job) for job in jobs]
            while not reached():
                await self._settle(running, reached if at_once else lambda: False)
                if reached():
                    break
                due = await self._next_due()
                assert due is not None, "nobody waits for anything, and it was not reached"
                assert self.clock.seconds() + due < limit, "it was not reached in time"
                self.clock.advance(due)
                for _ in range(3):
                    # whoever slept until now sets its next timer
                    await asyncio.sleep(0)
            for each in running:
                each.cancel()
        for node in self.nodes:
            await node.enclaves.close()

    async def _settle(self, running: list[asyncio.Task[None]], stop: Callable[[], bool]) -> None:
        while not stop() and (any(task.done() for task in running) or not all(self._idle())):
            await asyncio.sleep(0)
            for task in running:
                if task.done() and not task.cancelled():
                    task.result()

    async def _beat(self) -> None:
        """What the nodes of a living network do: without heartbeats its time stands still."""
        while True:
            self.state.apply(c.Heartbeat())
            await self.clock.sleep(self.state.params.heartbeat_ms * 0.9 / 1000)

    async def _next_due(self) -> float | None:
        """Seconds until the next timer. Whoever starts an enclave does so in a process, and has no timer meanwhile."""
        for _ in range(1_000):
            due = self.clock.next_due()
            if due is not None:
                return due
            await asyncio.sleep(0.001)
        return None

    def _idle(self) -> list[bool]:
        parts = [(node.chain, node.runner.statistics()) for node in self.nodes]
        processes = [node.process for node in self.nodes] + self.processes
        loaded = all(process.loaded and not process.under_way for process in processes)
        parts += [(chain, service.statistics()[0]) for chain, service in self.services]
        # A crashed node is not idle: its process is still coming down.
        crashed = any(node.trip.where for node in self.nodes)
        return [loaded and not crashed and chain.idle and not (stats.queue.ready or stats.queue.held) for chain, stats in parts]


class NodeHarness:
    """One node; `restart` makes a new process of it over the same journal and files."""

    def __init__(
        self,
        world: World,
        slot: int,
        journal: Journal,
        *,
        trip: Tripwire | None = None,
        admission: AdmissionSection | None = None,
        own: bool = False,
        capacity: int = 256,
        concurrent: int = 4,
        policy: DutySection | None = None,
    ) -> None:
        self.world = world
        self.slot = slot
        self.journal = journal
        node = NodeId(bytes([0xB0 + slot]) * 32)
        self.me = NodeIdentity(NETWORK, POOL, node, Slot(slot), ObjectId(node), operator_cap(node))
        self.admission = admission or AdmissionSection()
        self.own = own
        self.capacity = capacity
        self.concurrent = concurrent
        self.policy = policy or DutySection(bounties=False)
        self.kept = TripBlobs()
        self.folder = world.folder / f"node-{slot}"
        self.folder.mkdir(exist_ok=True)
        self.restart(trip)

    def restart(self, trip: Tripwire | None = None) -> None:
        """A new process."""
        trip = trip or Tripwire()
        self.used = False
        world, random = self.world, Random(self.slot)
        self.chain = TwinChain(world.state, Address(self.me.node), trip)
        self.launcher = CodeLauncher()
        self.enclaves = TripEnclaves(
            self.folder, WORKLOAD, lambda: EnclaveClient(self.launcher), clock=world.clock, random=random, restarts=5
        )
        self.enclaves.trip = trip
        self.trip = trip
        world.blobs.trip = self.kept.trip = trip
        journal: Any = TripJournal(self.journal, trip)
        self.process = journal
        time = ChainTime(self.chain, world.clock)
        self.station = Station(
            me=self.me,
            chain=self.chain,
            time=time,
            journal=journal,
            submitter=Submitter(self.chain, JournalTransactionLog(self.journal)),
            enclaves=self.enclaves,
            stores=BlobStores({HOME: world.blobs}),
            home=world.blobs,
            home_uri=HOME,
            kept=self.kept,
            admission=self.admission,
            policy=self.policy,
            computing=Computing(self.concurrent),
        )
        self.duties: list[Any] = [
            execute.ExecuteDuty(self.station), audit.AuditDuty(self.station), crank.CrankDuty(self.station)
        ]  # fmt: skip
        if self.own:
            platform = AUTHORITY.platform(f"node-{self.slot}", Millis(START), Random(self.slot).randbytes)
            provider = SimulatedProvider(platform, CODE, lambda: world.state.at)
            maker = EvidenceMaker(self.chain, self.enclaves, provider, world.blobs, validity_ms=4 * 3_600_000)
            self.duties += [
                attest.AttestDuty(self.station, maker), join.JoinDuty(self.station), heartbeat.HeartbeatDuty(self.station),
                upkeep.UpkeepDuty(self.station),
            ]  # fmt: skip
        self.runner = DutyRunner(
            self.duties, chain=self.chain, time=time, journal=journal, clock=world.clock, random=random,
            workers=4 + self.concurrent, capacity=self.capacity,
        )  # fmt: skip
        self.watcher = Watcher(
            "node", chain=self.chain, journal=journal, wake=self.runner.wake, clock=world.clock, random=random,
            route=lambda event: route(event, self.me, bounties=self.policy.bounties),
        )  # fmt: skip

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        self.used = True
        return [self._run()]

    async def _run(self) -> None:
        if self.own:
            await self.journal.begin([duty.row() for duty in self.duties[3:]], now=self.world.state.at)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.runner.run())
            group.create_task(self.watcher.run())

    async def vouch(self, epoch: int = 1) -> None:
        """Have this node's enclave of `epoch` on chain without the committee's work."""
        state = self.world.state
        identity = await self.enclaves.begin(epoch)
        request = BindingRequest(
            DEPLOYMENT.chain_id, NETWORK, POOL, self.me.node, epoch, bytes(32), Millis(START + 10**9),
            Committee(1, state.verifiers),
        )  # fmt: skip
        await self.enclaves.bind(epoch, request)
        known = Attestation(
            epoch, TeeKind.SIMULATED, POLICY.digest(), BlobId(b"\x02" * 32), CODE, identity.hpke_pk, identity.sign_pk, Millis(START + 10**9)
        )
        member = state.members[self.slot]
        state.members[self.slot] = replace(member, key_epoch=epoch, attestation=known, weight=member.stake)
        self.trip.passed = 0

    async def row(self, kind: str, subject: bytes, round_: int = 0) -> DutyRow | None:
        return await self.journal.duty(DutyKey(kind, subject, round_))


async def crash_anywhere(world: World, node: NodeHarness, goal: Callable[[], bool], at: int) -> Tripwire:
    """Run towards `goal`, end the process of `node` at its step number `at`, start it again, and run to the end."""
    trip = Tripwire(at)
    node.restart(trip)
    try:
        await world.run_until(goal)
    except BaseExceptionGroup as error:
        _, rest = error.split(Crash)
        if rest is not None:
            raise rest from None
        await node.enclaves.close()
        node.restart()
        await world.run_until(goal)
    return trip
