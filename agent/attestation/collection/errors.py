"""Everything that can go wrong while collecting.

    AttestationError
    └── CollectionError            the text says what to do next
        ├── ServiceUnreachable     no answer, or a busy server's, in all attempts
        ├── ServiceRefused         an answer that is none: `.status` says which
        ├── HostileAnswer          larger, elsewhere, or something else than the service gives
        └── ArchiveError           the archive does not hold what was asked for, or holds something else
"""

from typing import Final

from agent.attestation.errors import AttestationError


class CollectionError(AttestationError):
    """Collateral could not be collected or kept."""


class ServiceUnreachable(CollectionError):
    """A vendor's service gives no answer, or only asks to come back later."""


class ServiceRefused(CollectionError):
    """A vendor's service says no."""

    def __init__(self, url: str, status: int) -> None:
        hint = "the vendor knows nothing of this platform" if status == 404 else "look at the vendor's service status"
        super().__init__(f"{url} answers {status}: {hint}")
        self.status: Final = status


class HostileAnswer(CollectionError):
    """What a server sent is not what such a service gives; nothing of it is kept."""


class ArchiveError(CollectionError):
    """The archive is not as this wrote it."""
