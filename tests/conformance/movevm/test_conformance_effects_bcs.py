"""Effects in BCS, read by pysui's own definition of them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "localnet"))

from ledger_world import ALICE, World, arg, result, u64
from pysui.sui.sui_bcs import bcs_txne
from shelf_world import V1, V2, ShelfWorld, compiled

from localnet.ledger.encoding import effects_digest, encode_effects
from localnet.ledger.framework import DEFAULT_FILE, Framework
from localnet.ledger.model import ExecutedTransaction, InputArgument, NestedResult, PureInput, TransactionEffects
from localnet.ledger.names import CLOCK_ID


@pytest.fixture
def world() -> World:
    if not DEFAULT_FILE.exists():
        pytest.skip("no framework bytecode: run `make setup`")
    return World(Framework.load())


def encoded(effects: TransactionEffects) -> bytes:
    return encode_effects(
        effects.status,
        effects.epoch,
        effects.gas,
        effects.transaction,
        effects.gas_object,
        effects.events_digest,
        effects.dependencies,
        effects.lamport_version,
        effects.changes,
        effects.read_only_shared,
    )


def read(effects: TransactionEffects) -> bcs_txne.TransactionEffectsV2:
    data = encoded(effects)
    assert effects_digest(data) == effects.digest
    found = bcs_txne.TransactionEffects.deserialize(data)
    assert found.serialize() == data, "pysui has not read all of it"
    return found.value


def test_success_is_read_back(world: World) -> None:
    executed = world.do("time", world.shared(CLOCK_ID, mutable=False))
    found = read(executed.effects)
    assert found.status.enum_name == "Success"
    assert found.lamportVersion == executed.effects.lamport_version
    assert found.gasUsed.storageCost == executed.effects.gas.storage
    assert len(found.changedObjects) == 1
    assert found.unchangedSharedObjects[0][1].enum_name == "ReadOnlyRoot"


def test_every_kind_of_change_is_read_back(world: World) -> None:
    kinds = []
    box = world.new_box()
    wrapping = world.do("wrap", world.owned(box))
    wrapper = world.made(wrapping, "Wrapper").id
    unwrapping = world.run(ALICE, [world.owned(wrapper)], [world.call("unwrap", arg(0)), world.call("burn", result(0))])
    for executed in (world.published, wrapping, unwrapping):
        for _, change in read(executed.effects).changedObjects:
            kinds.append((change.inputState.enum_name, change.outputState.enum_name, change.idOperation.enum_name))
    assert {
        ("NotExist", "PackageWrite", "Created"),
        ("NotExist", "ObjectWrite", "Created"),
        ("Exists", "ObjectWrite", "None"),
        ("Exists", "NotExist", "None"),
        ("Exists", "NotExist", "Deleted"),
        ("NotExist", "NotExist", "Deleted"),
    } == set(kinds)


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("MoveAbort", lambda world: world.do("fail", u64(7), module="machine")),
        ("CommandArgumentError", lambda world: world.do("emit_many", PureInput(b"\x01"))),
        ("CommandArgumentError", lambda world: world.run(ALICE, [], [world.call("emit_many", InputArgument(9))])),
        (
            "CommandArgumentError",
            lambda world: world.run(ALICE, [], [world.call("who"), world.call("emit_many", NestedResult(0, 9))]),
        ),
        ("CommandArgumentError", lambda world: world.run(ALICE, [], [world.call("who"), world.call("emit_many", result(0))])),
        ("UnusedValueWithoutDrop", lambda world: world.do("potato")),
        ("TypeArgumentError", lambda world: world.do("generic", u64(1), types=[_u64()])),
        ("InvalidPublicFunctionReturnType", lambda world: world.do("reference", world.owned(world.new_box()))),
        ("MoveObjectTooBig", lambda world: world.run(ALICE, [u64(260_000)], [world.call("blob", arg(0))], budget=5 * 10**10)),
        ("FunctionNotFound", lambda world: world.do("nowhere")),
        ("SharedObjectOperationNotAllowed", lambda world: world.do("own_counter", world.shared(world.counter))),
    ],
)
def test_failure_is_read_back(world: World, name: str, attempt: Callable[[World], ExecutedTransaction]) -> None:
    executed = attempt(world)
    status, command = read(executed.effects).status.value
    assert status.enum_name == name
    assert command.value == executed.effects.status.command


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("DigestDoesNotMatch", lambda world: world.upgrade(V2, digest=bytes(32))),
        ("PackageIDDoesNotMatch", lambda world: world.upgrade(package=world.package)),
        ("UnknownUpgradePolicy", lambda world: world.upgrade(policy=1)),
        ("IncompatibleUpgrade", lambda world: world.upgrade(policy=128)),
    ],
)
def test_refused_upgrade_is_read_back(name: str, attempt: Callable[[ShelfWorld], ExecutedTransaction]) -> None:
    status, command = read(attempt(ShelfWorld(Framework.load())).effects).status.value
    assert status.enum_name == "PackageUpgradeError"
    assert (status.value.enum_name, command.value) == (name, 1)


def test_publish_failures_are_read_back() -> None:
    world = ShelfWorld(Framework.load())
    second = world.upgraded()
    middle = world.publish(compiled("middle", shelf=(world.first, second)))
    outer = compiled("outer", shelf=(world.first, world.first), middle=(middle, middle))
    for modules, dependencies, name in (
        (outer.modules, outer.dependencies, "PublishUpgradeDependencyDowngrade"),
        (V1, (), "PublishUpgradeMissingDependency"),
        (tuple(world.ledger.package(second).modules.values()), outer.dependencies, "PublishErrorNonZeroAddress"),
    ):
        status, _ = read(world.publish_modules(modules, dependencies).effects).status.value
        assert status.enum_name == name


def test_upgrade_is_read_back() -> None:
    world = ShelfWorld(Framework.load())
    done = world.upgrade()
    written = [change.outputState for _, change in read(done.effects).changedObjects if change.outputState.enum_name == "PackageWrite"]
    assert [state.value.version for state in written] == [2]


def _u64():
    from localnet.movevm.types import U64

    return U64
