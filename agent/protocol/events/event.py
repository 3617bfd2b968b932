"""What every event has in common."""

from dataclasses import dataclass


class Event:
    """Base of all events."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a newer package; not an error, and nothing to act on."""

    module: str
    name: str
    contents: bytes
