"""What is refused before it runs: typed, free of charge, without trace."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from ledger_world import ALICE, BOB, SUI, World, arg, result, u64

from localnet.ledger import errors
from localnet.ledger.model import (
    Gas,
    InputArgument,
    Mist,
    MoveCall,
    ObjectDigest,
    ObjectId,
    OwnedInput,
    PureInput,
    SharedInput,
    SplitCoins,
    TransferObjects,
    Version,
)
from localnet.ledger.names import CLOCK_ID, RANDOM_ID, SUI_PACKAGE


def refused(world: World, attempt: Callable[[], object], kind: type[errors.Rejected]) -> errors.Rejected:
    """Run `attempt`, which must be refused as `kind` and change nothing."""
    before, checkpoint = world.balance(ALICE), world.ledger.checkpoint()
    with pytest.raises(kind) as refusal:
        attempt()
    assert type(refusal.value) is kind
    assert (world.balance(ALICE), world.ledger.checkpoint()) == (before, checkpoint)
    return refusal.value


def test_stale_version_is_refused_with_the_current_one(world: World) -> None:
    box = world.new_box()
    stale = world.owned(box)
    world.do("set_value", stale, u64(1))
    error = refused(world, lambda: world.do("value", stale), errors.StaleVersion)
    assert (error.given, error.current) == (stale.ref.version, world.ledger.object(box).version)


def test_version_from_the_future_is_refused(world: World) -> None:
    ref = world.owned(world.new_box()).ref
    future = OwnedInput(replace(ref, version=Version(ref.version + 1)))
    refused(world, lambda: world.do("value", future), errors.StaleVersion)


def test_wrong_digest_is_refused(world: World) -> None:
    ref = world.owned(world.new_box()).ref
    forged = OwnedInput(replace(ref, digest=ObjectDigest(bytes(32))))
    refused(world, lambda: world.do("value", forged), errors.DigestMismatch)


def test_object_of_somebody_else_is_refused(world: World) -> None:
    box = world.new_box(owner=BOB)
    refused(world, lambda: world.do("value", world.owned(box)), errors.NotOwner)


def test_child_object_is_no_input(world: World) -> None:
    parent, child = world.new_box(), world.new_box()
    world.do("hang", world.owned(parent), u64(1), world.owned(child))
    refused(world, lambda: world.do("value", world.owned(child)), errors.NotOwner)


def test_shared_object_is_no_owned_input_nor_the_other_way_round(world: World) -> None:
    box = world.new_box()
    refused(world, lambda: world.do("count", world.owned(world.counter)), errors.NotOwner)
    as_shared = SharedInput(box, world.ledger.object(box).version, mutable=True)
    refused(world, lambda: world.do("value", as_shared), errors.NotOwner)


def test_package_is_no_input(world: World) -> None:
    refused(world, lambda: world.do("value", world.owned(world.package)), errors.NotOwner)


def test_wrong_initial_version_is_refused(world: World) -> None:
    wrong = replace(world.shared(world.counter), initial_version=Version(1))
    error = refused(world, lambda: world.do("count", wrong), errors.WrongInitialVersion)
    assert error.given == 1


def test_object_that_does_not_exist_is_refused(world: World) -> None:
    box = world.new_box()
    gone = world.owned(box)
    world.do("burn", gone)
    refused(world, lambda: world.do("value", gone), errors.ObjectNotFound)
    absent = SharedInput(ObjectId(b"\x01" * 32), Version(1), mutable=True)
    refused(world, lambda: world.do("count", absent), errors.ObjectNotFound)


@pytest.mark.parametrize("system", [CLOCK_ID, RANDOM_ID], ids=["Clock", "Random"])
def test_system_objects_are_not_lent_mutably(world: World, system: ObjectId) -> None:
    refused(world, lambda: world.do("time", world.shared(system)), errors.NotOwner)


def test_one_object_named_twice_is_refused(world: World) -> None:
    box = world.owned(world.new_box())
    refused(world, lambda: world.do("both", box, box), errors.MalformedTransaction)
    gas = world.owned(world.gas_coins[ALICE])
    refused(world, lambda: world.do("generic", gas), errors.MalformedTransaction)


def test_same_digest_does_not_run_twice(world: World) -> None:
    digest = world.digest()
    world.ledger.execute(world.transaction(ALICE, [u64(1)], [world.call("emit_many", arg(0))]), digest)
    again = world.transaction(ALICE, [u64(1)], [world.call("emit_many", arg(0))])
    refused(world, lambda: world.ledger.execute(again, digest), errors.DuplicateTransaction)


def test_expired_transaction_is_refused(world: World) -> None:
    transaction = world.transaction(ALICE, [u64(1)], [world.call("emit_many", arg(0))])
    refused(world, lambda: world.ledger.execute(replace(transaction, expiration=-1), world.digest()), errors.Expired)
    assert world.ledger.execute(replace(transaction, expiration=0), world.digest()).effects.succeeded


# ---- gas


@pytest.mark.parametrize(
    "change",
    [
        {"price": Mist(999)},
        {"price": Mist(10**9)},
        {"budget": Mist(999_999)},
        {"budget": Mist(51 * SUI)},
        {"payment": ()},
        {"owner": BOB},
    ],
    ids=["price too low", "price too high", "budget too low", "budget too high", "no coin", "another's coin"],
)
def test_gas_out_of_range_is_refused(world: World, change: dict[str, object]) -> None:
    transaction = world.transaction(ALICE, [u64(1)], [world.call("emit_many", arg(0))])
    gas: Gas = replace(transaction.gas, **change)
    refused(world, lambda: world.ledger.execute(replace(transaction, gas=gas), world.digest()), errors.GasRefused)


def test_budget_over_what_the_coins_hold_is_refused_with_both_sums(world: World) -> None:
    world.gas_coins[ALICE] = world.fund(ALICE, SUI // 2)
    error = refused(world, lambda: world.do("emit_many", u64(1)), errors.GasRefused)
    assert (error.needed, error.available) == (SUI, SUI // 2)


def test_only_sui_pays(world: World) -> None:
    world.gas_coins[ALICE] = world.new_box()
    refused(world, lambda: world.do("emit_many", u64(1)), errors.GasRefused)


# ---- limits


def test_pure_input_over_16_kib_is_refused(world: World) -> None:
    refused(world, lambda: world.do("emit_many", PureInput(bytes(16 * 1024 + 1))), errors.MalformedTransaction)


def test_transaction_over_128_kib_is_refused(world: World) -> None:
    inputs = [PureInput(bytes(16 * 1024))] * 8 + [u64(0)]
    call = world.call("emit_many", arg(8))
    refused(world, lambda: world.run(ALICE, inputs, [call]), errors.MalformedTransaction)


@pytest.mark.parametrize("commands", [0, 1025])
def test_number_of_commands_is_limited(world: World, commands: int) -> None:
    call = world.call("emit_many", arg(0))
    refused(world, lambda: world.run(ALICE, [u64(0)], [call] * commands), errors.MalformedTransaction)


def test_number_of_arguments_is_limited(world: World) -> None:
    call = MoveCall(SUI_PACKAGE, "x", "y", (), (InputArgument(0),) * 513)
    refused(world, lambda: world.run(ALICE, [u64(0)], [call]), errors.MalformedTransaction)


def test_index_that_is_no_u16_is_refused(world: World) -> None:
    for argument in (arg(-1), arg(65_536), result(-1)):
        call = world.call("emit_many", argument)
        refused(world, lambda call=call: world.run(ALICE, [u64(0)], [call]), errors.MalformedTransaction)


def test_commands_that_name_nothing_are_refused(world: World) -> None:
    for command in (TransferObjects((), arg(0)), SplitCoins(arg(0), ())):
        refused(world, lambda command=command: world.run(ALICE, [u64(0)], [command]), errors.MalformedTransaction)


# ---- randomness


def test_after_randomness_only_transfers_and_merges_may_follow(world: World) -> None:
    random = world.shared(RANDOM_ID, mutable=False)
    roll = world.call("roll", arg(0))
    looking_back = [roll, world.call("emit_many", arg(1))]
    refused(world, lambda: world.run(ALICE, [random, u64(0)], looking_back), errors.MalformedTransaction)
    box = world.new_box()
    moving_on = [roll, TransferObjects((arg(1),), arg(2))]
    assert world.run(ALICE, [random, world.owned(box), PureInput(BOB)], moving_on).effects.succeeded
    before = [world.call("new_box", arg(1)), roll, TransferObjects((result(0),), arg(2))]
    assert world.run(ALICE, [random, u64(1), PureInput(BOB)], before).effects.succeeded
