"""Units are types: a bare `int`, `bytes` or `str` never crosses a module's border with a meaning of its own."""

from typing import Final, NewType

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


class BadAddress(ValueError):
    """Not "0x" and up to 64 hexadecimal digits."""


def format_address(raw: bytes) -> str:
    """"0x" and 64 digits."""
    return "0x" + raw.hex()


def parse_address(text: str) -> Address:
    """Read "0x…"; short forms are padded on the left.

    Raises:
        BadAddress
    """
    digits = text.removeprefix("0x")
    if not text.startswith("0x") or not 1 <= len(digits) <= 64:
        raise BadAddress(f'{text!r}: an address is "0x" and up to 64 hexadecimal digits')
    try:
        return Address(bytes.fromhex(digits.rjust(64, "0")))
    except ValueError:
        raise BadAddress(f'{text!r}: an address is "0x" and up to 64 hexadecimal digits') from None
