from dataclasses import replace

import pytest
from simulated_world import CODE, HOUR, POLICY

from agent.attestation.errors import PolicyError
from agent.attestation.policy import Allowance, Layer, Policy, Rejection, Rejects
from agent.attestation.policy_document import dump_policy, from_document, load_policy
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

RICH = Policy(
    version=7,
    max_age=Millis(HOUR),
    allow_simulated=False,
    active_from=Millis(5),
    sunset=Millis(500),
    accepted_tcb=frozenset({"UpToDate", "SWHardeningNeeded"}),
    vendor=Layer(
        allow=frozenset({Allowance(TeeKind.NITRO, CODE), Allowance(TeeKind.TDX, b"\x01", Millis(1), Millis(9))})
    ),
    community=Layer(
        reject=frozenset(
            {
                Rejection(Rejects.HARDWARE, "c0ffee", "stolen"),
                Rejection(Rejects.ADVISORY, "INTEL-SA-00837", "unpatched"),
            }
        )
    ),
)


def test_policy_survives_its_document() -> None:
    assert load_policy(dump_policy(RICH)) == RICH
    assert load_policy(dump_policy(RICH)).digest() == RICH.digest()


def test_digest_is_32_bytes_that_every_release_computes_alike() -> None:
    plain = replace(POLICY, intel_evaluation=None, accept_missing_crl=False)
    assert plain.digest().hex() == "4d66b49c4c602177fc2afb25ae3a8aace589974e3b3eabf34785e805611c5266"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 8},
        {"max_age": Millis(HOUR + 1)},
        {"allow_simulated": True},
        {"active_from": Millis(6)},
        {"sunset": Millis(501)},
        {"clock_skew": Millis(0)},
        {"intel_evaluation": 17},
        {"accept_vlek": True},
        {"accept_missing_crl": True},
        {"accepted_tcb": frozenset({"UpToDate"})},
        {"vendor": Layer()},
        {"network": RICH.vendor, "vendor": Layer()},
        {"community": Layer()},
    ],
    ids=",".join,
)
def test_every_part_of_a_policy_counts_in_its_digest(change: dict[str, object]) -> None:
    assert replace(RICH, **change).digest() != RICH.digest()


def test_rejected_hardware_and_advisories_are_found_in_any_kind() -> None:
    assert RICH.rejecting(CODE, bytes.fromhex("c0ffee"), ()) == ("community: hardware c0ffee (stolen)",)
    assert RICH.rejecting(CODE, None, ("INTEL-SA-00837",)) == ("community: advisory INTEL-SA-00837 (unpatched)",)
    assert RICH.rejecting(CODE, b"\x01", ("INTEL-SA-1",)) == ()


@pytest.mark.parametrize("value", ["C0FFEE", "0xc0ffee", "c0f", "", "zz"])
def test_reject_spelt_so_that_it_would_never_match_is_an_error(value: str) -> None:
    with pytest.raises(PolicyError, match="lower-case hex"):
        Rejection(Rejects.MEASUREMENT, value, "")


@pytest.mark.parametrize("measurement", [b"", bytes(48), b"\x01" * 65])
def test_measurement_that_must_never_count_cannot_be_allowed(measurement: bytes) -> None:
    with pytest.raises(PolicyError):
        Allowance(TeeKind.NITRO, measurement)


@pytest.mark.parametrize("change", [{"max_age": Millis(0)}, {"sunset": Millis(5)}, {"clock_skew": Millis(-1)}])
def test_policy_that_can_never_be_in_force_is_an_error(change: dict[str, Millis]) -> None:
    with pytest.raises(PolicyError):
        replace(RICH, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "enclavia-policy/2"},
        {"rejct": []},
        {"vendor": {"allow": []}},
        {"vendor": {"allow": [], "reject": [], "also": 1}},
        {"vendor": {"allow": [{"kind": "sgx", "measurement": "01", "active_from": 0, "sunset": 1}], "reject": []}},
        {"vendor": {"allow": [{"kind": "tdx", "measurement": "0", "active_from": 0, "sunset": 1}], "reject": []}},
        {"vendor": {"allow": [], "reject": [{"what": "name", "value": "x", "reason": ""}]}},
        {"max_age": -1},
        {"max_age": "1"},
        {"max_age": 1.5},
        {"allow_simulated": 1},
        {"accepted_tcb": "UpToDate"},
        {"accepted_tcb": [1]},
    ],
    ids=str,
)
def test_document_with_a_misspelt_part_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        from_document(RICH.to_document() | change)


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_text_that_is_no_policy_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyError):
        load_policy(text)
