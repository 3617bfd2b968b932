"""What a person may choose of the demo, and the tempo it is played at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUI: Final = 1_000_000_000
"""Mist."""

TEXTS: Final = Path(__file__).with_name("texts.txt")


class DemoError(Exception):
    """The demo cannot go on; the text says what to do."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`enclavia demo`'s flags."""

    tasks: int = 20
    nodes: int = 7
    input: Path = TEXTS
    audit_probability: str = "0.3"
    """A decimal in 0..1; as text, so that nothing is rounded twice."""
    seed: int | None = None
    workload: str = "minilm-f64"
    at_once: int = 4
    """Inputs under way at the same time."""
    forger: bool = False
    """Whether one node delivers another output than it commits to; the dApp then complains."""
    directory: Path | None = None
    """Where configuration, journals and logs are kept; a temporary directory, deleted at the end, if absent."""

    def texts(self) -> list[str]:
        """One text a task; the file's lines, from the start again if there are fewer lines than tasks.

        Raises:
            DemoError: the file cannot be read or has no text.
        """
        try:
            lines = [line.strip() for line in self.input.read_text("utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as unreadable:
            raise DemoError(f"cannot read {self.input}: {unreadable}. --input wants a UTF-8 text file, one text a line") from None
        texts = [line for line in lines if line]
        if not texts:
            raise DemoError(f"{self.input} has no text: --input wants one text a line")
        return [texts[i % len(texts)] for i in range(self.tasks)]
