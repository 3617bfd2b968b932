"""The house: imports point downwards only (docs/design.md)."""

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
    "agent.cli": {
        "agent.protocol", "agent.attestation", "agent.enclave", "agent.delivery", "agent.chain", "agent.client", "agent.node",
        "agent.telemetry", "localnet",
    },
    "localnet.movevm": set(),
    "localnet.ledger": {"localnet.movevm"},
    "localnet.rpc": {"localnet.ledger", "localnet.movevm"},
    "localnet.toolchain": {"localnet.movevm"},
}  # fmt: skip


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def package_of(module: str) -> str:
    parts = module.split(".")
    if parts[0] == "localnet" and ".".join(parts[:2]) not in MAY:
        return "localnet"
    return ".".join(parts[:2])


@pytest.mark.parametrize("package", MAY)
def test_package_imports_only_what_lies_below_it(package: str) -> None:
    files = list((ROOT / package.replace(".", "/")).rglob("*.py"))
    assert files
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in imported(file)
        if name.split(".")[0] in ("agent", "localnet", "tests")
        and package_of(name) != package
        and package_of(name) not in MAY[package]
        and name.split(".")[0] not in MAY[package]
        and name not in ("agent", "localnet")
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
