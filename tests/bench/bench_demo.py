"""The agent's own time and memory, from two runs of the main job without audits: one task at a time, then four."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent)]

from figures import figure

TASKS = 20


def run(at_once: int) -> dict:
    command = [sys.executable, "-m", "agent.cli.main", "demo", "--tasks", str(TASKS), "--audit-probability", "0", "--seed", "7"]
    found = subprocess.run([*command, "--at-once", str(at_once), "--json"], stdout=subprocess.PIPE, check=False)
    return json.loads(found.stdout)


def main() -> None:
    alone, together = run(1), run(4)
    for report, at_once, suffix in ((alone, 1, ""), (together, 4, "_4_at_once")):
        rows = [row for row in report["rows"] if row["agent_seconds"] is not None]
        overhead = [row["agent_seconds"] - row["model_seconds"] for row in rows]
        share = [(row["agent_seconds"] - row["model_seconds"]) / row["agent_seconds"] for row in rows]
        detail = {"at_once": at_once, "tasks": len(rows), "model_seconds_median": round(median(row["model_seconds"] for row in rows), 4)}
        figure(f"agent_overhead_seconds_median{suffix}", median(overhead), "s", **detail)
        figure(f"agent_overhead_share{suffix}", median(share), "of the time from post_input to the delivered result", **detail)
    resident = [node["resident_mib"] for node in alone["nodes"] if node["resident_mib"] is not None]
    figure("node_resident_mib", median(resident), "MiB", nodes=len(resident), what="the node process, without its enclave")


if __name__ == "__main__":
    main()
