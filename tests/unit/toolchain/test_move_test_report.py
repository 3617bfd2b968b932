from pathlib import Path

import pytest

from localnet.toolchain.errors import BuilderFailed
from localnet.toolchain.package import MovePackage
from localnet.toolchain.unit_tests import MoveTest, declared_tests, read_report

REPORT = """Running Move unit tests
[ PASS    ] shop::till_tests::opens
[ FAIL    ] shop::till_tests::closes
[ TIMEOUT ] shop::till_tests::waits

Test failures:
…
Test result: FAILED. Total tests: 3; passed: 1; failed: 2
"""


def test_every_test_is_told_with_how_it_ended() -> None:
    run = read_report(REPORT, all_passed=False)
    assert run.tests == (
        MoveTest("shop::till_tests::opens", passed=True),
        MoveTest("shop::till_tests::closes", passed=False),
        MoveTest("shop::till_tests::waits", passed=False),
    )
    assert [test.name for test in run.failed] == ["shop::till_tests::closes", "shop::till_tests::waits"]


def test_a_report_that_miscounts_is_refused() -> None:
    with pytest.raises(BuilderFailed):
        read_report(REPORT.replace("[ FAIL    ] shop::till_tests::closes\n", ""), all_passed=False)


def test_a_report_cut_off_is_refused() -> None:
    with pytest.raises(BuilderFailed, match="cut off"):
        read_report(REPORT.partition("Test result")[0], all_passed=False)


def test_a_report_of_failures_that_is_said_to_be_good_is_refused() -> None:
    with pytest.raises(BuilderFailed):
        read_report(REPORT, all_passed=True)


def test_declared_tests_are_found_whatever_attributes_they_have() -> None:
    text = """
    #[test_only]
    module shop::till_tests;
    #[test_only] fun helper() {}
    #[test] fun opens() {}
    #[test, expected_failure(abort_code = shop::till::EClosed)]
    fun closes() {}
    #[test]
    #[expected_failure]
    public fun waits() {}
    // #[test] fun commented() {}
    """
    package = MovePackage(Path("shop"), {"Move.toml": ""}, {"tests/till_tests.move": text})
    assert list(declared_tests(package)) == [f"shop::till_tests::{name}" for name in ("opens", "closes", "waits")]
