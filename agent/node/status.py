"""What a node can say of itself: a snapshot for people, statistics for /metrics, checks for /health."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.node.duties.attest import ATTEST, ATTESTED
from agent.node.duties.join import JOIN
from agent.node.enclaves import Enclaves, EnclaveStatistics
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyKey, DutyRow, Journal, JournalStatistics
from agent.node.runner import DutyRunner, RunnerStatistics
from agent.node.watcher import Watcher, WatcherStatistics
from agent.telemetry.health import HealthCheck

SILENT_SECONDS: Final = 180.0
"""A watcher without a page for this long has lost the chain; adapters give empty pages now and then."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A node at one moment."""

    me: NodeIdentity
    attestation: DutyRow | None
    """The duty to be attested; its state says where that stands."""
    membership: DutyRow | None
    """The duty to be drawn."""
    journal: JournalStatistics
    runner: RunnerStatistics
    watcher: WatcherStatistics
    enclaves: EnclaveStatistics


class NodeStatus:
    """Asks the parts of a running node."""

    def __init__(self, me: NodeIdentity, journal: Journal, runner: DutyRunner, watcher: Watcher, enclaves: Enclaves) -> None:
        self.me = me
        self.journal = journal
        self.runner = runner
        self.watcher = watcher
        self.enclaves = enclaves

    async def snapshot(self) -> Snapshot:
        """Everything, now."""
        return Snapshot(
            me=self.me,
            attestation=await self.journal.duty(DutyKey(ATTEST, self.me.node)),
            membership=await self.journal.duty(DutyKey(JOIN, self.me.node)),
            journal=await self.journal.statistics(),
            runner=self.runner.statistics(),
            watcher=self.watcher.statistics(),
            enclaves=self.enclaves.statistics(),
        )


def watched(status: NodeStatus) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Sources of metrics by their name."""
    yield "runner", status.runner.statistics
    yield "queue", lambda: status.runner.statistics().queue
    yield "watcher", status.watcher.statistics
    yield "enclaves", status.enclaves.statistics


def checks(status: NodeStatus) -> Mapping[str, HealthCheck]:
    """Health checks by their name."""

    async def chain() -> str | None:
        since = status.watcher.statistics().seconds_since_page
        if since is None:
            return "nothing was heard of the chain yet"
        return f"nothing was heard of the chain for {since:.0f} s" if since > SILENT_SECONDS else None

    async def enclave() -> str | None:
        failures = status.enclaves.statistics().failures
        return f"the enclave failed {failures} times in a row" if failures else None

    async def attestation() -> str | None:
        row = await status.journal.duty(DutyKey(ATTEST, status.me.node))
        if row is None or row.state != ATTESTED:
            return f"not attested: {'not begun' if row is None else row.reason or row.state}"
        return None

    async def journal() -> str | None:
        failing = (await status.journal.statistics()).failing_duties
        return f"{failing} duties fail and are tried again: `enclavia node tasks` shows why" if failing else None

    return {"chain": chain, "enclave": enclave, "attestation": attestation, "duties": journal}
