from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from simulated_world import BINDING, CODE, LOCALNET, NOW, POLICY, SIMULATED, Node

from agent.attestation.committee import AttestationFacts, Committee, CommitteeMember
from agent.attestation.errors import EvidenceRefused, FactsRefused, TicketRefused
from agent.attestation.evidence import evidence_digest
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import NetworkView, Params, Round, Seat, TaskView
from agent.protocol.statements import TeeKind, TicketSeat, TicketStatement, VerdictStatement
from agent.protocol.units import Address, Digest, Millis, NodeId, ObjectId, TaskId

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
MEMBER = CommitteeMember(KEY, POLICY, SIMULATED)
COMMITTEE = Committee(verifiers=(b"\x01" * 32, MEMBER.public_key), threshold=1)
NODE = Node(binding=replace(BINDING, committee_hash=COMMITTEE.digest()))
EVIDENCE = NODE.evidence()
FACTS = AttestationFacts(
    chain_id=LOCALNET,
    network=BINDING.network_id,
    pool=Address(b"\x55" * 32),
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


def _blank(cls: type) -> Any:
    """A record with zeros in every field."""
    made: dict[str, Any] = {}
    for name, kind in get_type_hints(cls, include_extras=False).items():
        base = kind
        while hasattr(base, "__supertype__"):
            base = base.__supertype__
        if name not in {field.name for field in fields(cls)}:
            continue
        if isinstance(base, type) and hasattr(base, "__dataclass_fields__"):
            made[name] = _blank(base)
        elif base is bytes:
            made[name] = bytes(32)
        elif isinstance(base, type) and issubclass(base, int):
            made[name] = base(0)
        else:
            made[name] = ()
    return cls(**made)


SEATS = tuple(
    replace(_blank(Seat), node=NodeId(bytes([i]) * 32), tee_kind=TeeKind.NITRO, key_epoch=i, hpke_pk=bytes([i]) * 32)
    for i in (1, 2)
)
NETWORK: NetworkView = replace(
    _blank(NetworkView), id=ObjectId(b"\x11" * 32), verifiers=COMMITTEE.verifiers, threshold=1, stall_ms=Millis(500)
)
TASK: TaskView = replace(
    _blank(TaskView),
    id=TaskId(b"\x22" * 32),
    network=Address(NETWORK.id),
    state=TaskState.TICKET,
    deadline=Millis(NOW + 1000),
    params=replace(_blank(Params), ticket_ms=Millis(600), grace_ms=Millis(50)),
    rounds=(_blank(Round), replace(_blank(Round), kind=2, seats=SEATS)),
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


def test_ticket_is_signed_over_the_seats_of_the_current_round() -> None:
    signed = MEMBER.sign_ticket(TASK, NETWORK, NOW, NOW)
    assert signed.statement == TicketStatement(
        network=TASK.network,
        task=TASK.id,
        round=2,
        input_digest=TASK.input_digest,
        seats=tuple(TicketSeat(NodeId(bytes([i]) * 32), TeeKind.NITRO, i, bytes([i]) * 32) for i in (1, 2)),
        issued_at=NOW,
    )
    Ed25519PublicKey.from_public_bytes(MEMBER.public_key).verify(signed.signature, signed.statement.signing_bytes())


@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.TICKET])
def test_ticket_is_signed_in_no_other_state(state: TaskState) -> None:
    with pytest.raises(TicketRefused):
        MEMBER.sign_ticket(replace(TASK, state=state), NETWORK, NOW, NOW)


def test_ticket_for_nobody_is_not_signed() -> None:
    with pytest.raises(TicketRefused):
        MEMBER.sign_ticket(replace(TASK, rounds=(_blank(Round),)), NETWORK, NOW, NOW)


def test_ticket_past_its_deadline_is_not_signed_and_stalls_of_the_chain_do_not_count() -> None:
    deadline = TASK.deadline + NETWORK.stall_ms
    last = Millis(deadline - 1)
    assert MEMBER.sign_ticket(TASK, NETWORK, last, last)
    with pytest.raises(TicketRefused, match="has passed"):
        MEMBER.sign_ticket(TASK, NETWORK, Millis(deadline), Millis(deadline))


@pytest.mark.parametrize(("offset", "signed"), [(-600, True), (-601, False), (50, True), (51, False)])
def test_ticket_is_signed_for_a_time_that_the_contract_will_take(offset: int, signed: bool) -> None:
    issued_at = Millis(NOW + offset)
    if signed:
        assert MEMBER.sign_ticket(TASK, NETWORK, issued_at, NOW).statement.issued_at == issued_at
    else:
        with pytest.raises(TicketRefused, match="stale or early"):
            MEMBER.sign_ticket(TASK, NETWORK, issued_at, NOW)


def test_ticket_of_another_network_or_by_a_stranger_is_not_signed() -> None:
    with pytest.raises(FactsRefused):
        MEMBER.sign_ticket(replace(TASK, network=Address(bytes(32))), NETWORK, NOW, NOW)
    with pytest.raises(FactsRefused):
        MEMBER.sign_ticket(TASK, replace(NETWORK, verifiers=(b"\x01" * 32,)), NOW, NOW)
