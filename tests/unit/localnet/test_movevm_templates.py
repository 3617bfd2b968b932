"""What machines share: functions once translated. What they do not: the functions that these call."""

from ledger_world import World, u64
from shelf_world import ShelfWorld, compiled

from localnet.ledger.framework import Framework
from localnet.movevm.compiler.transpiler import transpile


def test_function_is_translated_once_for_all_machines(framework: Framework) -> None:
    first, second = World(framework), World(framework)
    module = first.ledger.vm.linker.module(first.package, "machine")
    assert second.ledger.vm.linker.module(second.package, "machine") is module
    first.do("fail", u64(3), module="machine")
    made = module.templates["fail"]
    assert transpile(module, module.functions["fail"], second.ledger.vm.codecs) is made


def test_machines_do_not_share_what_is_called(framework: Framework) -> None:
    """The same bytecode of `middle`, under the same id, linked to the first version here and to the second there."""
    stays, moves = ShelfWorld(framework), ShelfWorld(framework)
    stays.upgraded()
    second = moves.upgraded()
    assert stays.first == moves.first
    old = stays.publish(compiled("middle", shelf=(stays.first, stays.first)))
    new = moves.publish(compiled("middle", shelf=(moves.first, second)))
    assert old == new
    assert stays.numbers(old, "middle::number") == (1,)
    assert moves.numbers(new, "middle::number") == (2,)
    assert stays.numbers(old, "middle::number") == (1,)
