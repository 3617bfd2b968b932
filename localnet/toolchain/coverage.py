"""What the tests of a Move package never reach: abort codes that no test provokes, functions that no test calls.

Move unit tests count: what `#[expected_failure]` names, if the test passed, and what the bytecode of the test modules calls, as
the compiler resolved it. So do transactions on localnet ledgers, for what the test VM cannot do, if somebody wrote down what
was called and what aborted (`tests/conformance/move/transaction_recorder.py`).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from localnet.movevm.bytecode.module import Function, FunctionHandle, Module
from localnet.movevm.bytecode.opcodes import Op
from localnet.movevm.bytecode.parser import parse_module
from localnet.toolchain.abi import functions
from localnet.toolchain.builder import run_builder
from localnet.toolchain.dependencies import local_dependencies
from localnet.toolchain.errors import CompileFailed, PackageUnreadable
from localnet.toolchain.framework_sources import decompiled_sources
from localnet.toolchain.package import MovePackage
from localnet.toolchain.unit_tests import MoveTestRun, declared_tests

_CODE: Final = re.compile(r"^const (E[A-Z]\w*): u64 = (\d+);", re.MULTILINE)
_MODULE: Final = re.compile(r"^module (\w+)::(\w+);", re.MULTILINE)
_EXPECTING: Final = re.compile(
    r"expected_failure\(abort_code = (?:\w+::)*(\w+)::(E\w+)\)\](?:\s*#\[[^\]]*\])*\s*(?:entry |public )*fun (\w+)"
)
_ONLY_FOR_TESTS: Final = re.compile(r"^\s*#\[(?:test|test_only|random_test|expected_failure)\b[^\n]*\]\s*$", re.MULTILINE)
_PRIVATE_ENTRY: Final = re.compile(r"^entry fun", re.MULTILINE)


class AbortCode(NamedTuple):
    """A constant that a module aborts with."""

    module: str
    code: int
    name: str

    def __str__(self) -> str:
        """As messages of a node tell it."""
        return f"{self.module} {self.code} {self.name}"


class Call(NamedTuple):
    """A function of the package."""

    module: str
    function: str

    def __str__(self) -> str:
        """As Move spells it."""
        return f"{self.module}::{self.function}"


@dataclass(frozen=True, slots=True)
class Reached:
    """What some tests reached."""

    aborts: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    """Module and code."""
    calls: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Module and function."""

    def __or__(self, other: "Reached") -> "Reached":
        """Return what either reached."""
        return Reached(self.aborts | other.aborts, self.calls | other.calls)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything there is to reach, and what was not."""

    codes: tuple[AbortCode, ...]
    functions: tuple[Call, ...]
    unhit: tuple[AbortCode, ...]
    uncalled: tuple[Call, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.unhit and not self.uncalled

    def __str__(self) -> str:
        """Return a line of totals, and one for everything left out."""
        provoked, called = len(self.codes) - len(self.unhit), len(self.functions) - len(self.uncalled)
        lines = [f"{provoked} of {len(self.codes)} abort codes provoked, {called} of {len(self.functions)} functions called"]
        lines += [f"no test provokes {code}" for code in self.unhit]
        lines += [f"no test calls {call}" for call in self.uncalled]
        return "\n".join(lines)


def coverage(package: MovePackage, reached: Reached) -> Coverage:
    """Hold `reached` against the abort codes of the sources, and the public and entry functions of `bytecode/`."""
    codes = tuple(abort_codes(package))
    offered = tuple(Call(each.module, each.name) for each in functions(package))
    return Coverage(
        codes,
        offered,
        tuple(each for each in codes if (each.module, each.code) not in reached.aborts),
        tuple(each for each in offered if each not in reached.calls),
    )


def abort_codes(package: MovePackage) -> Iterable[AbortCode]:
    """Yield the codes that the sources declare, module by module."""
    for text in package.sources.values():
        module = _MODULE.search(text)
        if module is not None:
            yield from (AbortCode(module[2], int(code), name) for name, code in _CODE.findall(text))


# ---- Move unit tests


def reached_by_unit_tests(package: MovePackage, run: MoveTestRun) -> Reached:
    """Return what those tests of `package` reached that passed in `run`.

    Raises:
        CompileFailed, BuilderFailed, ToolMissing, FrameworkMismatch
    """
    passed = {test.name for test in run.tests if test.passed}
    return Reached(frozenset(_expected(package, passed)), frozenset(_called_by(package, passed)))


def _expected(package: MovePackage, passed: set[str]) -> Iterable[tuple[str, int]]:
    codes = {(each.module, each.name): each.code for each in abort_codes(package)}
    for text in package.tests.values():
        home = _MODULE.search(text)
        for module, name, function in _EXPECTING.findall(text):
            if home is not None and f"{home[1]}::{home[2]}::{function}" in passed and (module, name) in codes:
                yield module, codes[module, name]


def _called_by(package: MovePackage, passed: set[str]) -> Iterable[tuple[str, str]]:
    """Follow the calls from every test that passed, through test modules; yield those that leave them."""
    modules = {module.name: module for module in _with_tests(package)}
    own = {name for name in (_name(text) for text in package.sources.values()) if name}
    ahead = [(name.split("::")[1], name.split("::")[2]) for name in declared_tests(package) if name in passed]
    seen = set(ahead)
    while ahead:
        module, function = ahead.pop()
        for handle in _handles(modules[module], modules[module].functions[function]):
            call = (handle.module, handle.name)
            if handle.address != modules[module].address or call in seen:
                continue
            seen.add(call)
            if handle.module in own:
                yield call
            else:
                ahead.append(call)


def _with_tests(package: MovePackage) -> list[Module]:
    """Compile sources and tests as if tests were sources, so that there is bytecode of them."""
    tests = {f"sources/{path.replace('/', '_')}": text for path, text in package.tests.items()}
    files = _published({**package.sources, **tests})
    framework = {name: _published(texts) for name, texts in decompiled_sources(files.values()).items()}
    dependencies = {each.name: each.package.sources for each in local_dependencies(package)}
    result: dict[str, Any] = run_builder("compile", files, framework, dependencies)["result"]
    if "error" in result:
        raise CompileFailed(package.root, result["error"])
    return [parse_module(base64.b64decode(module)) for module in result["modules"]]


def _published(texts: Mapping[str, str]) -> dict[str, str]:
    """Without what only the test mode of the compiler allows: test-only items, private entries called from elsewhere."""
    return {path: _PRIVATE_ENTRY.sub("public fun", _ONLY_FOR_TESTS.sub("", text)) for path, text in texts.items()}


def _handles(module: Module, function: Function) -> Iterable[FunctionHandle]:
    for instruction in function.code:
        if instruction.op is Op.CALL:
            yield module.call_targets[instruction.operand]
        elif instruction.op is Op.CALL_G:
            yield module.generic_call_targets[instruction.operand].handle


def _name(text: str) -> str | None:
    module = _MODULE.search(text)
    return None if module is None else module[2]


# ---- transactions


def reached_by_transactions(record: Path) -> Reached:
    """Return what a record of transactions on localnet ledgers tells: `{"aborts": [[module, code]], "calls": [[module, function]]}`.

    Raises:
        PackageUnreadable: it is no such record.
    """
    try:
        read = json.loads(record.read_text())
        return Reached(
            frozenset((str(module), int(code)) for module, code in read["aborts"]),
            frozenset((str(module), str(function)) for module, function in read["calls"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise PackageUnreadable(f"{record} is no record of transactions ({broken})") from None
