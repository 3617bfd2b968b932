"""What a member of the verifier committee does: judge evidence and sign the verdict; look at a task and sign its draw
ticket.

Both functions take facts that the caller read from a chain node it trusts, and sign only what those facts and the
evidence say: nothing in a statement comes from whoever asked for it. Spec: docs/spec/protocol.md §4, scopes 5 and 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.binding import committee_hash
from agent.attestation.errors import FactsRefused, TicketRefused
from agent.attestation.policy import Policy
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE, Expected, verify
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import MemberView, NetworkView, PoolView, TaskView
from agent.protocol.statements import TeeKind, TicketSeat, TicketStatement, VerdictStatement
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    """Who may sign, as `Network` has it."""

    verifiers: tuple[bytes, ...]
    """Ed25519 keys, 32 bytes each; a signer is named by its place here."""
    threshold: int

    @classmethod
    def of(cls, network: NetworkView) -> "Committee":
        """The committee of `network` now."""
        return cls(verifiers=network.verifiers, threshold=network.threshold)

    def digest(self) -> bytes:
        """What bindings carry as `committee_hash`."""
        return committee_hash(self.threshold, self.verifiers)


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
    """Of the network."""
    committee: Committee

    @classmethod
    def of(
        cls, chain_id: str, network: NetworkView, pool: PoolView, member: MemberView, evidence_digest: BlobId
    ) -> "AttestationFacts":
        """The facts about `member` of `pool`, which posted the evidence named `evidence_digest`."""
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
            policy=network.policy,
            committee=Committee.of(network),
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


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """One member's signature under a draw ticket."""

    statement: TicketStatement
    signer: int
    signature: bytes


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

    def sign_ticket(self, task: TaskView, network: NetworkView, issued_at: Millis, at: Millis) -> SignedTicket:
        """Sign, at chain time `at`, that the chain drew the seats of `task`'s current round.

        All members have to sign the same `issued_at`, which the contract wants near the time it takes the ticket.

        Raises:
            FactsRefused: this member is not in the committee, or the task is of another network.
            TicketRefused: the task does not wait for a ticket, or not for one of that time.
        """
        signer = self._place_in(Committee.of(network))
        if task.network != Address(network.id):
            raise FactsRefused("the task belongs to another network: read the network that it names")
        if task.state is not TaskState.TICKET or not task.rounds or not task.rounds[-1].seats:
            raise TicketRefused("the task is not in state TICKET with somebody seated: read it again")
        if at - network.stall_ms >= task.deadline:
            raise TicketRefused("the time for a ticket has passed: the task goes on by `advance`")
        if not at - task.params.ticket_ms <= issued_at <= at + task.params.grace_ms:
            raise TicketRefused(f"a ticket of {issued_at} ms is stale or early at {at} ms: propose the time of now")
        drawn = task.rounds[-1]
        statement = TicketStatement(
            network=task.network,
            task=task.id,
            round=drawn.kind,
            input_digest=task.input_digest,
            seats=tuple(TicketSeat(seat.node, seat.tee_kind, seat.key_epoch, seat.hpke_pk) for seat in drawn.seats),
            issued_at=issued_at,
        )
        return SignedTicket(statement, signer, self._key.sign(statement.signing_bytes()))

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
    )
