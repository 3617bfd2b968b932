"""Whole verdicts on TDX guests: each thing that is wrong is a failed check with its name, and nothing else fails."""

from dataclasses import replace
from typing import Any

import pytest
from intel_pki import CA_NAME, DAY, NOW, PCK, PPID, level, revocation_list, tcb_info
from intel_world import MEASUREMENT, TDX_POLICY, judged
from simulated_world import BINDING, failed

from agent.attestation.errors import PolicyError
from agent.attestation.policy import Layer, Rejection, Rejects
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


def test_good_guest_is_accepted_with_every_check_shown() -> None:
    verdict = judged()
    assert verdict.ok, verdict.failed
    assert (verdict.tee_kind, verdict.node) == (TeeKind.TDX, BINDING.node_id)
    assert not verdict.simulated


DEBUG = {"guest": {"attributes": bytes.fromhex("0100001000000000")}}
OUT_OF_DATE = {"tcb_info": tcb_info(tcbLevels=[level("OutOfDate", advisories=("INTEL-SA-00837",))])}
REVOKED_TCB = {"tcb_info": tcb_info(tcbLevels=[level("Revoked")])}


@pytest.mark.parametrize(
    ("parts", "checks", "says"),
    [
        (DEBUG, {"not-debug", "measurement", "tcb"}, "without it"),
        (OUT_OF_DATE, {"tcb"}, "OutOfDate, expected UpToDate: update the firmware"),
        (REVOKED_TCB, {"tcb"}, "Revoked"),
        ({"tcb_info": tcb_info(tcbLevels=[level(svn=9)])}, {"tcb"}, "BelowEveryLevel"),
        ({"guest": {"mr_td": b"\x01" * 48}}, {"measurement"}, "run a released image"),
        ({"guest": {"report_data": b"\x01" * 64}}, {"report-data"}, "expected"),
        ({"binding": replace(BINDING, key_epoch=4)}, {"binding-key-epoch"}, "expected"),
        ({"pck_crl": revocation_list(CA_NAME, PCK)}, {"not-revoked"}, "Intel has revoked 'CN=Test PCK Certificate' on"),
        ({"at": NOW + 30 * DAY}, {"certificates-valid"}, "collect collateral of that time"),
        ({"at": NOW - 2 * DAY}, {"certificates-valid"}, "collect collateral of that time"),
        ({"guest": {"attributes": bytes(8)}}, {"attributes"}, "SEPT_VE_DISABLE is not enabled"),
    ],
    ids=[
        "debug", "out of date", "revoked level", "below every level", "another image", "another binding's quote",
        "another epoch", "revoked PCK", "expired", "not yet", "unsafe attributes",
    ],
)  # fmt: skip
def test_failed_check_has_its_name_and_says_what_to_do(parts: dict[str, Any], checks: set[str], says: str) -> None:
    verdict = judged(**parts)
    assert failed(verdict) == checks
    assert says in "; ".join(check.detail for check in verdict.failed)


def test_evidence_cannot_choose_an_evaluation_from_before_a_recovery() -> None:
    attacked = tcb_info(tcbEvaluationDataNumber=20, tcbLevels=[level(svn=9), level("OutOfDate", svn=5)])
    before = tcb_info(tcbEvaluationDataNumber=15, tcbLevels=[level(svn=5)])
    policy = replace(TDX_POLICY, intel_evaluation=20)
    assert failed(judged(policy=policy, tcb_info=attacked)) == {"tcb"}
    verdict = judged(policy=policy, tcb_info=before)
    assert failed(verdict) == {"tcb-evaluation"}
    assert "evaluation 15, expected 20 or later" in verdict.failed[0].detail


def test_policy_without_an_evaluation_takes_nothing_of_intels() -> None:
    verdict = judged(policy=replace(TDX_POLICY, intel_evaluation=None))
    assert failed(verdict) == {"tcb-evaluation"}
    assert "name it in intel_evaluation" in verdict.failed[0].detail


def test_policy_decides_which_patch_levels_count() -> None:
    lenient = replace(TDX_POLICY, accepted_tcb=frozenset({"UpToDate", "OutOfDate"}))
    assert judged(policy=lenient, **OUT_OF_DATE).ok


def test_no_policy_can_accept_a_debug_guest() -> None:
    for status in ("Debug", "Revoked", "Refused"):
        with pytest.raises(PolicyError, match=status):
            replace(TDX_POLICY, accepted_tcb=frozenset({"UpToDate", status}))
    assert "not-debug" in failed(judged(policy=TDX_POLICY, **DEBUG))


@pytest.mark.parametrize(
    ("what", "value"),
    [
        (Rejects.HARDWARE, PPID.hex()),
        (Rejects.ADVISORY, "INTEL-SA-00837"),
        (Rejects.MEASUREMENT, MEASUREMENT.hex()),
    ],
)
def test_rejected_chip_advisory_or_image_falls_out(what: Rejects, value: str) -> None:
    rejection = Layer(reject=frozenset({Rejection(what, value, "physically attacked")}))
    policy = replace(TDX_POLICY, community=rejection, accepted_tcb=frozenset({"UpToDate", "OutOfDate"}))
    assert failed(judged(policy=policy, **OUT_OF_DATE)) == {"not-rejected"}


def test_evidence_of_the_test_pki_fails_at_the_root_for_whoever_trusts_intel() -> None:
    from intel_pki import evidence
    from simulated_world import expected

    from agent.attestation.evidence import Evidence, Quote
    from agent.attestation.intel.evidence import TDX_TYPE
    from agent.attestation.intel.verifier import TdxVerifier
    from agent.attestation.verify import verify

    whole = Evidence(BINDING.encode(), Quote(TDX_TYPE, evidence())).encode()
    verdict = verify(whole, TDX_POLICY, Millis(NOW), expected(), (TdxVerifier(),))
    assert failed(verdict) == {"root"}
    assert verdict.claims is None
