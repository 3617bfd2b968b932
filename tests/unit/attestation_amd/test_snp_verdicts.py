"""Synthetic SEV-SNP evidence all the way to a verdict: what fails is named, nothing else is."""

from dataclasses import replace
from typing import Any

import pytest
from amd_pki import AT, CHIP, LEVELS, MEASUREMENT, Line, Report

from agent.attestation.amd import MEDIA_TYPE, GuestPolicy, Product, SnpQuote, SnpRequirements, SnpVerifier
from agent.attestation.amd.report import SigningKey
from agent.attestation.binding import Binding, report_data
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.policy import Allowance, Layer, Machine, Policy, Rejection, Rejects
from agent.attestation.verdict import Verdict
from agent.attestation.verify import Expected, verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, Millis, NodeId

HOUR = 3_600_000
LINE = Line(Product.MILAN)
BINDING = Binding(
    chain_id="localnet",
    network_id=Address(b"\x01" * 32),
    node_id=NodeId(b"\x02" * 32),
    key_epoch=3,
    challenge=b"\x04" * 32,
    hpke_pk=b"\x05" * 32,
    sign_pk=b"\x06" * 32,
    workload_manifest_hash=b"\x07" * 32,
    committee_hash=b"\x08" * 32,
    not_after=Millis(AT + HOUR),
)
EXPECTED = Expected(
    chain_id="localnet",
    network=BINDING.network_id,
    node=BINDING.node_id,
    key_epoch=3,
    manifest=BINDING.workload_manifest_hash,
    committee=BINDING.committee_hash,
    challenge=BINDING.challenge,
)
VENDOR = Layer(allow=frozenset({Allowance(TeeKind.SEV_SNP, MEASUREMENT)}))
POLICY = Policy(version=1, max_age=Millis(2 * HOUR), allow_simulated=False, vendor=VENDOR, accept_missing_crl=True)
GENUINE = Report(report_data=report_data(BINDING.encode()))


def judged(report: Report = GENUINE, policy: Policy = POLICY, at: Millis = AT, crl: bytes | None = None) -> Verdict:
    quote = SnpQuote(report.signed(), LINE.chain(SigningKey(report.kind)), crl).encode()
    evidence = Evidence(BINDING.encode(), Quote(MEDIA_TYPE, quote)).encode()
    verifier = SnpVerifier(SnpRequirements(floors={Product.MILAN: LEVELS}), LINE.roots)
    return verify(evidence, policy, at, EXPECTED, [verifier])


def failed(verdict: Verdict) -> set[str]:
    return {check.name.value for check in verdict.failed}


def rejecting(what: Rejects, value: bytes) -> Policy:
    return replace(POLICY, community=Layer(reject=frozenset({Rejection(what, value.hex(), "test")})))


def test_provider_key_counts_only_where_the_policy_says_so() -> None:
    assert failed(judged(replace(GENUINE, kind=SigningKey.VLEK))) == {"chip-key"}


def test_provider_key_cannot_make_a_chip_a_registered_one() -> None:
    machines = Layer(machines=frozenset({Machine(TeeKind.SEV_SNP, CHIP)}))
    policy = replace(POLICY, accept_vlek=True, network=machines)
    assert judged(policy=policy).ok
    assert failed(judged(replace(GENUINE, kind=SigningKey.VLEK), policy)) == {"hardware-registered"}


def test_leaving_the_revocation_list_out_hides_nothing() -> None:
    strict = replace(POLICY, accept_missing_crl=False)
    assert judged(policy=strict, crl=LINE.crl(days=600)).ok
    assert failed(judged(policy=strict, crl=LINE.crl(LINE.intermediate(0), days=600))) == {"not-revoked"}
    assert failed(judged(policy=strict)) == {"revocation-list"}


@pytest.mark.parametrize("padding", [0, 56])
def test_short_chip_id_is_rejected_however_it_is_padded(padding: int) -> None:
    line, short = Line(Product.TURIN), CHIP[:8]
    report = Report(product=Product.TURIN, report_data=GENUINE.report_data)
    quote = SnpQuote(report.signed(), line.chain(), None).encode()
    evidence = Evidence(BINDING.encode(), Quote(MEDIA_TYPE, quote)).encode()
    verifier = SnpVerifier(SnpRequirements(floors={Product.TURIN: LEVELS}), line.roots)
    assert "not-rejected" in failed(verify(evidence, rejecting(Rejects.HARDWARE, short + bytes(padding)), AT, EXPECTED, [verifier]))


@pytest.mark.parametrize("kind", SigningKey)
def test_genuine_evidence_is_accepted(kind: SigningKey) -> None:
    verdict = judged(replace(GENUINE, kind=kind), replace(POLICY, accept_vlek=True))
    assert verdict.ok
    assert verdict.tee_kind is TeeKind.SEV_SNP


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"policy": 0x30000 | GuestPolicy.DEBUG}, "not-debug"),
        ({"report_data": b"\x09" * 64}, "report-data"),
        ({"measurement": b"\x09" * 48}, "measurement"),
        ({"vmpl": 1}, "tcb"),
        ({"migration_agent": bytes(32)}, "tcb"),
        ({"committed_tcb": replace(LEVELS, snp=1)}, "tcb"),
        ({"tcb": replace(LEVELS, snp=1)}, "chain"),
        ({"chip_id": CHIP[::-1]}, "chain"),
        ({"version": 9}, "format"),
    ],
    ids=str,
)
def test_what_is_wrong_is_the_failed_check(changes: dict[str, Any], name: str) -> None:
    # a verdict may tell kind-specific findings besides
    assert {each for each in failed(judged(replace(GENUINE, **changes))) if not each.startswith("snp-")} == {name}


def test_rejected_chip_and_measurement_are_refused() -> None:
    assert failed(judged(policy=rejecting(Rejects.HARDWARE, CHIP))) == {"not-rejected"}
    assert failed(judged(policy=rejecting(Rejects.MEASUREMENT, MEASUREMENT))) == {"not-rejected"}
    # a host cannot hide a VCEK's chip by masking it
    masked = replace(GENUINE, chip_id=bytes(64))
    assert failed(judged(masked, rejecting(Rejects.HARDWARE, CHIP))) == {"not-rejected"}


def test_revoked_intermediate_fails_the_chain_and_says_so() -> None:
    verdict = judged(crl=LINE.crl(LINE.intermediate(SigningKey.VCEK)))
    assert len(verdict.failed) == 1
    assert "revoked" in verdict.failed[0].detail


def test_evidence_of_another_time_fails_by_its_certificates() -> None:
    assert failed(judged(at=Millis(0))) == {"certificates-valid"}
