"""That what we make of the framework's bytecode is, for the compiler, the framework."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from localnet.toolchain.builder import run_builder
from localnet.toolchain.compiling import check_bytecode, compile_package
from localnet.toolchain.framework_sources import decompiled_sources, interface_sources
from localnet.toolchain.package import read_package

CONTRACTS = Path(__file__).parents[3] / "contracts" / "sui"

pytestmark = pytest.mark.node

VALIDATORS = {
    "Move.toml": """
[package]
name = "validators"
edition = "2024"

[addresses]
validators = "0x0"

[dependencies]
SuiSystem = { git = "https://github.com/MystenLabs/sui.git", subdir = "packages/sui-system", rev = "main" }
""",
    "sources/count.move": """
module validators::count;
use sui_system::sui_system::SuiSystemState;
public fun count(system: &mut SuiSystemState): u64 { system.active_validator_voting_powers().length() }
""",
}


def compiled(files: dict[str, str], framework: Any) -> Any:
    result = run_builder("compile", files, framework)["result"]
    assert "error" not in result, result["error"]
    return result


def test_the_whole_framework_decompiled_compiles_and_verifies() -> None:
    """The compiler checks borrows and bytecode of all 94 modules on the way; a caller sees no difference."""
    assert compiled(VALIDATORS, decompiled_sources())["modules"] == compiled(VALIDATORS, interface_sources())["modules"]


def test_contracts_compile_to_the_committed_bytes_against_the_decompiled_framework_too() -> None:
    """Their unit tests run against that one, so it must not make other code of them."""
    files = read_package(CONTRACTS).sources
    modules = [b64decode(module) for module in compiled(files, decompiled_sources(files.values()))["modules"]]
    assert set(modules) == {file.read_bytes() for file in (CONTRACTS / "bytecode").glob("*.mv")}


def test_committed_bytecode_is_what_the_sources_give() -> None:
    package = read_package(CONTRACTS)
    check_bytecode(package, compile_package(package))
