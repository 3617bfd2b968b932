"""Everything that can go wrong while collecting.

    AttestationError
    └── CollectionError            the text says what to do next
        ├── BadAddress             an address that is not asked: neither https nor this machine's own
        ├── ServiceUnreachable     no answer, a busy server's in all attempts, or one without end
        ├── ServiceRefused         an answer that is none: `.status` says which
        ├── HostileAnswer          larger, elsewhere, or something else than the service gives
        ├── Unproven               it does not lead to the vendor's root, or speaks of another platform
        └── ArchiveError           the archive does not hold what was asked for, or holds something else
            └── NothingCollected   nothing was ever collected for this evidence
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from agent.attestation.errors import AttestationError, EvidenceError


class CollectionError(AttestationError):
    """Collateral could not be collected or kept."""


class BadAddress(CollectionError):
    """The address of a service cannot be used."""


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


class Unproven(CollectionError):
    """What was given is well-formed, but not the vendor's word on this platform; nothing of it is kept."""


class ArchiveError(CollectionError):
    """The archive is not as this wrote it."""


class NothingCollected(ArchiveError):
    """The archive has no collection for the evidence."""

    def __init__(self, evidence: bytes) -> None:
        super().__init__(f"nothing was collected for evidence {evidence.hex()}: run `enclavia attest collateral` while it is fresh")


@contextmanager
def proving(source: str) -> Iterator[None]:
    """What does not hold in this block is `source`'s fault.

    Raises:
        Unproven: instead of an `EvidenceError`.
    """
    try:
        yield
    except EvidenceError as error:
        raise Unproven(f"{source} gives what does not hold ({error.check}): {error}") from error
