"""What is signed is checked; what is incomplete is resolved as a full node would."""

import hashlib

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pysui.sui.sui_bcs import bcs_txne
from rpc_world import ALICE, BOB, SUI, Player, Wire, World, argument, call, mask, pure, result

from localnet.rpc.digests import base58
from localnet.rpc.stubs import v2
from localnet.rpc.transaction_bcs import transaction_digest

CLOCK = "0x6"
KIND = v2.InputInputKind


async def some_transfer(wire: Wire, player: Player = ALICE) -> bytes:
    """Resolved bytes of a transfer of 5 Mist to Bob."""
    split = v2.SplitCoins(coin=v2.Argument(kind=v2.ArgumentArgumentKind.GAS), amounts=[argument(0)])
    give = v2.TransferObjects(objects=[result(0)], address=argument(1))
    simulated = await wire.simulate(
        player,
        [pure((5).to_bytes(8, "little")), pure(BOB.raw_address)],
        [v2.Command(split_coins=split), v2.Command(transfer_objects=give)],
    )
    return simulated.transaction.transaction.bcs.value


# ---- signatures


async def test_a_signature_of_other_bytes_is_refused(world: World) -> None:
    async with world.wire() as wire:
        raw = await some_transfer(wire)
        with pytest.raises(GRPCError, match="does not verify") as refused:
            await wire.execute(ALICE, raw, ALICE.sign(raw + b"\0"))
    assert refused.value.status is Status.INVALID_ARGUMENT


async def test_a_signature_of_somebody_else_is_refused_and_names_both(world: World) -> None:
    async with world.wire() as wire:
        raw = await some_transfer(wire)
        with pytest.raises(GRPCError, match=f"signed by {BOB.address}, wanted are signatures of {ALICE.address}"):
            await wire.execute(ALICE, raw, BOB.sign(raw))


async def test_without_a_signature_nothing_runs(world: World) -> None:
    async with world.wire() as wire:
        raw = await some_transfer(wire)
        request = v2.ExecuteTransactionRequest(transaction=v2.Transaction(bcs=v2.Bcs(value=raw)))
        with pytest.raises(GRPCError, match=f"no signature of {ALICE.address}"):
            await wire.execution.execute_transaction(request)


async def test_a_sponsor_signs_as_well(world: World) -> None:
    async with world.wire() as wire:
        simulated = await wire.execution.simulate_transaction(
            v2.SimulateTransactionRequest(
                transaction=v2.Transaction(
                    kind=v2.TransactionKind(
                        programmable_transaction=v2.ProgrammableTransaction(
                            commands=[call("0x2::coin::zero", types=("0x2::sui::SUI",)), call("0x2::coin::destroy_zero", result(0), types=("0x2::sui::SUI",))]
                        )
                    ),
                    sender=ALICE.address,
                    gas_payment=v2.GasPayment(owner=BOB.address),
                ),
                do_gas_selection=True,
                read_mask=mask("*"),
            )
        )
        raw = simulated.transaction.transaction.bcs.value
        with pytest.raises(GRPCError, match=f"no signature of {BOB.address}"):
            await wire.execute(ALICE, raw)
        done = await wire.execute(ALICE, raw, ALICE.sign(raw), BOB.sign(raw))
    assert done.effects.status.success
    assert [change.address for change in done.balance_changes] == [BOB.address]


async def test_bytes_that_are_no_transaction_are_refused(world: World) -> None:
    async with world.wire() as wire:
        with pytest.raises(GRPCError) as refused:
            await wire.execute(ALICE, b"\0\0\xff")
    assert refused.value.status is Status.INVALID_ARGUMENT


# ---- digests and BCS


async def test_the_digest_is_suis_and_the_bytes_come_back(world: World) -> None:
    async with world.wire() as wire:
        raw = await some_transfer(wire)
        done = await wire.execute(ALICE, raw)
        again = (await wire.ledger.get_transaction(v2.GetTransactionRequest(digest=done.digest, read_mask=mask("*")))).transaction
    assert done.digest == base58(transaction_digest(raw))
    assert again.transaction.bcs.value == raw
    assert [one.bcs.value for one in again.signatures] == [ALICE.sign(raw)]


async def test_effects_are_bcs_that_pysui_reads_and_hash_to_their_digest(world: World) -> None:
    async with world.wire() as wire:
        done = await wire.execute(ALICE, await some_transfer(wire))
    raw = done.effects.bcs.value
    assert base58(hashlib.blake2b(b"TransactionEffects::" + raw, digest_size=32).digest()) == done.effects.digest
    effects = bcs_txne.TransactionEffects.deserialize(raw).value
    assert effects.lamportVersion == done.effects.lamport_version
    assert len(effects.changedObjects) == len(done.effects.changed_objects) == 2


async def test_an_objects_bcs_hashes_to_its_digest(world: World) -> None:
    async with world.wire() as wire:
        _, counter = await wire.publish(ALICE)
        found = (await wire.ledger.get_object(v2.GetObjectRequest(object_id=counter, read_mask=mask("bcs", "digest")))).object
    assert base58(hashlib.blake2b(b"Object::" + found.bcs.value, digest_size=32).digest()) == found.digest


