"""The ledger together with what a full node keeps beside it: signatures, and those who wait for checkpoints.

Nothing here awaits, so every call is one step for all clients, and the ledger needs no lock.
"""

from collections.abc import Sequence
from typing import Final

from localnet.ledger import errors
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Address,
    Checkpoint,
    ExecutedTransaction,
    Mist,
    Transaction,
    TransactionDigest,
)
from localnet.rpc.errors import FailedPrecondition, InvalidArgument, NotFound, RpcError
from localnet.rpc.subscriptions import Subscriptions

SIGNATURES: Final = 100_000
"""Transactions of which signatures are kept, as many as the ledger keeps checkpoints by default."""


class Node:
    """All changes of the ledger go through here, so that subscribers hear of them."""

    def __init__(self, ledger: Ledger, subscriptions: Subscriptions) -> None:
        self.ledger: Final = ledger
        self.subscriptions: Final = subscriptions
        self._signatures: Final[dict[TransactionDigest, tuple[bytes, ...]]] = {}

    def execute(
        self, transaction: Transaction, digest: TransactionDigest, signatures: Sequence[bytes]
    ) -> ExecutedTransaction:
        """Run a transaction whose signatures were verified; one that has run already gives what it gave.

        Raises:
            FailedPrecondition, InvalidArgument: it was not run.
        """
        try:
            executed = self.ledger.execute(transaction, digest)
        except errors.DuplicateTransaction:
            return self.ledger.transaction(digest)
        except errors.Rejected as rejected:
            raise refusal(rejected) from rejected
        self._signatures[digest] = tuple(signatures)
        if len(self._signatures) > SIGNATURES:
            del self._signatures[next(iter(self._signatures))]
        self._announce()
        return executed

    def simulate(self, transaction: Transaction, *, checks: bool) -> ExecutedTransaction:
        """Run a transaction without effect.

        Raises:
            FailedPrecondition, InvalidArgument: it cannot be run.
        """
        try:
            return self.ledger.simulate(transaction, checks=checks)
        except errors.Rejected as rejected:
            raise refusal(rejected) from rejected

    def faucet(self, recipient: Address, amount: Mist) -> ExecutedTransaction:
        """Mint one coin.

        Raises:
            FailedPrecondition: more than there may ever be.
        """
        try:
            executed = self.ledger.faucet(recipient, amount)
        except errors.Rejected as rejected:
            raise refusal(rejected) from rejected
        self._announce()
        return executed

    def tick(self) -> Checkpoint:
        """A checkpoint in which only the clock moves."""
        checkpoint = self.ledger.tick()
        self._announce()
        return checkpoint

    def transaction(self, digest: TransactionDigest) -> ExecutedTransaction:
        """A transaction of the past.

        Raises:
            NotFound: there is none, or it was pruned.
        """
        try:
            return self.ledger.transaction(digest)
        except errors.NotFound as missing:
            raise NotFound(f"transaction: {missing}") from None

    def checkpoint(self, sequence: int | None = None) -> Checkpoint:
        """A checkpoint, the latest if None.

        Raises:
            NotFound: there is none, or it was pruned.
        """
        try:
            return self.ledger.checkpoint(sequence)
        except errors.NotFound as missing:
            raise NotFound(f"checkpoint: {missing}") from None

    def transactions_of(self, checkpoint: int) -> Sequence[ExecutedTransaction]:
        """Those of a checkpoint, in order.

        Raises:
            NotFound: there is no such checkpoint, or it was pruned.
        """
        try:
            return self.ledger.transactions_of(checkpoint)
        except errors.NotFound as missing:
            raise NotFound(f"checkpoint: {missing}") from None

    def signatures(self, digest: TransactionDigest) -> Sequence[bytes]:
        """Of a transaction; none of the ledger's own ones."""
        return self._signatures.get(digest, ())

    def _announce(self) -> None:
        self.subscriptions.announce(self.ledger.checkpoint().sequence)


def refusal(rejected: errors.Rejected) -> RpcError:
    """How the API names what the ledger refused."""
    if isinstance(rejected, errors.MalformedTransaction):
        return InvalidArgument(str(rejected))
    return FailedPrecondition(str(rejected))
