"""What every object on chain has in common."""

from typing import Self

from agent.protocol.bcs import decode, encode


class Record:
    """Base of everything decoded from an object's contents."""

    __slots__ = ()

    @classmethod
    def decode(cls, contents: bytes) -> Self:
        """Read an object's BCS.

        Raises:
            BcsError: it is not such an object of this version.
        """
        return decode(cls, contents)

    def encode(self) -> bytes:
        """The BCS again; for tests and twins."""
        return encode(self)
