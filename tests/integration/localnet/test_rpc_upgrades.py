"""Upgraded packages as the API shows them."""

import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from rpc_world import ALICE, FRAMEWORK, Wire, World, argument, call, mask, pure, result

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "localnet"))

from shelf_world import V1, V2, compiled

from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE
from localnet.movevm.packages import package_digest
from localnet.rpc.digests import base58
from localnet.rpc.stubs import v2

GIVE = v2.Command(transfer_objects=v2.TransferObjects(objects=[result(0)], address=argument(0)))


async def publish(wire: Wire, modules: tuple[bytes, ...], dependencies: list[str]) -> tuple[str, Any]:
    code = v2.Publish(modules=list(modules), dependencies=dependencies)
    done = await wire.submit(ALICE, [pure(ALICE.raw_address)], [v2.Command(publish=code), GIVE])
    assert done.effects.status.success, done.effects.status
    return made(done, "package"), done


def made(done: Any, kind: str) -> str:
    (found,) = [change.object_id for change in done.effects.changed_objects if change.object_type.endswith(kind)]
    return found


async def upgrade(wire: Wire, package: str, cap: str, digest: bytes | None = None, *, named: str | None = None, policy: int = 0) -> Any:
    digest = package_digest(V2, (STD_PACKAGE, SUI_PACKAGE)) if digest is None else digest
    command = v2.Upgrade(modules=list(V2), dependencies=FRAMEWORK, package=named or package, ticket=result(0))
    inputs = [v2.Input(object_id=cap), pure(bytes([policy])), pure(bytes([len(digest)]) + digest)]
    commands = [
        call("0x2::package::authorize_upgrade", argument(0), argument(1), argument(2)),
        v2.Command(upgrade=command),
        call("0x2::package::commit_upgrade", argument(0), result(1)),
    ]
    simulated = await wire.simulate(ALICE, inputs, commands)
    if not simulated.transaction.effects.status.success:
        return simulated.transaction
    return await wire.execute(ALICE, simulated.transaction.transaction.bcs.value)


async def shelf(wire: Wire) -> tuple[str, str, str, str]:
    """Ids of both versions, of the cap and of the shared Shelf."""
    first, done = await publish(wire, V1, FRAMEWORK)
    upgraded = await upgrade(wire, first, made(done, "::UpgradeCap"))
    assert upgraded.effects.status.success, upgraded.effects.status
    return first, made(upgraded, "package"), made(done, "::UpgradeCap"), made(done, "::Shelf")


async def test_an_upgraded_package_tells_its_origins_and_its_linkage(world: World) -> None:
    async with world.wire() as wire:
        first, second, _, _ = await shelf(wire)
        package = (await wire.packages.get_package(v2.GetPackageRequest(package_id=second))).package
    assert (package.storage_id, package.original_id, package.version) == (second, first, 2)
    origins = {origin.datatype_name: origin.package_id for origin in package.type_origins}
    assert origins == {"Shelf": first, "Put": first, "Label": second, "PutTwice": second, "Key": second, "Labelled": second}
    assert [(link.original_id, link.upgraded_id, link.upgraded_version) for link in package.linkage] == [
        (f"0x{number:064x}", f"0x{number:064x}", 1) for number in (1, 2)
    ]


async def test_bcs_of_a_package_hashes_to_its_digest(world: World) -> None:
    async with world.wire() as wire:
        _, second, _, _ = await shelf(wire)
        found = (await wire.ledger.get_object(v2.GetObjectRequest(object_id=second, read_mask=mask("bcs", "digest")))).object
    assert base58(blake2b(b"Object::" + found.bcs.value, digest_size=32).digest()) == found.digest


async def test_a_dependent_tells_which_version_it_uses(world: World) -> None:
    async with world.wire() as wire:
        first, second, _, _ = await shelf(wire)
        middle = compiled("middle", shelf=(bytes.fromhex(first[2:]), bytes.fromhex(second[2:])))
        package, _ = await publish(wire, middle.modules, [*FRAMEWORK, second])
        found = (await wire.packages.get_package(v2.GetPackageRequest(package_id=package))).package
    assert (first, second, 2) in {(link.original_id, link.upgraded_id, link.upgraded_version) for link in found.linkage}


@pytest.mark.parametrize("asked", [0, 1], ids=["by the first", "by the second"])
async def test_all_versions_are_listed_whichever_is_asked_for(world: World, asked: int) -> None:
    async with world.wire() as wire:
        ids = (await shelf(wire))[:2]
        listed = await wire.packages.list_package_versions(v2.ListPackageVersionsRequest(package_id=ids[asked]))
        page = await wire.packages.list_package_versions(v2.ListPackageVersionsRequest(package_id=ids[asked], page_size=1))
        rest = await wire.packages.list_package_versions(
            v2.ListPackageVersionsRequest(package_id=ids[asked], page_size=1, page_token=page.next_page_token)
        )
    assert [(each.package_id, each.version) for each in listed.versions] == [(ids[0], 1), (ids[1], 2)]
    assert [each.version for each in (*page.versions, *rest.versions)] == [1, 2]
    assert not rest.next_page_token


