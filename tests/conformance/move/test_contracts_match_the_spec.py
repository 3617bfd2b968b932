"""docs/spec/protocol.md against the committed bytecode (calls, structs, events) and the sources (abort codes)."""

import re
from pathlib import Path

import pytest

from localnet.toolchain.abi import functions, structs
from localnet.toolchain.package import read_package

ROOT = Path(__file__).parents[3]
PACKAGE = read_package(ROOT / "contracts" / "sui")
SPEC = (ROOT / "docs" / "spec" / "protocol.md").read_text()

FUNCTIONS = {f"{function.module}::{function.name}": function for function in functions(PACKAGE)}
STRUCTS = {struct.name: struct for struct in structs(PACKAGE)}


def section(number: int) -> str:
    return SPEC.split(f"\n## {number}. ")[1].split("\n## ")[0]


def table(number: int) -> list[list[str]]:
    rows = [line.strip("|").split("|") for line in section(number).splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row] for row in rows[2:]]


def code(number: int) -> str:
    return section(number).split("```")[1]


def fields(text: str) -> list[tuple[str, str]]:
    """Read `a, b: u64; c: bytes`: a name without a type has that of the next name that has one."""
    text = re.sub(r"\{[^{}]*\}|\([^()]*\)", "", text)  # what follows a type's name, remarks
    read: list[tuple[str, str]] = []
    type_ = "?"
    for part in reversed(re.split(r"[;,]", text)):
        name, _, said = part.partition(":")
        type_ = said.strip() or type_
        read.append((name.strip(), "UID" if name.strip() == "id" else type_))
    return read[::-1]


def spelled(type_: str) -> str:
    """Return a type of the bytecode as the spec writes it."""
    type_ = re.sub(r"\w+::", "", type_)
    return type_.replace("vector<u8>", "bytes").replace("Balance<SUI>", "Balance")


def objects() -> dict[str, list[tuple[str, str]]]:
    found = re.findall(r"^(\w+)\s*(?:\([^)]*\)\s*)?\{((?:[^{}]|\{[^{}]*\})*)\}", code(5), re.MULTILINE)
    return {name: fields(body) for name, body in found}


def calls() -> dict[str, tuple[bool, list[str]]]:
    """Name, whether private entry, parameters."""
    found = re.findall(r"^(E )?(\w+::\w+)\((.*?)\)(?:$|:|\s)", code(7), re.MULTILINE)
    return {name: (bool(private), [p.strip() for p in parameters.split(",")]) for private, name, parameters in found}


def statements() -> dict[str, list[tuple[str, str]]]:
    return {name: [("scope", "u8"), *fields(rest)] for _, name, rest in table(4)}


def events() -> dict[str, list[tuple[str, str]]]:
    return {event: fields(rest) for _, event, rest in table(8)}


def abort_codes() -> dict[str, set[tuple[int, str]]]:
    return {module: {(int(c), name) for c, name in re.findall(r"(\d+)[ |]+(E\w+)", " ".join(rest))} for module, *rest in table(9)}


def test_the_spec_was_read_at_all() -> None:
    assert len(objects()) >= 13
    assert len(calls()) >= 33
    assert len(statements()) == 6
    assert len(events()) >= 27
    assert sum(map(len, abort_codes().values())) >= 46


@pytest.mark.parametrize("name", [*objects(), *statements(), *events()])
def test_fields_are_the_specified_ones_in_order(name: str) -> None:
    specified = {**objects(), **statements(), **events()}[name]
    assert [(field, spelled(type_)) for field, type_ in STRUCTS[name].fields] == specified


@pytest.mark.parametrize(("module", "event"), [(row[0], row[1]) for row in table(8)])
def test_events_come_from_the_specified_module(module: str, event: str) -> None:
    assert STRUCTS[event].module == module


@pytest.mark.parametrize("name", calls())
def test_calls_are_as_specified(name: str) -> None:
    private, parameters = calls()[name]
    counted = re.match(r"(\d+) fields", parameters[0])
    function = FUNCTIONS[name]
    assert (function.entry, function.public) == (private, not private)
    assert len(function.parameters) == (int(counted[1]) if counted else len(parameters))
    if not counted:
        for specified, actual in zip(parameters, map(spelled, function.parameters), strict=True):
            assert fits(specified, actual), (specified, actual)


def fits(specified: str, actual: str) -> bool:
    """Whether a parameter, as the spec writes it, is of the bytecode's type; a bare lower-case name tells no type."""
    if specified == "ctx":
        return actual.endswith("&mut TxContext") or actual == "&TxContext"
    if by_reference := re.match(r"(\w+) by &", specified):
        return actual == f"&{by_reference[1]}"
    type_ = specified.rpartition(":")[2].strip()
    return actual == type_ or (type_ == specified and re.fullmatch(r"[a-z_]+", type_) is not None)


@pytest.mark.parametrize("module", abort_codes())
def test_abort_codes_are_the_specified_ones(module: str) -> None:
    source = PACKAGE.sources[f"sources/{module}.move"]
    declared = {(int(c), name) for name, c in re.findall(r"^const (E[A-Z]\w+): u64 = (\d+);", source, re.MULTILINE)}
    assert declared == abort_codes()[module]


def test_every_abort_code_of_the_contracts_is_in_the_spec() -> None:
    with_codes = {Path(path).stem for path, text in PACKAGE.sources.items() if re.search(r"^const E[A-Z]\w+: u64 =", text, re.MULTILINE)}
    assert with_codes == set(abort_codes())
