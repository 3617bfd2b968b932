"""The rules of programmable transactions: what a command may take, call, and leave behind."""

import pytest
from ledger_world import ALICE, BOB, SUI, World, arg, result, text, u64

from localnet.ledger.model import (
    GAS_COIN,
    Address,
    ArgumentErrorKind,
    Failure,
    FailureKind,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    MoveCall,
    NestedResult,
    Object,
    ObjectId,
    Publish,
    PureInput,
    SplitCoins,
    TransferObjects,
)
from localnet.ledger.names import STD_PACKAGE, SUI_COIN, SUI_PACKAGE
from localnet.movevm.types import ADDRESS, BOOL, U8, U64, Struct, Vector

Kind = ArgumentErrorKind


def status(executed: object) -> Failure:
    found = executed.effects.status  # type: ignore[attr-defined]
    assert found is not None, "it succeeded"
    return found


# ---- hot potatoes and leftovers


def test_value_without_drop_must_be_used(world: World) -> None:
    failure = status(world.run(ALICE, [], [world.call("potato")]))
    assert (failure.kind, failure.indices) == (FailureKind.UNUSED_VALUE_WITHOUT_DROP, (0, 0))
    assert world.run(ALICE, [], [world.call("potato"), world.call("eat", result(0))]).effects.succeeded


def test_object_that_is_left_over_fails_the_transaction(world: World) -> None:
    failure = status(world.run(ALICE, [u64(1)], [world.call("new_box", arg(0))]))
    assert failure.kind is FailureKind.UNUSED_VALUE_WITHOUT_DROP


def test_value_is_used_once(world: World) -> None:
    commands = [world.call("potato"), world.call("eat", result(0)), world.call("eat", result(0))]
    failure = status(world.run(ALICE, [], commands))
    assert (failure.command, failure.argument_error) == (2, Kind.INVALID_VALUE_USAGE)


def test_values_that_can_be_copied_are(world: World) -> None:
    commands = [
        world.call("add", arg(0), arg(0), module="machine"),
        world.call("add", result(0), result(0), module="machine"),
    ]
    executed = world.run(ALICE, [u64(3)], commands)
    assert [answer.returned[0].bcs[0] for answer in executed.results] == [6, 12]


# ---- who may be called


@pytest.mark.parametrize("function", ["hidden", "friendly", "init"])
def test_functions_that_are_neither_public_nor_entry_are_not_called(world: World, function: str) -> None:
    assert status(world.do(function)).kind is FailureKind.NON_ENTRY_FUNCTION_INVOKED


def test_private_entry_function_is_called(world: World) -> None:
    box = world.new_box(1)
    assert world.do("private_entry", world.owned(box)).effects.succeeded
    assert world.value_of(box) == 2


def test_private_entry_function_takes_nothing_that_a_public_function_touched(world: World) -> None:
    box = world.new_box(1)
    commands = [world.call("touch", arg(0)), world.call("private_entry", arg(0))]
    failure = status(world.run(ALICE, [world.owned(box)], commands))
    assert failure.argument_error is Kind.INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION
    made = [world.call("new_box", arg(0)), world.call("private_entry", result(0))]
    failure = status(world.run(ALICE, [u64(1)], made))
    assert failure.argument_error is Kind.INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION


def test_absent_function_and_absent_package(world: World) -> None:
    assert status(world.do("nowhere")).kind is FailureKind.FUNCTION_NOT_FOUND
    call = MoveCall(ObjectId(b"\x77" * 32), "objects", "value")
    assert status(world.run(ALICE, [], [call])).kind is FailureKind.FUNCTION_NOT_FOUND


def test_result_by_reference_is_refused(world: World) -> None:
    failure = status(world.do("reference", world.owned(world.new_box())))
    assert failure.kind is FailureKind.INVALID_PUBLIC_FUNCTION_RETURN_TYPE


def test_missing_native_is_named(world: World) -> None:
    call = MoveCall(SUI_PACKAGE, "bls12381", "bls12381_min_pk_verify", (), (arg(0), arg(0), arg(0)))
    assert "0x2::bls12381::bls12381_min_pk_verify" in status(world.run(ALICE, [text(b"")], [call])).message


# ---- arguments


