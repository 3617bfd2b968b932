"""Who signed what, and was it right: every record that a Pool ever got, judged again as of when it was made.

The contract's events say what was vouched for and who signed; the evidence lies where members archived it. So anybody can do
this, and a wrong verdict names its signers. Nothing here is trusted but the chain's answers.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.attestation.binding import Committee
from agent.attestation.evidence import MAX_EVIDENCE
from agent.attestation.policy import Policy
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE, Expected, NativePlace, verify
from agent.chain.port import Chain, ChainEvent
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.protocol.events import Attested, ChallengeIssued, CommitteeChanged
from agent.protocol.records import PoolView
from agent.protocol.units import Address, Digest, Millis, NodeId, Slot

PATIENCE_S: Final = 15.0
"""How long a chain may be silent before it is taken to have told all."""


class Outcome(StrEnum):
    """What came of judging a record again."""

    SOUND = "sound"
    """The evidence says what the record does, and holds under the policy named."""
    WRONG = "wrong"
    """It does not: those who signed did not judge, or lied."""
    GONE = "gone"
    """Nobody has the evidence, which every signer was to archive."""
    UNJUDGED = "unjudged"
    """The policy that it was judged by was not given here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One record."""

    slot: Slot
    node: NodeId
    key_epoch: int
    at: Millis
    """As of when it was judged."""
    policy: Digest
    evidence: Digest
    by_chain: bool
    """Move itself checked: nobody signed."""
    committee: int
    """Epoch of the committee that signed."""
    signers: tuple[bytes, ...]
    """Ed25519 keys of those who signed, 32 bytes each."""
    outcome: Outcome
    why: tuple[str, ...]
    """For people: each failed check, each difference."""
    transaction: str


class Auditor:
    """Judges again what `chain` recorded; evidence comes from `places`, one after the other."""

    def __init__(
        self,
        chain: Chain,
        places: Sequence[BlobStore],
        policies: Sequence[Policy],
        verifiers: Sequence[EvidenceVerifier] = HARDWARE,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._chain = chain
        self._places = places
        self._policies = {policy.digest(): policy for policy in policies}
        self._verifiers = verifiers
        self._patience_s = patience_s

    async def records(self, slot: Slot | None = None) -> AsyncIterator[Audited]:
        """Every record of `slot`, or of all slots, in the order in which they were made; ends when the chain has told all.

        Raises:
            ChainError: the endpoint does not answer, or has pruned the beginning.
        """
        pool, open_ms = await self._chain.pool(), (await self._chain.network()).params.challenge_ms
        mine = Address(self._chain.deployment.pool.id)
        committees: dict[int, Committee] = {}
        challenges: dict[tuple[NodeId, int], ChallengeIssued] = {}
        async for happened in self._told(await self._newest(pool)):
            match happened.event:
                case CommitteeChanged(epoch=epoch, verifiers=verifiers, threshold=threshold):
                    committees[epoch] = Committee(verifiers=verifiers, threshold=threshold)
                case ChallengeIssued() as issued if issued.pool == mine:
                    challenges[issued.node, issued.key_epoch] = issued
                case Attested() as event if event.pool == mine and slot in {None, event.slot}:
                    challenge = challenges.get((event.node, event.key_epoch))
                    yield await self._judged(happened, event, challenge, committees.get(event.committee), pool, moments(happened, challenge, open_ms))

    async def _newest(self, pool: PoolView) -> set[tuple[NodeId, int]]:
        """The records that members have now; when all of them were told, so was everything before."""
        members = [await self._chain.member(Slot(number)) for number in range(pool.next_slot)]
        return {(member.node, member.attestation.key_epoch) for member in members if member is not None and member.attestation.key_epoch}

    async def _told(self, until: set[tuple[NodeId, int]]) -> AsyncIterator[ChainEvent]:
        """The chain's events up to the newest of the records `until`, or until it falls silent."""
        missing = set(until)
        async with aclosing(self._chain.events(None)) as pages:
            while missing:
                try:
                    async with asyncio.timeout(self._patience_s):
                        page = await anext(pages, None)
                except TimeoutError:
                    return
                if page is None:
                    return
                for happened in page.events:
                    if isinstance(happened.event, Attested):
                        missing.discard((happened.event.node, happened.event.key_epoch))
                    yield happened

    async def _judged(
        self,
        happened: ChainEvent,
        event: Attested,
        challenge: ChallengeIssued | None,
        committee: Committee | None,
        pool: PoolView,
        times: Sequence[Millis],
    ) -> Audited:
        # where the endpoint does not say when it was, nobody is accused of what held at a time when it may have been
        at, outcome = times[0], Outcome.UNJUDGED
        why: tuple[str, ...] = ()
        for moment in reversed(times):
            at = moment
            outcome, why = await self._outcome(event, challenge, committee, pool, at)
            if outcome is not Outcome.WRONG:
                break
        keys = () if committee is None else tuple(committee.verifiers[each] for each in event.signers if each < len(committee.verifiers))
        return Audited(
            slot=event.slot, node=event.node, key_epoch=event.key_epoch, at=at, policy=event.policy, evidence=Digest(event.evidence_digest),
            by_chain=event.by_chain, committee=event.committee, signers=keys, outcome=outcome, why=why, transaction=happened.digest,
        )  # fmt: skip

    async def _outcome(
        self, event: Attested, challenge: ChallengeIssued | None, committee: Committee | None, pool: PoolView, at: Millis
    ) -> tuple[Outcome, tuple[str, ...]]:
        if challenge is None or committee is None:
            return Outcome.UNJUDGED, ("the endpoint does not tell which challenge or committee it was made for: use one with all of the history",)
        evidence = await self._evidence(event)
        if evidence is None:
            return Outcome.GONE, (f"evidence {event.evidence_digest.hex()} is in none of the stores given: whoever signed was to keep it",)
        policy = self._policies.get(event.policy)
        if policy is None:
            return Outcome.UNJUDGED, (f"policy {event.policy.hex()} was not given: give its document with --policy",)
        place = NativePlace(pool=event.pool, committee=committee)
        expected = Expected(
            chain_id=self._chain.deployment.chain_id,
            network=Address(self._chain.deployment.network.id),
            node=event.node,
            key_epoch=event.key_epoch,
            manifest=pool.manifest,
            committee=committee.digest(),
            challenge=challenge.challenge,
            hpke_pk=event.hpke_pk,
            sign_pk=event.sign_pk,
            evidence_digest=event.evidence_digest,
            native=place,
        )
        verdict = await asyncio.to_thread(verify, evidence, policy, at, expected, self._verifiers)
        why = (*(f"{check.name}: {check.detail}" for check in verdict.failed), *differences(event, verdict))
        return (Outcome.WRONG if why else Outcome.SOUND), why

    async def _evidence(self, event: Attested) -> bytes | None:
        for place in self._places:
            try:
                return await place.fetch(event.evidence_digest, limit=MAX_EVIDENCE)
            except BlobError:
                continue
        return None


def moments(happened: ChainEvent, challenge: ChallengeIssued | None, open_ms: int) -> tuple[Millis, ...]:
    """When a record may have been made: when the endpoint says, or else while its challenge was open. Pure."""
    if happened.timestamp is not None:
        return (happened.timestamp,)
    if challenge is None:
        return (Millis(0),)
    return tuple(Millis(challenge.expires_at - 1 - back) for back in (0, open_ms // 2, max(0, open_ms - 1)))


def differences(event: Attested, verdict: Verdict) -> tuple[str, ...]:
    """What the record says otherwise than the evidence does. Pure."""
    if verdict.claims is None or verdict.binding is None:
        return ()
    pairs = {
        "TEE kind": (event.tee_kind, verdict.claims.kind),
        "measurement": (event.measurement, verdict.claims.measurement),
        "not_after": (event.not_after, verdict.binding.not_after),
    }
    return tuple(f"record: its {name} is not what the evidence says" for name, (recorded, said) in pairs.items() if recorded != said)
