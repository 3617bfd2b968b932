from dataclasses import replace

import pytest
from simulated_world import Node, judged

from agent.attestation.checks import CheckName
from agent.attestation.verdict import Check

ACCEPTED = judged(Node().evidence())


@pytest.mark.parametrize("left_out", [check.name for check in ACCEPTED.checks])
def test_accepting_verdict_cannot_leave_a_check_out(left_out: CheckName) -> None:
    with pytest.raises(ValueError, match=left_out.value):
        replace(ACCEPTED, checks=tuple(check for check in ACCEPTED.checks if check.name is not left_out))


@pytest.mark.parametrize("part", ["claims", "binding"])
def test_accepting_verdict_cannot_be_about_nothing(part: str) -> None:
    with pytest.raises(ValueError, match="accepts"):
        replace(ACCEPTED, **{part: None})


def test_verdict_with_one_failed_check_is_not_ok() -> None:
    worse = replace(ACCEPTED, checks=(*ACCEPTED.checks, Check(CheckName.RECORD, passed=False, detail="differs")))
    assert not worse.ok
    assert [check.name for check in worse.failed] == [CheckName.RECORD]


def test_failed_check_cannot_be_overruled_by_a_second_one() -> None:
    twice = Check(CheckName.MEASUREMENT, passed=True, detail="")
    with pytest.raises(ValueError, match="once"):
        replace(ACCEPTED, checks=(*ACCEPTED.checks, twice))


def test_verdict_without_checks_is_no_acceptance() -> None:
    with pytest.raises(ValueError, match="must show all checks"):
        replace(ACCEPTED, checks=())
