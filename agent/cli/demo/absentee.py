"""A node that dies the moment it has something to execute, for the demo: `python -m agent.cli.demo.absentee DIRECTORY`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from agent.cli.runner import run_node
from agent.node.duties.duty import Step
from agent.node.duties.execute import ExecuteDuty
from agent.node.journal import DutyRow
from agent.telemetry.logs import configure_logs


async def die(self: ExecuteDuty, row: DutyRow) -> Step:
    """As if somebody had pulled the plug."""
    del self, row
    os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


if __name__ == "__main__":
    ExecuteDuty.step = die  # type: ignore[method-assign]  # the very point of this module
    configure_logs(node=f"{sys.argv[1]} (absentee)")
    asyncio.run(run_node(Path(sys.argv[1])))
