"""Upgrading packages: what the Upgrade command demands, and what both versions are afterwards."""

import pytest
from ledger_world import ALICE, BUDGET, arg, result
from shelf_world import ADDITIVE, COMPATIBLE, DEP_ONLY, FRAMEWORK, V1, V2, ShelfWorld, compiled

from localnet.ledger.framework import Framework
from localnet.ledger.model import (
    ArgumentErrorKind,
    FailureKind,
    MoveCall,
    Object,
    ObjectId,
    PureInput,
    TypeOrigin,
    Upgrade,
    UpgradeErrorKind,
)
from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE, UPGRADE_RECEIPT
from localnet.movevm.packages import package_digest
from localnet.movevm.types import Struct, Vector


@pytest.fixture
def world(framework: Framework) -> ShelfWorld:
    return ShelfWorld(framework)


# ---- what an upgrade makes


def test_upgrade_is_a_new_package_of_the_next_version(world: ShelfWorld) -> None:
    done = world.upgrade()
    second = world.ledger.package(world.new_package(done))
    assert (second.version, second.original_id) == (2, world.first)
    assert second.id != world.first
    assert [each.id for each in world.ledger.package_versions(second.id)] == [world.first, second.id]
    change = next(change for change in done.effects.changes if change.package)
    assert (change.id, change.before, change.after.version, change.after.digest) == (second.id, None, 2, second.digest)


def test_cap_names_the_new_version(world: ShelfWorld) -> None:
    second = world.upgraded()
    cap = world.ledger.object(world.cap)
    assert isinstance(cap, Object)
    assert (cap.contents[32:64], int.from_bytes(cap.contents[64:72], "little")) == (second, 2)


def test_bytecode_of_all_versions_names_the_first(world: ShelfWorld) -> None:
    second = world.ledger.package(world.upgraded())
    assert all(world.first in code and second.id not in code for code in second.modules.values())


def test_types_keep_their_origin_and_new_ones_get_theirs(world: ShelfWorld) -> None:
    second = world.upgraded()
    origins = world.ledger.package(second).type_origins
    assert {TypeOrigin("shelf", name, world.first) for name in ("Shelf", "Put")} < set(origins)
    assert {origin.name for origin in origins if origin.package == second} == {"Label", "PutTwice", "Key", "Labelled"}


def test_init_does_not_run_again(world: ShelfWorld) -> None:
    written = {new.type.name for new in world.upgrade().after.values() if isinstance(new, Object)}
    assert written == {"Coin", "UpgradeCap"}


def test_receipt_is_for_cap_and_package(world: ShelfWorld) -> None:
    done = world.upgrade()
    (receipt,) = done.results[1].returned
    assert (receipt.type, receipt.bcs) == (UPGRADE_RECEIPT, world.cap + world.new_package(done))


def test_upgrade_pays_for_its_bytes(world: ShelfWorld) -> None:
    done = world.upgrade()
    package = world.ledger.package(world.new_package(done))
    origins = sum(len(origin.module) + len(origin.name) + 32 for origin in package.type_origins)
    size = 8 + sum(len(name) + len(code) for name, code in package.modules.items()) + origins + 2 * 72
    assert package.storage_rebate == (80 + size) * 7600
    assert done.effects.gas.storage > package.storage_rebate
    assert world.ledger.supply().is_conserved


def test_upgrade_can_be_upgraded(world: ShelfWorld) -> None:
    second = world.upgraded()
    third = world.new_package(world.upgrade(package=second))
    assert world.ledger.package(third).version == 3
    assert {origin.package for origin in world.ledger.package(third).type_origins} == {world.first, second}
    assert world.numbers(third, "shelf::number") == (2,)


def test_simulated_upgrade_leaves_nothing(world: ShelfWorld) -> None:
    simulated = world.upgrade(how=world.simulate)
    assert simulated.effects.succeeded, simulated.effects.status
    second = world.new_package(simulated)
    assert [each.id for each in world.ledger.package_versions(world.first)] == [world.first]
    assert world.ask(second, "shelf::number").effects.status.kind is FailureKind.FUNCTION_NOT_FOUND
    assert world.upgrade().effects.gas == simulated.effects.gas


# ---- both versions live on


def test_each_version_runs_its_own_code(world: ShelfWorld) -> None:
    second = world.upgraded()
    assert (world.numbers(world.first, "shelf::number"), world.numbers(second, "shelf::number")) == ((1,), (2,))