def test_number_of_arguments_must_fit(world: World) -> None:
    assert status(world.do("value")).kind is FailureKind.ARITY_MISMATCH


def test_type_of_an_object_must_fit(world: World) -> None:
    failure = status(world.do("value", world.shared(world.counter)))
    assert (failure.argument, failure.argument_error) == (0, Kind.TYPE_MISMATCH)


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(9)])
def test_bytes_must_be_exactly_one_value(world: World, data: bytes) -> None:
    failure = status(world.do("emit_many", PureInput(data)))
    assert failure.argument_error is Kind.INVALID_BCS_BYTES


def test_objects_are_not_made_of_bytes(world: World) -> None:
    failure = status(world.do("burn", PureInput(bytes(40))))
    assert failure.argument_error is Kind.INVALID_USAGE_OF_PURE_ARG


def test_string_of_bytes_must_be_text(world: World) -> None:
    length = MoveCall(STD_PACKAGE, "string", "length", (), (arg(0),))
    assert world.run(ALICE, [text("ä".encode())], [length]).effects.succeeded
    assert status(world.run(ALICE, [text(b"\xff")], [length])).argument_error is Kind.INVALID_BCS_BYTES


def test_one_value_is_not_borrowed_twice_if_once_is_mutable(world: World) -> None:
    box = world.owned(world.new_box())
    failure = status(world.run(ALICE, [box], [world.call("both", arg(0), arg(0))]))
    assert (failure.argument, failure.argument_error) == (1, Kind.INVALID_VALUE_USAGE)


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        (InputArgument(9), Kind.INDEX_OUT_OF_BOUNDS),
        (result(0), Kind.INDEX_OUT_OF_BOUNDS),
        (result(7), Kind.INDEX_OUT_OF_BOUNDS),
        (NestedResult(0, 0), Kind.INDEX_OUT_OF_BOUNDS),
    ],
)
def test_arguments_that_are_not_there(world: World, argument: InputArgument, error: Kind) -> None:
    assert status(world.run(ALICE, [], [world.call("emit_many", argument)])).argument_error is error


def test_several_results_are_named_one_by_one(world: World) -> None:
    who = world.call("who")
    send = world.call("emit_many", NestedResult(0, 2))
    assert world.run(ALICE, [], [who, send], budget=10 * SUI).effects.succeeded
    assert status(world.run(ALICE, [], [who, world.call("emit_many", result(0))])).argument_error is Kind.INVALID_RESULT_ARITY
    failure = status(world.run(ALICE, [], [who, world.call("emit_many", NestedResult(0, 3))]))
    assert (failure.argument_error, failure.indices) == (Kind.SECONDARY_INDEX_OUT_OF_BOUNDS, (0, 3))


def test_context_tells_who_sends_and_who_pays(world: World) -> None:
    executed = world.do("who")
    assert [value.bcs for value in executed.results[0].returned] == [ALICE, b"\x00", (1000).to_bytes(8, "little")]


def test_type_arguments_must_fit_in_number_and_ability(world: World) -> None:
    coin = world.owned(world.fund(ALICE, 5))
    assert world.do("generic", coin, types=[SUI_COIN]).effects.succeeded
    assert status(world.do("generic", types=[])).kind is FailureKind.TYPE_ARITY_MISMATCH
    assert status(world.do("generic", u64(1), types=[U64])).kind is FailureKind.TYPE_ARGUMENT_ERROR
    unknown = Struct(world.package, "objects", "Nothing")
    assert status(world.do("generic", u64(1), types=[unknown])).kind is FailureKind.TYPE_ARGUMENT_ERROR


# ---- built-in commands


def test_object_without_store_is_moved_by_its_module_only(world: World) -> None:
    badge = world.made(world.published, "Badge")
    failure = status(world.run(ALICE, [world.owned(badge.id), PureInput(BOB)], [TransferObjects((arg(0),), arg(1))]))
    assert failure.kind is FailureKind.INVALID_TRANSFER_OBJECT
    assert not badge.has_public_transfer


