"""Digests that do not depend on timing, for runs that can be repeated. No Sui network has anything like it."""

from collections import Counter
from hashlib import blake2b
from typing import Final

from localnet.ledger.encoding import u64
from localnet.ledger.model import MoveCall, SharedInput, Transaction, TransactionDigest


class RepeatableDigests:
    """What Move takes for a transaction's digest: a function of the seed, the functions called, and the shared objects that are changed.

    Where none is, the sender takes their place. The n-th successful transaction of the same description has the n-th digest, so fresh ids never
    repeat. Versions and gas coins, which depend on what others did meanwhile, have no part in it.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed: Final = seed
        self._count: Final = Counter[bytes]()

    def digest(self, transaction: Transaction) -> TransactionDigest:
        """The digest for `transaction` now; the same until `used`."""
        described = self._describe(transaction)
        return TransactionDigest(blake2b(described + u64(self._count[described]), key=self._seed[:64], digest_size=32).digest())

    def used(self, transaction: Transaction) -> None:
        """It took effect; a failed one made no ids."""
        self._count[self._describe(transaction)] += 1

    def _describe(self, transaction: Transaction) -> bytes:
        calls = [f"{each.module}::{each.function}" for each in transaction.commands if isinstance(each, MoveCall)]
        changed: list[bytes] = sorted(each.id for each in transaction.inputs if isinstance(each, SharedInput) and each.mutable)
        parts = [",".join(calls).encode(), *(changed or [transaction.sender])]
        return blake2b(b"\0".join(parts), digest_size=32).digest()
