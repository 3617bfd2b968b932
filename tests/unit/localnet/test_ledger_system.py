"""Time, randomness, the faucet, genesis."""

import pytest
from ledger_world import ALICE, BOB, SUI, World, arg, u64

from localnet.ledger.clock import Clock, ManualClock
from localnet.ledger.errors import BadGenesis, GasRefused
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import IMMUTABLE, Millis, Mist, ObjectId, Package, SystemKind, SystemTransaction
from localnet.ledger.names import CLOCK_ID, RANDOM_ID, STD_PACKAGE, SUI_PACKAGE


def time_of(world: World) -> int:
    return int.from_bytes(world.ledger.object(CLOCK_ID).contents[32:], "little")


def rolled(world: World, sender: bytes = ALICE) -> bytes:
    (event,) = world.do("roll", world.shared(RANDOM_ID, mutable=False), sender=sender).events
    return event.contents


# ---- time


def test_transaction_sees_the_time_of_its_checkpoint(world: World) -> None:
    now = world.clock.advance(1234)
    executed = world.do("time", world.shared(CLOCK_ID, mutable=False))
    assert executed.results[0].returned[0].bcs == now.to_bytes(8, "little")
    assert executed.placement.timestamp == now == world.ledger.checkpoint().timestamp


def test_tick_lets_time_be_seen_to_pass(world: World) -> None:
    before = world.ledger.checkpoint().sequence
    now = world.clock.advance(60_000)
    assert time_of(world) < now
    checkpoint = world.ledger.tick()
    assert time_of(world) == now == checkpoint.timestamp
    assert checkpoint.sequence == before + 1


def test_time_does_not_run_backwards(framework: Framework) -> None:
    class Wavering(Clock):
        readings = iter([1000, 2000, 1500, 2500])

        def now(self) -> Millis:
            return Millis(next(self.readings))

    ledger = Ledger(framework, GenesisConfig(clock=Wavering()))
    assert [ledger.tick().timestamp for _ in range(3)] == [2000, 2000, 2500]


def test_manual_clock_refuses_to_go_back() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)


# ---- randomness


def test_every_transaction_sees_fresh_randomness(world: World) -> None:
    assert len({rolled(world) for _ in range(5)}) == 5


def test_same_seed_and_same_transactions_make_the_same_ledger(framework: Framework) -> None:
    def play(seed: bytes) -> tuple[bytes, list[bytes], bytes]:
        world = World(framework, GenesisConfig(seed=seed, clock=ManualClock()))
        rolls = [rolled(world), rolled(world, BOB)]
        return bytes(world.ledger.chain_identifier), rolls, bytes(world.ledger.checkpoint().digest)

    assert play(b"one") == play(b"one")
    first, other = play(b"one"), play(b"two")
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_randomness_is_renewed_by_the_frameworks_own_code(world: World) -> None:
    (field,) = world.ledger.dynamic_fields(world.ledger.vm.decode(
        world.ledger.object(RANDOM_ID).type, world.ledger.object(RANDOM_ID).contents
    )[1][0][0][0])
    before = field.field
    rolled(world)
    after = world.ledger.object(before.id)
    assert after.type.arguments[1].name == "RandomInner"
    assert after.contents != before.contents
    kinds = [executed.transaction.kind for executed in _system(world)]
    assert kinds == [SystemKind.CLOCK, SystemKind.RANDOMNESS]


def _system(world: World) -> list:
    transactions = world.ledger.transactions_of(world.ledger.checkpoint().sequence)
    return [executed for executed in transactions if isinstance(executed.transaction, SystemTransaction)]


# ---- the faucet


def test_faucet_mints_and_is_recorded(world: World) -> None:
    before = world.ledger.minted
    executed = world.ledger.faucet(BOB, Mist(5 * SUI))
    assert executed.transaction == SystemTransaction(SystemKind.FAUCET, world.ledger.checkpoint().timestamp)
    assert world.ledger.transaction(executed.digest) == executed
    (coin,) = executed.after.values()
    assert world.ledger.minted - before == 5 * SUI + coin.storage_rebate
    assert coin.contents[32:] == (5 * SUI).to_bytes(8, "little")


@pytest.mark.parametrize("amount", [0, -1, 10**19])
def test_faucet_refuses_nothing_and_too_much(world: World, amount: int) -> None:
    with pytest.raises(GasRefused):
        world.ledger.faucet(BOB, Mist(amount))


# ---- genesis


def test_chains_of_different_names_have_different_identifiers(framework: Framework) -> None:
    names = ("one", "two")
    made = {Ledger(framework, GenesisConfig(chain_name=name, clock=ManualClock())).chain_identifier for name in names}
    assert len(made) == 2
    assert {len(identifier) for identifier in made} == {32}


def test_framework_is_published_at_its_addresses(world: World) -> None:
    package = world.ledger.package(SUI_PACKAGE)
    assert {"coin", "transfer", "object"} <= set(package.modules)
    assert STD_PACKAGE in package.linkage
    assert isinstance(world.ledger.object(STD_PACKAGE), Package)


def test_metadata_of_sui_is_made_by_the_frameworks_own_code(world: World) -> None:
    genesis = world.ledger.transactions_of(0)[0]
    (metadata,) = [new for new in genesis.after.values() if not isinstance(new, Package) and "Metadata" in new.type.name]
    assert metadata.owner == IMMUTABLE
    assert b"SUI" in metadata.contents
    assert metadata.contents[32] == 9, "decimals"


def test_ledger_without_framework_says_what_to_do() -> None:
    with pytest.raises(BadGenesis, match="framework"):
        Ledger(Framework({}), GenesisConfig(clock=ManualClock()))
    garbage = {ObjectId(bytes(31) + b"\x02"): (b"\xa1\x1c\xeb\x0bnonsense",)}
    with pytest.raises(BadGenesis):
        Ledger(Framework(garbage), GenesisConfig(clock=ManualClock()))


@pytest.mark.parametrize("content", ["", "[]", '{"0x1": ["%%%"]}', '{"zz": []}', '{"0x1": 5}'])
def test_broken_framework_file_says_what_to_do(tmp_path, content: str) -> None:
    with pytest.raises(BadGenesis, match="make setup"):
        Framework.load(tmp_path / "absent.json")
    file = tmp_path / "framework.json"
    file.write_text(content)
    with pytest.raises(BadGenesis, match="make setup"):
        Framework.load(file)


def test_system_steps_cost_nothing(world: World) -> None:
    burnt = world.ledger.gas_burnt
    world.ledger.tick()
    world.fund(ALICE, 1)
    assert world.ledger.gas_burnt == burnt
    assert world.do("emit_many", u64(0)).effects.succeeded
    assert world.run(ALICE, [u64(0)], [world.call("emit_many", arg(0))]).effects.gas.computation == 10**6
