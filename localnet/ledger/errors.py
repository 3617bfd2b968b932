"""What the ledger refuses before it runs anything, and what it cannot find.

    LedgerError
    ├── Rejected                 the transaction was not run, nothing is charged
    │   ├── MalformedTransaction     counts, sizes, indices
    │   ├── ObjectNotFound           an input does not exist
    │   ├── StaleVersion             an owned input has another version now
    │   ├── DigestMismatch           an owned input has that version with another digest
    │   ├── NotOwner                 an owned input belongs to somebody else, or is of another kind of ownership
    │   ├── WrongInitialVersion      a shared input was shared at another version
    │   ├── GasRefused               coins, price or budget
    │   ├── Expired                  its last epoch is over
    │   └── DuplicateTransaction     that digest has run already
    ├── NotFound                 no such object, version, package, transaction or checkpoint
    │   └── Pruned                   it was there, and the bounded history has dropped it
    └── BadGenesis               the framework or the configuration cannot start a ledger
"""

from typing import Final

from localnet.ledger.model import Mist, ObjectId, TransactionDigest, Version
from localnet.movevm.types import short_address


class LedgerError(Exception):
    """Anything the ledger refuses."""


class Rejected(LedgerError):
    """The transaction was not run and nothing is charged."""


class MalformedTransaction(Rejected):
    """The transaction breaks a limit or refers to what it does not have."""


class ObjectNotFound(Rejected):
    """An input does not exist (any more)."""

    def __init__(self, object_id: ObjectId, version: Version | None = None) -> None:
        at = "" if version is None else f" at version {version}"
        super().__init__(f"object {short_address(object_id)}{at} does not exist")
        self.object_id: Final = object_id
        self.version: Final = version


class StaleVersion(Rejected):
    """An owned input is named at a version that is not the current one."""

    def __init__(self, object_id: ObjectId, given: Version, current: Version) -> None:
        super().__init__(
            f"object {short_address(object_id)} version {given} is unavailable for consumption, "
            f"current version: {current}: read it again and rebuild the transaction"
        )
        self.object_id: Final = object_id
        self.given: Final = given
        self.current: Final = current


class DigestMismatch(Rejected):
    """An input's digest is not that of its version."""

    def __init__(self, object_id: ObjectId) -> None:
        super().__init__(f"object {short_address(object_id)} has another digest at that version: read it again")
        self.object_id: Final = object_id


class NotOwner(Rejected):
    """The transaction may not use an input in this way."""

    def __init__(self, object_id: ObjectId, reason: str) -> None:
        super().__init__(f"object {short_address(object_id)}: {reason}")
        self.object_id: Final = object_id


class WrongInitialVersion(Rejected):
    """A shared input was shared at another version."""

    def __init__(self, object_id: ObjectId, given: Version, actual: Version) -> None:
        super().__init__(f"object {short_address(object_id)} was shared at version {actual}, not {given}")
        self.object_id: Final = object_id
        self.given: Final = given
        self.actual: Final = actual


class GasRefused(Rejected):
    """The payment cannot cover the budget, or price or budget are out of range."""

    def __init__(self, reason: str, *, needed: Mist | None = None, available: Mist | None = None) -> None:
        super().__init__(reason)
        self.needed: Final = needed
        self.available: Final = available


class Expired(Rejected):
    """The transaction's last epoch is over."""


class DuplicateTransaction(Rejected):
    """A transaction with that digest has run; ask for its effects instead of running it again."""

    def __init__(self, digest: TransactionDigest) -> None:
        super().__init__(f"transaction {digest.hex()} has run already: read its effects")
        self.digest: Final = digest


class NotFound(LedgerError):
    """The ledger has no such thing."""


class Pruned(NotFound):
    """The bounded history has dropped it: use a fresher cursor or version."""


class BadGenesis(LedgerError):
    """A ledger cannot start from this."""
