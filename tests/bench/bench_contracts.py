"""What the contracts cost: opening a task in a Pool of 1,000 members, and committing, audited or not. Computation units of the localnet."""

import sys
import time
from pathlib import Path
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "integration" / "contracts")]

from figures import figure
from protocol_world import CLOCK, COIN, RANDOM, SUI, Done, Shared, World, u64

from agent.protocol.draw import ALWAYS
from agent.protocol.events import Committed

MEMBERS, DEPTH = 1_000, 10
TASKS, SEEDS = 8, 96


def units(done: Done, world: World) -> int:
    return done.executed.effects.gas.computation // world.ledger.reference_gas_price


def opening(world: World) -> Done:
    shared = [Shared(each) for each in (world.network, world.pool, world.roster)]
    return world.paying(world.requester, "task::open_task", world.quote(), *shared, u64(0), COIN, Shared(RANDOM), Shared(CLOCK))


def full_pool() -> None:
    began = time.perf_counter()
    world = World(MEMBERS, depth=DEPTH)
    while world.roster_view().positive < MEMBERS:
        world.roll()
    built = time.perf_counter() - began
    opened = [opening(world) for _ in range(TASKS)]
    costs = {units(done, world) for done in opened}
    figure(
        "pool_1000_open_task_gas", max(costs), "computation units", members=world.roster_view().positive, tasks=TASKS, least=min(costs),
        storage_mist=max(int(done.executed.effects.gas.storage) for done in opened), world_seconds=round(built, 1),
    )  # fmt: skip


def commits() -> None:
    """The worst of the audited against the best of the others: 1.0 if no gas budget can choose (docs/spec/protocol.md §3).

    To the unit: what is charged is rounded up to 1,000, which would hide a difference.
    """
    world = World(12, stake=1_000 * SUI, audit_probability=ALWAYS // 2)
    costs: dict[bool, set[tuple[int, int, int]]] = {False: set(), True: set()}
    for _ in range(SEEDS):
        task, node = world.running()
        with patch("localnet.ledger.gas.BUCKET", 1):
            done = world.commit(task, node, sender=world.admin)
        gas = done.executed.effects.gas
        costs[done.event(Committed).audited].add((units(done, world), int(gas.storage), int(gas.rebate)))
    audited, unaudited = (sorted(costs[flag]) for flag in (True, False))
    figure(
        "commit_gas_audited_over_unaudited", audited[-1][0] / unaudited[0][0], "ratio", seeds=SEEDS, units=audited[-1][0],
        different_costs=len(costs[True] | costs[False]),
    )  # fmt: skip


if __name__ == "__main__":
    full_pool()
    commits()
