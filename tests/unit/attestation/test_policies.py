from dataclasses import replace

import pytest
from simulated_world import CODE, HOUR, POLICY

from agent.attestation.errors import PolicyError
from agent.attestation.policy import Allowance, GpuRules, Layer, Policy, Rejection, Rejects
from agent.attestation.policy_document import decode_policy, dump_policy, from_document, load_policy
from agent.attestation.policy_rules import NEVER_ACCEPTED
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
                Rejection(Rejects.HARDWARE, "c0ffee" * 4, "stolen"),
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
    assert RICH.rejecting(CODE, bytes.fromhex("c0ffee" * 4), ()) == (f"community: hardware {'c0ffee' * 4} (stolen)",)
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


@pytest.mark.parametrize(
    ("what", "value"),
    [(Rejects.MEASUREMENT, "ab" * 32), (Rejects.MEASUREMENT, "ab" * 64), (Rejects.HARDWARE, "ab"), (Rejects.HARDWARE, "ab" * 65)],
)
def test_reject_of_a_size_that_nothing_has_is_an_error(what: Rejects, value: str) -> None:
    with pytest.raises(PolicyError, match="would reject nothing"):
        Rejection(what, value, "")


@pytest.mark.parametrize("value", ["", " ", "INTEL-SA-00615 "])
def test_rejected_advisory_without_its_exact_name_is_an_error(value: str) -> None:
    with pytest.raises(PolicyError, match="write its name"):
        Rejection(Rejects.ADVISORY, value, "")


@pytest.mark.parametrize("status", sorted(NEVER_ACCEPTED))
def test_platform_that_was_not_judged_to_the_end_can_never_be_accepted(status: str) -> None:
    with pytest.raises(PolicyError, match="must never count"):
        replace(RICH, accepted_tcb=frozenset({"UpToDate", status}))


def test_field_that_stands_twice_is_refused_since_the_second_would_undo_the_first() -> None:
    text = dump_policy(RICH).decode()
    assert load_policy(text.encode()) == RICH
    for twice in ('"version": 9, ', '"vendor": {"allow": [], "reject": []}, '):
        with pytest.raises(PolicyError, match="twice in one place"):
            load_policy(text.replace("{", "{" + twice, 1).encode())
    with pytest.raises(PolicyError, match="'reject' twice"):
        load_policy(text.replace('"reject": [', '"reject": [], "reject": [', 1).encode())


def test_firmware_versions_of_devices_are_part_of_the_policy_and_kept() -> None:
    policy = replace(RICH, gpus=GpuRules(count=1, vbios=frozenset({"96.00.5E.00.01"})))
    assert load_policy(dump_policy(policy)) == policy == decode_policy(policy.encode())
    assert policy.digest() != replace(RICH, gpus=GpuRules(count=1)).digest()
