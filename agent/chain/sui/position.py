"""A cursor of this adapter, read: where in the chain's events a consumer stands.

One letter, the checkpoint up to which everything was given, and, where the endpoint lists events, the endpoint's own
cursor. So listing can go on where scanning stopped and the other way round; events of one checkpoint may come twice.
"""

from dataclasses import dataclass
from typing import Final

from agent.chain.errors import Malformed
from agent.chain.port import Cursor, EventPage

MAX_RESUME: Final = 1_000
"""Bytes of an endpoint's cursor."""

_LISTED: Final = b"L"
_SCANNED: Final = b"C"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the events of a chain."""

    covered: int
    """All events up to and with this checkpoint were given; -1 for none."""
    resume: bytes | None = None
    """The endpoint's cursor; None: behind checkpoint `covered`."""

    def cursor(self) -> Cursor:
        """As the consumer keeps it."""
        letter, rest = (_SCANNED, b"") if self.resume is None else (_LISTED, self.resume)
        return Cursor(letter + (self.covered + 1).to_bytes(8, "big") + rest)

    @classmethod
    def read(cls, cursor: Cursor) -> "Position":
        """The position that `cursor` names.

        Raises:
            Malformed: it is not of this adapter.
        """
        if not 9 <= len(cursor) <= 9 + MAX_RESUME or cursor[:1] not in (_LISTED, _SCANNED):
            raise Malformed("the cursor is not one of the Sui adapter: begin without a cursor")
        resume = bytes(cursor[9:]) if cursor[:1] == _LISTED else None
        return cls(int.from_bytes(cursor[1:9], "big") - 1, resume)


@dataclass(frozen=True, slots=True)
class Progress:
    """A position, and the page that leads there if it is worth one."""

    position: Position
    page: EventPage | None