# ---- resolution


async def test_what_is_resolved_runs_as_it_was_resolved(world: World) -> None:
    async with world.wire() as wire:
        package, counter = await wire.publish(ALICE)
        done = await wire.bump(ALICE, package, counter, 3)
    assert done.effects.status.success
    assert done.events.events[0].json.to_dict()["value"] == "3"


@pytest.mark.parametrize(("function", "arguments", "mutable"), [("value", 1, False), ("see", 2, True)])
async def test_a_shared_object_is_mutable_if_the_function_writes_it(world: World, function: str, arguments: int, *, mutable: bool) -> None:
    async with world.wire() as wire:
        package, counter = await wire.publish(ALICE)
        inputs = [v2.Input(object_id=counter), v2.Input(object_id=CLOCK)][:arguments]
        simulated = await wire.simulate(ALICE, inputs, [call(f"{package}::counter::{function}", *map(argument, range(arguments)))])
        shared = (await wire.ledger.get_object(v2.GetObjectRequest(object_id=counter, read_mask=mask("owner")))).object.owner
    resolved = simulated.transaction.transaction.kind.programmable_transaction.inputs
    assert (resolved[0].kind, resolved[0].mutable, resolved[0].version) == (KIND.SHARED, mutable, shared.version)
    assert [one.mutable for one in resolved[1:]] == [False] * (arguments - 1)  # the Clock is only read


async def test_an_object_to_be_received_is_resolved_as_such(world: World) -> None:
    async with world.wire() as wire:
        package, _ = await wire.publish(ALICE)
        mint = f"{package}::counter::mint"
        minted = []
        for level in (1, 2):
            done = await wire.submit(
                ALICE,
                [pure(bytes([level])), pure(b"\1\1x"), pure(ALICE.raw_address)],
                [call(mint, argument(0), argument(1)), v2.Command(transfer_objects=v2.TransferObjects(objects=[result(0)], address=argument(2)))],
            )
            minted += [c.object_id for c in done.effects.changed_objects if c.object_type.endswith("::Token")]
        into, other = minted
        give = v2.TransferObjects(objects=[argument(0)], address=argument(1))
        await wire.submit(ALICE, [v2.Input(object_id=other), pure(bytes.fromhex(into[2:]))], [v2.Command(transfer_objects=give)])
        absorb = call(f"{package}::counter::absorb", argument(0), argument(1))
        inputs = [v2.Input(object_id=into), v2.Input(object_id=other)]
        simulated = await wire.simulate(ALICE, inputs, [absorb])
        done = await wire.submit(ALICE, inputs, [absorb])
        token = (await wire.ledger.get_object(v2.GetObjectRequest(object_id=into, read_mask=mask("json")))).object
    kinds = [one.kind for one in simulated.transaction.transaction.kind.programmable_transaction.inputs]
    assert kinds == [KIND.IMMUTABLE_OR_OWNED, KIND.RECEIVING]
    assert done.effects.status.success
    assert token.json.to_dict()["level"] == 3.0


async def test_gas_is_selected_from_coins_that_are_no_inputs(world: World) -> None:
    async with world.wire() as wire:
        largest, other = world.localnet.ledger.owned_by(ALICE.raw_address)
        give = v2.TransferObjects(objects=[argument(0)], address=argument(1))
        simulated = await wire.simulate(ALICE, [v2.Input(object_id="0x" + largest.id.hex()), pure(BOB.raw_address)], [v2.Command(transfer_objects=give)])
    payment = simulated.transaction.transaction.gas_payment
    assert [one.object_id for one in payment.objects] == ["0x" + other.id.hex()]
    assert (payment.owner, payment.price) == (ALICE.address, 1_000)


async def test_who_has_too_little_is_told_to_ask_the_faucet(world: World) -> None:
    poor = Player(b"\x0c" * 32)
    world.fund(poor, 1_000)
    async with world.wire() as wire:
        with pytest.raises(GRPCError, match=r"unable to select sufficient gas: .* has 1000 Mist") as refused:
            await some_transfer(wire, poor)
    assert refused.value.status is Status.FAILED_PRECONDITION


async def test_an_unknown_input_is_not_found(world: World) -> None:
    async with world.wire() as wire:
        give = v2.TransferObjects(objects=[argument(0)], address=argument(1))
        with pytest.raises(GRPCError, match="object 0x1234 does not exist") as refused:
            await wire.simulate(ALICE, [v2.Input(object_id="0x1234"), pure(BOB.raw_address)], [v2.Command(transfer_objects=give)])
    assert refused.value.status is Status.NOT_FOUND


async def test_without_gas_selection_a_mock_coin_pays(world: World) -> None:
    nobody = Player(b"\x0d" * 32)
    async with world.wire() as wire:
        package, counter = await wire.publish(ALICE)
        simulated = await wire.simulate(nobody, [v2.Input(object_id=counter)], [call(f"{package}::counter::value", argument(0))], do_gas_selection=False)
    assert simulated.transaction.effects.status.success
    (output,) = simulated.command_outputs
    assert [one.value.value for one in output.return_values] == [bytes(8)]


