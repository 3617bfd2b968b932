"""The duty of a committee member towards posted evidence: fetch it, judge it, archive it, vouch for it.

posted ── judged good, archived, sent ──> done            refused: abandoned, with every reason in the row
"""

from typing import ClassVar, Final

from agent.attestation.committee import AttestationFacts, CommitteeMember
from agent.attestation.errors import SigningRefused
from agent.attestation.evidence import MAX_EVIDENCE
from agent.chain.calls import Attest
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.stores import BlobStores
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import ABANDONED, DONE, Duty, Moved, Step
from agent.node.errors import Unmeetable
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.signatures import SignatureCollector
from agent.protocol.events import EvidencePosted
from agent.protocol.records import MemberView
from agent.protocol.units import BlobId, Millis, Slot

ENDORSE: Final = "endorse"

POSTED: Final = "posted"


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


class EndorseDuty(Duty):
    """Vouches for evidence that holds."""

    kind: ClassVar[str] = ENDORSE

    def __init__(
        self,
        member: CommitteeMember,
        collector: SignatureCollector,
        *,
        chain: Chain,
        time: ChainTime,
        submitter: Submitter,
        stores: BlobStores,
        archive: BlobStore,
    ) -> None:
        self._member = member
        self._collector = collector
        self._chain = chain
        self._time = time
        self._submitter = submitter
        self._stores = stores
        self._archive = archive

    async def step(self, row: DutyRow) -> Step:
        slot = Slot(row.number("slot"))
        node = await self._chain.member(slot)
        clock = await self._time.now()
        ended = over(row, node, clock)
        if ended is not None or node is None:
            return ended or Moved(row.close(DONE))
        digest = BlobId(row.key.subject[32:])
        evidence = await self._stores.fetch(row.octets("uri"), digest, limit=MAX_EVIDENCE)
        network, pool = await self._chain.network(), await self._chain.pool()
        facts = AttestationFacts.of(self._chain.deployment.chain_id, network, pool, node, digest)
        try:
            signed = self._member.sign_verdict(evidence, facts, clock)
        except SigningRefused as error:
            raise Unmeetable(str(error)) from error
        # Archived before it counts: a record on chain whose evidence is gone could not be checked by any client.
        await self._archive.put(evidence)
        found = await self._collector.collect(signed.statement, signed.signer, signed.signature, facts.committee)
        call = Attest(
            slot=slot,
            evidence_digest=digest,
            tee_kind=int(signed.statement.tee_kind),
            measurement=signed.statement.measurement,
            hpke_pk=signed.statement.hpke_pk,
            sign_pk=signed.statement.sign_pk,
            not_after=signed.statement.not_after,
            signers=found.signers,
            signatures=found.signatures,
        )
        await self._submitter.submit(call, purpose=f"{row.key}:{digest.hex()[:12]}")
        return Moved(row.close(DONE))
