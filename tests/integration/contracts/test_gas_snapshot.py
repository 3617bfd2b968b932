"""gas.json is what transactions cost now, and holds every call of the specification."""

import json
import sys
from collections.abc import Callable
from functools import partial

import pytest
from gas_scenario import SNAPSHOT, Costs, audited, measured, spelled
from protocol_world import CLOCK, COIN, FALSE_ROOT, RANDOM, ROOT, SUI, TRUE_ROOT, Done, Shared, World, u64

from agent.protocol.draw import ALWAYS

pytestmark = pytest.mark.node

CONFORMANCE = str(ROOT / "tests" / "conformance" / "move")
DUE = "if the change is wanted: python tests/integration/contracts/gas_scenario.py"


@pytest.fixture(scope="module")
def costs() -> Costs:
    return measured()


def test_snapshot_is_current(costs: Costs) -> None:
    kept = json.loads(SNAPSHOT.read_text())
    changed = {kind: (kept.get(kind), costs.get(kind)) for kind in kept.keys() | costs.keys() if kept.get(kind) != costs.get(kind)}
    assert changed == {}, DUE
    assert SNAPSHOT.read_text() == spelled(costs), DUE


def test_every_call_of_the_specification_has_its_cost(costs: Costs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [CONFORMANCE, *sys.path])
    import protocol_spec

    measured_calls = {call for kind in costs for call in kind.partition(" (")[0].split(" + ")}
    assert set(protocol_spec.calls()) == measured_calls


def test_costs_repeat() -> None:
    """A snapshot of something random would be a test of nothing."""
    first: Costs = {}
    again: Costs = {}
    for costs in (first, again):
        audited(costs)
    assert first == again


def costs_to_the_unit(monkeypatch: pytest.MonkeyPatch, world: World, acts: Callable[[], Done]) -> tuple[int, int, int]:
    """What is charged is rounded up to 1,000 units, which would hide a difference."""
    with monkeypatch.context() as exact:
        exact.setattr("localnet.ledger.gas.BUCKET", 1)
        gas = acts().executed.effects.gas
    return gas.computation, gas.storage, gas.rebate


def test_commit_costs_the_same_to_the_unit_for_every_seed_and_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    """[C1]: else a gas budget chooses the auditors."""
    world = World(9, audit_probability=ALWAYS // 2, stake=200 * SUI)
    costs, flags = set(), set()
    for _ in range(24):
        task, node = world.running()
        costs.add(costs_to_the_unit(monkeypatch, world, partial(world.commit, task, node, sender=world.admin)))
        flags.add(world.task(task).audited)
    assert flags == {True, False}
    assert len(costs) == 1


def test_opening_costs_the_same_to_the_unit_whoever_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a gas budget chooses the executor."""
    world = World(9)
    shared = [Shared(each) for each in (world.network, world.pool, world.roster)]
    opening = partial(world.paying, world.requester, "task::open_task", world.quote(), *shared, u64(0), COIN, Shared(RANDOM), Shared(CLOCK))
    assert len({costs_to_the_unit(monkeypatch, world, opening) for _ in range(12)}) == 1


def test_drawing_arbiters_costs_the_same_to_the_unit_whoever_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = set()
    for seed in (b"a", b"b", b"c", b"d"):
        world = World(9, seed=seed, audit_probability=ALWAYS)
        task, _ = world.audited(FALSE_ROOT)
        world.vote(task, [TRUE_ROOT, TRUE_ROOT])
        arguments = [Shared(task, True), Shared(world.network), Shared(world.roster), Shared(RANDOM), Shared(CLOCK)]
        costs.add(costs_to_the_unit(monkeypatch, world, partial(world.call, world.requester, "audit::draw_dispute", *arguments)))
    assert len(costs) == 1