def test_coins_are_split_and_merged(world: World) -> None:
    coin = world.fund(ALICE, 100)
    commands = [
        SplitCoins(arg(0), (arg(1), arg(2))),
        MergeCoins(NestedResult(0, 0), (NestedResult(0, 1),)),
        TransferObjects((NestedResult(0, 0),), arg(3)),
    ]
    before = world.balance(BOB)
    executed = world.run(ALICE, [world.owned(coin), u64(30), u64(12), PureInput(BOB)], commands)
    assert executed.effects.succeeded, executed.effects.status
    assert world.balance(BOB) == before + 42
    assert len(executed.effects.created()) == 1


def test_coin_cannot_be_overdrawn(world: World) -> None:
    coin = world.fund(ALICE, 100)
    failure = status(world.run(ALICE, [world.owned(coin), u64(101)], [SplitCoins(arg(0), (arg(1),))]))
    assert failure.kind is FailureKind.INSUFFICIENT_COIN_BALANCE


def test_only_coins_are_split_and_only_of_one_currency_merged(world: World) -> None:
    box, coin = world.new_box(), world.fund(ALICE, 1)
    failure = status(world.run(ALICE, [world.owned(box), u64(1)], [SplitCoins(arg(0), (arg(1),))]))
    assert failure.argument_error is Kind.TYPE_MISMATCH
    inputs = [world.owned(coin), world.owned(box)]
    assert status(world.run(ALICE, inputs, [MergeCoins(arg(0), (arg(1),))])).argument_error is Kind.TYPE_MISMATCH
    failure = status(world.run(ALICE, [world.owned(coin)], [MergeCoins(arg(0), (arg(0),))]))
    assert failure.argument_error is Kind.INVALID_VALUE_USAGE


def test_gas_coin_is_split_transferred_but_not_taken_otherwise(world: World) -> None:
    before = world.balance(BOB)
    split = [SplitCoins(GAS_COIN, (arg(0),)), TransferObjects((result(0),), arg(1))]
    assert world.run(ALICE, [u64(77), PureInput(BOB)], split).effects.succeeded
    assert world.balance(BOB) == before + 77
    coin = world.fund(ALICE, 1)
    failure = status(world.run(ALICE, [world.owned(coin)], [MergeCoins(arg(0), (GAS_COIN,))]))
    assert failure.argument_error is Kind.INVALID_GAS_COIN_USAGE
    given = world.run(ALICE, [PureInput(BOB)], [TransferObjects((GAS_COIN,), arg(0))])
    assert given.effects.succeeded
    assert world.ledger.object(world.gas_coins[ALICE]).owner.address == BOB


def test_budget_is_out_of_reach_of_the_program(world: World) -> None:
    world.gas_coins[ALICE] = world.fund(ALICE, 2 * SUI)
    too_much = [SplitCoins(GAS_COIN, (arg(0),)), TransferObjects((result(0),), arg(1))]
    failure = status(world.run(ALICE, [u64(SUI + 1), PureInput(BOB)], too_much, budget=SUI))
    assert failure.kind is FailureKind.INSUFFICIENT_COIN_BALANCE


def test_vectors_are_made_of_values_and_of_objects(world: World) -> None:
    made = world.run(ALICE, [u64(4), u64(5)], [MakeMoveVec(U64, (arg(0), arg(1))), world.call("last", result(0), module="machine")])
    assert made.results[1].returned[0].bcs == (5).to_bytes(8, "little")
    letters = [PureInput(b"a"), PureInput(b"b")]
    raw = world.run(ALICE, letters, [MakeMoveVec(U8, (arg(0), arg(1)))])
    assert (raw.results[0].returned[0].type, raw.results[0].returned[0].bcs) == (Vector(U8), b"\x02ab")
    left = status(world.run(ALICE, [world.owned(world.new_box())], [MakeMoveVec(None, (arg(0),))]))
    assert left.kind is FailureKind.UNUSED_VALUE_WITHOUT_DROP


def test_element_type_is_inferred_of_objects_only(world: World) -> None:
    assert status(world.run(ALICE, [u64(1)], [MakeMoveVec(None, (arg(0),))])).argument_error is Kind.TYPE_MISMATCH
    assert status(world.run(ALICE, [], [MakeMoveVec(None, ())])).argument_error is Kind.TYPE_MISMATCH
    mixed = [world.owned(world.new_box()), world.owned(world.fund(ALICE, 1))]
    assert status(world.run(ALICE, mixed, [MakeMoveVec(None, (arg(0), arg(1)))])).argument_error is Kind.TYPE_MISMATCH


