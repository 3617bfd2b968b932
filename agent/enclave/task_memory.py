"""What an enclave remembers of its tasks: one answer for each, for as long as the task lives [M6].

Bounded on purpose. A task that was forgotten is refused ever after (as far as the list of the forgotten reaches), so
that forgetting is no way to a second answer.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from agent.enclave.errors import ConflictingOrder, TooManyTasks, UnknownTask
from agent.enclave.orders import Audited, AuditOrder, ExecuteOrder
from agent.enclave.tickets import MAX_RECIPIENTS
from agent.protocol.statements import CommitStatement, HandoffStatement, InvalidInputStatement
from agent.protocol.units import Digest, TaskId

MAX_TASKS: Final = 1024
"""Executions, and as many votes, that are remembered at a time: their sealed state fits one message."""

MAX_FORGOTTEN: Final = 16_384


@dataclass(frozen=True, slots=True)
class Handed:
    """A round for which the data key was wrapped; the wraps themselves can always be made again."""

    round: int
    seats: int
    digest: Digest
    """Of the signed statement."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A task that this enclave answered as its executor."""

    order: ExecuteOrder
    data_key: bytes | None = field(repr=False)
    """None: the input was refused."""
    commit: CommitStatement | None
    invalid: InvalidInputStatement | None
    handed: tuple["Handed", ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """A task that this enclave audited, in one round."""

    order: AuditOrder
    audited: Audited


class TaskMemory:
    """Executions by task, votes by task and round, and the ids of the forgotten."""

    def __init__(
        self, executions: tuple[Execution, ...] = (), votes: tuple[Vote, ...] = (), forgotten: tuple[TaskId, ...] = ()
    ) -> None:
        self._executions = {execution.order.task: execution for execution in executions}
        self._votes = {(vote.order.task.task, vote.order.round): vote for vote in votes}
        self._forgotten = OrderedDict.fromkeys(forgotten)

    def admit(self, task: TaskId) -> None:
        """Raises TooManyTasks or ConflictingOrder if nothing could be remembered about `task`.

        To be asked before any work.
        """
        if task in self._forgotten:
            raise ConflictingOrder("the task was forgotten as settled: it is not served again")
        _check_room(self._executions, task)

    def admit_vote(self, task: TaskId, in_round: int) -> None:
        """The same for a vote."""
        if task in self._forgotten:
            raise ConflictingOrder("the task was forgotten as settled: it is not served again")
        _check_room(self._votes, (task, in_round))

    def answer(self, execution: Execution) -> None:
        """Remember the answer to a task, or agree that it is the remembered one.

        Raises:
            ConflictingOrder: the task was answered otherwise before.
        """
        known = self._executions.setdefault(execution.order.task, execution)
        if (known.order, known.commit, known.invalid) != (execution.order, execution.commit, execution.invalid):
            raise ConflictingOrder("this task was answered for another input or order: only that answer stands")

    def execution(self, task: TaskId) -> Execution:
        """What was answered as executor.

        Raises:
            UnknownTask: nothing, or it was forgotten.
        """
        try:
            return self._executions[task]
        except KeyError:
            raise UnknownTask("no such task was executed here: restore the state of the enclave that did") from None

    def hand_off(self, statement: HandoffStatement) -> None:
        """Remember a handoff.

        Raises:
            ConflictingOrder: the round was handed off to others before, or the recipients of all rounds are too many.
        """
        execution = self.execution(statement.task)
        digest = Digest(blake2b(statement.signing_bytes(), digest_size=32).digest())
        for known in execution.handed:
            if known.round == statement.round:
                if known.digest != digest:
                    raise ConflictingOrder("this round was handed off for another ticket: only that handoff stands")
                return
        handed = (*execution.handed, Handed(statement.round, len(statement.wraps), digest))
        if sum(past.seats for past in handed) > MAX_RECIPIENTS:
            raise ConflictingOrder(f"over {MAX_RECIPIENTS} recipients of one data key")
        self._executions[statement.task] = replace(execution, handed=handed)

    def vote(self, vote: Vote) -> None:
        """Remember a vote, or agree that it is the remembered one.

        Raises:
            ConflictingOrder: another vote was given in this round.
        """
        known = self._votes.setdefault((vote.order.task.task, vote.order.round), vote)
        if known.audited.statement != vote.audited.statement:
            raise ConflictingOrder("another vote was signed for this task and round: only that vote stands")

    def forget(self, task: TaskId) -> None:
        """Drop everything about `task` but its id."""
        self._executions.pop(task, None)
        for key in [key for key in self._votes if key[0] == task]:
            del self._votes[key]
        self._forgotten[task] = None
        while len(self._forgotten) > MAX_FORGOTTEN:
            self._forgotten.popitem(last=False)

    def contents(self) -> tuple[tuple[Execution, ...], tuple[Vote, ...], tuple[TaskId, ...]]:
        """All of it, for the sealed state: what the constructor takes."""
        return tuple(self._executions.values()), tuple(self._votes.values()), tuple(self._forgotten)


def _check_room(remembered: Mapping[Any, object], key: Hashable) -> None:
    if key not in remembered and len(remembered) >= MAX_TASKS:
        raise TooManyTasks(f"{MAX_TASKS} tasks are remembered: forget those that are settled")
