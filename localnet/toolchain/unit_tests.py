"""Move unit tests of a package, in the Move VM of Sui with its own natives.

The VM wants the framework as sources, so it gets the framework decompiled from the bytecode that we run ourselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from localnet.toolchain.builder import run_builder
from localnet.toolchain.dependencies import local_dependencies
from localnet.toolchain.errors import BuilderFailed, CompileFailed
from localnet.toolchain.framework_sources import decompiled_sources
from localnet.toolchain.package import MovePackage

_RESULT: Final = re.compile(r"^\[ (\w+)\s*\] (\S+)$", re.MULTILINE)
_TOTALS: Final = re.compile(r"^Test result: \w+\. Total tests: (\d+); passed: (\d+); failed: (\d+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MODULE: Final = re.compile(r"\bmodule\s+(\w+::\w+)")
_TEST: Final = re.compile(r"#\[(?:random_)?test\b[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:public\s+|entry\s+)*fun\s+(\w+)")


@dataclass(frozen=True, slots=True)
class MoveTest:
    """How one `#[test]` function ended."""

    name: str
    """address::module::function"""
    passed: bool


@dataclass(frozen=True, slots=True)
class MoveTestRun:
    """Every test of a package, in the order of the VM, and what the VM printed."""

    tests: tuple[MoveTest, ...]
    output: str

    @property
    def failed(self) -> tuple[MoveTest, ...]:
        """Tests that did not pass, whatever kept them from it."""
        return tuple(test for test in self.tests if not test.passed)


def run_unit_tests(package: MovePackage) -> MoveTestRun:
    """Compile sources and tests of `package`, run every test; a failing test is a result, not an error.

    Raises:
        CompileFailed: sources or tests do not compile.
        BuilderFailed: the VM stopped half-way, or its report contradicts itself.
        ToolMissing, FrameworkMismatch
    """
    files = {**package.sources, **package.tests}
    dependencies = {each.name: each.package.sources for each in local_dependencies(package)}
    texts = [*files.values(), *(text for sources in dependencies.values() for text in sources.values())]
    result: dict[str, Any] = run_builder("test", files, decompiled_sources(texts), dependencies)["result"]
    if "error" in result:
        raise CompileFailed(package.root, result["error"])
    return read_report(result["output"], all_passed=result["passed"])


def read_report(output: str, *, all_passed: bool) -> MoveTestRun:
    """Return the tests that `output`, the VM's report, tells of.

    Raises:
        BuilderFailed: lines, totals and `all_passed` do not agree, so a failure could go unseen.
    """
    run = MoveTestRun(tuple(MoveTest(name, status == "PASS") for status, name in _RESULT.findall(output)), output)
    totals = _TOTALS.search(output)
    counted = (len(run.tests), len(run.tests) - len(run.failed), len(run.failed))
    if totals is None or tuple(map(int, totals.groups())) != counted or all_passed != (not run.failed):
        raise BuilderFailed(f"the report of the Move tests contradicts itself or is cut off:\n{output[-4000:]}")
    return run


def declared_tests(package: MovePackage) -> Iterator[str]:
    """Yield the name of every test function that the texts of `package` declare, without running them."""
    for text in [*package.sources.values(), *package.tests.values()]:
        code = _COMMENT.sub("", text)
        module = _MODULE.search(code)  # Move 2024: one module a file
        if module is not None:
            yield from (f"{module[1]}::{function}" for function in _TEST.findall(code))
