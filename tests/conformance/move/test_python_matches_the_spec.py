"""docs/spec/protocol.md against the records, statements and events of `agent.protocol`."""

import re
from dataclasses import fields, is_dataclass, make_dataclass
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import protocol_spec as spec
import pytest

from agent.protocol import records, statements, tags
from agent.protocol.bcs import U64, U128, encode
from agent.protocol.events import KINDS
from agent.protocol.records import Params
from agent.protocol.statements import SPECIAL_ROOTS, Statement, TeeKind
from agent.protocol.states import Mark, Outcome, RoundKind, TaskState

RENAMED = {
    "Network": "NetworkView", "Roster": "RosterView", "RosterQueue": "QueueView", "Pool": "PoolView",
    "Member": "MemberView", "Task": "TaskView", "Request": "RequestView", "NodeOwnerCap": "OwnerCap",
    "NodeOperatorCap": "OwnerCap",
}  # fmt: skip
FLATTENED = {"Params", "Amounts", "Windows", "Shares"}
"""One record in Python."""
KEYS = {"Departed", "OperatorKey"}
"""Names of dynamic fields, one address each: written where they are looked up."""
OF_PYTHON = {python: move for move, python in RENAMED.items() if move != "NodeOperatorCap"}
WIDTHS = {1: "u8", 2: "u16", 4: "u32", 8: "u64", 16: "u128"}
PLAIN = {bool: "bool", bytes: "bytes"}
NAMED = {"Mist": "u64", "Millis": "u64", "Slot": "u64", "Digest": "bytes", "BlobId": "bytes"}


def wire(hint: Any) -> str:
    """The type of a field, as the spec writes it."""
    if get_origin(hint) is Annotated:
        return WIDTHS[get_args(hint)[1]]
    if get_origin(hint) is tuple:
        return f"vector<{wire(get_args(hint)[0])}>"
    if get_origin(hint) is not None:
        return f"{get_origin(hint).__name__}<{wire(get_args(hint)[0])}>"
    if hasattr(hint, "__supertype__"):
        return NAMED.get(hint.__name__, "address")
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return "u8"
    return OF_PYTHON.get(hint.__name__, hint.__name__) if is_dataclass(hint) else PLAIN[hint]


def of(kind: Any) -> spec.Fields:
    hints = get_type_hints(kind, include_extras=True)
    return [(each.name, wire(hints[each.name])) for each in fields(kind)]


def on_the_wire(specified: spec.Fields) -> spec.Fields:
    """Balances are numbers, and the ids of objects are addresses."""
    same = {"Balance": "u64", "UID": "address"}
    return [(name, same.get(type_, type_)) for name, type_ in specified]


@pytest.mark.parametrize("name", [name for name in spec.objects() if name not in FLATTENED | KEYS])
def test_a_record_has_the_specified_fields_in_order(name: str) -> None:
    assert of(getattr(records, RENAMED.get(name, name))) == on_the_wire(spec.objects()[name])


def test_parameters_are_the_specified_groups_one_after_another() -> None:
    groups = spec.objects()
    assert of(Params) == [field for _, group in groups["Params"] for field in groups[group]]


def test_the_bytes_of_the_parameters_are_those_of_the_groups() -> None:
    types = {"u64": U64, "u128": U128}
    params = Params(*range(1, len(fields(Params)) + 1))  # type: ignore[arg-type]
    made = {
        group: make_dataclass(group, [(name, types[type_]) for name, type_ in spec.objects()[group]], frozen=True)
        for _, group in spec.objects()["Params"]
    }
    nested = make_dataclass("Params", [(name, made[group]) for name, group in spec.objects()["Params"]], frozen=True)
    values = [kind(*(getattr(params, each.name) for each in fields(kind))) for kind in made.values()]
    assert encode(nested(*values)) == params.encode()


def test_every_record_is_specified() -> None:
    known = {RENAMED.get(name, name) for name in spec.objects()}
    assert set(records.__all__) - {"Record", "Pending"} <= known


@pytest.mark.parametrize(("module", "name"), spec.event_modules())
def test_an_event_has_the_specified_fields_in_order(module: str, name: str) -> None:
    assert of(KINDS[module, name]) == on_the_wire(spec.events()[name])


def test_every_event_is_specified() -> None:
    assert set(KINDS) == set(spec.event_modules())


@pytest.mark.parametrize("name", spec.statements())
def test_a_statement_has_the_specified_fields_in_order(name: str) -> None:
    specified = [field for field in spec.statements()[name] if field[0] != "scope"]
    assert of(getattr(statements, name)) == specified


def test_the_scopes_of_statements_are_the_specified_ones() -> None:
    specified = {name: int(scope) for scope, name, _ in spec.table(4)}
    kinds = [kind for kind in vars(statements).values() if isinstance(kind, type) and issubclass(kind, Statement)]
    assert {kind.__name__: kind.SCOPE for kind in kinds if kind is not Statement} == specified


def test_what_a_nitro_document_is_bound_to_has_the_specified_fields() -> None:
    assert of(statements._NativeBinding) == spec.native_binding()


def test_what_a_refusal_is_of_has_the_specified_fields() -> None:
    assert of(statements.InputFacts) == spec.input_facts()


def test_states_and_outcomes_are_the_specified_ones() -> None:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in spec.section(6).splitlines() if line.startswith("| ")]
    numbered = [(int(row[0]), row[1].split()[0].strip(",")) for row in lines if row[0].isdigit()]
    states = {(state.value, state.name) for state in TaskState}
    outcomes = {(outcome.value, outcome.name) for outcome in Outcome if outcome}
    assert set(numbered) == states | outcomes


def test_rounds_marks_and_kinds_of_tee_are_the_specified_ones() -> None:
    section = spec.section(4)
    assert "`round`: 1 audit, 2 dispute, 3 second dispute, 4 delivery dispute, 5 second delivery dispute." in section
    assert [kind.name for kind in RoundKind] == ["AUDIT", "DISPUTE", "SECOND_DISPUTE", "DELIVERY", "SECOND_DELIVERY"]
    assert "`tee_kind`: 0 simulated, 1 Nitro, 2 TDX, 3 SEV-SNP." in section
    assert [kind.name for kind in TeeKind] == ["SIMULATED", "NITRO", "TDX", "SEV_SNP"]
    assert "mark: 0 nothing yet, 1 committed, 2 agrees, 3 differs, 4 handed off falsely" in spec.section(5)
    assert [mark.name for mark in Mark] == ["WAITING", "COMMITTED", "AGREES", "DIFFERS", "FALSE_HANDOFF"]


def test_special_roots_are_the_specified_ones() -> None:
    specified = dict(re.findall(r"^`(\w+)` = 32 × 0x(\w\w)", spec.section(4), re.MULTILINE))
    assert {name: bytes.fromhex(byte) * 32 for name, byte in specified.items()} == {
        name: value for name, value in vars(statements).items() if value in SPECIAL_ROOTS and isinstance(value, bytes)
    }


def test_every_domain_tag_is_the_specified_one() -> None:
    specified = set(re.findall(r"enclavia-[a-z-]+/1:", spec.SPEC))
    assert specified == {tag.decode() for name, tag in vars(tags).items() if name.isupper() and isinstance(tag, bytes)}

