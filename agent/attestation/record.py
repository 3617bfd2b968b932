"""User Attestation: a client judges for itself the evidence behind a node's record on chain.

The committee judged the same bytes when they were fresh. Since the chain records their digest, certificates that live
for hours may be judged as of the time the quote was signed; everything else is judged as of now, under the client's
own policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agent.attestation.checks import CheckName
from agent.attestation.policy import Policy
from agent.attestation.verdict import Check, Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE, Expected, NativePlace, judge
from agent.protocol.units import Address, BlobId, Millis, NodeId


class AttestationRecord(Protocol):
    """`Attestation` of docs/spec/protocol.md §5, as read from the chain."""

    @property
    def key_epoch(self) -> int: ...
    @property
    def tee_kind(self) -> int: ...
    @property
    def policy(self) -> bytes: ...
    @property
    def evidence_digest(self) -> bytes: ...
    @property
    def measurement(self) -> bytes: ...
    @property
    def hpke_pk(self) -> bytes: ...
    @property
    def sign_pk(self) -> bytes: ...
    @property
    def not_after(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the record stands."""

    chain_id: str
    network: Address
    node: NodeId
    manifest: bytes
    """32 bytes, of the pool."""
    committee: bytes
    """`binding.committee_hash` of the network's committee, or of the one before while its signatures count: the enclave
    believes the tickets of the one in its binding.
    """
    native: NativePlace | None = None
    policies: frozenset[bytes] | None = None
    """Digests of the network's policies in force; None: not compared, the contract does when it assigns."""


def verify_record(
    evidence: bytes,
    record: AttestationRecord,
    policy: Policy,
    at: Millis,
    place: Place,
    verifiers: Sequence[EvidenceVerifier] = HARDWARE,
) -> Verdict:
    """The verdict on `evidence` as that behind `record` at `at`; never raises for what either holds."""
    expected = Expected(
        chain_id=place.chain_id,
        network=place.network,
        node=place.node,
        key_epoch=record.key_epoch,
        manifest=place.manifest,
        committee=place.committee,
        # the member's challenge may be of a later epoch by now; the digest says which evidence it was
        challenge=None,
        hpke_pk=record.hpke_pk,
        sign_pk=record.sign_pk,
        evidence_digest=BlobId(record.evidence_digest),
        native=place.native,
    )
    verdict = judge(evidence, policy, at, expected, verifiers, certificates_at=None)
    return replace(verdict, checks=(*verdict.checks, _compare(verdict, record, place.policies)))


def _compare(verdict: Verdict, record: AttestationRecord, policies: frozenset[bytes] | None) -> Check:
    if record.key_epoch == 0:
        return Check(CheckName.RECORD, passed=False, detail="the node is not attested on chain: draw another")
    if verdict.claims is None or verdict.binding is None:
        return Check(CheckName.RECORD, passed=False, detail="nothing authenticated to compare with the record")
    claims, binding = verdict.claims, verdict.binding
    pairs = {
        "tee_kind": (int(claims.kind), record.tee_kind),
        "measurement": (claims.measurement, record.measurement),
        "not_after": (binding.not_after, record.not_after),
    }
    differing = [name for name, (found, recorded) in pairs.items() if found != recorded]
    if differing:
        return Check(
            CheckName.RECORD,
            passed=False,
            detail=f"the chain has another {', '.join(differing)}",
        )
    if policies is not None and record.policy not in policies:
        return Check(CheckName.RECORD, passed=False, detail="the policy it was judged under is in force no longer: draw another")
    return Check(CheckName.RECORD, passed=True, detail="the chain records what the evidence says")
