"""Publishing packages."""

import subprocess
import sys
from pathlib import Path

import pytest
from ledger_world import ALICE, TRICKS, World, arg, modules_of, result

from localnet.ledger.model import AddressOwner, ExecutedTransaction, FailureKind, ObjectId, Package, Publish, PureInput, TransferObjects
from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts" / "sui" / "bytecode"
DEPENDENCIES = (STD_PACKAGE, SUI_PACKAGE)


def publish(
    world: World, modules: tuple[bytes, ...], dependencies: tuple[ObjectId, ...] = DEPENDENCIES
) -> ExecutedTransaction:
    commands = [Publish(modules, dependencies), TransferObjects((result(0),), arg(0))]
    return world.run(ALICE, [PureInput(ALICE)], commands)


def test_init_runs_once_with_a_witness(world: World) -> None:
    assert world.made(world.published, "Counter")
    assert world.made(world.published, "Badge").owner == AddressOwner(ALICE)
    assert [event.type.name for event in world.published.events] == ["Ticked"]
    assert world.published.events[0].package == world.package


def test_upgrade_cap_names_the_package(world: World) -> None:
    cap = world.made(world.published, "UpgradeCap")
    assert cap.contents[32:64] == world.package
    assert cap.contents[64:] == (1).to_bytes(8, "little") + b"\x00"


def test_published_bytecode_names_its_own_package(world: World) -> None:
    package = world.ledger.package(world.package)
    assert set(package.modules) == {"machine", "objects"}
    assert all(world.package in code for code in package.modules.values())
    change = next(change for change in world.published.effects.changes if change.package)
    assert (change.id, change.after.digest) == (package.id, package.digest)


def test_same_modules_published_twice_are_two_packages(world: World) -> None:
    again = publish(world, modules_of(TRICKS))
    package = next(new for new in again.after.values() if isinstance(new, Package))
    assert package.id != world.package
    assert world.made(again, "Counter").type != world.ledger.object(world.counter).type


def test_dependency_must_be_named_and_published(world: World) -> None:
    missing = publish(world, modules_of(TRICKS), (STD_PACKAGE,)).effects.status
    assert missing.kind is FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY
    absent = publish(world, modules_of(TRICKS), (*DEPENDENCIES, ObjectId(b"\x55" * 32))).effects.status
    assert absent.kind is FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY


@pytest.mark.parametrize(
    "spoil",
    [lambda code: code[:-1], lambda code: b"", lambda code: b"\x7fELF" + code[4:], lambda code: code + b"\0"],
    ids=["cut short", "empty", "another format", "too long"],
)
def test_what_is_no_module_is_refused(world: World, spoil) -> None:
    first, *others = modules_of(TRICKS)
    failure = publish(world, (spoil(first), *others)).effects.status
    assert failure.kind is FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR


def test_module_that_expects_another_framework_is_refused(world: World) -> None:
    # `coin` calls what its own package declares: under another address that is not public there
    coin = next(code for name, code in world.ledger.package(SUI_PACKAGE).modules.items() if name == "coin")
    moved = coin.replace(SUI_PACKAGE, bytes(32))
    failure = publish(world, (moved,)).effects.status
    assert failure.kind in {
        FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR,
        FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY,
    }


def test_module_already_at_an_address_is_refused(world: World) -> None:
    published = tuple(world.ledger.package(world.package).modules.values())
    assert publish(world, published).effects.status.kind is FailureKind.PUBLISH_ERROR_NON_ZERO_ADDRESS


def test_package_without_modules_or_too_big_is_refused(world: World) -> None:
    assert publish(world, ()).effects.status.kind is FailureKind.MOVE_PACKAGE_TOO_BIG
    modules = modules_of(TRICKS)
    many = modules * (110_000 // sum(map(len, modules)))
    assert publish(world, many).effects.status.kind is FailureKind.MOVE_PACKAGE_TOO_BIG


def test_failed_publication_leaves_no_package(world: World) -> None:
    modules = modules_of(TRICKS)
    executed = world.run(ALICE, [], [Publish(modules, DEPENDENCIES)])  # the UpgradeCap is left over
    assert executed.effects.status.kind is FailureKind.UNUSED_VALUE_WITHOUT_DROP
    assert not any(change.package for change in executed.effects.changes)
    addresses = {address for address, _ in world.ledger.vm.linker.modules}
    assert addresses == {STD_PACKAGE, SUI_PACKAGE, bytes(31) + b"\x03", world.package}


def test_contracts_of_the_project_can_be_published(world: World) -> None:
    if not (CONTRACTS / "package.json").exists():
        pytest.skip("contracts/sui is not compiled: run `make contracts`")
    executed = publish(world, modules_of(CONTRACTS))
    assert executed.effects.succeeded, executed.effects.status


@pytest.mark.node
def test_bytecode_of_this_fixture_is_that_of_its_source() -> None:
    check = [sys.executable, "-m", "localnet.toolchain", "compile", "--check", str(TRICKS.parent)]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if "is not installed" in done.stderr:
        pytest.skip("the Move compiler is not installed: run `make setup`")
    assert done.returncode == 0, done.stdout + done.stderr
