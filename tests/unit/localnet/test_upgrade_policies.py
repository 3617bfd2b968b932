"""What each upgrade policy lets pass, on modules changed one thing at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from ledger_world import TRICKS, modules_of

from localnet.ledger.compatibility import UpgradePolicy, differences
from localnet.movevm.bytecode.module import Ability, EnumDefinition, Field, Function, Module, StructDefinition, Variant, Visibility
from localnet.movevm.bytecode.opcodes import Instruction, Op
from localnet.movevm.bytecode.parser import parse_module
from localnet.movevm.types import U8, U64

PARSED = {module.name: module for module in map(parse_module, modules_of(TRICKS))}
OBJECTS, MACHINE = PARSED["objects"], PARSED["machine"]
ALL = frozenset(UpgradePolicy)
COMPATIBLE, ADDITIVE, DEP_ONLY = UpgradePolicy.COMPATIBLE, UpgradePolicy.ADDITIVE, UpgradePolicy.DEP_ONLY


def allowed(changed: Module) -> set[UpgradePolicy]:
    new = PARSED | {changed.name: changed}
    return {policy for policy in UpgradePolicy if not list(differences(PARSED, new, policy))}


def with_function(name: str, change: Callable[[Function], Function | None], module: Module = OBJECTS) -> Module:
    functions = dict(module.functions)
    changed = change(functions.pop(name))
    return replace(module, functions=functions if changed is None else functions | {name: changed})


def with_struct(name: str, change: Callable[[StructDefinition], StructDefinition | None]) -> Module:
    datatypes = dict(OBJECTS.datatypes)
    found = datatypes.pop(name)
    assert isinstance(found, StructDefinition)
    changed = change(found)
    return replace(OBJECTS, datatypes=datatypes if changed is None else datatypes | {name: changed})


def test_the_same_modules_pass_every_policy() -> None:
    assert allowed(OBJECTS) == ALL


def test_a_rebuilt_module_whose_pools_are_in_another_order_is_the_same() -> None:
    constants = MACHINE.constants
    assert len(constants) > 1
    last = len(constants) - 1

    def turned(function: Function) -> Function:
        code = (replace(i, operand=last - i.operand) if i.op is Op.LD_CONST else i for i in function.code)
        return replace(function, code=tuple(code))

    functions = {name: turned(function) for name, function in MACHINE.functions.items()}
    assert allowed(replace(MACHINE, constants=constants[::-1], functions=functions)) == ALL
    assert allowed(replace(MACHINE, constants=constants[::-1])) == {COMPATIBLE}


@pytest.mark.parametrize(
    ("change", "policies"),
    [
        (lambda f: None, set()),
        (lambda f: replace(f, visibility=Visibility.PRIVATE), set()),
        (lambda f: replace(f, visibility=Visibility.FRIEND), set()),
        (lambda f: replace(f, handle=replace(f.handle, parameters=(*f.handle.parameters, U8))), set()),
        (lambda f: replace(f, handle=replace(f.handle, returns=(U64,))), set()),
        (lambda f: replace(f, handle=replace(f.handle, type_parameters=(Ability.DROP,))), set()),
        (lambda f: replace(f, code=(*f.code[:-1], Instruction(Op.NOP), f.code[-1])), {COMPATIBLE}),
        (lambda f: replace(f, is_entry=True), {COMPATIBLE}),
    ],
    ids=["gone", "private", "friend", "another parameter", "another return", "type parameter", "another body", "entry"],
)
def test_public_function_keeps_its_signature(change: Callable[[Function], Function | None], policies: set[UpgradePolicy]) -> None:
    assert allowed(with_function("set_value", change)) == policies


def test_private_function_may_change_or_go() -> None:
    private = next(name for name, f in OBJECTS.functions.items() if f.visibility is Visibility.PRIVATE)
    assert allowed(with_function(private, lambda f: None)) == {COMPATIBLE}
    changed = with_function(private, lambda f: replace(f, handle=replace(f.handle, parameters=())))
    assert allowed(changed) == {COMPATIBLE}


@pytest.mark.parametrize(("had", "has", "fine"), [(Ability.DROP, Ability.NONE, True), (Ability.NONE, Ability.DROP, False)])
def test_type_parameter_may_ask_less_but_not_more(had: Ability, has: Ability, fine: bool) -> None:
    old = with_function("set_value", lambda f: replace(f, handle=replace(f.handle, type_parameters=(had,))))
    new = with_function("set_value", lambda f: replace(f, handle=replace(f.handle, type_parameters=(has,))))
    found = list(differences({"objects": old}, {"objects": new}, COMPATIBLE))
    assert (not found) is fine


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,
        lambda s: replace(s, fields=s.fields[:-1]),
        lambda s: replace(s, fields=(*s.fields, Field("more", U8))),
        lambda s: replace(s, fields=(s.fields[0], replace(s.fields[1], name="other"))),
        lambda s: replace(s, fields=(s.fields[0], replace(s.fields[1], type=U8))),
        lambda s: replace(s, handle=replace(s.handle, abilities=Ability.KEY)),
        lambda s: replace(s, handle=replace(s.handle, abilities=s.handle.abilities | Ability.DROP)),
    ],
    ids=["gone", "field gone", "field new", "field renamed", "field of another type", "ability gone", "ability new"],
)
def test_struct_never_changes(change: Callable[[StructDefinition], StructDefinition | None]) -> None:
    assert allowed(with_struct("Box", change)) == set()


def test_enum_gets_no_new_variant() -> None:
    shape = MACHINE.datatypes["Shape"]
    assert isinstance(shape, EnumDefinition)
    grown = replace(shape, variants=(*shape.variants, Variant("More", ())))
    assert allowed(replace(MACHINE, datatypes={**MACHINE.datatypes, "Shape": grown})) == set()


def test_things_may_be_added_unless_dependencies_only() -> None:
    box = OBJECTS.datatypes["Box"]
    function = OBJECTS.functions["value"]
    more = replace(
        OBJECTS, datatypes={**OBJECTS.datatypes, "Crate": box}, functions={**OBJECTS.functions, "worth": function}
    )
    assert allowed(more) == {COMPATIBLE, ADDITIVE}
    assert allowed(replace(OBJECTS, name="another")) == {COMPATIBLE, ADDITIVE}


def test_module_that_is_gone_is_named() -> None:
    for policy in UpgradePolicy:
        assert list(differences(PARSED, {"machine": MACHINE}, policy)) == ["module objects is missing"]
