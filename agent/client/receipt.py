"""The receipt of a task: what the executor's enclave signed, rebuilt from the chain and checked against it."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.client.errors import ReceiptMismatch
from agent.protocol.draw import is_audited
from agent.protocol.records import TaskView
from agent.protocol.statements import CommitStatement


@dataclass(frozen=True, slots=True)
class TaskReceipt:
    """The executor's statement; the contract verified its signature under `sign_pk` before it stored the commitment."""

    statement: CommitStatement
    sign_pk: bytes
    """Ed25519, as pinned in the Task from the attested record."""
    signature: bytes
    """64 bytes, over `statement.signing_bytes()`."""

    def check(self, task: TaskView) -> None:
        """That the enclave signed it, and that no audit was left out that chance decided.

        Raises:
            ReceiptMismatch: one of them is not so.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.sign_pk).verify(self.signature, self.statement.signing_bytes())
        except (InvalidSignature, ValueError):
            raise ReceiptMismatch(task.id, "the receipt is not signed by the executor's enclave: keep it, do not use the output") from None
        # a panel drawn anew, by a challenge or because nobody could serve, has a seed that did not decide
        if not task.audited and is_audited(task.seed, task.terms.audit_probability):
            raise ReceiptMismatch(task.id, "by the seed on chain it has to be audited, and is not: use another endpoint")


def receipt_of(task: TaskView) -> TaskReceipt:
    """The receipt of a task that is committed."""
    statement = CommitStatement(
        network=task.network,
        task=task.id,
        node=task.executor.node,
        key_epoch=task.executor.key_epoch,
        input_digest=task.input_digest,
        commitment=task.commitment,
        sealed_output_digest=task.sealed_output_digest,
        units=task.units,
    )
    return TaskReceipt(statement, task.executor.sign_pk, task.signature)
