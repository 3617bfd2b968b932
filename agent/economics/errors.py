"""Everything that this package raises on purpose.

EconomicsError              (a ValueError)
├── BadGame                 numbers that describe no game
├── BadParamsFile           a file that does not hold a Network's parameters
├── NoSuchStrategy          a name that no strategy has
├── AmountsTooLarge         money that 64-bit arithmetic of shares cannot hold
└── ExtraMissing            numpy or matplotlib is not installed
"""

from pathlib import Path
from typing import Final


class EconomicsError(ValueError):
    """Something from outside makes no sense here."""


class BadGame(EconomicsError):
    """Numbers that describe no game."""


class BadParamsFile(EconomicsError):
    """A file that does not hold a Network's parameters."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}. --params wants JSON with the names and integers of docs/spec/protocol.md §5, `Params`")
        self.file: Final = file


class NoSuchStrategy(EconomicsError):
    """A name that no strategy has."""


class AmountsTooLarge(EconomicsError):
    """Money that 64-bit arithmetic of shares cannot hold."""


class ExtraMissing(EconomicsError):
    """numpy or matplotlib is not installed."""

    def __init__(self, module: str) -> None:
        super().__init__(f"{module} is not installed: pip install 'enclavia[economics]'")
        self.module: Final = module
