"""What compiled Move code computes, and how it fails. The source is move/tricks/sources/machine.move."""

import pytest
from ledger_world import ALICE, SUI, World, text, u64

from localnet.ledger.model import FailureKind, PureInput
from localnet.movevm.types import U64, Vector


def answers(world: World, function: str, *inputs: PureInput) -> list[bytes]:
    executed = world.do(function, *inputs, module="machine")
    assert executed.effects.succeeded, executed.effects.status
    return [value.bcs for value in executed.results[0].returned]


def numbers(*values: int) -> PureInput:
    return PureInput(bytes([len(values)]) + b"".join(value.to_bytes(8, "little") for value in values))


def test_enums_are_matched_by_reference(world: World) -> None:
    assert answers(world, "areas") == [numbers(0, 27, 10, 7).value]


def test_enums_have_the_bcs_of_rust(world: World) -> None:
    point, circle = b"\x00", b"\x01" + u64(3).value
    rectangle, labelled = b"\x02" + u64(2).value + u64(5).value, b"\x03\x01x" + u64(7).value
    assert answers(world, "shapes") == [b"\x04" + point + circle + rectangle + labelled]


def test_enums_change_in_place(world: World) -> None:
    point, circle = b"\x00", b"\x01" + u64(4).value
    rectangle, labelled = b"\x02" + u64(4).value + u64(5).value, b"\x03\x02x!" + u64(7).value
    assert answers(world, "grown") == [b"\x04" + point + circle + rectangle + labelled]


def test_generic_enums_are_taken_apart(world: World) -> None:
    assert answers(world, "just", u64(5)) == [u64(5).value]
    assert answers(world, "nothing", u64(6)) == [u64(6).value]


def test_generic_code_makes_vectors_of_bytes(world: World) -> None:
    assert answers(world, "twice_byte", PureInput(b"\x07")) == [b"\x02\x07\x07"]
    pair = u64(9).value + b"\x02ab"
    assert answers(world, "pairs", u64(9)) == [b"\x02" + pair * 2]


def test_copies_are_independent(world: World) -> None:
    changed, original = answers(world, "copies")
    assert changed == b"\x02\x04one!\x012"
    assert original == b"\x02\x03one\x03two"


@pytest.mark.parametrize(
    ("function", "inputs", "right", "wrong", "instruction"),
    [
        ("add", (2**64 - 1, 0), 2**64 - 1, (2**64 - 1, 1), 2),
        ("subtract", (5, 5), 0, (5, 6), 2),
        ("divide", (7, 2), 3, (7, 0), 2),
        ("narrow", (255,), 255, (256,), 1),
    ],
)
def test_arithmetic_fails_instead_of_wrapping(
    world: World, function: str, inputs: tuple[int, ...], right: int, wrong: tuple[int, ...], instruction: int
) -> None:
    (answer,) = answers(world, function, *map(u64, inputs))
    assert int.from_bytes(answer, "little") == right
    failure = world.do(function, *map(u64, wrong), module="machine").effects.status
    assert failure.kind is FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR
    assert "ARITHMETIC_ERROR" in failure.message
    assert (failure.location.function, failure.location.offset) == (function, instruction)


def test_256_bit_numbers_overflow_at_256_bits(world: World) -> None:
    big, two = PureInput((2**255).to_bytes(32, "little")), PureInput((2).to_bytes(32, "little"))
    one = PureInput((1).to_bytes(32, "little"))
    assert answers(world, "multiply", big, one) == [big.value]
    assert not world.do("multiply", big, two, module="machine").effects.succeeded


def test_shifts_drop_bits_and_refuse_the_width(world: World) -> None:
    assert answers(world, "shift", PureInput(b"\xff"), PureInput(b"\x07")) == [b"\x80"]
    assert not world.do("shift", PureInput(b"\x01"), PureInput(b"\x08"), module="machine").effects.succeeded


def test_vectors_have_bounds(world: World) -> None:
    assert answers(world, "at", numbers(4, 5), u64(1)) == [u64(5).value]
    assert answers(world, "last", numbers(4, 5)) == [u64(5).value]
    beyond = world.do("at", numbers(4, 5), u64(2), module="machine").effects.status
    empty = world.do("last", numbers(), module="machine").effects.status
    assert "VECTOR_OPERATION_ERROR (1)" in beyond.message
    assert "VECTOR_OPERATION_ERROR (2)" in empty.message
    assert beyond.location.module == "machine"


def test_abort_carries_code_and_place(world: World) -> None:
    failure = world.do("fail", u64(2**64 - 1), module="machine").effects.status
    assert (failure.kind, failure.abort_code) == (FailureKind.MOVE_ABORT, 2**64 - 1)
    functions = world.ledger.vm.linker.module(world.package, "machine").functions
    assert failure.location.function_index == functions["fail"].index


def test_gas_ends_an_endless_loop(world: World) -> None:
    assert world.run(ALICE, [], [world.call("spin", module="machine")]).effects.status.kind is FailureKind.INSUFFICIENT_GAS


def test_recursion_goes_deep_but_not_without_end(world: World) -> None:
    assert answers(world, "deep", u64(500)) == [u64(500).value]
    executed = world.run(ALICE, [u64(10**6)], [world.call("deep", *_argument(), module="machine")], budget=10 * SUI)
    assert executed.effects.status.kind is FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR
    assert "CALL_STACK_OVERFLOW" in executed.effects.status.message
    assert answers(world, "deep", u64(3)) == [u64(3).value], "the machine has survived it"


def _argument():
    from ledger_world import arg

    return (arg(0),)


def test_work_is_metered_by_instruction(world: World) -> None:
    costs = [world.do("sum_to", u64(n), module="machine").effects.gas.computation for n in (1000, 2000, 3000)]
    assert costs[2] - costs[1] == costs[1] - costs[0] > 0


def test_results_carry_their_types(world: World) -> None:
    executed = world.do("areas", module="machine")
    assert executed.results[0].returned[0].type is Vector(U64)
    assert world.do("at", text(b""), u64(0), module="machine").effects.status is not None
