"""The house: imports point downwards only (docs/design.md §1)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY = {
    "agent.protocol": set(),
    "agent.attestation": {"agent.protocol"},
    "agent.enclave": {"agent.protocol", "agent.attestation"},
    "agent.telemetry": set(),
    "agent.delivery": {"agent.protocol", "agent.telemetry"},
    "agent.chain": {"agent.protocol"},
    "agent.client": {"agent.protocol", "agent.attestation", "agent.enclave", "agent.delivery", "agent.chain"},
    "agent.node": {"agent.protocol", "agent.attestation", "agent.enclave", "agent.delivery", "agent.chain", "agent.telemetry"},
    "agent.economics": {"agent.protocol"},
    "agent.cli": {
        "agent.economics", "agent.protocol", "agent.attestation", "agent.enclave", "agent.delivery", "agent.chain", "agent.client", "agent.node",
        "agent.telemetry", "localnet",
    },
    "localnet.movevm": set(),
    "localnet.ledger": {"localnet.movevm"},
    "localnet.rpc": {"localnet.ledger", "localnet.movevm"},
    "localnet.toolchain": {"localnet.movevm"},
}  # fmt: skip

PURE = {
    "bisect", "collections", "dataclasses", "enum", "fractions", "functools", "hashlib", "re", "string", "types", "typing",
    "cryptography",
}  # fmt: skip
"""What the rules are made of: nothing that reads a clock, draws by chance, or reaches a file or a network."""

PYSUI_HOMES = ("agent/chain/sui", "localnet/rpc")
"""pysui moves fast and breaks often; the localnet speaks the protobuf stubs that come with it."""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


def imported(source: str, at: str) -> set[str]:
    """Every module that the module `at` (dotted; a package by its own name) may import, relative imports resolved."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = at.split(".")[: -node.level] if node.level else []
            module = ".".join([*parts, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            names |= {str(each.value) for each in node.args if isinstance(each, ast.Constant)}
    return names


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def imports_of(file: Path) -> set[str]:
    at = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    return imported(file.read_text(), at)


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def forbidden(package: str, name: str) -> bool:
    top = name.split(".", maxsplit=1)[0]
    if top not in ("agent", "localnet", "tests") or name in ("agent", "localnet"):
        return False
    return package_of(name) != package and package_of(name) not in MAY[package] and top not in MAY[package]


@pytest.mark.parametrize("package", MAY)
def test_package_imports_only_what_lies_below_it(package: str) -> None:
    assert files(package)
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(package)
        for name in imports_of(file)
        if forbidden(package, name)
    }
    assert not wrong


def test_every_package_has_its_place() -> None:
    found = {
        ".".join(child.relative_to(ROOT).parts)
        for top in ("agent", "localnet")
        for child in (ROOT / top).iterdir()
        if child.is_dir() and (child / "__init__.py").exists()
    }
    assert found == set(MAY)


def test_no_two_packages_import_each_other() -> None:
    seen = {"localnet"}
    for package, below in MAY.items():  # written from the bottom up
        assert below <= seen, package
        seen.add(package)


def test_the_rules_know_no_clock_no_chance_and_no_outside() -> None:
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files("agent.protocol")
        for name in imports_of(file)
        if name.split(".")[0] not in PURE | {"agent"}
    }
    assert not wrong


def test_only_the_sui_adapter_and_the_localnet_know_pysui() -> None:
    users = {
        str(file.relative_to(ROOT))
        for file in [*files("agent"), *files("localnet")]
        for name in imports_of(file)
        if name.split(".")[0] == "pysui"
    }
    assert users
    assert not {user for user in users if not user.startswith(PYSUI_HOMES)}


def test_nothing_is_called_after_nothing() -> None:
    wanted = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [str(file) for file in [*files("agent"), *files("localnet")] if file.stem in wanted]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import agent.node.runner", "agent.node.runner"),
        ("from agent import node", "agent.node"),
        ("from ..node import runner", "agent.node.runner"),
        ("from .. import node", "agent.node"),
        ("def late():\n    import agent.node", "agent.node"),
        ("import importlib\nimportlib.import_module('agent.node')", "agent.node"),
    ],
)
def test_this_test_sees_every_way_to_import(source: str, found: str) -> None:
    names = imported(source, "agent.chain.port")
    assert found in names
    assert any(forbidden("agent.chain", name) for name in names)
