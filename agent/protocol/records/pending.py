"""What is proposed and not yet in force: docs/spec/protocol.md §5."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.protocol.units import Millis

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pending(Generic[T]):
    """At most one proposal."""

    value: tuple[T, ...]
    """None or one."""
    at: Millis
    """From when on anybody may put it in force, protocol time."""

    @property
    def proposed(self) -> T | None:
        """What is proposed, if anything."""
        return self.value[0] if self.value else None

    def is_due(self, now: Millis) -> bool:
        """Whether it can be put in force at `now` (protocol time)."""
        return bool(self.value) and now >= self.at