# ---- failing as a whole


def test_failed_transaction_undoes_everything_but_gas(world: World) -> None:
    counter, boxes = world.ledger.object(world.counter), len(world.ledger.owned_by(ALICE))
    executed = world.do("tick_then_fail", world.shared(world.counter))
    failure = status(executed)
    assert (failure.kind, failure.abort_code, failure.command) == (FailureKind.MOVE_ABORT, 42, 0)
    assert (failure.location.address, failure.location.module) == (world.package, "objects")
    assert failure.location.function == "tick_then_fail"
    assert executed.events == ()
    assert executed.results == ()
    after = world.ledger.object(world.counter)
    assert isinstance(after, Object)
    assert after.contents == counter.contents
    assert after.version == executed.effects.lamport_version, "as on Sui, the version moves on"
    assert len(world.ledger.owned_by(ALICE)) == boxes


def test_event_names_the_function_that_the_command_called(world: World) -> None:
    (event,) = world.do("tick", world.shared(world.counter)).events
    assert (event.package, event.module, event.sender) == (world.package, "objects", ALICE)
    assert (event.type.name, event.contents) == ("Ticked", (1).to_bytes(8, "little"))


def test_simulation_tells_results_and_changes_nothing(world: World) -> None:
    before, checkpoint = world.ledger.object(world.counter), world.ledger.checkpoint()
    simulated = world.do("tick", world.shared(world.counter), how=world.simulate)
    assert simulated.results[0].returned[0].bcs == (1).to_bytes(8, "little")
    ((argument, after),) = simulated.results[0].mutated
    assert (argument, after.type.name) == (arg(0), "Counter")
    assert (world.ledger.object(world.counter), world.ledger.checkpoint()) == (before, checkpoint)
    assert simulated.placement is None
    # neither in the bytes nor in the value kept in memory
    assert world.do("tick", world.shared(world.counter)).results[0].returned[0].bcs == (1).to_bytes(8, "little")


def test_unchecked_simulation_calls_anything_on_anybodys_objects(world: World) -> None:
    box = world.owned(world.new_box(owner=BOB))

    def unchecked(*arguments: object) -> object:
        return world.simulate(*arguments, checks=False)

    assert world.do("hidden", how=unchecked).effects.succeeded
    assert world.do("burn", box, how=unchecked).effects.succeeded
    assert world.do("tick", world.shared(world.counter, mutable=False), how=unchecked).effects.succeeded
    assert world.do("count", world.shared(world.counter)).results[0].returned[0].bcs == bytes(8)


def test_package_of_a_simulated_publication_is_forgotten(world: World) -> None:
    modules = tuple(world.ledger.package(world.package).modules.values())
    original = tuple(code.replace(world.package, bytes(32)) for code in modules)
    transaction = world.transaction(
        ALICE, [PureInput(ALICE)], [Publish(original, (STD_PACKAGE, SUI_PACKAGE)), TransferObjects((result(0),), arg(0))]
    )
    digest = world.digest()
    simulated = world.ledger.simulate(transaction, digest)
    assert simulated.effects.succeeded, simulated.effects.status
    package = next(change.id for change in simulated.effects.changes if change.package)
    call = MoveCall(package, "machine", "areas")
    assert status(world.run(ALICE, [], [call])).kind is FailureKind.FUNCTION_NOT_FOUND


def test_types_of_pure_arguments() -> None:
    from localnet.ledger.slots import is_pure_type

    option = Struct(STD_PACKAGE, "option", "Option", (ADDRESS,))
    string = Struct(STD_PACKAGE, "string", "String")
    assert all(map(is_pure_type, (U64, BOOL, Vector(Vector(U8)), option, Vector(string), Struct(SUI_PACKAGE, "object", "ID"))))
    uid = Struct(SUI_PACKAGE, "object", "UID")
    forbidden = (uid, SUI_COIN, Vector(SUI_COIN), Struct(STD_PACKAGE, "option", "Option", (uid,)))
    assert not any(map(is_pure_type, forbidden))
    assert Address(ALICE) == ALICE
