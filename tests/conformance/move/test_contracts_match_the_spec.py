"""docs/spec/protocol.md against the committed bytecode (calls, structs, events) and the sources (abort codes)."""

import re
from pathlib import Path

import protocol_spec as spec
import pytest

from localnet.toolchain.abi import functions, structs
from localnet.toolchain.package import read_package

PACKAGE = read_package(spec.ROOT / "contracts" / "sui")
FUNCTIONS = {f"{function.module}::{function.name}": function for function in functions(PACKAGE)}
STRUCTS = {struct.name: struct for struct in structs(PACKAGE)}
SPECIFIED = {**spec.objects(), **spec.statements(), **spec.events(), "NativeBinding": spec.native_binding(), "InputFacts": spec.input_facts()}
LIVE_IN_ONE_TRANSACTION = {"Assignment", "Spoils"}
"""Structs without `store` or `key`, and never signed or emitted: nobody outside Move sees their bytes."""


def spelled(type_: str) -> str:
    """Return a type of the bytecode as the spec writes it."""
    type_ = re.sub(r"\w+::", "", type_)
    return type_.replace("vector<u8>", "bytes").replace("Balance<SUI>", "Balance")


def test_the_spec_was_read_at_all() -> None:
    assert len(spec.objects()) == 31
    assert len(spec.calls()) == len(re.findall(r"^(?:E )?\w+::\w+\(", spec.code(7), re.MULTILINE)) >= 69
    assert len(spec.statements()) == 9
    assert len(spec.events()) >= 64
    assert sum(map(len, spec.abort_codes().values())) >= 87
    assert len(spec.native_binding()) == 11


@pytest.mark.parametrize("name", SPECIFIED)
def test_fields_are_the_specified_ones_in_order(name: str) -> None:
    assert [(field, spelled(type_)) for field, type_ in STRUCTS[name].fields] == SPECIFIED[name]


def test_what_is_pending_is_none_or_one_value_and_a_time() -> None:
    assert STRUCTS["Pending"].fields == (("value", "vector<T0>"), ("at", "u64"))


def test_every_struct_of_the_contracts_is_in_the_spec() -> None:
    assert set(STRUCTS) == {*SPECIFIED, "Pending", *LIVE_IN_ONE_TRANSACTION}


@pytest.mark.parametrize(("module", "event"), spec.event_modules())
def test_events_come_from_the_specified_module(module: str, event: str) -> None:
    assert STRUCTS[event].module == module


@pytest.mark.parametrize("name", spec.calls())
def test_calls_are_as_specified(name: str) -> None:
    private, parameters, returns = spec.calls()[name]
    counted = re.match(r"(\d+) fields", parameters[0])
    function = FUNCTIONS[name]
    assert (function.entry, function.public) == (private, not private)
    assert len(function.parameters) == (int(counted[1]) if counted else len(parameters))
    assert ", ".join(map(spelled, function.returns)) == returns.strip("()")
    if not counted:
        for specified, actual in zip(parameters, map(spelled, function.parameters), strict=True):
            assert fits(specified, actual), (specified, actual)


def fits(specified: str, actual: str) -> bool:
    """Whether a parameter, as the spec writes it, is of the bytecode's type; a bare lower-case name tells no type."""
    if specified == "ctx":
        return actual.endswith("&mut TxContext") or actual == "&TxContext"
    type_ = specified.removesuffix(" by value").rpartition(":")[2].strip()
    return actual == type_ or (type_ == specified and re.fullmatch(r"[a-z_]+", type_) is not None)


def test_whatever_can_change_an_object_is_specified() -> None:
    """A call that takes a struct of ours by value or mutably, or that only a transaction can make, is in §7."""
    ours = {name for name in STRUCTS if STRUCTS[name].fields[0][0] == "id"}
    changing = {
        name
        for name, function in FUNCTIONS.items()
        if function.entry or any(spelled(type_).removeprefix("&mut ") in ours for type_ in function.parameters)
    }
    assert changing
    assert changing <= set(spec.calls())


@pytest.mark.parametrize("module", spec.abort_codes())
def test_abort_codes_are_the_specified_ones(module: str) -> None:
    source = PACKAGE.sources[f"sources/{module}.move"]
    declared = {(int(c), name) for name, c in re.findall(r"^const (E[A-Z]\w+): u64 = (\d+);", source, re.MULTILINE)}
    assert declared == spec.abort_codes()[module]


def test_every_abort_code_of_the_contracts_is_in_the_spec() -> None:
    with_codes = {Path(path).stem for path, text in PACKAGE.sources.items() if re.search(r"^const E[A-Z]\w+: u64 =", text, re.MULTILINE)}
    assert with_codes == set(spec.abort_codes())
