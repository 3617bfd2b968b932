"""The duty of a committee member where two rounds could not decide: rule, as the person behind it decided.

    awaited ── ordered by `enclavia verifier rule`, k of n signed alike, sent ──> done
"""

import asyncio
from typing import ClassVar, Final

import structlog

from agent.attestation.collecting import Collected
from agent.chain.calls import Rule
from agent.chain.port import Chain
from agent.node.chain_time import ChainTime
from agent.node.duties.duty import ABANDONED, DONE, Duty, Moved, Step, Wait, sent
from agent.node.duties.sight import Sight, look
from agent.node.journal import DutyKey, DutyRow
from agent.node.submitter import Submitter
from agent.node.verifier.agreement import Agreement
from agent.node.verifier.orders import Orders
from agent.protocol.disputes import ruling_round
from agent.protocol.events import RulingAwaited
from agent.protocol.lifecycle import TaskState
from agent.protocol.statements import RulingStatement
from agent.protocol.units import Millis, TaskId

RULE: Final = "rule"

AWAITED: Final = "awaited"
LOOK_MS: Final = 2_000
"""How often an order is looked for: a person's decision comes as a file, not as an event."""


def row_for(event: RulingAwaited) -> DutyRow:
    """The duty that `event` opens."""
    return DutyRow(DutyKey(RULE, event.task, event.round), AWAITED)


def over(row: DutyRow, sight: Sight | None) -> Moved | None:
    """How the duty ended without this member's ruling; None if the chain still waits. Pure."""
    if sight is None or sight.task.state is not TaskState.RULING or ruling_round(sight.task) != row.key.round:
        return Moved(row.close(DONE))
    if not sight.open:
        return Moved(row.close(ABANDONED, f"nobody ruled in time; last: {row.reason or row.state}"))
    return None


class RuleDuty(Duty):
    """Carries rulings to the chain."""

    kind: ClassVar[str] = RULE

    def __init__(self, agreement: Agreement, orders: Orders, *, chain: Chain, time: ChainTime, submitter: Submitter) -> None:
        self._agreement = agreement
        self._orders = orders
        self._chain = chain
        self._time = time
        self._submitter = submitter
        self._log = structlog.get_logger("agent.node.verifier")

    async def step(self, row: DutyRow) -> Step:
        task = TaskId(row.key.subject)
        order = await asyncio.to_thread(self._orders.ruling, task, row.key.round)
        sight = await look(self._chain, self._time, task)
        ended = over(row, sight)
        if ended is not None or sight is None:
            if order is not None:
                await asyncio.to_thread(self._orders.discard, order)
            return ended or Moved(row.close(DONE))
        if order is None:
            if "told" not in row.facts:
                self._log.error("a ruling is wanted", task=f"0x{task.hex()}", round=row.key.round, run=f"enclavia verifier rule 0x{task.hex()}")
                return Moved(row.to(AWAITED, told=1))
            return Wait(Millis(sight.clock + LOOK_MS))
        bench = self._agreement.member.present_bench(sight.network)
        statement = RulingStatement(sight.task.network, task, row.key.round, order.root, order.agrees)
        found = await self._agreement.seek(row, statement, bench, sight.clock)
        if not isinstance(found, Collected):
            return found
        call = Rule(task, order.root, order.agrees, found.epoch, found.signers, found.signatures)
        await self._submitter.submit(call, purpose=f"{row.key}:rule")
        return sent(sight.clock)
