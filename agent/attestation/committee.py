"""What a member of the verifier committee does with evidence: judge it, and sign the verdict.

It takes facts that the caller read from a chain node it trusts, and signs only what those facts and the evidence say:
nothing in a statement comes from whoever asked for it. Spec: docs/spec/protocol.md §4, scope 5. How the signatures of several
members come together: `agent.attestation.collecting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.binding import Committee
from agent.attestation.errors import FactsRefused
from agent.attestation.policy import Policy
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE, Expected, NativePlace, verify
from agent.protocol.records import MemberView, NetworkView, PoolView
from agent.protocol.statements import TeeKind, VerdictStatement
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId

__all__ = ["AttestationFacts", "Committee", "CommitteeMember", "SignedVerdict", "verdict_statement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationFacts:
    """What the chain says about a node that posted evidence."""

    chain_id: str
    network: Address
    pool: Address
    node: NodeId
    key_epoch: int
    challenge: bytes
    challenge_expires: Millis
    evidence_digest: BlobId
    """Of the event EvidencePosted."""
    manifest: Digest
    tee_mask: int
    """Of the pool."""
    allow_simulated: bool
    """Of the network."""
    policy: Digest
    """The one of the network's policies in force that the verdict is to name."""
    committee: Committee
    """The one in office."""

    @classmethod
    def of(
        cls, chain_id: str, network: NetworkView, pool: PoolView, member: MemberView, evidence_digest: BlobId, policy: Digest
    ) -> "AttestationFacts":
        """The facts about `member` of `pool`, which posted the evidence named `evidence_digest`; `policy` is in force."""
        return cls(
            chain_id=chain_id,
            network=Address(network.id),
            pool=Address(pool.id),
            node=member.node,
            key_epoch=member.key_epoch,
            challenge=member.challenge,
            challenge_expires=member.challenge_expires,
            evidence_digest=evidence_digest,
            manifest=pool.manifest,
            tee_mask=pool.tee_mask,
            allow_simulated=network.allow_simulated,
            policy=policy,
            committee=Committee(verifiers=network.verifiers, threshold=network.threshold),
        )


@dataclass(frozen=True, slots=True)
class SignedVerdict:
    """One member's signature under a verdict."""

    statement: VerdictStatement
    signer: int
    """Index in `Committee.verifiers`."""
    signature: bytes
    """Ed25519, 64 bytes."""
    verdict: Verdict


class CommitteeMember:
    """One verifier: its key, its policy, the roots that it trusts."""

    def __init__(
        self, key: Ed25519PrivateKey, policy: Policy, verifiers: Sequence[EvidenceVerifier] = HARDWARE
    ) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._policy = policy
        self._verifiers = tuple(verifiers)

    @property
    def public_key(self) -> bytes:
        """32 bytes, as listed in `Network.verifiers`."""
        return self._public

    def sign_verdict(self, evidence: bytes, facts: AttestationFacts, at: Millis) -> SignedVerdict:
        """Judge `evidence` against `facts` at chain time `at`, and sign.

        Raises:
            FactsRefused: the chain does not want this verdict, or not from this member and policy.
            EvidenceRefused: the evidence fails; carries the verdict with every reason.
        """
        signer = self._place_in(facts.committee)
        if facts.policy != self._policy.digest():
            raise FactsRefused("the network's policy is another than this member applies: load the one it announces")
        if at >= facts.challenge_expires:
            raise FactsRefused("the challenge has expired: the node has to request a new one")
        verdict = verify(evidence, self._policy, at, _expected(facts), self._verifiers).require()
        statement = verdict_statement(verdict, facts)
        return SignedVerdict(statement, signer, self._key.sign(statement.signing_bytes()), verdict)

    def _place_in(self, committee: Committee) -> int:
        try:
            return committee.verifiers.index(self._public)
        except ValueError:
            raise FactsRefused(
                "this member's key is not in the network's committee: was it started with the right one?"
            ) from None


def verdict_statement(verdict: Verdict, facts: AttestationFacts) -> VerdictStatement:
    """What the committee signs about an accepting `verdict`.

    Raises:
        EvidenceRefused: the verdict does not accept.
        FactsRefused: the contract would refuse this kind of evidence here, whatever the policy says.
    """
    verdict.require()
    assert verdict.claims is not None, "an accepting verdict has claims"
    assert verdict.binding is not None, "an accepting verdict has a binding"
    kind, binding = verdict.claims.kind, verdict.binding
    if not facts.tee_mask & 1 << kind:
        raise FactsRefused(f"the pool does not take {kind.name} evidence: register in another pool")
    if kind is TeeKind.SIMULATED and not facts.allow_simulated:
        raise FactsRefused("the network was created without allow_simulated: it can never take simulated evidence")
    return VerdictStatement(
        network=facts.network,
        pool=facts.pool,
        node=facts.node,
        key_epoch=facts.key_epoch,
        challenge=facts.challenge,
        evidence_digest=verdict.evidence_digest,
        tee_kind=kind,
        measurement=verdict.claims.measurement,
        manifest=facts.manifest,
        hpke_pk=binding.hpke_pk,
        sign_pk=binding.sign_pk,
        not_after=binding.not_after,
        policy=facts.policy,
    )


def _expected(facts: AttestationFacts) -> Expected:
    return Expected(
        chain_id=facts.chain_id,
        network=facts.network,
        node=facts.node,
        key_epoch=facts.key_epoch,
        manifest=facts.manifest,
        committee=facts.committee.digest(),
        challenge=facts.challenge,
        evidence_digest=facts.evidence_digest,
        native=NativePlace(pool=facts.pool, committee=facts.committee),
    )
