"""User Attestation: the dApp checks a node's evidence itself, under its own policy, before it seals anything for it."""

from collections.abc import Sequence

from agent.attestation.binding import committee_hash
from agent.attestation.evidence import MAX_EVIDENCE
from agent.attestation.policy import Policy
from agent.attestation.record import Place, verify_record
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.protocol.records import MemberView, PoolView
from agent.protocol.units import BlobId, Millis


class EvidenceCheck:
    """Fetches and judges the evidence behind members' records; an accepted one is judged once per key epoch and policy."""

    def __init__(
        self, chain: Chain, blobs: BlobStore, policy: Policy, verifiers: Sequence[EvidenceVerifier] = HARDWARE
    ) -> None:
        self._chain = chain
        self._blobs = blobs
        self._policy = policy
        self._verifiers = tuple(verifiers)
        self._fetched: dict[BlobId, bytes] = {}

    async def of(self, member: MemberView, pool: PoolView, at: Millis) -> Verdict:
        """The verdict on `member`'s evidence at chain time `at`; evidence that cannot be had is judged as empty."""
        network = await self._chain.network()
        record = member.attestation
        evidence = self._fetched.get(record.evidence_digest)
        if evidence is None:
            try:
                evidence = await self._blobs.fetch(record.evidence_digest, limit=MAX_EVIDENCE)
                self._fetched[record.evidence_digest] = evidence
            except BlobError:
                evidence = b""
        place = Place(
            chain_id=self._chain.deployment.chain_id,
            network=pool.network,
            node=member.node,
            manifest=pool.manifest,
            committee=committee_hash(network.threshold, network.verifiers),
        )
        return verify_record(evidence, record, self._policy, at, place, self._verifiers)
