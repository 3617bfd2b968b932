"""An unmodified pysui against the localnet: build, sign, execute, read."""

import pytest
from pysui.sui.sui_common import sui_commands as cmd
from rpc_world import ALICE, BOB, SUI, World, ask, bump, publish, run


@pytest.mark.parametrize("tls", [False, True])
async def test_a_package_is_published_and_called(world: World, *, tls: bool) -> None:
    async with world.pysui(tls=tls) as client:
        package, counter = await publish(client, ALICE)
        done = await bump(client, package, counter, 5)
    assert done.effects.status.success
    (event,) = done.events.events
    assert event.event_type == f"{package}::counter::Bumped"
    assert event.contents.value == bytes.fromhex(counter[2:]) + (5).to_bytes(8, "little") + ALICE.raw_address + b"\2ab"
    assert event.json.to_dict() == {"counter": counter, "value": "5", "by": ALICE.address, "tags": "YWI="}


async def test_the_context_manager_of_pysui_works(world: World) -> None:
    async with world.pysui() as client:
        await client._init_protocol()
        assert client.current_gas_price == 1_000
        assert client.protocol().transaction_constraints.max_tx_gas == 50_000_000_000


async def test_coins_are_split_merged_and_transferred(world: World) -> None:
    async with world.pysui() as client:
        transaction = await client.transaction()
        coins = await transaction.split_coin(coin=transaction.gas, amounts=[1_000, 2_000, 4_000])
        await transaction.merge_coins(merge_to=coins[0], merge_from=[coins[1]])
        await transaction.transfer_objects(transfers=[coins[0], coins[2]], recipient=BOB.address)
        done = await run(client, transaction)
        owned = await ask(client, cmd.GetCoins(owner=BOB.address))
    assert done.effects.status.success
    assert sorted(coin.balance for coin in owned.objects) == [3_000, 4_000, 10 * SUI]


async def test_balance_changes_add_up_to_the_gas(world: World) -> None:
    async with world.pysui() as client:
        transaction = await client.transaction()
        coin = await transaction.split_coin(coin=transaction.gas, amounts=[777])
        await transaction.transfer_objects(transfers=[coin], recipient=BOB.address)
        done = await run(client, transaction)
    gas = done.effects.gas_used
    amounts = {change.address: int(change.amount) for change in done.balance_changes}
    net = gas.computation_cost + gas.storage_cost - gas.storage_rebate
    assert amounts == {ALICE.address: -777 - net, BOB.address: 777}


