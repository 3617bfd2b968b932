"""Looks again at what was vouched for: when the policies in force change, and now and then."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from agent.attestation.collection.errors import ArchiveError
from agent.attestation.collection.store import Store
from agent.attestation.errors import AttestationError, EvidenceError
from agent.attestation.evidence import MAX_EVIDENCE
from agent.attestation.policy import Policy
from agent.chain.errors import ChainError
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.node.chain_time import ChainTime
from agent.node.clock import Clock
from agent.node.errors import NodeError
from agent.node.verifier.member import Member, policies_in_force
from agent.node.verifier.orders import Orders, RevocationOrder
from agent.node.verifier.rejections import Named, named_in, records_that_count, rejection
from agent.node.verifier.vendor_revocations import revoked_since
from agent.protocol.records import Attestation, MemberView, NetworkView
from agent.protocol.statements import RevocationReason
from agent.protocol.units import BlobId, Digest, Millis, Slot

LOOK_S: Final = 30.0
"""How often policies are read again, the network's and this member's."""

RECHECK_MS: Final = Millis(3_600_000)
"""How often every record is looked at even though no policy changed."""


BEHIND_S: Final = 0.2
"""How far behind a moment its look comes: a chain's clock moves by checkpoints."""


def changes(network: NetworkView, clock: Millis) -> Millis | None:
    """When, by the chain's clock, the policies in force change next; None: not that anybody knows. Pure."""
    moments = [moment + network.stall_ms for entry in network.policies for moment in (entry.activates_at, entry.sunset_at)]
    coming = [moment for moment in moments if moment > clock]
    return Millis(min(coming)) if coming else None


class Recheck:
    """Has a record revoked whose code, chip or advisory a policy in force rejects, as soon as `member` applies that policy.

    `reload` reads the member's policies anew; `places` are where evidence may lie, the member's own archive first. What a vendor
    took back falls out too, where `collateral` has it: the archive that `enclavia attest collateral` keeps.
    """

    def __init__(
        self,
        member: Member,
        orders: Orders,
        *,
        chain: Chain,
        time: ChainTime,
        places: Sequence[BlobStore],
        clock: Clock,
        reload: Callable[[], Sequence[Policy]] | None = None,
        collateral: Store | None = None,
    ) -> None:
        self._member = member
        self._orders = orders
        self._chain = chain
        self._time = time
        self._places = places
        self._clock = clock
        self._reload = reload
        self._collateral = collateral
        self._known: dict[BlobId, Named | None] = {}
        self._looked_with: tuple[Digest, ...] | None = None
        self._next = Millis(0)
        self._changes: Millis | None = None
        self._wake = asyncio.Event()
        self._complaints: frozenset[str] = frozenset()
        self._of_records: frozenset[str] = frozenset()
        self._log = structlog.get_logger("agent.node.verifier")

    @property
    def complaints(self) -> frozenset[str]:
        """What was wrong when it was last looked at, for people."""
        return self._complaints

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            try:
                await self.look()
            except (AttestationError, BlobError, ChainError, NodeError) as error:
                self._log.warning("records were not rechecked", error=f"{type(error).__name__}: {error}")
            await self._pause()

    def notice(self) -> None:
        """Look soon: the chain's policies changed."""
        self._wake.set()

    async def look(self) -> None:
        """Take up changed policies; if those that count changed, or it is time, look at all records.

        Raises:
            PolicyError, ConfigError: a policy cannot be read; those read before still count.
            ChainError: the endpoint does not answer.
        """
        if self._reload is not None:
            self._member.apply(await asyncio.to_thread(self._reload))
        network, clock = await self._chain.network(), await self._time.now()
        self._changes = changes(network, clock)
        in_force = policies_in_force(network, clock)
        applied = tuple(digest for digest in in_force if digest in self._member.policies)
        complaints = {
            f"policy {digest.hex()} is in force and not loaded: put its document into [committee] policies"
            for digest in in_force
            if digest not in applied
        }
        if applied != self._looked_with or clock >= self._next:
            policies = [self._member.policy(digest) for digest in applied]
            self._of_records = frozenset(await self._recheck(network.protocol_time(clock), clock, policies))
            self._looked_with, self._next = applied, Millis(clock + RECHECK_MS)
        complaints |= self._of_records
        for new in sorted(complaints - self._complaints):
            self._log.error("not in order", complaint=new)
        self._complaints = frozenset(complaints)

    async def _pause(self) -> None:
        """Until the policies in force change, somebody notices something, or LOOK_S are over."""
        seconds = LOOK_S if self._changes is None else min(LOOK_S, max(0, self._changes - self._time.estimate()) / 1000 + BEHIND_S)
        timer = self._clock.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    async def _recheck(self, now: Millis, clock: Millis, policies: Sequence[Policy]) -> set[str]:
        complaints: set[str] = set()
        seen: set[BlobId] = set()
        pool = await self._chain.pool()
        for slot in range(pool.next_slot):
            member = None if slot in pool.free else await self._chain.member(Slot(slot))
            if member is None:
                continue
            for record in records_that_count(member, now, clock):
                seen.add(record.evidence_digest)
                named = await self._named(record, clock)
                if named is None:
                    complaints.add(f"the evidence of slot {slot}, {record.evidence_digest.hex()}, cannot be had or holds no more: not rechecked")
                    continue
                found = rejection(named, policies)
                if found is None:
                    found = await self._taken_back(record, clock, complaints)
                if found is not None:
                    await self._order(member, record, *found)
                    break  # ends the older one as well
        self._known = {digest: named for digest, named in self._known.items() if digest in seen and named is not None}
        return complaints

    async def _order(self, member: MemberView, record: Attestation, reason: RevocationReason, why: str) -> None:
        order = RevocationOrder(member.node, member.slot, record.key_epoch, reason, why)
        if await asyncio.to_thread(self._orders.revocation, member.node, record.key_epoch) is None:
            self._log.error("a record falls out", node=member.node.hex(), slot=member.slot, key_epoch=record.key_epoch, why=why)
            await asyncio.to_thread(self._orders.give, order)

    async def _named(self, record: Attestation, clock: Millis) -> Named | None:
        digest = record.evidence_digest
        if digest not in self._known:
            self._known[digest] = await self._read(digest, clock)
        return self._known[digest]

    async def _taken_back(self, record: Attestation, clock: Millis, complaints: set[str]) -> tuple[RevocationReason, str] | None:
        """What a vendor revoked of the platform behind `record`."""
        if self._collateral is None:
            return None
        evidence = await self._evidence(record.evidence_digest)
        if evidence is None:
            return None
        try:
            why = await asyncio.to_thread(revoked_since, evidence, self._collateral, self._member.verifiers, clock)
        except ArchiveError as error:
            complaints.add(f"the archive of collateral: {error}")
            return None
        return None if why is None else (RevocationReason.HARDWARE, f"the vendor took it back: {why}")

    async def _read(self, digest: BlobId, clock: Millis) -> Named | None:
        evidence = await self._evidence(digest)
        if evidence is None:
            return None
        try:
            return await asyncio.to_thread(named_in, evidence, self._member.verifiers, clock)
        except EvidenceError:
            return None

    async def _evidence(self, digest: BlobId) -> bytes | None:
        for place in self._places:
            try:
                return await place.fetch(digest, limit=MAX_EVIDENCE)
            except BlobError:
                continue
        return None
