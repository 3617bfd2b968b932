from dataclasses import replace
from hashlib import sha256, sha384

import pytest
from simulated_world import (
    AUTHORITY,
    BINDING,
    CODE,
    COMMITTEE,
    HOUR,
    NOW,
    POLICY,
    POOL,
    SIMULATED,
    Entropy,
    Node,
    expected,
    failed,
    judged,
)

from agent.attestation.binding import native_of, report_data
from agent.attestation.checks import CheckName
from agent.attestation.errors import EvidenceRefused, UntrustedRoot
from agent.attestation.evidence import MAX_EVIDENCE, Evidence, Quote, evidence_digest
from agent.attestation.nitro import MEDIA_TYPE as NITRO_TYPE
from agent.attestation.nitro import NitroVerifier
from agent.attestation.policy import Allowance, Layer, Rejection, Rejects
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import BlobId, Millis

EVIDENCE = Node().evidence()


def test_genuine_simulated_evidence_is_accepted_and_says_that_it_is_simulated() -> None:
    verdict = judged(EVIDENCE)
    assert verdict.ok, verdict.failed
    assert verdict.simulated
    assert verdict.tee_kind is TeeKind.SIMULATED
    assert verdict.claims is not None
    assert verdict.claims.measurement == CODE
    assert verdict.valid_until == BINDING.not_after


def test_evidence_without_isolation_report_is_judged_alike() -> None:
    assert judged(Node(isolation=None).evidence()).ok


@pytest.mark.parametrize(
    ("field", "other", "check"),
    [
        ("chain_id", "enclavia-localnet-2", "binding-chain"),
        ("network_id", b"\x99" * 32, "binding-network"),
        ("node_id", b"\x99" * 32, "binding-node"),
        ("key_epoch", 4, "binding-key-epoch"),
        ("challenge", b"\x99" * 32, "binding-challenge"),
        ("workload_manifest_hash", b"\x99" * 32, "binding-manifest"),
        ("committee_hash", b"\x99" * 32, "binding-committee"),
    ],
)
def test_binding_for_something_else_is_refused_by_that_field_alone(field: str, other: object, check: str) -> None:
    assert failed(judged(Node(binding=replace(BINDING, **{field: other})).evidence())) == {check}


@pytest.mark.parametrize(("key", "check"), [("hpke_pk", "binding-hpke-key"), ("sign_pk", "binding-signing-key")])
def test_other_keys_than_expected_are_refused(key: str, check: str) -> None:
    assert failed(judged(EVIDENCE, **{key: b"\x99" * 32})) == {check}
    assert judged(EVIDENCE, **{key: getattr(BINDING, key)}).ok


def test_quote_of_another_binding_is_refused() -> None:
    other = replace(BINDING, sign_pk=b"\x99" * 32)
    swapped = Evidence(other.encode(), Evidence.decode(EVIDENCE).cpu).encode()
    assert failed(judged(swapped)) == {"report-data", "native"}


@pytest.mark.parametrize(("field", "check"), [("nonce", "nonce"), ("public_key", "public-key")])
@pytest.mark.parametrize("value", [b"", b"\x99" * 32])
def test_quote_must_carry_what_the_binding_says(field: str, check: str, value: bytes) -> None:
    assert failed(judged(Node(document={field: value}).evidence())) == {check}


REPORT, NATIVE = report_data(BINDING.encode()), native_of(BINDING, POOL, COMMITTEE)


@pytest.mark.parametrize(
    ("carried", "checks"),
    [
        (REPORT + NATIVE, set()),
        (REPORT, {"native"}),
        (REPORT + NATIVE[:31], {"native"}),
        (REPORT + NATIVE + b"\x00", {"native"}),
        (REPORT + bytes(32), {"native"}),
        (bytes(64) + NATIVE, {"report-data"}),
        (NATIVE + REPORT, {"report-data", "native"}),
        (b"", {"report-data", "native"}),
    ],
)
def test_user_data_is_the_report_data_and_the_native_form(carried: bytes, checks: set[str]) -> None:
    assert failed(judged(Node(document={"user_data": carried}).evidence())) == checks


