"""Child processes of the demo: started, watched, logged to a file each, and gone with the demo whatever happens."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.cli.demo.options import DemoError

STOP_S: Final = 10.0
"""How long a process may take to end after SIGTERM."""
TAIL: Final = 2_000
"""Bytes of a log that are shown when something went wrong."""
_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class Child:
    """One process and its log."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    def resident_mib(self) -> float | None:
        """Its resident memory, without that of its children; None if it has ended."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return None
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1) if self.running else None

    def tail(self) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return self.log.read_bytes()[-TAIL:].decode(errors="replace")
        return ""

    async def stop(self) -> None:
        """End it: politely, then not."""
        if self.running:
            self.process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


async def start(name: str, arguments: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None) -> Child:
    """Start `python <arguments>`; standard error goes to `<directory>/<name>.log`, standard output to a pipe."""
    log = directory / f"{name}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            preexec_fn=_die_with_parent,
        )
    return Child(name, process, log)


async def first_line(child: Child, within_s: float) -> dict[str, Any]:
    """The JSON object that `child` prints when it is ready.

    Raises:
        DemoError: it printed nothing in time, or something else.
    """
    assert child.process.stdout is not None
    try:
        async with asyncio.timeout(within_s):
            line = await child.process.stdout.readline()
        found: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError):
        raise DemoError(f"{child.name} did not start in {within_s:g} s; its log {child.log} ends:\n{child.tail()}") from None
    return found


def _die_with_parent() -> None:
    # a demo that is killed must not leave nodes behind that go on signing
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
