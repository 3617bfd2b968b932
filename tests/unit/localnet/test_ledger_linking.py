"""Packages that depend on packages: which version runs, and what must be named to publish them."""

import pytest
from ledger_world import ALICE, World, modules_of
from shelf_world import FRAMEWORK, MOVE, V1, ShelfWorld, compiled

from localnet.ledger.framework import Framework
from localnet.ledger.model import FailureKind, Link, ObjectId
from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE
from localnet.movevm.bytecode.parser import parse_module, with_addresses
from localnet.movevm.packages import package_digest
from localnet.movevm.types import Struct
from localnet.toolchain.publication import Publication, Published


@pytest.fixture
def world(framework: Framework) -> ShelfWorld:
    return ShelfWorld(framework)


# ---- placeholders


def test_dependency_that_is_not_published_stands_under_a_placeholder() -> None:
    publication = Publication.read(MOVE / "middle" / "bytecode")
    placeholder = publication.placeholders["shelf"]
    assert placeholder in publication.dependencies
    assert {address for address, _ in parse_module(publication.modules[0]).dependencies} >= {placeholder}


def test_linking_replaces_every_trace_of_a_placeholder(world: ShelfWorld) -> None:
    raw = Publication.read(MOVE / "middle" / "bytecode")
    linked = raw.linked({"shelf": Published.first_version(world.first)})
    assert not any(raw.placeholders["shelf"] in module for module in linked.modules)
    assert linked.dependencies == (*FRAMEWORK, world.first)
    assert not linked.placeholders
    assert linked.modules == tuple(module.replace(raw.placeholders["shelf"], world.first) for module in raw.modules)


def test_linking_a_name_that_is_no_dependency_is_an_error() -> None:
    with pytest.raises(KeyError):
        Publication.read(MOVE / "middle" / "bytecode").linked({"cupboard": Published.first_version(b"c" * 32)})


def test_bytes_that_merely_look_like_an_address_stay(world: World) -> None:
    module = modules_of(MOVE / "tricks" / "bytecode")[0]
    assert with_addresses(module, {b"\x55" * 32: b"\x66" * 32}) == module
    assert parse_module(with_addresses(module, {STD_PACKAGE: b"\x66" * 32})).name == parse_module(module).name


def test_digest_is_the_compilers_own() -> None:
    for package in ("shelf_v1", "shelf_v2", "middle", "outer"):
        publication = Publication.read(MOVE / package / "bytecode")
        assert publication.digest.hex() in (MOVE / package / "bytecode" / "package.json").read_text()
        assert publication.digest == package_digest(reversed(publication.modules), reversed(publication.dependencies))


# ---- which version runs


def test_dependent_runs_with_the_version_that_it_was_linked_to(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    second = world.upgraded()
    assert world.numbers(middle, "middle::number") == (1,)
    assert world.ask(middle, "middle::put", world.shared(world.shelf)).effects.succeeded
    world.ask(second, "shelf::migrate", world.shared(world.shelf))
    gate = world.ask(middle, "middle::put", world.shared(world.shelf)).effects.status
    assert (gate.abort_code, gate.location.address) == (0, world.first)


def test_dependent_follows_when_it_is_published_against_the_upgrade(world: ShelfWorld) -> None:
    second = world.upgraded()
    middle = world.publish(compiled("middle", shelf=(world.first, second)))
    assert world.ledger.package(middle).linkage[world.first] == Link(second, 2)
    assert world.numbers(middle, "middle::number") == (2,)


def test_dependent_follows_when_it_is_upgraded_itself(world: ShelfWorld) -> None:
    made = world.publish_modules(*_arguments(compiled("middle", shelf=(world.first, world.first))))
    middle, cap = world.new_package(made), world.made(made, "UpgradeCap").id
    second = world.upgraded()
    again = compiled("middle", shelf=(world.first, second))
    done = world.upgrade(again.modules, again.dependencies, package=middle, cap=cap, policy=192)
    assert done.effects.succeeded, done.effects.status
    assert world.numbers(middle, "middle::number") == (1,)
    assert world.numbers(world.new_package(done), "middle::number") == (2,)


def test_address_of_a_dependency_is_its_original_id(world: ShelfWorld) -> None:
    second = world.upgraded()
    middle = world.publish(compiled("middle", shelf=(world.first, second)))
    note = world.made(world.ask(middle, "middle::note", keep=True), "Note")
    assert note.contents[32:] == world.first


def test_caller_decides_what_its_dependencies_run_with(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    second = world.upgraded()
    outer = world.publish(compiled("outer", shelf=(world.first, second), middle=(middle, middle)))
    assert world.numbers(middle, "middle::number") == (1,)
    assert world.numbers(outer, "outer::both") == (2, 2)
    world.ask(second, "shelf::migrate", world.shared(world.shelf))
    assert world.ask(outer, "outer::put", world.shared(world.shelf)).effects.succeeded
    assert world.items() == 2


def test_abort_in_a_dependency_names_the_version_that_ran(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    second = world.upgraded()
    outer = world.publish(compiled("outer", shelf=(world.first, second), middle=(middle, middle)))
    gate = world.ask(outer, "outer::put", world.shared(world.shelf)).effects.status
    assert (gate.location.address, gate.location.function) == (second, "put")


def test_type_of_a_dependency_goes_by_its_defining_id(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    second = world.upgraded()
    outer = world.publish(compiled("outer", shelf=(world.first, second), middle=(middle, middle)))
    label = world.made(world.ask(outer, "outer::relabel", world.shared(world.shelf), keep=True), "Label")
    assert label.type is Struct(second, "shelf", "Label")


# ---- what is refused


def test_dependency_of_a_dependency_must_be_named(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    outer = compiled("outer", shelf=(world.first, world.first), middle=(middle, middle))
    without = [each for each in outer.dependencies if each != world.first]
    assert world.publish_modules(outer.modules, without).effects.status.kind is FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY


def test_dependency_older_than_a_dependency_needs_is_refused(world: ShelfWorld) -> None:
    second = world.upgraded()
    middle = world.publish(compiled("middle", shelf=(world.first, second)))
    outer = compiled("outer", shelf=(world.first, world.first), middle=(middle, middle))
    failure = world.publish_modules(outer.modules, outer.dependencies).effects.status
    assert failure.kind is FailureKind.PUBLISH_UPGRADE_DEPENDENCY_DOWNGRADE


def test_function_that_the_linked_version_lacks_is_refused(world: ShelfWorld) -> None:
    middle = world.publish(compiled("middle", shelf=(world.first, world.first)))
    outer = compiled("outer", shelf=(world.first, world.first), middle=(middle, middle))  # calls `label`, which came with the second
    failure = world.publish_modules(outer.modules, outer.dependencies).effects.status
    assert failure.kind is FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR


def test_dependency_under_another_id_than_its_original_is_not_found(world: ShelfWorld) -> None:
    second = world.upgraded()
    wrong = compiled("middle", shelf=(second, second))  # bytecode must name the first version
    failure = world.publish_modules(wrong.modules, wrong.dependencies).effects.status
    assert failure.kind is FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY


def test_unused_dependency_may_be_named(world: ShelfWorld) -> None:
    made = world.publish_modules(V1, (STD_PACKAGE, SUI_PACKAGE, world.package))
    assert made.effects.succeeded
    assert world.package in world.ledger.package(world.new_package(made)).linkage
    assert world.made(made, "UpgradeCap").owner.address == ALICE


def _arguments(publication: Publication) -> tuple[tuple[bytes, ...], tuple[ObjectId, ...]]:
    return publication.modules, tuple(map(ObjectId, publication.dependencies))
