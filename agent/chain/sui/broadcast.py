"""Has signed transactions executed, at most once each, and finds out what became of them, over crashes too.

The log has a transaction before the chain does. Where an answer is lost, the same bytes are sent again: the chain
executes a digest once and answers a repetition with the effects of the first time. Before anything is given up the
chain is asked for the digest.
"""

import re
from collections.abc import Sequence
from typing import Final

import structlog

from agent.chain.errors import (
    BadSignature,
    Malformed,
    NotFound,
    Refused,
    Rejected,
    StaleObject,
    Unreachable,
    Unsettled,
    Unsupported,
)
from agent.chain.sui.effects import READ, effects_of
from agent.chain.sui.names import transaction_digest
from agent.chain.sui.pacing import Pace
from agent.chain.sui.pysui_parts import FieldMask, Message, v2
from agent.chain.sui.wire import Wire
from agent.chain.transaction_log import LoggedTransaction, TransactionLog, TxDigest, TxStatus

LOOKUPS: Final = 3
"""How often a digest is looked for before a refusal is believed that came after a lost answer."""

_STALE: Final = re.compile(
    r"available for consumption|already locked|lock conflict|equivocat|stale|wrong version|version mismatch"
    r"|current version|deleted|object.*(not found|does not exist)",
    re.IGNORECASE,
)
_LAGGING: Final = re.compile(r"could not find the referenced object|not find.*at version", re.IGNORECASE)
"""A full node that has not caught up yet with the versions that we know."""
_SIGNATURE: Final = re.compile(r"signature|signer|signed", re.IGNORECASE)


def rejection(error: Refused | NotFound, digest: TxDigest | None) -> Rejected:
    """What the refusal of a transaction, or of its dry run, means."""
    text = str(error)
    if _STALE.search(text) or _LAGGING.search(text) or isinstance(error, NotFound):
        return StaleObject(f"an input is not what it was: {text}", digest)
    if _SIGNATURE.search(text):
        return BadSignature(text, digest)
    return Rejected(text, digest)


class Broadcaster:
    """Sends to one endpoint, keeps one log."""

    def __init__(self, wire: Wire, log: TransactionLog, pace: Pace, *, attempts: int, execute_s: float) -> None:
        self._wire = wire
        self._log = log
        self._pace = pace
        self._attempts = attempts
        self._execute_s = execute_s
        self._logger = structlog.get_logger("agent.chain.broadcast")

    async def send(self, tx_bytes: bytes, signature: bytes, purpose: str) -> Message:
        """Record, broadcast, and return the executed transaction, whether it took effect or failed.

        Raises:
            Rejected: it can never take effect; settled as dropped.
            Unsettled: nobody could say; it stays pending.
        """
        digest = transaction_digest(tx_bytes)
        await self._log.record(digest, tx_bytes, [signature], purpose)
        return await self._see_through(LoggedTransaction(digest, tx_bytes, (signature,), purpose), first=True)

    async def recover(self) -> Sequence[LoggedTransaction]:
        """Send what the log has pending again, in order; returns those of still unknown fate."""
        unknown = []
        for entry in await self._log.pending():
            self._logger.info("sending again", digest=entry.digest, purpose=entry.purpose)
            try:
                await self._see_through(entry, first=False)
            except Unsettled:
                unknown.append(entry)
            except Rejected as error:
                self._logger.warning("dropped", digest=entry.digest, purpose=entry.purpose, reason=error.reason)
        return unknown

    async def find(self, digest: TxDigest) -> Message | None:
        """The executed transaction `digest`; None if the endpoint does not know it, or does not answer."""
        request = v2.GetTransactionRequest(digest=digest, read_mask=FieldMask(paths=list(READ)))
        try:
            answer = await self._wire.call("LedgerService/GetTransaction", request, v2.GetTransactionResponse)
            return _checked(answer.transaction, digest)
        except (NotFound, Unreachable, Malformed, Unsupported, Refused):
            return None

    async def _see_through(self, entry: LoggedTransaction, *, first: bool) -> Message:
        lost = not first
        for attempt in range(self._attempts):
            try:
                executed = await self._execute(entry)
            except (Refused, NotFound) as error:
                if lost and (known := await self._find_patiently(entry.digest)) is not None:
                    return await self._settle(entry, known)
                if not _LAGGING.search(str(error)) or attempt == self._attempts - 1:
                    await self._log.settle(entry.digest, TxStatus.DROPPED)
                    raise rejection(error, entry.digest) from error
                reason = str(error)
            except (Unreachable, Malformed, Unsupported) as error:
                lost = True
                if (known := await self.find(entry.digest)) is not None:
                    return await self._settle(entry, known)
                reason = str(error)
            else:
                return await self._settle(entry, executed)
            self._logger.warning("no answer yet", digest=entry.digest, purpose=entry.purpose, reason=reason)
            await self._pace.pause(attempt)
        raise Unsettled(f"{entry.purpose}: it was broadcast, its fate is not known", entry.digest)

    async def _execute(self, entry: LoggedTransaction) -> Message:
        request = v2.ExecuteTransactionRequest(
            transaction=v2.Transaction(bcs=v2.Bcs(value=entry.tx_bytes)),
            signatures=[v2.UserSignature(bcs=v2.Bcs(value=each)) for each in entry.signatures],
            read_mask=FieldMask(paths=list(READ)),
        )
        method = "TransactionExecutionService/ExecuteTransaction"
        answer = await self._wire.call(method, request, v2.ExecuteTransactionResponse, seconds=self._execute_s)
        return _checked(answer.transaction, entry.digest)

    async def _find_patiently(self, digest: TxDigest) -> Message | None:
        for attempt in range(LOOKUPS):
            if (known := await self.find(digest)) is not None:
                return known
            await self._pace.pause(attempt)
        return None

    async def _settle(self, entry: LoggedTransaction, executed: Message) -> Message:
        success = effects_of(executed).status.success
        await self._log.settle(entry.digest, TxStatus.SUCCEEDED if success else TxStatus.FAILED)
        return executed


def _checked(executed: Message | None, digest: TxDigest) -> Message:
    if executed is None or executed.digest != digest:
        raise Malformed(f"asked about {digest}, told about another transaction: use another endpoint")
    effects_of(executed)
    return executed
