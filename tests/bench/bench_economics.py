"""How fast the simulator plays: every strategy in turn, a million nodes, draws, votes and settlement in integer Mist."""

import resource
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from figures import figure

from agent.economics.simulate import simulate
from agent.economics.strategies import STRATEGIES
from agent.economics.world import Setup

TASKS = 500_000
THREADS = 2


def main() -> None:
    began = time.perf_counter()
    results = simulate(Setup(), TASKS, strategies=STRATEGIES, threads=THREADS)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figure(
        "economics_tasks_per_second", len(results) * TASKS / seconds, "tasks/s", strategies=len(results), tasks_each=TASKS, nodes=Setup().nodes,
        threads=THREADS, peak_memory_mib=peak,
    )  # fmt: skip


if __name__ == "__main__":
    main()