def test_native_form_is_that_of_the_specification() -> None:
    text = b"".join(
        (
            BINDING.network_id, POOL, BINDING.node_id, BINDING.key_epoch.to_bytes(8, "little"),
            *(bytes([32]) + field for field in (BINDING.challenge, BINDING.hpke_pk, BINDING.sign_pk, BINDING.workload_manifest_hash)),
            bytes([3]), *(bytes([32]) + key for key in COMMITTEE.verifiers), (2).to_bytes(8, "little"), BINDING.not_after.to_bytes(8, "little"),
        )
    )  # fmt: skip
    assert sha256(b"enclavia-native/1:" + text).digest() == NATIVE


def test_native_form_is_not_compared_where_pool_and_committee_are_not_known() -> None:
    verdict = judged(Node(document={"user_data": REPORT}).evidence(), native=None)
    assert verdict.ok
    (check,) = (check for check in verdict.checks if check.name == "native")
    assert "the chain compares" in check.detail


def test_debug_enclave_is_refused() -> None:
    verdict = judged(Node(code=bytes(48)).evidence())
    assert "not-debug" in failed(verdict)


def test_unknown_code_is_refused() -> None:
    assert failed(judged(Node(code=sha384(b"other code").digest()).evidence())) == {"measurement"}


def test_code_allowed_for_another_kind_of_tee_does_not_count() -> None:
    policy = replace(POLICY, vendor=Layer(allow=frozenset({Allowance(TeeKind.NITRO, CODE)})))
    assert failed(judged(EVIDENCE, policy=policy)) == {"measurement"}


def test_reject_of_any_layer_wins_over_every_allow() -> None:
    allow = frozenset({Allowance(TeeKind.SIMULATED, CODE)})
    reject = frozenset({Rejection(Rejects.MEASUREMENT, CODE.hex(), "leaks keys")})
    policy = replace(POLICY, network=Layer(allow=allow), community=Layer(allow=allow, reject=reject))
    assert failed(judged(EVIDENCE, policy=policy)) == {"not-rejected"}


def test_evidence_expires_with_its_binding() -> None:
    assert judged(EVIDENCE, at=BINDING.not_after - 1).ok
    assert failed(judged(EVIDENCE, at=BINDING.not_after)) == {"expiry"}


def test_evidence_older_than_the_policy_allows_is_refused() -> None:
    lasting = Node(binding=replace(BINDING, not_after=Millis(NOW + 24 * HOUR)))
    assert failed(judged(lasting.evidence(), at=NOW + 24 * HOUR + 1)) == {"age", "expiry"}


def test_binding_that_outlives_the_policy_is_refused() -> None:
    greedy = Node(binding=replace(BINDING, not_after=Millis(NOW + 24 * HOUR + 1)))
    assert failed(judged(greedy.evidence())) == {"expiry"}


def test_evidence_from_the_future_is_refused_beyond_the_clock_skew() -> None:
    assert judged(EVIDENCE, at=NOW - POLICY.clock_skew).ok
    assert failed(judged(EVIDENCE, at=NOW - POLICY.clock_skew - 1)) == {"age"}


def test_certificates_are_judged_at_the_given_time() -> None:
    years = 366 * 24 * HOUR
    patient = replace(POLICY, max_age=Millis(2 * years))
    lasting = Node(binding=replace(BINDING, not_after=Millis(NOW + 2 * years)))
    assert judged(lasting.evidence(), policy=patient).ok
    assert failed(judged(lasting.evidence(), policy=patient, at=NOW + years)) == {"certificates-valid"}


def test_policy_counts_between_activation_and_sunset() -> None:
    policy = replace(POLICY, active_from=Millis(NOW + 1), sunset=Millis(NOW + 3))
    assert failed(judged(EVIDENCE, policy=policy, at=NOW)) == {"policy-active"}
    assert judged(EVIDENCE, policy=policy, at=NOW + 2).ok
    assert failed(judged(EVIDENCE, policy=policy, at=NOW + 3)) == {"policy-active"}


def test_measurement_counts_between_activation_and_sunset() -> None:
    entry = Allowance(TeeKind.SIMULATED, CODE, active_from=Millis(NOW + 1), sunset=Millis(NOW + 3))
    policy = replace(POLICY, vendor=Layer(allow=frozenset({entry})))
    assert failed(judged(EVIDENCE, policy=policy, at=NOW)) == {"measurement"}
    assert judged(EVIDENCE, policy=policy, at=NOW + 2).ok
    assert failed(judged(EVIDENCE, policy=policy, at=NOW + 3)) == {"measurement"}


