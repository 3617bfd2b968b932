"""What a duty is: a row of the journal, a pure rule that says what to do next, and the doing.

`step` looks at the chain, decides and does one thing. It never trusts the order of events: an event only says *look
again*. So a duty may be killed between any two awaits and begin again from its row and the chain.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.node.journal import DutyRow
from agent.protocol.units import Millis

ABANDONED: Final = "abandoned"
"""State of every duty that was closed without having been met."""

DONE: Final = "done"
"""State of every duty that was met, or that the chain needs no more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The row changed: write it down, then step again unless it is closed."""

    row: DutyRow


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before chain time `until`, or before an event if None."""

    until: Millis | None = None


@dataclass(frozen=True, slots=True)
class Busy:
    """The enclave computes as much as the operator allows: step again when a computation ends."""


Step = Moved | Wait | Busy

SETTLE_MS: Final = 1_000
"""How long an endpoint is given to show what a transaction did; the event of it comes sooner."""


def sent(clock: Millis) -> Wait:
    """What a duty answers after a transaction that leaves its row as it was: an endpoint that lags must not make it send again."""
    return Wait(Millis(clock + SETTLE_MS))


class Duty(ABC):
    """One kind of duty; an instance serves every row of that kind."""

    kind: ClassVar[str]

    @abstractmethod
    async def step(self, row: DutyRow) -> Step:
        """Do the next thing for `row`, or say what it waits for.

        Raises:
            Unmeetable: nothing can help any more; the row is abandoned with that reason.
            Exception: anything else is tried again until the row's deadline.
        """


class Computing:
    """How many computations run in the enclave: at most `limit`, nobody waits in line here."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0

    @property
    def running(self) -> int:
        """Computations at this moment."""
        return self._running

    def enter(self) -> bool:
        """Take a place; False if there is none."""
        if self._running >= self._limit:
            return False
        self._running += 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self._running -= 1