async def test_unchecked_simulation_lets_anybody_use_anything(world: World) -> None:
    coin = world.localnet.ledger.owned_by(ALICE.raw_address)[0]
    give = v2.TransferObjects(objects=[argument(0)], address=argument(1))
    inputs, commands = [v2.Input(object_id="0x" + coin.id.hex()), pure(BOB.raw_address)], [v2.Command(transfer_objects=give)]
    async with world.wire() as wire:
        with pytest.raises(GRPCError) as refused:
            await wire.simulate(BOB, inputs, commands)
        free = await wire.simulate(BOB, inputs, commands, checks=v2.SimulateTransactionRequestTransactionChecks.DISABLED)
    assert refused.value.status is Status.FAILED_PRECONDITION
    assert free.transaction.effects.status.success


async def test_an_incomplete_transaction_cannot_be_executed(world: World) -> None:
    async with world.wire() as wire:
        kind = v2.TransactionKind(programmable_transaction=v2.ProgrammableTransaction(inputs=[v2.Input(object_id="0x6")]))
        request = v2.ExecuteTransactionRequest(transaction=v2.Transaction(kind=kind, sender=ALICE.address))
        with pytest.raises(GRPCError, match="simulate the transaction to have them filled in"):
            await wire.execution.execute_transaction(request)


async def test_what_was_resolved_can_be_executed_as_structure(world: World) -> None:
    async with world.wire() as wire:
        package, counter = await wire.publish(ALICE)
        inputs = [v2.Input(object_id=counter), pure((4).to_bytes(8, "little"))]
        simulated = await wire.simulate(ALICE, inputs, [call(f"{package}::counter::bump", argument(0), argument(1))])
        echoed = simulated.transaction.transaction
        signed = v2.UserSignature(bcs=v2.Bcs(value=ALICE.sign(echoed.bcs.value)))
        echoed.bcs = None
        request = v2.ExecuteTransactionRequest(transaction=echoed, signatures=[signed], read_mask=mask("effects.status"))
        done = (await wire.execution.execute_transaction(request)).transaction
    assert done.effects.status.success


async def test_a_kept_object_cannot_be_named_as_an_input(world: World) -> None:
    async with world.wire() as wire:
        package, counter = await wire.publish(ALICE)
        await wire.submit(
            ALICE,
            [v2.Input(object_id=counter), pure(bytes(8)), pure(b"\2"), pure(b"\0")],
            [call(f"{package}::counter::mint", argument(2), argument(3)), call(f"{package}::counter::keep", argument(0), argument(1), result(0))],
        )
        fields = await wire.state.list_dynamic_fields(v2.ListDynamicFieldsRequest(parent=counter, read_mask=mask("child_id")))
        child = fields.dynamic_fields[0].child_id
        with pytest.raises(GRPCError, match="owned by another object"):
            await wire.simulate(ALICE, [v2.Input(object_id=child)], [call(f"{package}::counter::level", argument(0))])


# ---- masks


async def test_masks_choose_what_comes_back(world: World) -> None:
    async with world.wire() as wire:
        done = await wire.execute(ALICE, await some_transfer(wire), mask=mask("digest", "effects.status", "effects.gas_used.storage_cost"))
    assert done.digest
    assert done.effects.status.success
    assert done.effects.gas_used.storage_cost > 0
    assert done.effects.gas_used.computation_cost is None
    assert (done.effects.changed_objects, done.transaction, done.signatures, done.events) == ([], None, [], None)


async def test_a_mask_of_an_unknown_field_is_refused(world: World) -> None:
    async with world.wire() as wire:
        with pytest.raises(GRPCError, match="'colour'") as refused:
            await wire.ledger.get_object(v2.GetObjectRequest(object_id=CLOCK, read_mask=mask("colour")))
    assert refused.value.status is Status.INVALID_ARGUMENT


async def test_a_batch_answers_each_by_itself_and_in_order(world: World) -> None:
    async with world.wire() as wire:
        asked = [v2.GetObjectRequest(object_id=one) for one in (CLOCK, "0x777", "0x2")]
        found = (await wire.ledger.batch_get_objects(v2.BatchGetObjectsRequest(requests=asked))).objects
    assert [one.object is not None for one in found] == [True, False, True]
    assert found[1].error.code == Status.NOT_FOUND.value
    assert found[0].object.object_id == "0x" + "0" * 63 + "6"


async def test_balances_count_coins(world: World) -> None:
    async with world.wire() as wire:
        one = await wire.state.get_balance(v2.GetBalanceRequest(owner=ALICE.address, coin_type="0x2::sui::SUI"))
        every = await wire.state.list_balances(v2.ListBalancesRequest(owner=ALICE.address))
        info = await wire.state.get_coin_info(v2.GetCoinInfoRequest(coin_type="0x2::sui::SUI"))
    assert one.balance.balance == one.balance.coin_balance == 100 * SUI
    assert [found.balance for found in every.balances] == [100 * SUI]
    assert info.metadata.decimals == 9