# The three gates before simulated evidence: each alone refuses.


def test_simulated_evidence_without_an_explicit_root_is_of_unknown_kind() -> None:
    assert failed(verify(EVIDENCE, POLICY, NOW, expected())) == {"kind"}


def test_simulated_evidence_of_another_network_is_refused() -> None:
    stranger = SimulatedAuthority.create("test", NOW, Entropy(b"stranger")).platform("node-0", NOW, Entropy(b"p"))
    assert failed(judged(Node(platform=stranger).evidence())) == {"root"}


def test_simulated_evidence_needs_a_policy_that_allows_it() -> None:
    assert failed(judged(EVIDENCE, policy=replace(POLICY, allow_simulated=False))) == {"simulated-allowed"}


@pytest.mark.parametrize(
    "chain_id",
    [
        "mainnet",
        "Testnet",
        "35834a8a",
        "4c78adac",
        "0x4C78ADAC",
        "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S",
        "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD",
    ],
)
def test_simulated_evidence_never_counts_on_a_public_chain(chain_id: str) -> None:
    there = Node(binding=replace(BINDING, chain_id=chain_id)).evidence()
    assert failed(judged(there, chain_id=chain_id)) == {"simulated-allowed"}


def test_simulated_quote_called_nitro_ends_at_an_untrusted_root() -> None:
    disguised = Evidence(BINDING.encode(), Quote(NITRO_TYPE, Node().quote())).encode()
    assert failed(judged(disguised)) == {"root"}


def test_simulated_root_cannot_be_given_to_the_nitro_verifier() -> None:
    with pytest.raises(UntrustedRoot):
        NitroVerifier(AUTHORITY.root)


def test_hardware_root_cannot_be_given_to_the_simulated_verifier() -> None:
    from agent.attestation.aws_root import AWS_NITRO_ROOT

    with pytest.raises(UntrustedRoot):
        SimulatedVerifier(AWS_NITRO_ROOT)


# Hostile input: a verdict, never an exception.


def test_oversized_evidence_is_refused_by_its_size() -> None:
    verdict = judged(bytes(MAX_EVIDENCE + 1))
    assert failed(verdict) == {"size"}


@pytest.mark.parametrize(
    "evidence",
    [
        b"",
        b"\xa0",
        b"\x80",
        b"\x81" * 10_000,
        b"\xbf" * 10_000,
        b"\xc1" * 1000,
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        EVIDENCE[:-1],
        EVIDENCE + b"\x00",
        b"\xd2" + EVIDENCE,
    ],
    ids=[
        "empty",
        "empty-map",
        "array",
        "nested",
        "endless",
        "tags",
        "huge-array",
        "huge-bytes",
        "cut",
        "trailing",
        "tag",
    ],
)
def test_malformed_evidence_is_refused_by_its_format(evidence: bytes) -> None:
    assert failed(judged(evidence)) == {"format"}


def test_unknown_media_type_is_refused_as_unknown_kind() -> None:
    parts = Evidence.decode(EVIDENCE)
    tdx = Evidence(parts.binding, Quote("application/vnd.enclavia.tdx-quote", parts.cpu.content)).encode()
    assert failed(judged(tdx)) == {"kind"}


def test_evidence_named_otherwise_on_chain_is_refused() -> None:
    assert judged(EVIDENCE, evidence_digest=evidence_digest(EVIDENCE)).ok
    assert failed(judged(EVIDENCE, evidence_digest=BlobId(bytes(32)))) == {"evidence-digest"}


def test_refused_evidence_names_the_node_and_every_failed_check() -> None:
    verdict = judged(Node(code=sha384(b"?").digest(), binding=replace(BINDING, key_epoch=9)).evidence())
    with pytest.raises(EvidenceRefused, match=r"node b0b0.*binding-key-epoch.*measurement"):
        verdict.require()


def test_accepted_verdict_shows_every_check_there_is() -> None:
    shown = {check.name for check in judged(EVIDENCE, evidence_digest=evidence_digest(EVIDENCE)).checks}
    assert shown == set(CheckName) - {CheckName.RECORD}


def test_every_verifier_has_a_media_type_of_its_own() -> None:
    types = [verifier.media_type for verifier in SIMULATED]
    assert len(set(types)) == len(types) == 8
    assert {NITRO_TYPE, "application/vnd.enclavia.simulated+cose"} <= set(types)
