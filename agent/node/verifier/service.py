"""A committee member's process: follows the chain, vouches for evidence, signs draw tickets, rules when the person behind it says
so, revokes when the person or a policy in force does.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import structlog

from agent.attestation.collection.store import Store
from agent.attestation.policy import Policy
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.stores import BlobStores
from agent.node.chain_time import ChainTime
from agent.node.clock import Clock
from agent.node.errors import ConfigError
from agent.node.journal import Effect, Journal, JournalTransactionLog, Open, Wake
from agent.node.runner import DutyRunner, RunnerStatistics
from agent.node.submitter import Submitter
from agent.node.verifier import endorse, revoking, ruling, ticketing
from agent.node.verifier.agreement import Agreement
from agent.node.verifier.member import Member
from agent.node.verifier.orders import Orders
from agent.node.verifier.recheck import Recheck
from agent.node.verifier.signatures import SignatureCollector
from agent.node.watcher import Watcher, WatcherStatistics
from agent.protocol.events import Attested, Event, EvidencePosted, PolicyAdded, PolicySunset, RoundBegun, RulingAwaited
from agent.protocol.states import RoundKind
from agent.protocol.units import Address

FOLLOWER: Final = "verifier"
WORKERS: Final = 8
LOOK_FOR_ORDERS_S: Final = 2.0


def route(event: Event, pool: Address) -> Sequence[Effect]:
    """What `event` means for a committee member of `pool`'s network. Pure."""
    if getattr(event, "pool", pool) != pool:
        return []
    match event:
        case EvidencePosted():
            return [Open(endorse.row_for(event))]
        case Attested():
            return [Wake(event.node + event.evidence_digest)]
        case RoundBegun() if event.round < RoundKind.DELIVERY:
            return [Open(ticketing.row_for(event.task))]
        case RulingAwaited():
            return [Open(ruling.row_for(event)), Wake(event.task)]
        case _:
            task = getattr(event, "task", None)
            return [] if task is None else [Wake(task)]


class VerifierService:
    """One committee member, over a journal of its own; `chain` logs to `JournalTransactionLog(journal)`.

    `places` are stores, beside the archive, where evidence of a record may lie; `reload` reads the member's policies anew,
    `collateral` has what vendors said since.
    """

    def __init__(
        self,
        member: Member,
        collector: SignatureCollector,
        orders: Orders,
        *,
        chain: Chain,
        journal: Journal,
        stores: BlobStores,
        archive: BlobStore,
        clock: Clock,
        random: Random,
        places: Sequence[BlobStore] = (),
        reload: Callable[[], Sequence[Policy]] | None = None,
        collateral: Store | None = None,
    ) -> None:
        time = ChainTime(chain, clock)
        submitter = Submitter(chain, JournalTransactionLog(journal))
        agreement = Agreement(member, collector)
        self._pool = Address(chain.deployment.pool.id)
        self._chain = chain
        self._orders = orders
        self._journal = journal
        self._time = time
        self._clock = clock
        self._runner = DutyRunner(
            [
                endorse.EndorseDuty(agreement, chain=chain, time=time, submitter=submitter, stores=stores, archive=archive),
                ticketing.TicketDuty(agreement, chain=chain, time=time, submitter=submitter, archive=archive),
                ruling.RuleDuty(agreement, orders, chain=chain, time=time, submitter=submitter),
                revoking.RevokeDuty(agreement, orders, chain=chain, time=time, submitter=submitter),
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
            route=self._route,
            wake=self._runner.wake,
            clock=clock,
            random=random,
        )
        self._recheck = Recheck(
            member, orders, chain=chain, time=time, places=(archive, *places), clock=clock, reload=reload, collateral=collateral
        )
        self._log = structlog.get_logger("agent.node.verifier")

    async def run(self) -> None:
        """Serve until cancelled; a step under way when that happens is finished by the next start."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run())
            group.create_task(self._watcher.run())
            group.create_task(self._take_orders())
            group.create_task(self._recheck.run())

    def statistics(self) -> tuple[RunnerStatistics, WatcherStatistics]:
        """Counts at this moment."""
        return self._runner.statistics(), self._watcher.statistics()

    def complaints(self) -> frozenset[str]:
        """What was not in order when records were last looked at, for people."""
        return self._recheck.complaints

    def _route(self, event: Event) -> Sequence[Effect]:
        if isinstance(event, (PolicyAdded, PolicySunset)):
            self._recheck.notice()
        return route(event, self._pool)

    async def _take_orders(self) -> None:
        """Open a duty for every revocation ordered; rulings are looked up by the duty that the chain opened."""
        complained = ""
        while True:
            try:
                found = await asyncio.to_thread(self._orders.revocations)
                for row in (revoking.row_for(order) for order in found):
                    known = await self._journal.duty(row.key)
                    if known is None:
                        await self._journal.begin([row], now=self._time.estimate())
                    elif known.closed:
                        # withdrawn once, and given again
                        await self._journal.save(row, now=self._time.estimate())
                    else:
                        continue
                    await self._runner.wake([row])
            except ConfigError as error:
                if str(error) != complained:
                    self._log.error("an order cannot be read", error=str(error))
                complained = str(error)
            await self._clock.sleep(LOOK_FOR_ORDERS_S)
