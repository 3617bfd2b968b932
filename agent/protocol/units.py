"""Units are types: a bare `int`, `bytes` or `str` never crosses a module's border with a meaning of its own."""

from string import hexdigits
from typing import Final, NewType

from agent.protocol.errors import BadAddress

__all__ = [
    "NONE",
    "Address",
    "BadAddress",
    "BlobId",
    "Digest",
    "Millis",
    "Mist",
    "NodeId",
    "ObjectId",
    "Slot",
    "TaskId",
    "format_address",
    "parse_address",
]

Mist = NewType("Mist", int)
"""Money; 1 SUI is 10^9 Mist. A u64."""
Millis = NewType("Millis", int)
"""Time or a duration, milliseconds; a time is the chain's clock since 1970."""
Address = NewType("Address", bytes)
"""Who signs; 32 bytes."""
ObjectId = NewType("ObjectId", bytes)
"""An object on chain; 32 bytes."""
TaskId = NewType("TaskId", bytes)
"""The Task object's id; 32 bytes."""
NodeId = NewType("NodeId", bytes)
"""The id of a node's NodeOwnerCap; 32 bytes."""
Digest = NewType("Digest", bytes)
"""32 bytes of BLAKE2b-256."""
BlobId = NewType("BlobId", bytes)
"""`agent.protocol.blob.blob_digest` of a blob; 32 bytes."""
Slot = NewType("Slot", int)
"""A member's place in its Pool and Roster; a u64."""

NONE: Final = Slot(2**64 - 1)
"""Nobody: fewer operators than draws, or no executor yet."""

_DIGITS: Final = 64


def format_address(raw: bytes) -> str:
    """Write an address or an id as "0x" and 64 lower-case digits.

    Raises:
        BadAddress: `raw` is not 32 bytes.
    """
    if 2 * len(raw) != _DIGITS:
        raise BadAddress(f"{len(raw)} bytes")
    return "0x" + raw.hex()


def parse_address(text: str) -> Address:
    """Read "0x…"; short forms such as "0x6" are padded on the left.

    Raises:
        BadAddress: it is anything else, however little.
    """
    digits = text[2:]
    # bytes.fromhex would skip spaces, and return fewer than 32 bytes
    if not text.startswith("0x") or not 1 <= len(digits) <= _DIGITS or not set(digits) <= set(hexdigits):
        raise BadAddress(repr(text[:100]))
    return Address(bytes.fromhex(digits.rjust(_DIGITS, "0")))
