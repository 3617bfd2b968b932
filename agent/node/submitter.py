"""How duties send: never a second transaction for an act whose first one may still take effect."""

from agent.chain.calls import Call
from agent.chain.port import Chain, Receipt
from agent.chain.transaction_log import TransactionLog
from agent.node.errors import Settled, StillPending


class Submitter:
    """`Chain.submit` for acts that have a name: `purpose` is one act of one duty, such as `execute:0x12…:commit`."""

    def __init__(self, chain: Chain, log: TransactionLog) -> None:
        self._chain = chain
        self._log = log

    async def submit(self, *calls: Call, purpose: str) -> Receipt:
        """As `Chain.submit`, and it raises what that raises.

        Raises:
            StillPending: an earlier transaction for `purpose` was sent, by this process or before a crash, and nobody
            knows its fate. Settled: it has taken effect or never will; look at the chain before deciding anew.
        """
        if await self._is_pending(purpose):
            await self._chain.recover()
            if await self._is_pending(purpose):
                raise StillPending(purpose)
            raise Settled(purpose)
        return await self._chain.submit(*calls, purpose=purpose)

    async def _is_pending(self, purpose: str) -> bool:
        return any(each.purpose == purpose for each in await self._log.pending())
