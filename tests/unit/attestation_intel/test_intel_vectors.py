"""Quotes of real processors with Intel's real collateral: the expected verdict at their time, none at another."""

import json
from dataclasses import replace

import pytest
from intel_flips import flip
from intel_vectors import NEAR, OUTDATED, SGX, TDX, WITH_COLLATERAL, Vector, content, day
from simulated_world import BINDING, POLICY, expected, failed

from agent.attestation.errors import NotValidThen
from agent.attestation.evidence import Evidence
from agent.attestation.evidence import Quote as Item
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.errors import CollateralMismatch, CollateralMissing
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE, IntelEvidence
from agent.attestation.intel.quote import Quote, without_padding
from agent.attestation.intel.verifier import SgxVerifier, TdxVerifier
from agent.attestation.policy import Allowance, Layer
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

HOUR = 3_600_000
DAY = 24 * HOUR
IDS = [vector.quote.rpartition("/")[2] for vector in WITH_COLLATERAL]


def verifier(vector: Vector) -> EvidenceVerifier:
    return SgxVerifier() if vector is SGX else TdxVerifier()


def claims(vector: Vector) -> Claims:
    return verifier(vector).authenticate(vector.evidence(), vector.at)


@pytest.mark.parametrize("vector", WITH_COLLATERAL, ids=IDS)
def test_real_quote_holds_at_its_time(vector: Vector) -> None:
    found = claims(vector)
    assert found.measurement.hex().startswith(vector.measurement)
    assert found.hardware_id is not None
    assert found.hardware_id.hex() == vector.ppid
    assert (found.tcb_status, found.advisories, found.debug) == (vector.status, vector.advisories, False)


@pytest.mark.parametrize("vector", WITH_COLLATERAL, ids=IDS)
@pytest.mark.parametrize("days", [-30, 60, 365 * 30], ids=["a month before", "two months after", "thirty years after"])
def test_real_quote_does_not_hold_outside_its_collaterals_time(vector: Vector, days: int) -> None:
    with pytest.raises(NotValidThen):
        verifier(vector).authenticate(vector.evidence(), Millis(vector.at + days * DAY))


def _verdict(vector: Vector, at: Millis, accepted: str) -> Verdict:
    item = Item(SGX_TYPE if vector is SGX else TDX_TYPE, vector.evidence())
    policy = replace(
        POLICY,
        allow_simulated=False,
        accepted_tcb=frozenset({accepted}),
        vendor=Layer(allow=frozenset({Allowance(TeeKind.TDX, claims(vector).measurement)})),
    )
    binding = replace(BINDING, not_after=Millis(vector.at + HOUR))
    return verify(Evidence(binding.encode(), item).encode(), policy, at, expected(), (verifier(vector),))


@pytest.mark.parametrize("vector", WITH_COLLATERAL, ids=IDS)
def test_verdict_on_a_real_quote_fails_by_its_binding_only(vector: Vector) -> None:
    # it was made for somebody else; and no policy may take a platform that Intel no longer lists
    unlisted = {"tcb"} if vector is OUTDATED else set()
    assert failed(_verdict(vector, vector.at, "UpToDate" if unlisted else vector.status)) == {"report-data"} | unlisted
    assert failed(_verdict(vector, vector.at, "Nothing")) == {"report-data", "tcb"}
    assert failed(_verdict(vector, Millis(vector.at + 60 * DAY), "UpToDate")) == {"certificates-valid"}
    assert failed(_verdict(vector, Millis(vector.at - 40 * DAY), "UpToDate")) == {"certificates-valid"}


def test_collateral_of_another_platform_is_refused() -> None:
    quote = Quote.decode(without_padding(content(TDX.quote)))
    other = Collateral.from_json(content(NEAR.collateral))
    with pytest.raises(CollateralMismatch):
        TdxVerifier().authenticate(IntelEvidence(quote, other).encode(), NEAR.at)


def test_platform_that_intel_no_longer_lists_is_claimed_as_such() -> None:
    assert claims(OUTDATED).tcb_status == "BelowEveryLevel"
    name = "tdx-go-tdx-guest/"
    quote = Quote.decode(without_padding(content(f"{name}tdx_prod_quote_SPR_E4.dat")))
    beside = Collateral.from_json(content(f"{name}assembled_collateral.json"))
    at = Millis(day("2023-07-01") - 11 * HOUR)
    assert TdxVerifier().authenticate(IntelEvidence(quote, beside).encode(), at).tcb_status == "BelowEveryLevel"


@pytest.mark.parametrize("name", ["tdx-sgx-dcapqvl/tdx-quote.hex", "coco-trustee/az-tdx-vtpm/td-quote.bin", "dstack/tdx_quote"])
def test_real_quote_without_collateral_is_refused_as_such(name: str) -> None:
    evidence = IntelEvidence(Quote.decode(without_padding(content(name))), None).encode()
    with pytest.raises(CollateralMissing):
        TdxVerifier().authenticate(evidence, day("2025-01-01"))


@pytest.mark.parametrize("vector", WITH_COLLATERAL, ids=IDS)
def test_no_changed_byte_of_real_evidence_is_accepted(vector: Vector) -> None:
    evidence, judge = vector.evidence(), verifier(vector)
    before = judge.authenticate(evidence, vector.at)
    flips = flip(evidence, lambda spoilt: judge.authenticate(spoilt, vector.at))
    print(f"{vector.quote}: {flips.tried} of {len(evidence)} bytes changed, refused by {dict(flips.refused)}")
    assert flips.accepted == ()
    assert flips.tried == flips.refused.total() >= 250
    assert before == judge.authenticate(evidence, vector.at)


def test_collateral_in_json_has_the_fields_that_intels_clients_write() -> None:
    for vector in WITH_COLLATERAL:
        assert "tcb_info_issuer_chain" in json.loads(content(vector.collateral))
