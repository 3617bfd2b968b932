"""What can keep a dApp from its result.

    ClientError
    ├── NoExecutor          no candidate of the task can take it, or none whose evidence is accepted
    ├── EvidenceRefused     (agent.attestation) what a candidate shows is not accepted; the client goes on to the next
    ├── TaskEnded           the task ended without a result; carries the outcome, the money is refunded by `settle`
    ├── ReceiptMismatch     the chain, the receipt and the output do not fit together: keep all three, they are evidence
    └── ResultLate          nothing in time; the task goes on, ask again
"""

from agent.protocol.lifecycle import Outcome
from agent.protocol.units import TaskId


class ClientError(Exception):
    """A request did not come to a result."""

    def __init__(self, task: TaskId, reason: str) -> None:
        super().__init__(f"task 0x{task.hex()[:16]}…: {reason}")
        self.task = task


class NoExecutor(ClientError):
    """Nobody can take the task."""


class TaskEnded(ClientError):
    """The task ended without a result."""

    def __init__(self, task: TaskId, outcome: Outcome) -> None:
        super().__init__(task, f"ended {outcome.name}; `settle` refunds what is to be refunded, then open another")
        self.outcome = outcome


class ReceiptMismatch(ClientError):
    """Chain, receipt and output do not fit together."""


class ResultLate(ClientError):
    """Nothing in time."""
