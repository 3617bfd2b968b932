"""Packages that name local packages as dependencies: compiled, tested, linked and published."""

import json
from pathlib import Path

import pytest
from shelf_world import FRAMEWORK, MOVE, ShelfWorld

from localnet.ledger.framework import Framework
from localnet.movevm.packages import package_digest
from localnet.toolchain.__main__ import main
from localnet.toolchain.compiling import compile_package
from localnet.toolchain.dependencies import local_dependencies, placeholder_of
from localnet.toolchain.errors import PackageUnreadable
from localnet.toolchain.package import MovePackage, read_package
from localnet.toolchain.publication import Publication, Published

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts" / "sui"

GATE = "public fun version(): u64 { VERSION }"


def package(root: Path, name: str, dependencies: str = "", source: str = "public fun one(): u64 { 1 }", extra: str = "") -> Path:
    here = root / name
    (here / "sources").mkdir(parents=True)
    (here / "Move.toml").write_text(
        f'[package]\nname = "{name}"\nedition = "2024"\n{extra}\n[dependencies]\n{dependencies}\n[addresses]\n{name} = "0x0"\n'
    )
    (here / "sources" / f"{name}.move").write_text(f"module {name}::{name};\n{source}\n")
    return here


# ---- what is read


def test_dependencies_of_dependencies_are_found(tmp_path: Path) -> None:
    package(tmp_path, "base")
    package(tmp_path, "middle", 'base = { local = "../base" }')
    top = package(tmp_path, "top", 'middle = { local = "../middle" }')
    found = {each.name: each.placeholder for each in local_dependencies(read_package(top))}
    assert found == {"base": placeholder_of("base"), "middle": placeholder_of("middle")}


def test_package_that_says_where_it_is_published_is_used_there(tmp_path: Path) -> None:
    package(tmp_path, "base", extra='published-at = "0xb"')
    top = package(tmp_path, "top", 'base = { local = "../base" }')
    (found,) = local_dependencies(read_package(top))
    assert (found.placeholder, found.published) == ("0xb", True)
    assert 'base = "0xb"' in found.package.sources["Move.toml"]


def test_two_packages_of_one_name_need_a_choice(tmp_path: Path) -> None:
    package(tmp_path / "old", "base")
    package(tmp_path, "base")
    package(tmp_path, "middle", 'base = { local = "../old/base" }')
    top = package(tmp_path, "top", 'base = { local = "../base" }\nmiddle = { local = "../middle" }')
    with pytest.raises(PackageUnreadable, match="both called base"):
        local_dependencies(read_package(top))
    manifest = top / "Move.toml"
    manifest.write_text(manifest.read_text().replace('"../base"', '"../base", override = true'))
    base = next(each for each in local_dependencies(read_package(top)) if each.name == "base")
    assert base.package.root == tmp_path / "base"


def test_missing_dependency_is_named(tmp_path: Path) -> None:
    top = package(tmp_path, "top", 'base = { local = "../base" }')
    with pytest.raises(PackageUnreadable, match="base"):
        local_dependencies(read_package(top))


def test_manifest_that_is_no_toml_is_named(tmp_path: Path) -> None:
    top = package(tmp_path, "top", "base = {")
    with pytest.raises(PackageUnreadable, match="no TOML"):
        local_dependencies(read_package(top))


def test_directory_without_bytecode_is_no_publication(tmp_path: Path) -> None:
    with pytest.raises(PackageUnreadable, match="compile it first"):
        Publication.read(tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"modules": ["absent"], "dependencies": []}))
    with pytest.raises(PackageUnreadable, match="compile it first"):
        Publication.read(tmp_path)


# ---- with the compiler


@pytest.mark.node
@pytest.mark.parametrize("name", ["shelf_v1", "shelf_v2", "middle", "outer", "vault"])
def test_bytecode_of_fixtures_is_that_of_their_sources(name: str) -> None:
    assert main(["compile", "--check", str(MOVE / name)]) == 0


@pytest.mark.node
def test_error_in_a_dependent_is_the_compilers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(tmp_path, "base")
    top = package(tmp_path, "top", 'base = { local = "../base" }', "public fun two(): u64 { base::base::two() }")
    assert main(["compile", str(top)]) == 2
    assert "Unbound function 'two' in module 'base::base'" in capsys.readouterr().err


@pytest.mark.node
def test_unit_tests_run_with_dependencies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(tmp_path, "base")
    top = package(
        tmp_path, "top", 'base = { local = "../base" }', "public fun two(): u64 { base::base::one() + 1 }\n#[test] fun adds() { assert!(two() == 2); }"
    )
    assert main(["test", str(top)]) == 0
    assert "passed: 1" in capsys.readouterr().out


@pytest.mark.node
def test_package_that_calls_the_contracts_is_compiled_and_published(framework: Framework, tmp_path: Path) -> None:
    source = """use enclavia::network::{Self, Network};
public fun contracts(): u64 { network::version() }
public fun home(): address { @enclavia }
public fun is_paused(network: &Network): bool { network.paused() }"""
    dapp = package(tmp_path, "dapp", f'enclavia = {{ local = "{CONTRACTS}" }}', source)
    assert main(["compile", str(dapp)]) == 0
    world = ShelfWorld(framework)
    contracts = Publication.read(CONTRACTS / "bytecode")
    enclavia = world.publish(contracts)
    published = world.publish(Publication.read(dapp / "bytecode").linked({"enclavia": Published.first_version(enclavia)}))
    assert world.numbers(published, "dapp::contracts") == world.numbers(enclavia, "network::version")
    assert world.ask(published, "dapp::home").results[0].returned[0].bcs == enclavia


@pytest.mark.node
def test_changed_copy_of_the_contracts_upgrades_them(framework: Framework) -> None:
    package_now = read_package(CONTRACTS)
    network = package_now.sources["sources/network.move"]
    assert network.count(GATE) == 1
    changed = network.replace(GATE, f"{GATE}\npublic fun next_version(): u64 {{ VERSION + 1 }}")
    sources = {**package_now.sources, "sources/network.move": changed}
    after = compile_package(MovePackage(CONTRACTS, sources, {})).publication()
    before = compile_package(package_now).publication()
    assert after.digest == package_digest(after.modules, after.dependencies)

    world = ShelfWorld(framework)
    made = world.publish_modules(before.modules, FRAMEWORK)
    first, cap = world.new_package(made), world.made(made, "UpgradeCap").id
    done = world.upgrade(after.modules, FRAMEWORK, package=first, cap=cap)
    assert done.effects.succeeded, done.effects.status
    second = world.new_package(done)
    (version,) = world.numbers(first, "network::version")
    assert world.numbers(second, "network::next_version") == (version + 1,)
    assert all(origin.package == first for origin in world.ledger.package(second).type_origins)
