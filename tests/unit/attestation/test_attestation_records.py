from dataclasses import replace

import pytest
from simulated_world import BINDING, CODE, COMMITTEE, HOUR, LOCALNET, NOW, POLICY, POOL, SIMULATED, Node, failed

from agent.attestation.evidence import evidence_digest
from agent.attestation.record import Place, verify_record
from agent.attestation.verdict import Verdict
from agent.attestation.verify import NativePlace
from agent.protocol.records import Attestation
from agent.protocol.statements import TeeKind
from agent.protocol.units import BlobId, Millis

EVIDENCE = Node().evidence()
RECORD = Attestation(
    key_epoch=BINDING.key_epoch,
    tee_kind=TeeKind.SIMULATED,
    policy=POLICY.digest(),
    evidence_digest=evidence_digest(EVIDENCE),
    measurement=CODE,
    hpke_pk=BINDING.hpke_pk,
    sign_pk=BINDING.sign_pk,
    not_after=BINDING.not_after,
)
PLACE = Place(
    chain_id=LOCALNET,
    network=BINDING.network_id,
    node=BINDING.node_id,
    manifest=BINDING.workload_manifest_hash,
    committee=COMMITTEE.digest(),
)


def _judged(
    record: Attestation = RECORD, *, evidence: bytes = EVIDENCE, place: Place = PLACE, at: int = NOW
) -> Verdict:
    return verify_record(evidence, record, POLICY, Millis(at), place, SIMULATED)


def test_evidence_behind_a_record_is_accepted_hours_later() -> None:
    assert _judged(at=NOW + 11 * HOUR).ok


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        ({"hpke_pk": b"\x99" * 32}, {"binding-hpke-key"}),
        ({"sign_pk": b"\x99" * 32}, {"binding-signing-key"}),
        ({"key_epoch": 4}, {"binding-key-epoch"}),
        ({"evidence_digest": BlobId(bytes(32))}, {"evidence-digest"}),
        ({"measurement": b"\x99" * 48}, {"chain-record"}),
        ({"tee_kind": TeeKind.NITRO}, {"chain-record"}),
        ({"not_after": Millis(BINDING.not_after + 1)}, {"chain-record"}),
        ({"key_epoch": 0}, {"binding-key-epoch", "chain-record"}),
    ],
    ids=str,
)
def test_record_that_says_otherwise_than_its_evidence_is_refused(change: dict[str, object], checks: set[str]) -> None:
    assert failed(_judged(replace(RECORD, **change))) == checks


def test_evidence_of_another_node_is_refused() -> None:
    assert "binding-node" in failed(_judged(place=replace(PLACE, node=b"\x77" * 32)))


def test_enclave_bound_to_a_former_committee_is_refused() -> None:
    assert failed(_judged(place=replace(PLACE, committee=bytes(32)))) == {"binding-committee"}


def test_record_of_another_pool_or_committee_in_the_chains_own_form_is_refused() -> None:
    """Where the caller says which: the binding in CBOR names the one by nothing and the other by a digest."""
    here = NativePlace(pool=POOL, committee=COMMITTEE)
    assert _judged(place=replace(PLACE, native=here)).ok
    assert failed(_judged(place=replace(PLACE, native=replace(here, pool=bytes(32))))) == {"native"}
    assert failed(_judged(place=replace(PLACE, native=replace(here, committee=replace(COMMITTEE, threshold=1))))) == {"native"}


def test_record_under_a_policy_that_is_in_force_no_longer_is_refused() -> None:
    assert _judged(place=replace(PLACE, policies=frozenset({POLICY.digest(), bytes(32)}))).ok
    assert failed(_judged(place=replace(PLACE, policies=frozenset({bytes(32)})))) == {"chain-record"}


def test_record_past_its_time_is_refused() -> None:
    assert failed(_judged(at=BINDING.not_after)) == {"expiry"}


def test_garbage_behind_a_record_is_refused_without_raising() -> None:
    assert failed(_judged(evidence=b"garbage")) == {"evidence-digest", "format", "chain-record"}


def test_certificates_are_judged_as_of_the_quote_and_not_as_of_now() -> None:
    # the platform's certificate ends long before the record does; the committee saw it while it was valid
    year = 366 * 24 * HOUR
    binding = replace(BINDING, not_after=Millis(NOW + 2 * year))
    evidence = Node(binding=binding).evidence()
    record = replace(RECORD, evidence_digest=evidence_digest(evidence), not_after=binding.not_after)
    patient = replace(POLICY, max_age=Millis(2 * year))
    assert verify_record(evidence, record, patient, Millis(NOW + year), PLACE, SIMULATED).ok
