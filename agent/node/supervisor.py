"""One node, whole: builds everything from a NodeConfig, runs it, and ends it so that nothing is lost.

Kill it at any line and start it again: transactions of unknown fate are sent again as the same bytes, duties go on from
their rows, enclaves from their sealed files. A chain or a store that does not answer makes the node wait, not end; it
ends only if its journal fails, or an enclave does not stay up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import Random, SystemRandom
from typing import Final

import structlog

from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.devices import DeviceEvidence
from agent.chain.errors import ChainError
from agent.chain.port import Chain
from agent.chain.transaction_log import TransactionLog
from agent.delivery.blob_store import BlobStore
from agent.delivery.file_store import FileBlobStore
from agent.delivery.stores import BlobStores
from agent.enclave.client import EnclaveClient
from agent.enclave.launcher import Launcher
from agent.node.chain_time import ChainTime
from agent.node.clock import Clock, SystemClock
from agent.node.config import NodeConfig
from agent.node.duties import attest, audit, crank, execute, heartbeat, join, upkeep
from agent.node.duties.duty import Computing
from agent.node.duties.station import Station
from agent.node.enclaves import Enclaves
from agent.node.errors import EnclaveDown
from agent.node.evidence import EvidenceMaker
from agent.node.identity import NodeIdentity
from agent.node.journal import Journal, JournalTransactionLog
from agent.node.routing import route
from agent.node.runner import DutyRunner
from agent.node.status import NodeStatus, Snapshot, checks, watched
from agent.node.submitter import Submitter
from agent.node.watcher import Watcher
from agent.telemetry.endpoint import serving
from agent.telemetry.metrics import Metrics

JOURNAL_FILE: Final = "journal.db"
KEPT: Final = "kept"
"""Where this node's own copies of sealed inputs and outputs lie until their tasks are decided."""
FOLLOWER: Final = "node"

PROMPT_WORKERS: Final = 8
"""Steps that may run besides computations, so that a long one never keeps a handoff or a reveal waiting."""

DRAIN_SECONDS: Final = 20.0
"""How long a stop waits for steps under way; what is cut off then is finished by the next start."""

OwnDuty = attest.AttestDuty | join.JoinDuty | heartbeat.HeartbeatDuty | upkeep.UpkeepDuty
"""Duties that no event opens: each has one row, from the first start on."""

Connect = Callable[[TransactionLog], AbstractAsyncContextManager[Chain]]
"""Opens the chain for the node's hot key, over the journal's transaction log."""


@asynccontextmanager
async def only_cause() -> AsyncIterator[None]:
    """Let an enclave that does not stay up end the node as itself, not inside a group of one."""
    try:
        yield
    except ExceptionGroup as group:
        for error in group.exceptions:
            if isinstance(error, EnclaveDown):
                raise error from group
        raise


