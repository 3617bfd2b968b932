"""`python -m localnet.toolchain`: compile, check and unit-test Move packages offline."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from localnet.toolchain.abi import functions, structs
from localnet.toolchain.compiling import check_bytecode, compile_package, write_bytecode
from localnet.toolchain.coverage import coverage, reached_by_transactions, reached_by_unit_tests
from localnet.toolchain.errors import BytecodeStale, CompileFailed, ToolchainError
from localnet.toolchain.framework import FRAMEWORK_FILE, write_framework
from localnet.toolchain.framework_sources import decompiled_sources, interface_sources, write_sources
from localnet.toolchain.package import read_package
from localnet.toolchain.unit_tests import run_unit_tests


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 done, 1 a check or a test failed, 2 sources do not compile, 3 no usable toolchain."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except BytecodeStale as stale:
        return _report(stale, 1)
    except CompileFailed as failed:
        return _report(failed, 2)
    except ToolchainError as broken:
        return _report(broken, 3)


def _framework(parsed: argparse.Namespace) -> int:
    for address, modules in write_framework().items():
        sys.stdout.write(f"{address}: {len(modules)} modules\n")
    sys.stdout.write(f"written to {FRAMEWORK_FILE}\n")
    if parsed.sources:
        for name, rendering in (("interface", interface_sources()), ("decompiled", decompiled_sources())):
            directory = FRAMEWORK_FILE.parent / name
            write_sources(rendering, directory)
            sys.stdout.write(f"written to {directory}\n")
    return 0


def _compile(parsed: argparse.Namespace) -> int:
    package = read_package(parsed.package)
    compiled = compile_package(package)
    if compiled.warnings:
        sys.stderr.write(compiled.warnings + "\n")
    sizes = ", ".join(f"{module.name} {len(module.bytecode)}" for module in compiled.modules)
    if parsed.check:
        check_bytecode(package, compiled)
        sys.stdout.write(f"{package.root}/bytecode is what the sources give: {sizes} bytes\n")
    else:
        sys.stdout.write(f"{write_bytecode(package, compiled)}: {sizes} bytes\n")
    return 0


def _test(parsed: argparse.Namespace) -> int:
    run = run_unit_tests(read_package(parsed.package))
    if parsed.json:
        tests = [{"name": test.name, "passed": test.passed} for test in run.tests]
        sys.stdout.write(
            json.dumps({"ran": len(run.tests), "failed": len(run.failed), "tests": tests, "output": run.output}) + "\n"
        )
    else:
        sys.stdout.write(run.output)
    if not run.tests:
        sys.stderr.write(f"{parsed.package} has no Move tests: nothing was checked\n")
    return 1 if run.failed or not run.tests else 0


def _abi(parsed: argparse.Namespace) -> int:
    package = read_package(parsed.package)
    for line in [*functions(package), *structs(package)]:
        sys.stdout.write(f"{line}\n")
    return 0


def _coverage(parsed: argparse.Namespace) -> int:
    package = read_package(parsed.package)
    reached = reached_by_unit_tests(package, run_unit_tests(package))
    for record in parsed.record:
        reached |= reached_by_transactions(record)
    found = coverage(package, reached)
    sys.stdout.write(f"{found}\n")
    return 0 if found.is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localnet.toolchain", description=__doc__)
    commands = parser.add_subparsers(required=True)
    framework = commands.add_parser("framework", help="extract the framework's bytecode from the installed wheel")
    framework.add_argument(
        "--sources", action="store_true", help="also write what the compiler sees of it, for reading"
    )
    framework.set_defaults(command=_framework)
    compiler = commands.add_parser("compile", help="compile a package into its bytecode/ directory")
    compiler.add_argument("package", type=Path)
    compiler.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if bytecode/ is not what the sources give"
    )
    compiler.set_defaults(command=_compile)
    tester = commands.add_parser("test", help="run the Move unit tests of a package in Sui's own VM")
    tester.add_argument("package", type=Path)
    tester.add_argument("--json", action="store_true", help="print one JSON object instead of the VM's report")
    tester.set_defaults(command=_test)
    coverer = commands.add_parser("coverage", help="list abort codes and functions that no test reaches")
    coverer.add_argument("package", type=Path)
    coverer.add_argument(
        "--record", type=Path, nargs="*", default=[], help="what transactions on a localnet reached, where that counts too"
    )
    coverer.set_defaults(command=_coverage)
    lister = commands.add_parser("abi", help="list what a package's bytecode offers to transactions")
    lister.add_argument("package", type=Path)
    lister.set_defaults(command=_abi)
    return parser


def _report(error: ToolchainError, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
