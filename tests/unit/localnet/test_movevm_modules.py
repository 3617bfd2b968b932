"""Parsing bytecode: what is accepted, and that nothing but MalformedModule comes out of what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import TRICKS, modules_of

from localnet.ledger.framework import Framework
from localnet.movevm.bytecode.module import Ability, EnumDefinition, StructDefinition, Visibility
from localnet.movevm.bytecode.parser import parse_module, with_address
from localnet.movevm.bytecode.tables import Table, read_tables
from localnet.movevm.errors import LinkError, MalformedModule, MalformedValue, MissingNative
from localnet.movevm.linker import Linker
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import U64, Parameter, Reference, Struct, Vector

MACHINE, OBJECTS = modules_of(TRICKS)
PACKAGE = b"\x77" * 32


def test_module_tells_what_it_declares() -> None:
    module = parse_module(OBJECTS)
    assert (module.name, module.address, module.size) == ("objects", bytes(32), len(OBJECTS))
    box = module.datatypes["Box"]
    assert isinstance(box, StructDefinition)
    assert [field.name for field in box.fields] == ["id", "value"]
    assert box.handle.abilities == Ability.KEY | Ability.STORE
    functions = module.functions
    assert functions["burn"].visibility is Visibility.PUBLIC
    assert functions["friendly"].visibility is Visibility.FRIEND
    assert functions["hidden"].visibility is Visibility.PRIVATE
    assert functions["roll"].is_entry
    assert [str(type_) for type_ in functions["reference"].handle.returns] == ["&u64"]


def test_enums_tell_their_variants() -> None:
    shape = parse_module(MACHINE).datatypes["Shape"]
    assert isinstance(shape, EnumDefinition)
    assert [variant.name for variant in shape.variants] == ["Point", "Circle", "Rectangle", "Labelled"]


def test_address_is_replaced_everywhere() -> None:
    module = parse_module(with_address(OBJECTS, PACKAGE))
    assert module.address == PACKAGE
    assert {handle.address for handle in module.call_targets} >= {PACKAGE}
    assert bytes(32) not in {address for address, _ in module.dependencies}


def test_address_is_replaced_once_only() -> None:
    with pytest.raises(MalformedModule, match="other than 0x0"):
        with_address(with_address(OBJECTS, PACKAGE), PACKAGE)


@pytest.mark.parametrize("code", [MACHINE, OBJECTS], ids=["machine", "objects"])
def test_cut_module_is_refused_wherever_it_is_cut(code: bytes) -> None:
    for length in range(0, len(code), 7):
        with pytest.raises(MalformedModule):
            parse_module(code[:length])


@given(st.integers(0, len(MACHINE) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_spoilt_module_parses_or_is_refused_and_so_do_its_functions(at: int, change: int) -> None:
    spoilt = MACHINE[:at] + bytes([MACHINE[at] ^ change]) + MACHINE[at + 1 :]
    vm = VirtualMachine()
    try:
        (module,) = vm.load([spoilt])
        for name in module.functions:
            vm.compiled(module.address, module.name, name)
    except (MalformedModule, LinkError, MalformedValue):
        return



@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(MalformedModule):
        parse_module(noise)
    with pytest.raises(MalformedModule):
        parse_module(MACHINE[:8] + noise)


def test_module_over_the_limit_is_refused() -> None:
    with pytest.raises(MalformedModule, match="at most"):
        parse_module(MACHINE[:8] + bytes(100 * 1024))


def test_type_of_another_module_cannot_be_defined() -> None:
    # a module that could would pack coins
    tables = read_tables(OBJECTS)
    declared = [handle.name for handle in parse_module(OBJECTS).foreign_datatypes]
    assert "Coin" in declared
    handles = len(declared) + len(parse_module(OBJECTS).datatypes)
    at = tables.get(Table.STRUCT_DEFINITIONS).at  # the first definition starts with the index of its handle
    refused = 0
    for handle in range(handles):
        try:
            parse_module(OBJECTS[:at] + bytes([handle]) + OBJECTS[at + 1 :])
        except MalformedModule as refusal:
            refused += "another module" in str(refusal)
    assert refused == len(declared)


# ---- linking


@pytest.fixture(scope="module")
def vm(framework: Framework) -> VirtualMachine:
    machine = VirtualMachine()
    for code in framework.packages.values():
        machine.load(code)
    machine.load([with_address(code, PACKAGE) for code in (MACHINE, OBJECTS)])
    return machine


def test_every_function_of_the_framework_compiles_or_names_its_missing_native(vm: VirtualMachine) -> None:
    compiled, missing = 0, set()
    for (address, name), module in vm.linker.modules.items():
        for function in module.functions:
            try:
                vm.compiled(address, name, function)
                compiled += 1
            except MissingNative as absent:
                missing.add(absent.name)
    assert compiled > 1200
    assert "0x2::groth16::verify_groth16_proof_internal" in missing
    assert {name.split("::")[1] for name in missing} <= {
        "vector", "accumulator", "accumulator_settlement", "bls12381", "config", "ecdsa_k1", "ecdsa_r1", "ecvrf",
        "event", "funds_accumulator", "groth16", "group_ops", "poseidon", "transfer", "vdf",
        "zklogin_verified_id", "zklogin_verified_issuer", "validator",
    }  # fmt: skip


def test_abilities_follow_the_type_arguments(vm: VirtualMachine) -> None:
    def pair(first: object, second: object) -> Struct:
        return Struct(PACKAGE, "machine", "Pair", (first, second))

    box = Struct(PACKAGE, "objects", "Box")
    assert vm.abilities(pair(U64, U64)) == Ability.COPY | Ability.DROP | Ability.STORE
    assert vm.abilities(pair(U64, box)) == Ability.STORE
    assert vm.abilities(Vector(box)) == Ability.STORE
    assert vm.abilities(Struct(PACKAGE, "objects", "Potato")) == Ability.NONE


@pytest.mark.parametrize(
    "type_",
    [
        Struct(PACKAGE, "objects", "Nothing"),
        Struct(PACKAGE, "nowhere", "Box"),
        Struct(PACKAGE, "objects", "Box", (U64,)),
        Struct(PACKAGE, "machine", "Pair", (U64,)),
        Vector(Parameter(0)),
        Reference(U64, mutable=True),
    ],
    ids=str,
)
def test_types_that_are_none_are_refused(vm: VirtualMachine, type_: Struct) -> None:
    with pytest.raises(LinkError):
        vm.linker.check_type(type_)


def test_unloaded_package_is_forgotten(framework: Framework) -> None:
    machine = VirtualMachine()
    for code in framework.packages.values():
        machine.load(code)
    machine.load([with_address(MACHINE, PACKAGE)])
    shape = Struct(PACKAGE, "machine", "Shape")
    assert machine.encode(shape, [0]) == b"\x00"
    assert machine.compiled(PACKAGE, "machine", "areas")
    machine.unload(PACKAGE)
    with pytest.raises(LinkError):
        machine.encode(shape, [0])
    with pytest.raises(LinkError):
        machine.compiled(PACKAGE, "machine", "areas")


def test_absent_module_is_named() -> None:
    with pytest.raises(LinkError, match="0x5::absent"):
        Linker().module(bytes(31) + b"\x05", "absent")
