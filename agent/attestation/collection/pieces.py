"""What a vendor's service gave and was proved: bytes to be kept, what they are about, and when they count."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.attestation.collection.errors import CollectionError
from agent.attestation.collection.index import Role
from agent.attestation.collection.window import Window
from agent.attestation.errors import EvidenceError

Tell = Callable[[str], None]
"""Says in a line how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One thing to keep."""

    role: Role
    subject: str
    """What it is about: of two pieces of one role and subject, one at a time counts."""
    content: bytes
    source: str
    window: Window


class Gathering:
    """Pieces as they come: what cannot be had is named, and does not stop the rest."""

    def __init__(self, tell: Tell = lambda _: None) -> None:
        self._tell: Final = tell
        self.pieces: list[Piece] = []
        self.missing: list[str] = []

    async def take(self, what: str, asked: Awaitable[Sequence[Piece]]) -> Sequence[Piece]:
        """The pieces that `asked` gives, `what` in short; none if it fails, which is noted."""
        try:
            found = await asked
        except (CollectionError, EvidenceError) as error:
            self.miss(f"{what}: {error}")
            return ()
        for piece in found:
            self.pieces.append(piece)
            self._tell(f"proved   {piece.role} {piece.subject}, in force {piece.window}")
        return found

    def miss(self, what: str) -> None:
        """Note what cannot be had, and why."""
        self.missing.append(what)
        self._tell(f"MISSING  {what}")

    def complete(self) -> tuple[Piece, ...]:
        """The pieces, if nothing is missing.

        Raises:
            CollectionError: something is.
        """
        if self.missing:
            raise CollectionError("; ".join(self.missing))
        return tuple(self.pieces)
