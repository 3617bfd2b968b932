"""What a member of the committee signs of evidence, and what it does not."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from simulated_world import BINDING, CODE, LOCALNET, NOW, POLICY, POOL, SIMULATED, Node

from agent.attestation.committee import AttestationFacts, Committee, CommitteeMember
from agent.attestation.errors import EvidenceRefused, FactsRefused
from agent.attestation.evidence import evidence_digest
from agent.protocol.statements import TeeKind, VerdictStatement
from agent.protocol.units import Address, Digest, Millis, NodeId

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
MEMBER = CommitteeMember(KEY, POLICY, SIMULATED)
COMMITTEE = Committee(verifiers=(b"\x01" * 32, MEMBER.public_key), threshold=1)
NODE = Node(binding=replace(BINDING, committee_hash=COMMITTEE.digest()), committee=COMMITTEE)
EVIDENCE = NODE.evidence()
FACTS = AttestationFacts(
    chain_id=LOCALNET,
    network=BINDING.network_id,
    pool=POOL,
    node=BINDING.node_id,
    key_epoch=BINDING.key_epoch,
    challenge=BINDING.challenge,
    challenge_expires=Millis(NOW + 1000),
    evidence_digest=evidence_digest(EVIDENCE),
    manifest=Digest(BINDING.workload_manifest_hash),
    tee_mask=0b1111,
    allow_simulated=True,
    policy=POLICY.digest(),
    committee=COMMITTEE,
)


def test_verdict_is_signed_over_what_evidence_and_chain_say() -> None:
    signed = MEMBER.sign_verdict(EVIDENCE, FACTS, NOW)
    assert signed.signer == 1
    assert signed.statement == VerdictStatement(
        network=FACTS.network,
        pool=FACTS.pool,
        node=FACTS.node,
        key_epoch=FACTS.key_epoch,
        challenge=FACTS.challenge,
        evidence_digest=FACTS.evidence_digest,
        tee_kind=TeeKind.SIMULATED,
        measurement=CODE,
        manifest=FACTS.manifest,
        hpke_pk=BINDING.hpke_pk,
        sign_pk=BINDING.sign_pk,
        not_after=BINDING.not_after,
        policy=POLICY.digest(),
    )
    public = Ed25519PublicKey.from_public_bytes(COMMITTEE.verifiers[signed.signer])
    public.verify(signed.signature, signed.statement.signing_bytes())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"policy": Digest(bytes(32))}, "policy is another"),
        ({"challenge_expires": NOW}, "expired"),
        ({"tee_mask": 0b1110}, "does not take SIMULATED"),
        ({"allow_simulated": False}, "without allow_simulated"),
        ({"committee": Committee(verifiers=(b"\x01" * 32,), threshold=1)}, "not in the network's committee"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_verdict_that_the_chain_would_not_take_is_not_signed(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(FactsRefused, match=reason):
        MEMBER.sign_verdict(EVIDENCE, replace(FACTS, **change), NOW)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"chain_id": "other"}, "binding-chain"),
        ({"network": Address(bytes(32))}, "binding-network"),
        ({"node": NodeId(bytes(32))}, "binding-node"),
        ({"key_epoch": 9}, "binding-key-epoch"),
        ({"challenge": bytes(32)}, "binding-challenge"),
        ({"manifest": Digest(bytes(32))}, "binding-manifest"),
        ({"evidence_digest": bytes(32)}, "evidence-digest"),
        ({"committee": replace(COMMITTEE, threshold=2)}, "binding-committee"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_evidence_for_something_else_is_not_signed(change: dict[str, Any], check: str) -> None:
    with pytest.raises(EvidenceRefused, match=check):
        MEMBER.sign_verdict(EVIDENCE, replace(FACTS, **change), NOW)


def test_member_without_the_simulated_root_does_not_sign_simulated_evidence() -> None:
    with pytest.raises(EvidenceRefused, match="kind"):
        CommitteeMember(KEY, POLICY).sign_verdict(EVIDENCE, FACTS, NOW)


def test_evidence_that_the_chain_could_not_take_by_itself_is_not_signed_either() -> None:
    """One document, two ways in: what the committee vouches for and what Move recomputes are the same."""
    binding = replace(BINDING, committee_hash=COMMITTEE.digest())
    elsewhere = Node(binding=binding, committee=replace(COMMITTEE, threshold=2)).evidence()
    with pytest.raises(EvidenceRefused, match="native"):
        MEMBER.sign_verdict(elsewhere, replace(FACTS, evidence_digest=evidence_digest(elsewhere)), NOW)
