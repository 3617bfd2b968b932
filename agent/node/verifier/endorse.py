"""The duty of a committee member towards posted evidence: fetch it, judge it, archive it, vouch for it with the others.

posted ── judged good, archived, k of n signed, sent ──> done            refused: abandoned, with every reason in the row
"""

import asyncio
from typing import ClassVar, Final

from agent.attestation.collecting import Collected
from agent.attestation.errors import SigningRefused
from agent.attestation.evidence import MAX_EVIDENCE
from agent.chain.calls import Attest
from agent.chain.errors import ChallengeExpired
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.stores import BlobStores
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import ABANDONED, DONE, Duty, Moved, Step, sent
from agent.node.errors import Unmeetable
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.agreement import Agreement
from agent.protocol.events import EvidencePosted
from agent.protocol.records import MemberView
from agent.protocol.units import BlobId, Millis, Slot

ENDORSE: Final = "endorse"

POSTED: Final = "posted"

MAX_POSTS: Final = 4
"""Evidences of one key epoch: the good one, and a few that a mistake of the operator's spoilt."""


def row_for(event: EvidencePosted) -> DutyRow:
    """The duty that `event` opens: one for each node, epoch and evidence, so that nobody's post can stand in another's
    way.
    """
    key = DutyKey(ENDORSE, event.node + event.evidence_digest, event.key_epoch)
    return DutyRow(key, POSTED, {"slot": event.slot, "uri": event.uri})


def over(row: DutyRow, member: MemberView | None, clock: Millis) -> Moved | None:
    """How the duty ended without this member doing anything; None if the chain still waits. Pure."""
    if member is None or member.node != row.key.subject[:32]:
        return Moved(row.close(ABANDONED, "the slot in the event is not the node's"))
    if member.attestation.key_epoch >= row.key.round:
        return Moved(row.close(DONE))
    if member.key_epoch != row.key.round or clock >= member.challenge_expires:
        return Moved(row.close(ABANDONED, f"the challenge is over; last: {row.reason or row.state}"))
    return None


class Limits:
    """How many evidences of one node in one key epoch are looked at: posting costs it little, fetching and judging more."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[int, set[bytes]]] = {}

    def count(self, row: DutyRow) -> None:
        """Count the evidence of `row`, once.

        Raises:
            Unmeetable: it is one too many.
        """
        node, digest, epoch = row.key.subject[:32], row.key.subject[32:], row.key.round
        known, seen = self._seen.get(node, (0, set()))
        if known != epoch:
            seen = set()
            self._seen[node] = epoch, seen
        if digest not in seen and len(seen) >= MAX_POSTS:
            raise Unmeetable(f"the node posted more than {MAX_POSTS} evidences in key epoch {epoch}: it has to request a new challenge")
        seen.add(digest)


class EndorseDuty(Duty):
    """Vouches for evidence that holds."""

    kind: ClassVar[str] = ENDORSE

    def __init__(
        self, agreement: Agreement, *, chain: Chain, time: ChainTime, submitter: Submitter, stores: BlobStores, archive: BlobStore
    ) -> None:
        self._agreement = agreement
        self._chain = chain
        self._time = time
        self._submitter = submitter
        self._stores = stores
        self._archive = archive
        self._limits = Limits()

    async def step(self, row: DutyRow) -> Step:
        self._limits.count(row)
        slot = Slot(row.number("slot"))
        node = await self._chain.member(slot)
        clock = await self._time.now()
        ended = over(row, node, clock)
        if ended is not None or node is None:
            return ended or Moved(row.close(DONE))
        digest = BlobId(row.key.subject[32:])
        network, pool = await self._chain.network(), await self._chain.pool()
        evidence = await self._evidence(row, digest)
        member = self._agreement.member
        try:
            # in a thread: devices and revocation lists take tens of milliseconds, and the member has other work
            chain_id = self._chain.deployment.chain_id
            verdict = await asyncio.to_thread(member.judge, evidence, chain_id, network, pool, node, digest, clock)
            bench = member.present_bench(network)
        except SigningRefused as error:
            raise Unmeetable(str(error)) from error
        if "archived" not in row.facts:
            # Archived before it counts: a record on chain whose evidence is gone could not be checked by any client.
            await self._archive.put(evidence)
            return Moved(row.to(POSTED, archived=1))
        found = await self._agreement.seek(row, verdict, bench, clock)
        if not isinstance(found, Collected):
            return found
        call = Attest(
            slot=slot,
            evidence_digest=digest,
            tee_kind=int(verdict.tee_kind),
            measurement=verdict.measurement,
            hpke_pk=verdict.hpke_pk,
            sign_pk=verdict.sign_pk,
            not_after=verdict.not_after,
            policy=verdict.policy,
            committee=found.epoch,
            signers=found.signers,
            signatures=found.signatures,
        )
        try:
            await self._submitter.submit(call, purpose=f"{row.key}:{digest.hex()[:12]}")
        except ChallengeExpired:
            # another member was faster: a recorded epoch has no challenge any more
            return sent(clock)
        return Moved(row.close(DONE))

    async def _evidence(self, row: DutyRow, digest: BlobId) -> bytes:
        if "archived" in row.facts:
            return await self._archive.fetch(digest, limit=MAX_EVIDENCE)
        return await self._stores.fetch(row.octets("uri"), digest, limit=MAX_EVIDENCE)