class Node:
    """Runs once. What speaks to the outside comes as arguments, so that a test or a liar can bring its own."""

    def __init__(
        self,
        config: NodeConfig,
        *,
        connect: Connect,
        stores: BlobStores,
        home: BlobStore,
        launcher: Launcher,
        provider: EvidenceProvider,
        devices: DeviceEvidence | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        self._config = config
        self._connect = connect
        self._stores = stores
        self._home = home
        self._launcher = launcher
        self._provider = provider
        self._devices = devices
        self._clock = clock or SystemClock()
        self._random = random or SystemRandom()
        self._stop = asyncio.Event()
        self._status: NodeStatus | None = None
        self._log = structlog.get_logger("agent.node")

    async def run(self) -> None:
        """Serve until `stop` is called or this is cancelled.

        Raises:
            ConfigError, IdentityError, JournalError: the node cannot start; the text says what to do.
            EnclaveDown: the enclave does not stay up.
        """
        me = NodeIdentity.load(self._config.directory)
        async with AsyncExitStack() as closing:
            journal = await Journal.open(self._config.directory / JOURNAL_FILE)
            closing.push_async_callback(journal.close)
            chain = await closing.enter_async_context(self._connect(JournalTransactionLog(journal)))
            me.check(chain.deployment)
            enclaves = self._enclaves()
            closing.push_async_callback(enclaves.close)
            await self._serve(me, journal, chain, enclaves)

    def stop(self) -> None:
        """Have `run` end: no further step is begun, those under way are finished."""
        self._stop.set()

    async def status(self) -> Snapshot | None:
        """What the node is doing; None before it is up."""
        return None if self._status is None else await self._status.snapshot()

    async def _serve(self, me: NodeIdentity, journal: Journal, chain: Chain, enclaves: Enclaves) -> None:
        time = ChainTime(chain, self._clock)
        station = self._station(me, journal, chain, enclaves, time)
        own = self._own_duties(station)
        runner = DutyRunner(
            [execute.ExecuteDuty(station), audit.AuditDuty(station), crank.CrankDuty(station), *own],
            chain=chain,
            time=time,
            journal=journal,
            clock=self._clock,
            random=self._random,
            workers=PROMPT_WORKERS + self._config.admission.max_concurrent_tasks,
        )
        watcher = Watcher(
            FOLLOWER,
            chain=chain,
            journal=journal,
            route=lambda event: route(event, me, bounties=self._config.duties.bounties),
            wake=runner.wake,
            clock=self._clock,
            random=self._random,
        )
        await self._settle_old_transactions(chain)
        await journal.begin([duty.row() for duty in own], now=time.estimate())
        self._status = NodeStatus(me, journal, runner, watcher, enclaves)
        async with self._telemetry(self._status), only_cause(), asyncio.TaskGroup() as group:
            follower = group.create_task(watcher.run())
            others = [group.create_task(runner.run()), group.create_task(enclaves.watch())]
            self._log.info("node is up", node=f"0x{me.node.hex()}", slot=me.slot)
            await self._stop.wait()
            follower.cancel()
            await self._drain(runner)
            for each in others:
                each.cancel()

    async def _drain(self, runner: DutyRunner) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await runner.drain()
        except TimeoutError:
            self._log.warning("a step did not end in time; the next start finishes it")

    async def _settle_old_transactions(self, chain: Chain) -> None:
        try:
            unknown = await chain.recover()
        except ChainError as error:
            # Each act asks again before it sends, so starting without an answer risks nothing.
            self._log.warning("old transactions are not settled yet", error=str(error))
            return
        if unknown:
            self._log.warning("transactions of unknown fate", digests=list(unknown))

    def _enclaves(self) -> Enclaves:
        return Enclaves(
            self._config.directory,
            self._config.enclave.workload,
            lambda: EnclaveClient(self._launcher),
            clock=self._clock,
            random=self._random,
            restarts=self._config.enclave.restarts,
        )

    def _station(self, me: NodeIdentity, journal: Journal, chain: Chain, enclaves: Enclaves, time: ChainTime) -> Station:
        return Station(
            me=me,
            chain=chain,
            time=time,
            journal=journal,
            submitter=Submitter(chain, JournalTransactionLog(journal)),
            enclaves=enclaves,
            stores=self._stores,
            home=self._home,
            home_uri=self._config.blobs.url,
            kept=FileBlobStore(self._config.directory / KEPT),
            admission=self._config.admission,
            policy=self._config.duties,
            computing=Computing(self._config.admission.max_concurrent_tasks),
        )

    def _own_duties(self, station: Station) -> tuple[OwnDuty, ...]:
        hours = self._config.enclave.validity_hours
        maker = EvidenceMaker(
            station.chain, station.enclaves, self._provider, self._home, validity_ms=hours * 3_600_000, devices=self._devices
        )
        return attest.AttestDuty(station, maker), join.JoinDuty(station), heartbeat.HeartbeatDuty(station), upkeep.UpkeepDuty(station)

    def _telemetry(self, status: NodeStatus) -> AbstractAsyncContextManager[object]:
        listen = self._config.telemetry.listen
        if listen is None:
            return AsyncExitStack()
        host, _, port = listen.rpartition(":")
        metrics = Metrics()
        for name, source in watched(status):
            metrics.watch(name, source)
        return serving(metrics, checks(status), host, int(port))
