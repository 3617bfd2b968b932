"""What can keep a dApp from its result.

    ClientError
    ├── NoExecutor          no candidate of the task can take it, or none whose evidence is accepted
    ├── EvidenceUnavailable the store of the evidence gives no answer: nothing was posted, nobody rejected
    ├── QuoteTooHigh        the Pool asks more than the dApp allows; nothing was sent
    ├── TaskEnded           the task ended without a result; carries the outcome, the money is refunded by `settle`
    ├── ReceiptMismatch     the chain, the receipt and the output do not fit together: keep all three, they are evidence
    ├── OutputRefused       what was delivered is not what a good executor would have; carries the complaint to make
    ├── ResultLate          nothing in time; the task goes on, ask again
    ├── UnknownTask         the store has no secrets of this task: nobody can open its output
    └── StoreError          secrets cannot be kept, or not be read
"""

from typing import Final

from agent.protocol.lifecycle import Act, Outcome
from agent.protocol.units import Mist, TaskId


class ClientError(Exception):
    """A request did not come to a result."""

    def __init__(self, task: TaskId, reason: str) -> None:
        super().__init__(f"task 0x{task.hex()[:16]}…: {reason}" if task else reason)
        self.task: Final = task
        """Empty where there is none yet."""


class NoExecutor(ClientError):
    """Nobody can take the task."""


class EvidenceUnavailable(ClientError):
    """Whether the candidate's evidence is good cannot be told now."""

    def __init__(self, task: TaskId, reason: str) -> None:
        super().__init__(
            task, f"the candidate's evidence cannot be judged, {reason}: nothing was posted; look after the store, then `post` again"
        )


class QuoteTooHigh(ClientError):
    """The Pool asks more than the dApp allows."""

    def __init__(self, quote: Mist, limit: Mist) -> None:
        super().__init__(TaskId(b""), f"the Pool asks {quote} Mist, at most {limit} are allowed: allow more, or use another Pool")
        self.quote: Final = quote


class TaskEnded(ClientError):
    """The task ended without a result."""

    def __init__(self, task: TaskId, outcome: Outcome) -> None:
        super().__init__(task, f"ended {outcome.name}; `settled` gets what is refunded, then open another")
        self.outcome: Final = outcome


class ReceiptMismatch(ClientError):
    """Chain, receipt and output do not fit together."""


class OutputRefused(ClientError):
    """What was delivered is not what was committed to, or what no auditor would agree to."""

    def __init__(self, task: TaskId, reason: str, complaint: Act) -> None:
        super().__init__(task, reason)
        self.complaint: Final = complaint
        """What helps against it, while the delivery window is open: DISPUTE_DELIVERY or CHALLENGE."""


class ResultLate(ClientError):
    """Nothing in time."""


class UnknownTask(ClientError):
    """The store knows nothing of this task."""


class StoreError(ClientError):
    """Secrets cannot be kept, or not be read."""
