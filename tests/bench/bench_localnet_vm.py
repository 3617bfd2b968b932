"""`commit` of our contract in the Move VM: ed25519 in Move, randomness, a draw of four auditors, one event; no RPC, no transaction signature."""

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "integration" / "contracts")]

from figures import figure
from protocol_world import SUI, World

TASKS = 200


def main() -> None:
    began = time.perf_counter()
    world = World(stake=1_000 * SUI)
    built = time.perf_counter() - began
    running = [world.running() for _ in range(TASKS)]
    world.commit(*running.pop())
    began = time.perf_counter()
    for task, node in running:
        world.commit(task, node)
    seconds = time.perf_counter() - began
    figure("localnet_vm_tx_per_second", len(running) / seconds, "tx/s", call="task::commit", transactions=len(running), world_seconds=round(built, 3))


if __name__ == "__main__":
    main()