def test_version_gate_keeps_old_code_off_a_migrated_object(world: ShelfWorld) -> None:
    second = world.upgraded()
    early = world.ask(second, "shelf::put", world.shared(world.shelf)).effects.status
    assert (early.abort_code, early.location.address) == (0, second)
    assert world.ask(world.first, "shelf::put", world.shared(world.shelf)).effects.succeeded
    assert world.ask(second, "shelf::migrate", world.shared(world.shelf)).effects.succeeded
    late = world.ask(world.first, "shelf::put", world.shared(world.shelf)).effects.status
    assert (late.abort_code, late.location.address) == (0, world.first)
    assert world.ask(second, "shelf::put", world.shared(world.shelf)).effects.succeeded
    assert world.items() == 1 + 2


def test_objects_and_events_keep_the_defining_id(world: ShelfWorld) -> None:
    second = world.upgraded()
    world.ask(second, "shelf::migrate", world.shared(world.shelf))
    put = world.ask(second, "shelf::put", world.shared(world.shelf))
    assert put.events[0].type is Struct(world.first, "shelf", "Put")
    assert put.events[0].package == second
    assert world.ledger.object(world.shelf).type is Struct(world.first, "shelf", "Shelf")
    labelled = world.ask(second, "shelf::label", world.shared(world.shelf), keep=True)
    assert labelled.events[0].type is Struct(second, "shelf", "Labelled")
    label = world.made(labelled, "Label")
    assert label.type is Struct(second, "shelf", "Label")
    field = world.ledger.dynamic_fields(world.shelf)[0].field
    assert field.type.arguments[0] is Struct(second, "shelf", "Key")
    assert world.numbers(second, "shelf::labelled", world.shared(world.shelf)) == (2,)
    assert world.numbers(second, "shelf::count", world.owned(label.id)) == (2,)


def test_type_names_tell_defining_and_original_ids(world: ShelfWorld) -> None:
    second = world.upgraded()
    texts = [value.bcs for value in world.ask(second, "shelf::names").results[0].returned]
    assert texts[0][1:].decode() == f"vector<{second.hex()}::shelf::Label>"
    assert texts[1][1:].decode() == f"vector<{world.first.hex()}::shelf::Label>"
    assert texts[2:] == [second, world.first]


def test_type_argument_may_be_named_by_any_version_that_has_it(world: ShelfWorld) -> None:
    second = world.upgraded()
    shelf = world.shared(world.shelf, mutable=False)
    same = world.ask(second, "shelf::same", shelf, types=[Struct(second, "shelf", "Shelf")])
    assert same.effects.succeeded, same.effects.status
    assert same.results[0].returned[0].bcs == b"\1"
    absent = world.ask(second, "shelf::same", shelf, types=[Struct(world.first, "shelf", "Label")])
    assert absent.effects.status.kind is FailureKind.TYPE_ARGUMENT_ERROR
    assert world.ledger.vm.linker.canonical(Vector(Struct(second, "shelf", "Shelf"))) is Vector(Struct(world.first, "shelf", "Shelf"))


# ---- what is refused


def test_ticket_for_other_modules_is_refused(world: ShelfWorld) -> None:
    failure = world.refused(world.upgrade(V2, digest=package_digest(V1, FRAMEWORK)))
    assert (failure.kind, failure.upgrade.kind) == (FailureKind.PACKAGE_UPGRADE_ERROR, UpgradeErrorKind.DIGEST_DOES_NOT_MATCH)
    assert failure.upgrade.digest == package_digest(V2, FRAMEWORK)


def test_ticket_for_another_package_is_refused(world: ShelfWorld) -> None:
    failure = world.refused(world.upgrade(package=world.package))
    assert failure.upgrade.kind is UpgradeErrorKind.PACKAGE_ID_DOES_NOT_MATCH
    assert (failure.upgrade.package, failure.upgrade.ticket) == (world.package, world.first)


def test_superseded_version_cannot_be_upgraded_once_more(world: ShelfWorld) -> None:
    world.upgraded()
    failure = world.refused(world.upgrade(package=world.first))
    assert failure.upgrade.kind is UpgradeErrorKind.PACKAGE_ID_DOES_NOT_MATCH


def test_unknown_policy_is_refused(world: ShelfWorld) -> None:
    failure = world.refused(world.upgrade(policy=7))
    assert (failure.upgrade.kind, failure.upgrade.policy) == (UpgradeErrorKind.UNKNOWN_UPGRADE_POLICY, 7)


