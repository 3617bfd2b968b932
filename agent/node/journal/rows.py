"""What the journal keeps of a duty, and what an event may do to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, NamedTuple, Self

Fact = bytes | int | str
"""What a duty has to remember over a crash: digests, signatures, numbers."""

NO_DEADLINE: Final = (1 << 63) - 1
"""Deadline of a duty that has none; sorts after every real one."""


class DutyKey(NamedTuple):
    """Names one duty. `subject` is the 32 bytes of the task or node it is about, `round` 0 where there is none."""

    kind: str
    subject: bytes
    round: int = 0

    def __str__(self) -> str:
        suffix = f"/{self.round}" if self.round else ""
        return f"{self.kind}:0x{self.subject.hex()[:12]}{suffix}"


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One duty as the journal has it; a changed one is a new value."""

    key: DutyKey
    state: str
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    deadline: int = NO_DEADLINE
    """Chain time, milliseconds, after which failing is final; NO_DEADLINE if it is tried for ever."""
    failures: int = 0
    """Steps that failed since the last one that did not."""
    reason: str | None = None
    """Why it was closed without success, or what failed last."""
    closed: bool = False
    opened_at: int = 0
    changed_at: int = 0

    def to(self, state: str, *, deadline: int | None = None, **facts: Fact) -> Self:
        """This row in `state`, remembering `facts` besides what it knew; its failures are forgotten."""
        return replace(
            self,
            state=state,
            facts=MappingProxyType({**self.facts, **facts}),
            deadline=self.deadline if deadline is None else deadline,
            failures=0,
            reason=None,
        )

    def close(self, state: str, reason: str | None = None) -> Self:
        """This row, finished in `state`; never looked at again."""
        return replace(self, state=state, reason=reason, closed=True)

    def failed(self, reason: str) -> Self:
        """This row after one more failed step."""
        return replace(self, failures=self.failures + 1, reason=reason)

    def recovered(self) -> Self:
        """This row after a step that went well though it changed nothing; why one failed before is kept for people."""
        return replace(self, failures=0)

    def octets(self, fact: str) -> bytes:
        """A remembered bytes fact; a KeyError or TypeError here is a defect of the duty."""
        value = self.facts[fact]
        if not isinstance(value, bytes):
            raise TypeError(f"{self.key}: fact {fact} is no bytes")
        return value

    def number(self, fact: str) -> int:
        """A remembered integer fact."""
        value = self.facts[fact]
        if not isinstance(value, int):
            raise TypeError(f"{self.key}: fact {fact} is no integer")
        return value


@dataclass(frozen=True, slots=True)
class Open:
    """Effect of an event: begin this duty, unless the journal has it already."""

    row: DutyRow


@dataclass(frozen=True, slots=True)
class Wake:
    """Effect of an event: look again at every open duty about `subject`."""

    subject: bytes


@dataclass(frozen=True, slots=True)
class WakeAll:
    """Effect of an event: look again at every open duty, because time itself or the rules have changed."""


Effect = Open | Wake | WakeAll


@dataclass(frozen=True, slots=True)
class JournalStatistics:
    """A moment's picture for /metrics and `enclavia node status`."""

    open_duties: int
    """Duties not closed."""
    closed_duties: int
    """Duties closed and still kept."""
    failing_duties: int
    """Open duties whose last step failed."""
    events: int
    """Events that the inbox remembers."""
    pending_transactions: int
    """Transactions recorded whose fate is not known yet."""
