"""The dApp's part of the demo: open a task per text, send each to its executor, open and check what comes back, wait for the settlement."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.attestation.errors import AttestationError
from agent.chain.errors import ChainError
from agent.cli.demo.report import TaskRow
from agent.client.errors import ClientError, TaskEnded
from agent.client.requester import Opened, Requester
from agent.enclave.errors import EnclaveError
from agent.protocol.money import settlement
from agent.protocol.records import TaskView
from agent.protocol.states import RoundKind
from agent.protocol.units import Mist, Slot, TaskId

Told = Callable[[TaskRow, str], None]
"""Hears of every step: the row so far, and what happened."""


@dataclass(frozen=True, slots=True)
class Direct:
    """What the model says when asked directly."""

    output: bytes
    seconds: float


class Play:
    """All tasks of one run."""

    def __init__(
        self,
        requester: Requester,
        texts: Sequence[str],
        direct: Sequence[Direct],
        cast: Callable[[Slot], str],
        told: Told,
        at_once: int,
    ) -> None:
        self._requester = requester
        self._texts = texts
        self._direct = direct
        self._cast = cast
        self._told = told
        self._at_once = at_once
        self._rows = [TaskRow(i, "", -1, "", False, (), (), "", 0, None, None, None, False, 0) for i in range(len(texts))]
        self.views: dict[TaskId, TaskView] = {}
        """Every task as it was when it was settled."""

    async def run(self) -> tuple[TaskRow, ...]:
        """Play all tasks; a task that goes wrong says so in its row and stops nobody else."""
        # one after another, and before any input: with a seed, the same executors are drawn each time
        opened = []
        for index in range(len(self._texts)):
            opened.append(await self._requester.open())
            self._tell(index, "opened", task="0x" + opened[-1].task.hex())
        turn = asyncio.Semaphore(self._at_once)
        async with asyncio.TaskGroup() as group:
            for index, each in enumerate(opened):
                group.create_task(self._one(index, each, turn))
        return tuple(self._rows)

    async def _one(self, index: int, opened: Opened, turn: asyncio.Semaphore) -> None:
        try:
            began = time.monotonic()
            async with turn:
                began = time.monotonic()
                await self._result(index, opened)
            view = await self._requester.settled(opened.task)
            self.views[opened.task] = view
            self._settled(index, opened, view, time.monotonic() - began)
        except (ChainError, ClientError, EnclaveError, AttestationError) as error:
            self._tell(index, f"failed: {error}", error=f"{type(error).__name__}: {error}")

    async def _result(self, index: int, opened: Opened) -> None:
        submission = await self._requester.post(opened, self._texts[index])
        posted = time.monotonic()
        self._tell(index, "sealed and posted", executor=int(submission.slot), behaviour=self._cast(submission.slot))
        try:
            result = await self._requester.result(submission)
        except TaskEnded as ended:
            self._tell(index, f"no result: {ended.outcome.name}")
            return
        seconds = time.monotonic() - posted
        direct = self._direct[index]
        correct = result.output == direct.output
        self._tell(
            index, "result opened, receipt checked", seconds_to_result=seconds, result_correct=correct, lie=not correct,
            agent_seconds=seconds, model_seconds=direct.seconds,
        )  # fmt: skip

    def _settled(self, index: int, opened: Opened, view: TaskView, seconds: float) -> None:
        outcome = view.outcome
        # the same rules that the contract applied, to the task as it was before they emptied its escrow
        moved = settlement(replace(view, escrow=opened.paid), Mist(0))
        audit = [seat for each in view.rounds if each.kind is RoundKind.AUDIT for seat in each.seats]
        arbiters = sorted({seat.slot for each in view.rounds if each.kind is not RoundKind.AUDIT for seat in each.seats})
        self._tell(
            index, f"settled: {outcome.name}", outcome=outcome.name, audited=view.audited, fee=int(opened.paid - moved.refunded),
            slashed=int(moved.slashed.get(view.executor.node, 0)),
            auditors=tuple(int(seat.slot) for seat in audit), arbiters=tuple(map(int, arbiters)), seconds_to_settlement=seconds,
        )  # fmt: skip

    def _tell(self, index: int, what: str, **changes: object) -> None:
        self._rows[index] = replace(self._rows[index], **changes)  # type: ignore[arg-type]  # names and types stand beside each call
        self._told(self._rows[index], what)
