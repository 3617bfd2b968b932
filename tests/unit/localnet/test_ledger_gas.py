"""What transactions cost, and that no Mist is made or lost on the way."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_world import ALICE, BOB, SUI, World, arg, result, text, u64

from localnet.ledger import gas
from localnet.ledger.framework import Framework
from localnet.ledger.model import (
    GAS_COIN,
    Address,
    FailureKind,
    Gas,
    GasSummary,
    MergeCoins,
    Mist,
    Object,
    PureInput,
    SplitCoins,
    TransferObjects,
)
from localnet.ledger.payment import COIN_DEPOSIT


def check_money(world: World) -> None:
    supply = world.ledger.supply()
    assert supply.is_conserved, f"{supply.minted - supply.held - supply.burnt - supply.storage_fund} Mist are missing"
    assert supply.storage_fund == world.ledger.storage_fund, "bills and objects tell different deposits"


def test_sui_coin_costs_what_it_costs_on_sui() -> None:
    assert COIN_DEPOSIT == 988_000
    assert gas.storage_bill([], [COIN_DEPOSIT]).returned == 978_120


def test_computation_is_rounded_up_to_buckets() -> None:
    price, budget = Mist(1000), Mist(10**9)
    costs = [gas.computation(used, price, budget) for used in (0, 1, 1000, 1001, 2500)]
    assert costs == [10**6, 10**6, 10**6, 2 * 10**6, 3 * 10**6]
    assert gas.computation(10**7, price, budget) == budget


def test_sender_pays_exactly_the_bill(world: World) -> None:
    before = world.balance(ALICE)
    summary = world.do("tick", world.shared(world.counter)).effects.gas
    assert before - world.balance(ALICE) == summary.net
    assert summary.rebate + summary.non_refundable > 0


def test_computation_grows_with_the_work_done(world: World) -> None:
    little, much = (world.do("sum_to", u64(n), module="machine").effects.gas.computation for n in (10, 10_000))
    assert much > 10 * little


def test_deleting_an_object_gives_back_99_percent_of_its_deposit(world: World) -> None:
    box = world.new_box()
    deposit = world.ledger.object(box).storage_rebate
    summary = world.do("burn", world.owned(box)).effects.gas
    coin_back = COIN_DEPOSIT * 99 // 100
    assert summary.rebate == coin_back + (deposit * 9900 + 5000) // 10_000
    assert deposit == gas.deposit(1 + 32 + 8 + 4 + 1, 40)  # StructTag: variant, address, "objects", "Box", no arguments


def test_failed_transaction_pays_computation_and_loses_no_deposit(world: World) -> None:
    counter = world.ledger.object(world.counter)
    executed = world.do("tick_then_fail", world.shared(world.counter))
    assert executed.effects.gas == GasSummary(Mist(10**6), COIN_DEPOSIT, Mist(978_120), Mist(9_880))
    after = world.ledger.object(world.counter)
    assert isinstance(counter, Object)
    assert after.storage_rebate == counter.storage_rebate
    check_money(world)


def test_endless_loop_costs_the_budget_and_no_more(world: World) -> None:
    before = world.balance(ALICE)
    executed = world.run(ALICE, [], [world.call("spin", module="machine")], budget=SUI // 10)
    assert executed.effects.status.kind is FailureKind.INSUFFICIENT_GAS
    assert before - world.balance(ALICE) == SUI // 10
    check_money(world)


def test_units_are_limited_whatever_the_budget(world: World) -> None:
    executed = world.run(ALICE, [], [world.call("spin", module="machine")], budget=50 * SUI)
    assert executed.effects.gas.computation == gas.MAX_UNITS * 1000


def test_storage_over_the_budget_undoes_the_transaction(world: World) -> None:
    executed = world.run(ALICE, [u64(100_000)], [world.call("blob", arg(0))], budget=SUI // 2)
    assert executed.effects.status.kind is FailureKind.INSUFFICIENT_GAS
    assert executed.effects.created() == ()
    assert executed.effects.gas.net == SUI // 2
    check_money(world)


def test_object_over_250_kib_is_refused(world: World) -> None:
    executed = world.run(ALICE, [u64(260_000)], [world.call("blob", arg(0))], budget=50 * SUI)
    failure = executed.effects.status
    assert failure.kind is FailureKind.MOVE_OBJECT_TOO_BIG
    assert failure.indices[0] > failure.indices[1] == 250 * 1024


def test_more_than_1024_events_are_refused(world: World) -> None:
    assert len(world.do("emit_many", u64(1024)).events) == 1024
    assert world.do("emit_many", u64(1025)).effects.status.kind is FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR


def test_coins_that_pay_are_smashed_even_if_the_program_fails(world: World) -> None:
    coins = [world.fund(ALICE, SUI) for _ in range(3)]
    refs = tuple(world.ledger.object(coin).ref for coin in coins)
    before = world.balance(ALICE)
    for call in (world.call("fail", arg(0), module="machine"), world.call("emit_many", arg(0))):
        transaction = replace(world.transaction(ALICE, [u64(1)], [call]), gas=Gas(ALICE, refs, Mist(1000), Mist(2 * SUI)))
        executed = world.ledger.execute(transaction, world.digest())
        assert [change.id for change in executed.effects.deleted()] == sorted(ref.id for ref in refs[1:])
        before -= executed.effects.gas.net
        assert world.balance(ALICE) == before
        refs = (world.ledger.object(coins[0]).ref, *(world.ledger.object(world.fund(ALICE, SUI)).ref for _ in range(2)))
        before = world.balance(ALICE)
    check_money(world)


def test_sponsor_pays_and_is_named(world: World) -> None:
    coin = world.ledger.object(world.gas_coins[BOB]).ref
    transaction = replace(world.transaction(ALICE, [], [world.call("who")]), gas=Gas(BOB, (coin,), Mist(1000), Mist(SUI)))
    before = (world.balance(ALICE), world.balance(BOB))
    executed = world.ledger.execute(transaction, world.digest())
    assert executed.results[0].returned[1].bcs == b"\x01" + BOB
    assert (world.balance(ALICE), world.balance(BOB)) == (before[0], before[1] - executed.effects.gas.net)


# ---- simulation


def test_simulation_tells_the_very_cost_of_execution(world: World) -> None:
    counter = world.shared(world.counter)
    programs = [
        ([counter], [world.call("tick", arg(0))]),
        ([counter], [world.call("tick_then_fail", arg(0))]),
        ([u64(1), PureInput(BOB)], [world.call("new_box", arg(0)), TransferObjects((result(0),), arg(1))]),
        ([u64(5), PureInput(BOB)], [SplitCoins(GAS_COIN, (arg(0),)), TransferObjects((result(0),), arg(1))]),
    ]
    for inputs, commands in programs:
        transaction = world.transaction(ALICE, inputs, commands)
        mocked = replace(transaction, gas=Gas(ALICE, (), Mist(0), Mist(0)))
        told = [world.ledger.simulate(transaction).effects.gas, world.ledger.simulate(mocked).effects.gas]
        paid = world.ledger.execute(transaction, world.digest()).effects.gas
        assert told == [paid, paid]


def test_mock_coin_is_in_no_effects(world: World) -> None:
    transaction = world.transaction(ALICE, [u64(5), PureInput(BOB)], [TransferObjects((GAS_COIN,), arg(1))])
    simulated = world.ledger.simulate(replace(transaction, gas=Gas(ALICE, (), Mist(0), Mist(0))))
    assert simulated.effects.succeeded
    assert simulated.effects.changes == ()
    assert simulated.effects.gas_object is None


# ---- conservation, whatever happens

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 3 * SUI)),
        st.tuples(st.just("deposit"), st.integers(0, SUI)),
        st.tuples(st.just("withdraw"), st.integers(0, SUI)),
        st.tuples(st.just("send to box"), st.integers(0, SUI)),
        st.tuples(st.sampled_from(["box", "note", "burn", "wrap", "fail", "spin", "roll", "merge", "tick"]), st.just(0)),
    ),
    min_size=1,
    max_size=14,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_money_is_conserved(framework: Framework, steps: list[tuple[str, int]]) -> None:
    world = World(framework)
    check_money(world)
    box = world.new_box()
    for step, (kind, amount) in enumerate(steps):
        box = _take(world, kind, amount, box, step)
        check_money(world)


def _take(world: World, kind: str, amount: int, box: bytes, step: int):  # noqa: C901 - a branch for each kind of step
    owner = Address(bytes(box))
    split = SplitCoins(GAS_COIN, (arg(0),))
    counter = world.shared(world.counter)
    if kind == "pay":
        world.run(ALICE, [u64(amount), PureInput(BOB)], [split, TransferObjects((result(0),), arg(1))])
    elif kind == "deposit":
        world.run(BOB, [u64(amount), counter], [split, world.call("deposit", arg(1), result(0))])
    elif kind == "withdraw":
        taken = [world.call("withdraw", arg(1), arg(0)), TransferObjects((result(0),), arg(2))]
        world.run(BOB, [u64(amount), counter, PureInput(ALICE)], taken)
    elif kind == "send to box":
        world.run(ALICE, [u64(amount), PureInput(owner)], [split, TransferObjects((result(0),), arg(1))])
    elif kind == "merge":
        coins = [coin for coin in world.ledger.owned_by(BOB) if coin.type.name == "Coin" and coin.id != world.gas_coins[BOB]]
        if coins:
            merged = MergeCoins(GAS_COIN, tuple(arg(index) for index in range(len(coins))))
            world.run(BOB, [world.owned(coin.id) for coin in coins], [merged])
    elif kind == "note":
        world.do("note", world.owned(box), text(b"%d" % step), u64(1))
    elif kind == "fail":
        world.do("tick_then_fail", counter)
    elif kind == "spin":
        world.run(ALICE, [], [world.call("spin", module="machine")], budget=SUI // 100)
    elif kind in {"burn", "wrap"}:
        world.do(kind, world.owned(box))
        return world.new_box()
    elif kind == "box":
        return world.new_box()
    else:
        world.do("tick", counter)
    return box
