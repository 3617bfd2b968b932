"""Everything that can go wrong around an enclave, on either side of the channel.

    EnclaveError
    ├── ChannelError            the connection, not the request, failed
    │   ├── MessageTooLarge     more bytes than one message may have
    │   ├── FrameError          the other side does not speak the framing
    │   └── EnclaveDead         the enclave's end of the channel is gone
    ├── EnclaveTimeout          no answer in time; the enclave may still be at work
    ├── EnclaveStartFailed      the process did not come up
    ├── SandboxError            the process could not be locked down: no keys were made
    ├── MalformedMessage        bytes that are not one of the messages of `agent.enclave.messages`
    ├── WorkloadError           the model cannot be loaded or run
    │   └── InputTooLarge       the text has more units than the workload takes
    ├── SealError               a ciphertext of ours does not open, or holds something else
    │   ├── SealBroken          it does not open, or what it holds is no message of ours
    │   ├── PlaintextTooLarge   more than the largest size class holds
    │   ├── WrongBlob           the bytes are not the ones named on chain: fetch them elsewhere
    │   ├── OutputMismatch      the delivered output is not the one that was committed on chain: dispute the delivery
    │   └── NotAuditable        it is the committed one, but no auditor would agree to it: challenge
    └── Refusal                 the enclave understood and declined; sent over the channel by its class name
        ├── BadRequest          no such request, not at this time, or with wrong fields
        ├── NotBound            `bind` comes first
        ├── AlreadyBound        an enclave serves one node and one key epoch
        ├── BindingRefused      the binding is not one that anybody could verify
        ├── WrongOrder          the order is for another network, node or key epoch
        ├── ConflictingOrder    this task, or this round of it, was answered for another request [M6]
        ├── UnknownTask         nothing is known of this task: execute it, or restore the sealed state
        ├── TooManyTasks        the memory of tasks is full: forget settled ones
        ├── TicketRefused       the draw ticket does not allow this handoff [C6]
        ├── StateRefused        the sealed state does not open here
        └── InternalFailure     a fault inside; the text names its class only, never what was computed
"""

from typing import Final


class EnclaveError(Exception):
    """Base of all errors of this package."""


class ChannelError(EnclaveError):
    """The channel to the enclave failed."""


class MessageTooLarge(ChannelError):
    """A message is longer than the channel carries."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a message of {size} bytes, at most {limit} are carried: send less")
        self.size: Final = size
        self.limit: Final = limit


class FrameError(ChannelError):
    """The other side broke the framing; the channel cannot be used any further."""


class EnclaveDead(ChannelError):
    """The enclave is gone; start a new one and restore its sealed state."""


class EnclaveTimeout(EnclaveError):
    """The enclave did not answer in time; ask again, or stop it and start another."""


class EnclaveStartFailed(EnclaveError):
    """The enclave did not come up; the text carries what it said before it was locked down."""


class SandboxError(EnclaveError):
    """This kernel refused a protection that the enclave does not run without."""


class MalformedMessage(EnclaveError):
    """Bytes that are no message of this protocol."""


class WorkloadError(EnclaveError):
    """The workload cannot be loaded or run."""


class InputTooLarge(WorkloadError):
    """The text needs more units than the workload takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the text takes more than {limit} units: shorten it or use several tasks")
        self.limit: Final = limit


class SealError(EnclaveError):
    """A sealed input or output is not what it should be."""


class SealBroken(SealError):
    """The ciphertext does not open under this key and context."""


class PlaintextTooLarge(SealError):
    """The plaintext does not fit the largest size class."""


class WrongBlob(SealError):
    """The bytes are not the ones named on chain: fetch them from another store."""


class OutputMismatch(SealError):
    """The output that was delivered is not the one that was committed: keep both, and dispute the delivery."""


class NotAuditable(SealError):
    """The output opens the commitment, but with a leaf key or salt that the data key does not give.

    Arbiters of the delivery would find nothing wrong, auditors would: challenge.
    """


class Refusal(EnclaveError):
    """The enclave declined a request, and says why."""


class BadRequest(Refusal):
    """The request does not exist, has wrong fields, or does not come now."""


class NotBound(Refusal):
    """The enclave has no node yet: send `bind` first."""


class AlreadyBound(Refusal):
    """The enclave is bound to another node, epoch or committee: start a new one for a new key epoch."""


class BindingRefused(Refusal):
    """The binding asked for makes no sense."""


class WrongOrder(Refusal):
    """The order is not for this enclave's network, node or key epoch."""


class ConflictingOrder(Refusal):
    """Another request for the same task was answered before; it alone is answered again."""


class UnknownTask(Refusal):
    """This enclave never ran the task, or has forgotten it."""


class TooManyTasks(Refusal):
    """The enclave remembers as many tasks as it may: forget settled ones."""


class TicketRefused(Refusal):
    """The draw ticket does not allow this handoff."""


class StateRefused(Refusal):
    """The sealed state was made by other code, under another platform key, or was altered."""


class InternalFailure(Refusal):
    """The enclave failed on this request; its text names the kind of fault only."""


def _leaves(root: type[Refusal]) -> dict[str, type[Refusal]]:
    return {leaf.__name__: leaf for leaf in root.__subclasses__()}


REFUSALS: Final = _leaves(Refusal)
"""Refusals by the name they carry on the wire."""
