"""The duty of a committee member to end a node's records, as the person behind it decided.

    ordered ── k of n signed alike, sent ──> done
"""

import asyncio
from typing import ClassVar, Final

from agent.attestation.collecting import Collected
from agent.chain.calls import Revoke
from agent.chain.errors import NothingToRevoke
from agent.chain.port import Chain
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import DONE, Duty, Moved, Step, sent
from agent.node.errors import DutyError
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.agreement import Agreement
from agent.node.verifier.orders import Orders, RevocationOrder
from agent.protocol.records import MemberView
from agent.protocol.statements import RevocationStatement
from agent.protocol.units import Address, NodeId

REVOKE: Final = "revoke"

ORDERED: Final = "ordered"


def row_for(order: RevocationOrder) -> DutyRow:
    """The duty that `order` opens."""
    return DutyRow(DutyKey(REVOKE, order.node, order.key_epoch), ORDERED)


def over(row: DutyRow, member: MemberView | None) -> Moved | None:
    """How the duty ended; None if there is something to revoke. Pure.

    Raises:
        DutyError: the order is wrong; the row stays open until it is given again.
    """
    if member is None or member.node != row.key.subject:
        raise DutyError("the slot in the order is not the node's: give the order again with its slot")
    if row.key.round > member.key_epoch:
        raise DutyError(f"the node has no key epoch {row.key.round}, its last is {member.key_epoch}: give the order again")
    return Moved(row.close(DONE)) if member.is_revoked(row.key.round) else None


class RevokeDuty(Duty):
    """Carries revocations to the chain."""

    kind: ClassVar[str] = REVOKE

    def __init__(self, agreement: Agreement, orders: Orders, *, chain: Chain, time: ChainTime, submitter: Submitter) -> None:
        self._agreement = agreement
        self._orders = orders
        self._chain = chain
        self._time = time
        self._submitter = submitter

    async def step(self, row: DutyRow) -> Step:
        node, epoch = NodeId(row.key.subject), row.key.round
        order = await asyncio.to_thread(self._orders.revocation, node, epoch)
        if order is None:
            return Moved(row.close(DONE, "the order was withdrawn"))
        ended = over(row, await self._chain.member(order.slot))
        if ended is not None:
            await asyncio.to_thread(self._orders.discard, order)
            return ended
        network, clock = await self._chain.network(), await self._time.now()
        bench = self._agreement.member.present_bench(network)
        pool = Address(self._chain.deployment.pool.id)
        statement = RevocationStatement(Address(network.id), pool, node, epoch, order.reason)
        found = await self._agreement.seek(row, statement, bench, clock)
        if not isinstance(found, Collected):
            return found
        call = Revoke(order.slot, epoch, int(order.reason), found.epoch, found.signers, found.signatures)
        try:
            await self._submitter.submit(call, purpose=f"{row.key}:revoke")
        except NothingToRevoke:
            return sent(clock)
        return sent(clock)
