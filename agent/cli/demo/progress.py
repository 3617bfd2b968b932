"""What a person sees while the demo runs: the stage being set, then a line for every task."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from agent.cli.demo.report import TaskRow

SHOWN = 12
"""Latest steps that are shown live."""


class Progress:
    """Counts and shows."""

    def __init__(self, console: Console, tasks: int) -> None:
        self._console = console
        self._tasks = tasks
        self._last: dict[int, str] = {}
        self._steps: list[tuple[int, str]] = []
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """One step of setting the stage."""
        self._console.print(f"[dim]·[/dim] {text}")

    def told(self, row: TaskRow, what: str) -> None:
        """A step of one task."""
        self._last[row.index] = what.split(":", maxsplit=1)[0]
        self._steps.append((row.index, what))
        if self._live is not None:
            self._live.update(self._table())

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show steps as they happen; on a pipe, nothing but the end of it."""
        if not self._console.is_terminal:
            yield
            return
        with Live(self._table(), console=self._console, refresh_per_second=8, transient=True) as self._live:
            yield
        self._live = None

    def _table(self) -> Table:
        counts = Counter(self._last.values())
        title = f"{self._tasks} tasks: " + ", ".join(f"{count} {what}" for what, count in counts.items())
        table = Table(title=title, title_justify="left", show_header=False, box=None)
        for index, what in self._steps[-SHOWN:]:
            table.add_row(f"task {index}", what)
        return table
