"""What only a localnet has, over HTTP: its clock and its books. No part of Sui.

`POST /localnet/clock/advance {"ms": n}` moves a manual clock on and commits a checkpoint.
`GET /localnet/status` gives chain, height and, in Mist, how much SUI there is and where it went.
"""

from typing import Any, Final

from localnet.ledger.clock import Clock, ManualClock
from localnet.rpc.digests import base58
from localnet.rpc.errors import FailedPrecondition, InvalidArgument
from localnet.rpc.node import Node

MAX_ADVANCE: Final = 10 * 365 * 24 * 3_600_000
"""Ten years at once."""


class Control:
    """The routes of the localnet itself."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node: Final = node
        self._clock: Final = clock

    async def advance(self, body: Any) -> Any:
        """Move the clock on; returns the new time and checkpoint.

        Raises:
            InvalidArgument: no number of milliseconds.
            FailedPrecondition: the clock is the machine's own.
        """
        milliseconds = body.get("ms") if isinstance(body, dict) else None
        if not isinstance(milliseconds, int) or isinstance(milliseconds, bool) or not 0 <= milliseconds <= MAX_ADVANCE:
            raise InvalidArgument(f'send {{"ms": n}} with n from 0 to {MAX_ADVANCE}')
        if not isinstance(self._clock, ManualClock):
            raise FailedPrecondition("this localnet follows the machine's clock: start it with a manual one to move it")
        self._clock.advance(milliseconds)
        checkpoint = self._node.tick()
        return {"timestamp_ms": checkpoint.timestamp, "checkpoint": checkpoint.sequence}

    async def status(self, _: Any) -> Any:
        """Chain, height, books."""
        ledger, checkpoint = self._node.ledger, self._node.checkpoint()
        books = ledger.supply()
        return {
            "minted": books.minted,
            "held": books.held,
            "gas_burnt": books.burnt,
            "storage_fund": books.storage_fund,
            "chain_identifier": base58(ledger.chain_identifier),
            "checkpoint": checkpoint.sequence,
            "timestamp_ms": checkpoint.timestamp,
            "transactions": checkpoint.total_transactions,
        }