@pytest.mark.parametrize("policy", [ADDITIVE, DEP_ONLY])
def test_stricter_policies_forbid_what_the_compatible_one_allows(world: ShelfWorld, policy: int) -> None:
    failure = world.refused(world.upgrade(policy=policy))
    assert failure.upgrade.kind is UpgradeErrorKind.INCOMPATIBLE_UPGRADE
    assert "function shelf::init has changed" in failure.message
    assert world.upgrade(V1, policy=policy).effects.succeeded
    assert world.upgrade(package=world.ledger.package_versions(world.first)[-1].id, policy=COMPATIBLE).effects.succeeded


def test_upgrade_without_a_module_that_was_there_is_refused(world: ShelfWorld) -> None:
    other = compiled("middle", shelf=(world.first, world.first))
    failure = world.refused(world.upgrade(other.modules, other.dependencies))
    assert failure.upgrade.kind is UpgradeErrorKind.INCOMPATIBLE_UPGRADE
    assert "module shelf is missing" in failure.message


def test_downgrade_to_what_lacks_types_is_refused(world: ShelfWorld) -> None:
    second = world.upgraded()
    failure = world.refused(world.upgrade(V1, package=second))
    assert failure.upgrade.kind is UpgradeErrorKind.INCOMPATIBLE_UPGRADE
    assert "type shelf::Label is missing" in failure.message


def test_modules_compiled_for_an_address_are_refused(world: ShelfWorld) -> None:
    published = tuple(world.ledger.package(world.first).modules.values())
    assert world.refused(world.upgrade(published)).kind is FailureKind.PUBLISH_ERROR_NON_ZERO_ADDRESS


def test_dependencies_must_be_named(world: ShelfWorld) -> None:
    failure = world.refused(world.upgrade(dependencies=(STD_PACKAGE,)))
    assert failure.kind is FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY


def test_ticket_must_be_a_ticket(world: ShelfWorld) -> None:
    commands = [Upgrade(V2, FRAMEWORK, world.first, arg(0))]
    failure = world.run(ALICE, [world.owned(world.cap)], commands).effects.status
    assert failure.argument_error is ArgumentErrorKind.TYPE_MISMATCH
    made_up = world.run(ALICE, [PureInput(world.cap + world.first + b"\0\0")], commands).effects.status
    assert made_up.argument_error is ArgumentErrorKind.INVALID_USAGE_OF_PURE_ARG


def test_one_ticket_is_for_one_upgrade(world: ShelfWorld) -> None:
    inputs = [world.owned(world.cap), PureInput(b"\0"), PureInput(b"\x20" + package_digest(V2, FRAMEWORK))]
    authorize = MoveCall(SUI_PACKAGE, "package", "authorize_upgrade", (), (arg(0), arg(1), arg(2)))
    upgrade = Upgrade(V2, FRAMEWORK, world.first, result(0))
    twice = world.run(ALICE, inputs, [authorize, upgrade, upgrade], BUDGET).effects.status
    assert (twice.command, twice.argument_error) == (2, ArgumentErrorKind.INVALID_VALUE_USAGE)


def test_receipt_must_be_committed(world: ShelfWorld) -> None:
    inputs = [world.owned(world.cap), PureInput(b"\0"), PureInput(b"\x20" + package_digest(V2, FRAMEWORK))]
    authorize = MoveCall(SUI_PACKAGE, "package", "authorize_upgrade", (), (arg(0), arg(1), arg(2)))
    left = world.run(ALICE, inputs, [authorize, Upgrade(V2, FRAMEWORK, world.first, result(0))]).effects.status
    assert left.kind is FailureKind.UNUSED_VALUE_WITHOUT_DROP


def test_failed_upgrade_leaves_no_code(world: ShelfWorld) -> None:
    before = set(world.ledger.vm.linker.modules)
    world.refused(world.upgrade(V2, policy=ADDITIVE))
    assert set(world.ledger.vm.linker.modules) == before
    assert world.upgrade().effects.succeeded


def test_upgrade_without_modules_is_refused(world: ShelfWorld) -> None:
    assert world.refused(world.upgrade(())).kind is FailureKind.MOVE_PACKAGE_TOO_BIG


def test_package_that_is_no_package_is_refused(world: ShelfWorld) -> None:
    failure = world.refused(world.upgrade(package=ObjectId(world.shelf)))
    assert failure.upgrade.kind is UpgradeErrorKind.PACKAGE_ID_DOES_NOT_MATCH
