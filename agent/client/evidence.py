"""User Attestation: the dApp checks a node's evidence itself, under its own policy, before it seals anything for it."""

from collections.abc import Sequence
from typing import Final

from agent.attestation.binding import committee_hash
from agent.attestation.evidence import MAX_EVIDENCE
from agent.attestation.policy import Policy
from agent.attestation.record import Place, verify_record
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError, StoreUnreachable
from agent.protocol.records import MemberView, NetworkView, PoolView
from agent.protocol.units import BlobId, Millis

MAX_REMEMBERED: Final = 64
"""Evidence of so many records is kept in memory; it may have some hundred KiB each."""


class EvidenceCheck:
    """Fetches and judges the evidence behind members' records."""

    def __init__(
        self, chain: Chain, blobs: BlobStore, policy: Policy, verifiers: Sequence[EvidenceVerifier] = HARDWARE
    ) -> None:
        self._chain = chain
        self._blobs = blobs
        self._policy = policy
        self._verifiers = tuple(verifiers)
        self._fetched: dict[BlobId, bytes] = {}

    async def of(self, member: MemberView, pool: PoolView, network: NetworkView, at: Millis) -> Verdict:
        """The verdict on the evidence behind `member`'s present record, at chain clock `at`; evidence that the store does
        not have, or has spoilt, is judged as empty. An enclave may be bound to the committee in office or, while that
        counts, to the one before.

        Raises:
            StoreUnreachable: nobody knows what the evidence is; to reject the member for that would cost the requester.
        """
        evidence = await self._evidence(member.attestation.evidence_digest)
        committees = [network.committee]
        if network.previous.epoch and network.protocol_time(at) < network.previous_until:
            committees.append(network.previous)
        verdicts = []
        for each in committees:
            place = Place(
                chain_id=self._chain.deployment.chain_id,
                network=pool.network,
                node=member.node,
                manifest=pool.manifest,
                committee=committee_hash(each.threshold, each.verifiers),
            )
            verdicts.append(verify_record(evidence, member.attestation, self._policy, at, place, self._verifiers))
            if verdicts[-1].ok:
                return verdicts[-1]
        return verdicts[0]

    async def _evidence(self, digest: BlobId) -> bytes:
        if digest not in self._fetched:
            try:
                self._fetched[digest] = await self._blobs.fetch(digest, limit=MAX_EVIDENCE)
            except StoreUnreachable:
                raise
            except BlobError:
                return b""
            if len(self._fetched) > MAX_REMEMBERED:
                del self._fetched[next(iter(self._fetched))]
        return self._fetched[digest]
