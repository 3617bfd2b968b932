"""Everything that this package raises on purpose.

ProtocolError               (a ValueError)
├── BadAddress              text that is no address, or an address that is not 32 bytes
├── BadProbability          not a number from 0 to 1
├── BcsError                bytes are not the BCS of the wanted type
│   ├── Truncated           they end inside a value
│   ├── TrailingBytes       some are left over
│   └── BadValue            a value that the type does not have, or a length over its limit
├── CommitmentError         a commitment cannot be made
│   ├── EmptyTree           a tree without leaves
│   └── OutputTooLarge      more chunks than an output may have
├── ValueTooHigh            no audit deters a lie about so much
└── SettlementError         a task cannot be settled as it was read
    ├── Undecided           it has no outcome yet
    └── Overdrawn           its escrow or fund holds less than the rules pay out of it
"""

from typing import Final


class ProtocolError(ValueError):
    """Something from outside breaks a rule of the protocol."""


class BadAddress(ProtocolError):
    """Not "0x" and up to 64 hexadecimal digits; as bytes, not 32."""

    def __init__(self, found: str) -> None:
        super().__init__(f'{found}: an address is "0x" and up to 64 hexadecimal digits, 32 bytes')
        self.found: Final = found


class BadProbability(ProtocolError):
    """Not a number from 0 to 1."""

    def __init__(self, found: object) -> None:
        super().__init__(f'{found!r}: a probability is a number from 0 to 1, written like "0.3" or "1/3"')
        self.found: Final = found


class BcsError(ProtocolError):
    """Bytes are not the BCS of the wanted type."""


class Truncated(BcsError):
    """The bytes end inside a value."""


class TrailingBytes(BcsError):
    """Bytes are left over."""


class BadValue(BcsError):
    """A value that the type does not have, or a length over its limit."""


class CommitmentError(ProtocolError):
    """A commitment cannot be made."""


class EmptyTree(CommitmentError):
    """A tree has at least one leaf; an empty output is one empty chunk."""


class OutputTooLarge(CommitmentError):
    """More chunks than an output may have."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"an output of {size} bytes, at most {limit}: split the work into several tasks")
        self.size: Final = size


class ValueTooHigh(ProtocolError):
    """No audit deters a lie about so much."""

    def __init__(self, value: int, limit: int | None) -> None:
        advice = (
            "this Network's stakes are too small for this price; choose another Pool"
            if limit is None
            else f"at most {limit}: say less, or split the work into several tasks"
        )
        super().__init__(f"{value} Mist at risk; {advice}")
        self.value: Final = value
        self.limit: Final = limit
        """The most that can be at risk, Mist; None: nothing."""


class SettlementError(ProtocolError):
    """A task cannot be settled as it was read."""


class Undecided(SettlementError):
    """The task has no outcome yet."""


class Overdrawn(SettlementError):
    """The escrow or the fund holds less than the rules pay out of it: read the task before it is settled."""
