"""A committee member's process: follows the chain, vouches for evidence, signs draw tickets."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

from agent.attestation.committee import CommitteeMember
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.stores import BlobStores
from agent.node.chain_time import ChainTime
from agent.node.clock import Clock
from agent.node.journal import Effect, Journal, JournalTransactionLog, Open, Wake
from agent.node.runner import DutyRunner, RunnerStatistics
from agent.node.submitter import Submitter
from agent.node.verifier import endorse, ticketing
from agent.node.verifier.signatures import Alone, SignatureCollector
from agent.node.watcher import Watcher, WatcherStatistics
from agent.protocol.events import Event, EvidencePosted, RoundBegun, TicketIssued
from agent.protocol.units import Address

FOLLOWER: Final = "verifier"
WORKERS: Final = 8


def route(event: Event, pool: Address) -> Sequence[Effect]:
    """What `event` means for a committee member of `pool`'s network. Pure."""
    match event:
        case EvidencePosted() if event.pool == pool:
            return [Open(endorse.row_for(event))]
        case RoundBegun() if event.pool == pool:
            return [Open(ticketing.row_for(event))]
        case TicketIssued() if event.pool == pool:
            return [Wake(event.task)]
        case _:
            return []


class VerifierService:
    """One committee member, over a journal of its own; `chain` logs to `JournalTransactionLog(journal)`."""

    def __init__(
        self,
        member: CommitteeMember,
        *,
        chain: Chain,
        journal: Journal,
        stores: BlobStores,
        archive: BlobStore,
        clock: Clock,
        random: Random,
        collector: SignatureCollector | None = None,
    ) -> None:
        time = ChainTime(chain, clock)
        submitter = Submitter(chain, JournalTransactionLog(journal))
        collector = collector or Alone()
        pool = Address(chain.deployment.pool.id)
        self._chain = chain
        self._runner = DutyRunner(
            [
                endorse.EndorseDuty(member, collector, chain=chain, time=time, submitter=submitter, stores=stores, archive=archive),
                ticketing.TicketDuty(member, collector, chain=chain, time=time, submitter=submitter),
            ],
            chain=chain,
            time=time,
            journal=journal,
            clock=clock,
            random=random,
            workers=WORKERS,
        )
        self._watcher = Watcher(
            FOLLOWER,
            chain=chain,
            journal=journal,
            route=lambda event: route(event, pool),
            wake=self._runner.wake,
            clock=clock,
            random=random,
        )

    async def run(self) -> None:
        """Serve until cancelled; a step under way when that happens is finished by the next start."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run())
            group.create_task(self._watcher.run())

    def statistics(self) -> tuple[RunnerStatistics, WatcherStatistics]:
        """Counts at this moment."""
        return self._runner.statistics(), self._watcher.statistics()
