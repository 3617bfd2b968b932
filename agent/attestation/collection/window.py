"""From when until when something counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from agent.attestation.errors import NotValidThen
from agent.attestation.moments import moment
from agent.protocol.units import Millis

_SECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """Both ends count.

    Raises:
        NotValidThen: it ends before it begins.
    """

    begins: Millis
    ends: Millis | None
    """None: it has no end, as with what is revoked."""

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends < self.begins:
            raise NotValidThen(f"nothing counts from {moment(self.begins)} to {moment(self.ends)}, for that ends before it begins")

    def holds(self, at: Millis) -> bool:
        """Whether it counts at `at`."""
        return self.begins <= at and (self.ends is None or at <= self.ends)

    def meet(self, *others: "Window") -> "Window":
        """When this and all `others` count.

        Raises:
            NotValidThen: never.
        """
        windows = (self, *others)
        ends = [each.ends for each in windows if each.ends is not None]
        return Window(max(each.begins for each in windows), min(ends) if ends else None)

    def __str__(self) -> str:
        """For people."""
        return f"{moment(self.begins)} to {'no end' if self.ends is None else moment(self.ends)}"

    @classmethod
    def between(cls, begins: datetime, ends: datetime) -> "Window":
        """The window between two moments, to the second.

        Raises:
            NotValidThen: it ends before it begins.
        """
        first, last = (Millis(int(each.timestamp()) * _SECOND) for each in (begins, ends))
        return cls(first, last)

    @classmethod
    def of(cls, *chain: x509.Certificate) -> "Window":
        """When all of `chain` is valid.

        Raises:
            NotValidThen: never.
        """
        first, *rest = (cls.between(each.not_valid_before_utc, each.not_valid_after_utc) for each in chain)
        return first.meet(*rest)
