"""Every abort code of the contracts is provoked by a test, and every function that a transaction may call is called by one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from protocol_spec import ROOT
from test_move_unit_tests import CONTRACTS, run_of
from transaction_recorder import RECORD_FILE

from localnet.toolchain.__main__ import main
from localnet.toolchain.compiling import compile_package, write_bytecode
from localnet.toolchain.coverage import AbortCode, Call, Coverage, Reached, abort_codes, coverage, reached_by_transactions, reached_by_unit_tests
from localnet.toolchain.package import MovePackage, read_package
from localnet.toolchain.unit_tests import MoveTest, MoveTestRun

pytestmark = pytest.mark.node

WITH_TRANSACTIONS = (ROOT / "tests" / "integration" / "contracts" / "test_contract_nitro.py",)
"""For what Sui's test VM cannot do: documents of a Nitro enclave cannot be made in it."""


def recorded(tests: tuple[Path, ...], record: Path) -> Reached:
    """What the transactions of pytest files reach, run in a process of their own."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "transaction_recorder", "-p", "no:cacheprovider", *map(str, tests)],
        env={**os.environ, RECORD_FILE: str(record), "PYTHONPATH": path}, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return reached_by_transactions(record)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    package = read_package(CONTRACTS)
    by_transactions = recorded(WITH_TRANSACTIONS, tmp_path_factory.mktemp("coverage") / "record.json")
    return coverage(package, reached_by_unit_tests(package, run_of(CONTRACTS)) | by_transactions)


def test_every_abort_code_is_provoked(found: Coverage) -> None:
    assert len(found.codes) >= 90
    assert found.unhit == ()


def test_every_function_is_called(found: Coverage) -> None:
    assert len(found.functions) >= 317
    assert found.uncalled == ()


# ---- the measure itself

SOURCE = """module till::till;
const EEmpty: u64 = 1;
/// Never provoked.
const EFull: u64 = 2;
public fun take(sum: u64): u64 { assert!(sum > 0, EEmpty); assert!(sum < 9, EFull); rest(sum) }
public fun rest(sum: u64): u64 { sum - 1 }
public fun unused(): u64 { 7 }
entry fun close(sum: u64) { assert!(sum == 0, EFull); }
"""
TESTS = """#[test_only]
module till::till_tests;
use till::till;

fun helper() { till::take(3); }
/// Reached by no test.
fun idle() { till::unused(); }

#[test]
fun taking_leaves_less() { helper() }

#[test, expected_failure(abort_code = till::EEmpty)]
fun nothing_is_taken_from_nothing() { till::take(0); }

#[test, expected_failure(abort_code = till::EFull)]
fun a_test_that_does_not_pass() { till::close(0); }
"""
RUN = MoveTestRun((MoveTest("till::till_tests::taking_leaves_less", True), MoveTest("till::till_tests::nothing_is_taken_from_nothing", True)), "")


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> MovePackage:
    root = tmp_path_factory.mktemp("till")
    for name, text in (("sources/till.move", SOURCE), ("tests/till_tests.move", TESTS)):
        (root / name).parent.mkdir()
        (root / name).write_text(text)
    (root / "Move.toml").write_text('[package]\nname = "till"\nedition = "2024"\n\n[addresses]\ntill = "0x0"\n')
    package = read_package(root)
    write_bytecode(package, compile_package(package))
    return package


@pytest.fixture(scope="module")
def by_tests(till: MovePackage) -> Reached:
    return reached_by_unit_tests(till, RUN)


def test_what_no_passing_test_reaches_is_named(till: MovePackage, by_tests: Reached) -> None:
    found = coverage(till, by_tests)
    assert set(abort_codes(till)) == {AbortCode("till", 1, "EEmpty"), AbortCode("till", 2, "EFull")}
    assert found.unhit == (AbortCode("till", 2, "EFull"),)
    # what the package calls itself does not count, nor what a test module could call and does not
    assert set(found.uncalled) == {Call("till", "rest"), Call("till", "unused"), Call("till", "close")}
    assert "no test provokes till 2 EFull" in str(found)


def test_transactions_count_too(till: MovePackage, by_tests: Reached, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text('{"aborts": [["till", 2]], "calls": [["till", "rest"], ["till", "unused"], ["till", "close"]]}')
    assert coverage(till, by_tests | reached_by_transactions(record)).is_whole


def test_the_command_fails_and_names_what_is_left_out(till: MovePackage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", str(till.root)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 of 2 abort codes provoked, 1 of 4 functions called",
        "no test provokes till 2 EFull",
        *(f"no test calls till::{name}" for name in ("rest", "unused", "close")),
    ]