async def test_an_abort_is_in_the_effects_with_code_and_place(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        done = await bump(client, package, counter, 0, gas_budget=100_000_000)
    status = done.effects.status
    assert not status.success
    assert status.error.abort.abort_code == 7
    assert status.error.command == 0
    place = status.error.abort.location
    assert (place.package, place.module, place.function_name) == (package, "counter", "bump")
    assert done.events is None


async def test_a_failing_simulation_tells_why(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        transaction = await client.transaction()
        await transaction.move_call(target=f"{package}::counter::bump", arguments=[counter, 0])
        kind = await transaction.raw_kind()
        result = await ask(client, cmd.SimulateTransactionKind(tx_kind=kind, tx_meta={"sender": ALICE.address}))
    assert result.transaction.effects.status.error.abort.abort_code == 7


async def test_a_simulation_changes_nothing(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        before = world.localnet.ledger.checkpoint().sequence
        transaction = await client.transaction()
        await transaction.move_call(target=f"{package}::counter::bump", arguments=[counter, 1])
        await transaction.build()
        seen = await ask(client, cmd.GetObject(object_id=counter))
    assert seen.json.to_dict()["value"] == "0"
    assert world.localnet.ledger.checkpoint().sequence == before


async def test_an_unused_gas_estimate_is_enough(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        done = await bump(client, package, counter, 1)
        gas = done.effects.gas_used
    assert done.effects.status.success
    assert gas.computation_cost + gas.storage_cost <= done.transaction.gas_payment.budget


async def test_the_same_bytes_again_give_what_they_gave(world: World) -> None:
    async with world.pysui() as client:
        transaction = await client.transaction()
        coin = await transaction.split_coin(coin=transaction.gas, amounts=[1])
        await transaction.transfer_objects(transfers=[coin], recipient=BOB.address)
        signed = await transaction.build_and_sign()
        first, second = [await ask(client, cmd.ExecuteTransaction(**signed)) for _ in range(2)]
    assert (first.checkpoint, first.effects.digest) == (second.checkpoint, second.effects.digest)


async def test_a_stale_coin_is_refused_with_its_version(world: World) -> None:
    async with world.pysui() as client:
        signed = []
        for amount in (1, 2):
            transaction = await client.transaction()
            coin = await transaction.split_coin(coin=transaction.gas, amounts=[amount])
            await transaction.transfer_objects(transfers=[coin], recipient=BOB.address)
            signed.append(await transaction.build_and_sign())
        await ask(client, cmd.ExecuteTransaction(**signed[0]))
        stale = await client.execute(command=cmd.ExecuteTransaction(**signed[1]))
    assert not stale.is_ok()
    assert "FAILED_PRECONDITION" in str(stale.result_string)
    assert "is unavailable for consumption, current version: " in str(stale.result_string)


async def test_dynamic_fields_are_listed_with_name_and_value(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        transaction = await client.transaction()
        call = f"{package}::counter"
        await transaction.move_call(target=f"{call}::note", arguments=[counter, 3, list(b"hello")])
        token = await transaction.move_call(target=f"{call}::mint", arguments=[9, None])
        await transaction.move_call(target=f"{call}::keep", arguments=[counter, 4, token])
        assert (await run(client, transaction)).effects.status.success
        found = await ask(client, cmd.GetDynamicFields(object_id=counter))
    by_key = {int.from_bytes(field.name.value, "little"): field for field in found.dynamic_fields}
    plain, kept = by_key[3], by_key[4]
    assert (plain.value_type, plain.value.value, plain.child_id) == ("vector<u8>", b"\5hello", None)
    assert kept.value_type == f"{package}::counter::Token"
    assert kept.child_object.json.to_dict() == {"id": kept.child_id, "level": 9.0, "name": None}
    assert found.next_page_token is None


async def test_owned_objects_come_in_pages_without_a_token_on_the_last(world: World) -> None:
    world.fund(ALICE, *range(1, 60))
    async with world.pysui() as client:
        result = await client.execute_for_all(command=cmd.GetCoins(owner=ALICE.address))
    assert result.is_ok(), result.result_string
    assert len(result.result_data.objects) == 61


async def test_checkpoints_and_transactions_are_found(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        done = await bump(client, package, counter, 1)
        again = await ask(client, cmd.GetTransaction(digest=done.digest))
        checkpoint = await ask(client, cmd.GetCheckpointBySequence(sequence_number=done.checkpoint))
        same = await ask(client, cmd.GetCheckpointByDigest(digest=checkpoint.checkpoint.digest))
        chain = await ask(client, cmd.GetChainIdentifier())
        unknown = await ask(client, cmd.GetTransaction(digest=world.localnet.chain_id))
    assert again.digest == done.digest
    assert done.digest in [one.digest for one in checkpoint.checkpoint.transactions]
    assert same.checkpoint.sequence_number == done.checkpoint
    assert world.localnet.chain_id in str(chain)
    assert unknown is None


async def test_an_old_version_of_an_object_can_be_read(world: World) -> None:
    async with world.pysui() as client:
        package, counter = await publish(client, ALICE)
        first = await ask(client, cmd.GetObject(object_id=counter))
        await bump(client, package, counter, 1)
        past = await ask(client, cmd.GetPastObject(object_id=counter, version=first.version))
        now = await ask(client, cmd.GetObject(object_id=counter))
    assert [one.json.to_dict()["value"] for one in (past, now)] == ["0", "1"]


async def test_what_does_not_exist_is_not_found(world: World) -> None:
    async with world.pysui() as client:
        missing = await client.execute(command=cmd.GetObject(object_id="0x123456"))
    assert not missing.is_ok()
    assert "NOT_FOUND" in str(missing.result_string)


async def test_packages_and_functions_are_described(world: World) -> None:
    async with world.pysui() as client:
        package, _ = await publish(client, ALICE)
        described = await ask(client, cmd.GetPackage(package=package))
        function = await ask(client, cmd.GetFunction(package=package, module_name="counter", function_name="bump"))
        datatype = await ask(client, cmd.GetStructure(package=package, module_name="counter", structure_name="Token"))
    assert [module.name for module in described.package.modules] == ["counter"]
    parameters = function.function.parameters
    assert [one.body.type_name or one.body.type.name for one in parameters][1:] == [
        "U64",
        f"0x{'0' * 63}2::tx_context::TxContext",
    ]
    assert parameters[0].reference.name == "MUTABLE"
    assert [field.name for field in datatype.datatype.fields] == ["id", "level", "name"]


async def test_somebody_elses_object_is_refused(world: World) -> None:
    async with world.pysui(BOB) as client:
        coin = world.localnet.ledger.owned_by(ALICE.raw_address)[0]
        transaction = await client.transaction()
        await transaction.transfer_objects(transfers=["0x" + coin.id.hex()], recipient=BOB.address)
        signed = await transaction.build_and_sign(gas_budget=10_000_000)
        refused = await client.execute(command=cmd.ExecuteTransaction(**signed))
    assert not refused.is_ok()
    assert "FAILED_PRECONDITION" in str(refused.result_string)
