"""Places in the ledger as the opaque cursors that clients keep: 16 bytes that sort in chain order."""

from dataclasses import dataclass
from typing import Final

from localnet.rpc.errors import InvalidArgument

LAST: Final = 2**32 - 1
BYTES: Final = 16


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An item; a transaction stands at event LAST, behind its events, and a whole checkpoint at LAST twice."""

    checkpoint: int
    transaction: int = LAST
    event: int = LAST

    def cursor(self) -> bytes:
        """As clients keep it."""
        return self.checkpoint.to_bytes(8, "big") + self.transaction.to_bytes(4, "big") + self.event.to_bytes(4, "big")


def parse_cursor(cursor: bytes) -> Place:
    """The place of a cursor.

    Raises:
        InvalidArgument: it was not made by this server.
    """
    if len(cursor) != BYTES:
        raise InvalidArgument(f"a cursor of {len(cursor)} bytes, not {BYTES}: it comes from another server")
    checkpoint, transaction, event = cursor[:8], cursor[8:12], cursor[12:]
    return Place(*(int.from_bytes(part, "big") for part in (checkpoint, transaction, event)))
