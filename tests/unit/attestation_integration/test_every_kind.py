"""Evidence of every kind, all the way to a signed result: accepted under the test PKI's roots, and under no vendor's."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from simulated_world import BINDING, expected
from synthetic_world import AT, KINDS, failed, judged, policy_for, quote, verifiers

from agent.attestation.evidence import Evidence, Quote
from agent.attestation.result import AttestationResult
from agent.attestation.verify import HARDWARE, verify

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
SIGNER = KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize("kind", KINDS)
def test_genuine_evidence_is_accepted_under_its_roots(kind: str) -> None:
    verdict = judged(kind)
    assert verdict.ok, failed(verdict)
    assert verdict.simulated is (kind == "simulated")


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_of_the_test_pki_is_refused_under_the_vendors_roots(kind: str) -> None:
    whole = Evidence(BINDING.encode(), quote(kind)).encode()
    verdict = verify(whole, policy_for(kind), AT, expected(), HARDWARE)
    assert failed(verdict) == ({"kind"} if kind == "simulated" else {"root"})


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_for_another_node_is_refused_by_the_binding(kind: str) -> None:
    verdict = judged(kind, binding=replace(BINDING, node_id=b"\x99" * 32))
    assert "binding-node" in failed(verdict)
    assert "report-data" not in failed(verdict)


@pytest.mark.parametrize("kind", KINDS)
def test_quote_made_for_another_binding_is_refused_by_its_report_data(kind: str) -> None:
    whole = Evidence(replace(BINDING, sign_pk=b"\x99" * 32).encode(), quote(kind)).encode()
    assert "report-data" in failed(verify(whole, policy_for(kind), AT, expected(), verifiers()))


@pytest.mark.parametrize("kind", KINDS)
def test_measurement_that_the_policy_does_not_name_is_refused(kind: str) -> None:
    other = next(each for each in ("nitro", "snp") if each != kind)
    wrong = replace(policy_for(other), allow_simulated=kind == "simulated")
    assert failed(judged(kind, wrong)) == {"measurement"}


@pytest.mark.parametrize("kind", KINDS)
def test_result_survives_its_signature(kind: str) -> None:
    result = AttestationResult.of(judged(kind))
    assert result.ok
    assert AttestationResult.open_signed(result.sign(KEY), [SIGNER]) == result


def test_unknown_kind_is_refused_and_never_skipped() -> None:
    whole = Evidence(BINDING.encode(), Quote("application/vnd.other+cbor", b"\0")).encode()
    assert failed(verify(whole, policy_for("snp"), AT, expected(), HARDWARE)) == {"kind"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "simulated"])
def test_simulated_evidence_is_refused_by_every_production_policy(kind: str) -> None:
    refused = failed(judged("simulated", policy_for(kind)))
    assert {"simulated-allowed", "measurement"} <= refused