async def test_functions_and_datatypes_go_by_defining_ids(world: World) -> None:
    async with world.wire() as wire:
        first, second, _, _ = await shelf(wire)
        request = v2.GetFunctionRequest(package_id=second, module_name="shelf", name="label")
        function = (await wire.packages.get_function(request)).function
        label = (await wire.packages.get_datatype(v2.GetDatatypeRequest(package_id=second, module_name="shelf", name="Label"))).datatype
        old = (await wire.packages.get_datatype(v2.GetDatatypeRequest(package_id=second, module_name="shelf", name="Shelf"))).datatype
    assert function.parameters[0].body.type_name == f"{first}::shelf::Shelf"
    assert function.returns[0].body.type_name == f"{second}::shelf::Label"
    assert label.defining_id == second
    assert label.fields[1].type.type_parameter_instantiation[0].type_name == f"{second}::shelf::PutTwice"
    assert old.defining_id == first


async def test_objects_and_events_of_either_version_are_rendered(world: World) -> None:
    async with world.wire() as wire:
        first, second, _, thing = await shelf(wire)
        inputs = [pure(ALICE.raw_address), v2.Input(object_id=thing)]
        done = await wire.submit(ALICE, inputs, [call(f"{second}::shelf::label", argument(1)), GIVE])
        label = (await wire.ledger.get_object(v2.GetObjectRequest(object_id=made(done, "::Label"), read_mask=mask("*")))).object
        fields = (await wire.state.list_dynamic_fields(v2.ListDynamicFieldsRequest(parent=thing, read_mask=mask("*")))).dynamic_fields
    (event,) = done.events.events
    assert (event.package_id, event.event_type) == (second, f"{second}::shelf::Labelled")
    assert event.json.to_dict()["last"] == {"items": "0"}
    assert label.object_type == f"{second}::shelf::Label"
    assert label.json.to_dict()["put"] == [{"count": "0"}]
    assert fields[0].name.name == f"{second}::shelf::Key"
    assert {change.object_type for change in done.effects.changed_objects} >= {f"{first}::shelf::Shelf"}


async def test_a_simulated_upgrade_is_rendered_and_forgotten(world: World) -> None:
    async with world.wire() as wire:
        first, done = await publish(wire, V1, FRAMEWORK)
        digest = package_digest(V2, (STD_PACKAGE, SUI_PACKAGE))
        command = v2.Upgrade(modules=list(V2), dependencies=FRAMEWORK, package=first, ticket=result(0))
        inputs = [v2.Input(object_id=made(done, "::UpgradeCap")), pure(b"\0"), pure(b"\x20" + digest)]
        commands = [
            call("0x2::package::authorize_upgrade", argument(0), argument(1), argument(2)),
            v2.Command(upgrade=command),
            call("0x2::package::commit_upgrade", argument(0), result(1)),
        ]
        simulated = (await wire.simulate(ALICE, inputs, commands)).transaction
        listed = await wire.packages.list_package_versions(v2.ListPackageVersionsRequest(package_id=first))
    (package,) = [each.package for each in simulated.objects.objects if each.object_type == "package"]
    assert (package.original_id, package.version) == (first, 2)
    label = next(each for each in package.modules[0].datatypes if each.name == "Label")
    assert label.defining_id == package.storage_id
    assert len(listed.versions) == 1


async def test_a_refused_upgrade_says_why(world: World) -> None:
    kind = v2.PackageUpgradeErrorPackageUpgradeErrorKind
    async with world.wire() as wire:
        first, done = await publish(wire, V1, FRAMEWORK)
        cap = made(done, "::UpgradeCap")
        other = (await upgrade(wire, first, cap, bytes(32))).effects.status.error
        named = (await upgrade(wire, first, cap, named="0x2")).effects.status.error
        policy = (await upgrade(wire, first, cap, policy=9)).effects.status.error
        strict = (await upgrade(wire, first, cap, policy=192)).effects.status.error
    errors = [each.package_upgrade_error for each in (other, named, policy, strict)]
    assert {each.kind for each in (other, named, policy, strict)} == {v2.ExecutionErrorExecutionErrorKind.PACKAGE_UPGRADE_ERROR}
    assert [each.kind for each in errors] == [
        kind.DIGEST_DOES_NOT_MATCH, kind.PACKAGE_ID_DOES_NOT_MATCH, kind.UNKNOWN_UPGRADE_POLICY, kind.INCOMPATIBLE_UPGRADE,
    ]  # fmt: skip
    assert errors[0].digest == base58(package_digest(V2, (STD_PACKAGE, SUI_PACKAGE)))
    assert (errors[1].package_id, errors[1].ticket_id) == ("0x" + "2".rjust(64, "0"), first)
    assert errors[2].policy == 9
