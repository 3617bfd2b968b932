"""The framework's containers, enums and integers in our VM and in Sui's own, compiled to WebAssembly in the Move builder.

Ours runs first; what it wrote down becomes the assertions of a Move test, which Sui's VM then runs with its own natives.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from localnet.ledger.clock import ManualClock
from localnet.ledger.framework import DEFAULT_FILE, Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Address,
    Gas,
    InputArgument,
    Mist,
    MoveCall,
    ObjectId,
    Package,
    Publish,
    PureInput,
    ResultArgument,
    Transaction,
    TransactionDigest,
    TransferObjects,
)
from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE
from localnet.toolchain.compiling import compile_package
from localnet.toolchain.errors import ToolMissing
from localnet.toolchain.package import MovePackage, read_package
from localnet.toolchain.unit_tests import run_unit_tests

pytestmark = pytest.mark.node

PACKAGE = Path(__file__).parent / "containers"
FUNCTIONS = {"tables": True, "bags": True, "vectors": True, "enums": False, "integers": False}
"""Whether each takes the TxContext."""
SEEDS = (1, 77, 123_456)
ALICE = Address(b"\xa1" * 32)


@pytest.fixture(scope="module")
def package() -> MovePackage:
    return read_package(PACKAGE)


@pytest.fixture(scope="module")
def written_down(package: MovePackage) -> dict[tuple[str, int], bytes]:
    """What our VM computes: BCS of the result by function and seed."""
    if not DEFAULT_FILE.exists():
        pytest.skip("no framework bytecode: run `make setup`")
    try:
        modules = tuple(module.bytecode for module in compile_package(package).modules)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    ledger = Ledger(Framework.load(), GenesisConfig(clock=ManualClock()))
    coin = next(iter(ledger.faucet(ALICE, Mist(10**12)).after))
    publish = [Publish(modules, (STD_PACKAGE, SUI_PACKAGE)), TransferObjects((ResultArgument(0),), InputArgument(0))]
    transaction = Transaction(ALICE, (PureInput(ALICE),), tuple(publish), _gas(ledger, coin))
    published = ledger.execute(transaction, TransactionDigest(bytes(32)))
    assert published.effects.succeeded, published.effects.status
    address = next(new.id for new in published.after.values() if isinstance(new, Package))
    answers = {}
    for function in FUNCTIONS:
        for seed in SEEDS:
            call = MoveCall(address, "exercise", function, (), (InputArgument(0),))
            inputs = (PureInput(seed.to_bytes(8, "little")),)
            executed = ledger.simulate(Transaction(ALICE, inputs, (call,), _gas(ledger, coin)))
            assert executed.effects.succeeded, executed.effects.status
            answers[function, seed] = executed.results[0].returned[0].bcs
    return answers


def _gas(ledger: Ledger, coin: ObjectId) -> Gas:
    return Gas(ALICE, (ledger.object(coin).ref,), Mist(1000), Mist(5 * 10**10))


def _test_of(answers: dict[tuple[str, int], bytes]) -> str:
    tests = []
    for (function, seed), answer in answers.items():
        call = f"exercise::{function}({seed}{', &mut tx_context::dummy()' if FUNCTIONS[function] else ''})"
        check = f'assert!(std::bcs::to_bytes(&{call}) == x"{answer.hex()}", {seed});'
        tests.append(f"#[test] fun {function}_{seed}() {{ {check} }}")
    body = "\n".join(tests)
    return f"#[test_only]\nmodule containers::conformance;\nuse containers::exercise;\n{body}\n"


def test_sui_computes_what_we_compute(package: MovePackage, written_down: dict[tuple[str, int], bytes]) -> None:
    assert all(len(answer) > 300 for answer in written_down.values()), "too little is compared"
    run = run_unit_tests(replace(package, tests={"tests/conformance.move": _test_of(written_down)}))
    assert len(run.tests) == len(FUNCTIONS) * len(SEEDS)
    assert not run.failed, run.output


def test_the_comparison_notices_a_difference(package: MovePackage, written_down: dict[tuple[str, int], bytes]) -> None:
    spoilt = {("enums", SEEDS[0]): written_down["enums", SEEDS[0]][:-1] + b"\x99"}
    run = run_unit_tests(replace(package, tests={"tests/conformance.move": _test_of(spoilt)}))
    assert len(run.failed) == 1


