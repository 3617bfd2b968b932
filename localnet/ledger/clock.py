"""Where the ledger's time comes from."""

import time
from abc import ABC, abstractmethod
from typing import Final

from localnet.ledger.model import Millis


class Clock(ABC):
    """Milliseconds since 1970. The ledger never lets time run backwards, whatever this says."""

    @abstractmethod
    def now(self) -> Millis:
        """The time now."""


class SystemClock(Clock):
    """The machine's own clock."""

    def now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)


_START: Final = Millis(1_800_000_000_000)


class ManualClock(Clock):
    """Time that stands still until told."""

    def __init__(self, start: Millis = _START) -> None:
        self._now = start

    def now(self) -> Millis:
        return self._now

    def advance(self, milliseconds: int) -> Millis:
        """Move on and return the new time.

        Raises:
            ValueError: time would run backwards.
        """
        if milliseconds < 0:
            raise ValueError("time does not run backwards")
        self._now = Millis(self._now + milliseconds)
        return self._now
