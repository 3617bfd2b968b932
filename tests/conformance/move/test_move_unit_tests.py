"""Every Move unit test, by name, in the Move VM of Sui. One run of the VM serves all tests of a package."""

from functools import cache
from pathlib import Path

import pytest

from localnet.toolchain.package import read_package
from localnet.toolchain.unit_tests import MoveTestRun, declared_tests, run_unit_tests

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts" / "sui"
HELPERS = Path(__file__).parent / "helpers"

pytestmark = pytest.mark.node


@cache
def run_of(package: Path) -> MoveTestRun:
    return run_unit_tests(read_package(package))


def move_tests(package: Path) -> list[object]:
    return [pytest.param(package, name, id=name) for name in declared_tests(read_package(package))]


@pytest.mark.parametrize(("package", "name"), [*move_tests(CONTRACTS), *move_tests(HELPERS)])
def test_move(package: Path, name: str) -> None:
    run = run_of(package)
    passed = {test.name: test.passed for test in run.tests}
    if not passed[name]:
        pytest.fail(run.output, pytrace=False)


@pytest.mark.parametrize("package", [CONTRACTS, HELPERS], ids=lambda package: package.name)
def test_every_declared_move_test_ran(package: Path) -> None:
    ran = {test.name for test in run_of(package).tests}
    assert ran
    assert ran == set(declared_tests(read_package(package)))
