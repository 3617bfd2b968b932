"""What can go wrong in the host process of a node.

NodeError
├── ConfigError          node.toml does not say what the node needs; the text names the key and what to write
├── IdentityError        identity.json is missing, unreadable or of another network
├── RegistrationError    the node cannot be registered like this; nothing was sent
├── OwnerRefused         the contract would refuse what the owner asks; nothing was sent
├── JournalError
│   ├── SchemaMismatch   the journal was written by another version of the agent
│   └── JournalInUse     another process holds this journal, and with it this node's keys
├── DutyError            a duty cannot go on; only its own row is touched
│   ├── StillPending     an earlier transaction for the same act is of unknown fate
│   ├── Settled          it has just become known: look at the chain again
│   ├── EnclaveResting   the enclave failed lately and is not started again yet
│   ├── KeysLost         the enclave of this key epoch, and with it what it could sign and open, is gone
│   └── Unmeetable       nothing can help any more: the row is abandoned with this reason
└── EnclaveDown          the enclave does not stay up; the supervisor has given up restarting it
"""

from pathlib import Path
from typing import Final


class NodeError(Exception):
    """A node cannot do what was asked."""


class ConfigError(NodeError):
    """The configuration is not usable; `problems` has one line per key."""

    def __init__(self, file: Path, problems: tuple[str, ...]) -> None:
        super().__init__(f"{file} cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.file: Final = file
        self.problems: Final = problems


class IdentityError(NodeError):
    """identity.json does not name a registered node."""


class RegistrationError(NodeError):
    """The network cannot take this node as it is; nothing was sent, nothing was spent."""


class OwnerRefused(NodeError):
    """What the owner asks cannot be had now; the text says when, or what comes first."""


class JournalError(NodeError):
    """The journal cannot be used."""


class SchemaMismatch(JournalError):
    """The journal has another schema than this agent writes."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(
            f"the journal has schema {found}, this agent writes {wanted}: run the agent version that wrote it until no "
            "task is open (`enclavia node status`), then move the journal file away"
        )
        self.found: Final = found
        self.wanted: Final = wanted


class JournalInUse(JournalError):
    """Another process of this node is running."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is held by a running agent: stop it first, two signers of one address lose money")
        self.file: Final = file


class DutyError(NodeError):
    """One step of a duty failed; it is tried again until its deadline."""


class Unmeetable(DutyError):
    """This duty can never be met; the text becomes the reason in the journal."""


class StillPending(DutyError):
    """The fate of an earlier transaction for this act is unknown; it was sent again as the same bytes."""

    def __init__(self, purpose: str) -> None:
        super().__init__(f"{purpose}: an earlier transaction is of unknown fate, waiting for it")


class Settled(DutyError):
    """The fate of an earlier transaction for this act has just become known."""

    def __init__(self, purpose: str) -> None:
        super().__init__(f"{purpose}: an earlier transaction has settled, looking at the chain again")


class KeysLost(DutyError):
    """The keys of a key epoch cannot be had back; the node attests again with new ones."""

    def __init__(self, epoch: int, reason: str) -> None:
        super().__init__(f"the enclave keys of epoch {epoch} are lost: {reason}")
        self.epoch: Final = epoch


class EnclaveResting(DutyError):
    """The enclave failed; each failure in a row doubles the rest before the next start."""

    def __init__(self, failures: int, last: str) -> None:
        super().__init__(f"the enclave failed {failures} times in a row, it is started again soon; last: {last}")
        self.failures: Final = failures


class EnclaveDown(NodeError):
    """The enclave ended more often than the restart policy allows."""

    def __init__(self, failures: int, last: str) -> None:
        super().__init__(f"the enclave failed {failures} times in a row, last: {last}; mend that, then start the node again")
        self.failures: Final = failures
