"""What a validator of Sui refuses to publish: limits of its protocol configuration that our Move VM does not enforce.

Source: `sui-protocol-config`, `max_*`, as of mainnet.
"""

import pytest
from protocol_spec import ROOT

from localnet.movevm.bytecode.module import Module, StructDefinition
from localnet.movevm.bytecode.opcodes import JUMPS, Op
from localnet.movevm.bytecode.parser import parse_module

FILES = sorted((ROOT / "contracts" / "sui" / "bytecode").glob("*.mv"))
MODULES = [parse_module(file.read_bytes()) for file in FILES]
PACKAGE_BYTES = 100 * 1024
FIELDS, STRUCTS, FUNCTIONS, PARAMETERS, BASIC_BLOCKS, TYPE_NODES, IDENTIFIER = 32, 200, 1_000, 128, 1_024, 256, 128

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


@each_module
def test_no_struct_has_more_than_32_fields(module: Module) -> None:
    counts = {name: len(each.fields) for name, each in module.datatypes.items() if isinstance(each, StructDefinition)}
    assert {name: count for name, count in counts.items() if count > FIELDS} == {}


def test_the_package_has_less_than_100_kib() -> None:
    assert sum(file.stat().st_size for file in FILES) < PACKAGE_BYTES


@each_module
def test_a_module_has_few_enough_structs_and_functions(module: Module) -> None:
    assert len(module.datatypes) <= STRUCTS
    assert len(module.functions) <= FUNCTIONS


@each_module
def test_no_function_has_too_many_parameters(module: Module) -> None:
    assert max((len(function.handle.parameters) for function in module.functions.values()), default=0) <= PARAMETERS


@each_module
def test_no_function_has_too_many_basic_blocks(module: Module) -> None:
    for function in module.functions.values():
        targets = {each.operand for each in function.code if each.op in JUMPS}
        after = {at + 1 for at, each in enumerate(function.code) if each.op in JUMPS | {Op.RET, Op.ABORT}}
        assert len({0} | targets | after) <= BASIC_BLOCKS, function.name


@each_module
def test_no_type_has_too_many_nodes(module: Module) -> None:
    types = [type_ for signature in module.signatures for type_ in signature]
    types += [field.type for each in module.datatypes.values() if isinstance(each, StructDefinition) for field in each.fields]
    for type_ in types:
        assert str(type_).count("<") + str(type_).count(",") + 1 <= TYPE_NODES


@each_module
def test_names_are_short_enough(module: Module) -> None:
    assert max(map(len, [module.name, *module.datatypes, *module.functions])) <= IDENTIFIER
