"""What an enclave remembers of its tasks: one answer for each, for as long as the task lives [M6].

Bounded on purpose. A task that was forgotten is refused ever after, so that forgetting is no way to a second answer: by its
id while the list of the forgotten reaches, then because it was opened before what fell off that list.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from agent.enclave.errors import ConflictingOrder, TooManyTasks, UnknownTask
from agent.enclave.orders import Audited, ExecuteOrder
from agent.protocol.statements import CommitStatement, HandoffStatement, InvalidInputStatement
from agent.protocol.states import RoundKind
from agent.protocol.units import Digest, Millis, TaskId

MAX_TASKS: Final = 1024
"""Executions, and as many votes, that are remembered at a time: their sealed state fits one message."""

MAX_FORGOTTEN: Final = 16_384

_NEVER: Final = Millis(0)


@dataclass(frozen=True, slots=True)
class Handed:
    """A round for which the data key was wrapped; the wraps themselves can always be made again."""

    round: int
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
    """A task that this enclave judged, in one round."""

    order: ExecuteOrder
    audited: Audited
    data_key: bytes | None = field(repr=False)
    """Kept by a member of the audit that found the task in order: it may hand off in a dispute. Else None."""
    handed: tuple["Handed", ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """All that is remembered, for the sealed state."""

    executions: tuple[Execution, ...] = ()
    votes: tuple[Vote, ...] = ()
    forgotten: tuple[tuple[TaskId, Millis], ...] = ()
    """With the time each was opened; the oldest first."""
    floor: Millis = _NEVER
    """An unknown task that was opened before may have been forgotten, and its id with it."""


class TaskMemory:
    """Executions by task, votes by task and round, and the ids of the forgotten."""

    def __init__(self, contents: Contents = Contents()) -> None:
        self._executions = {execution.order.task: execution for execution in contents.executions}
        self._votes = {(vote.order.task, vote.audited.statement.round): vote for vote in contents.votes}
        self._forgotten = OrderedDict(contents.forgotten)
        self._floor = contents.floor

    def admit(self, order: ExecuteOrder) -> None:
        """Whether an answer to `order` could be remembered. To be asked before any work.

        Raises:
            TooManyTasks: there is no room.
            ConflictingOrder: the task was forgotten, or this enclave judged it.
        """
        if any((order.task, kind) in self._votes for kind in RoundKind):
            raise ConflictingOrder("this enclave judged the task: it does not execute it too")
        self._admit(self._executions, order.task, order)

    def admit_vote(self, order: ExecuteOrder, in_round: int) -> None:
        """Whether a vote on the task of `order` could be remembered.

        Raises:
            TooManyTasks: there is no room.
            ConflictingOrder: the task was forgotten, or this enclave executed it.
        """
        if order.task in self._executions:
            raise ConflictingOrder("this enclave executed the task: it does not judge it too")
        self._admit(self._votes, (order.task, in_round), order)

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

    def audit(self, task: TaskId) -> Vote:
        """What was voted in the audit.

        Raises:
            UnknownTask: nothing, or it was forgotten.
        """
        try:
            return self._votes[task, RoundKind.AUDIT]
        except KeyError:
            raise UnknownTask("no such task was audited here: restore the state of the enclave that did") from None

    def hand_off(self, statement: HandoffStatement) -> None:
        """Remember a handoff of a task that was executed, or audited, here.

        Raises:
            ConflictingOrder: the round was handed off to others before.
            UnknownTask: neither of them.
        """
        execution = self._executions.get(statement.task)
        if execution is not None:
            self._executions[statement.task] = replace(execution, handed=_with(execution.handed, statement))
        else:
            vote = self.audit(statement.task)
            self._votes[statement.task, RoundKind.AUDIT] = replace(vote, handed=_with(vote.handed, statement))

    def vote(self, vote: Vote) -> None:
        """Remember a vote, or agree that it is the remembered one.

        Raises:
            ConflictingOrder: another vote was given in this round.
        """
        known = self._votes.setdefault((vote.order.task, vote.audited.statement.round), vote)
        if known.audited != vote.audited:
            raise ConflictingOrder("another vote was signed for this task and round: only that vote stands")

    def forget(self, task: TaskId) -> None:
        """Drop everything about `task` but its id; no effect on one that is not known."""
        known = [vote for key, vote in self._votes.items() if key[0] == task]
        execution = self._executions.pop(task, None)
        for vote in known:
            del self._votes[task, vote.audited.statement.round]
        orders = [each.order for each in (*known, execution) if each is not None]
        if orders:
            self._forgotten[task] = max(order.opened_at for order in orders)
        while len(self._forgotten) > MAX_FORGOTTEN:
            self._floor = max(self._floor, self._forgotten.popitem(last=False)[1])

    def contents(self) -> Contents:
        """All of it: what the constructor takes."""
        forgotten = tuple(self._forgotten.items())
        return Contents(tuple(self._executions.values()), tuple(self._votes.values()), forgotten, self._floor)

    def _admit(self, remembered: Mapping[Any, object], key: Hashable, order: ExecuteOrder) -> None:
        if order.task in self._forgotten:
            raise ConflictingOrder("the task was forgotten as settled: it is not served again")
        if key in remembered:
            return
        if order.opened_at <= self._floor:
            raise ConflictingOrder("the task is older than others that were forgotten long ago: it is not served any more")
        if len(remembered) >= MAX_TASKS:
            raise TooManyTasks(f"{MAX_TASKS} tasks are remembered: forget those that are settled")


def _with(handed: tuple[Handed, ...], statement: HandoffStatement) -> tuple[Handed, ...]:
    digest = Digest(blake2b(statement.signing_bytes(), digest_size=32).digest())
    for known in handed:
        if known.round == statement.round:
            if known.digest != digest:
                raise ConflictingOrder("this round was handed off for another ticket: only that handoff stands")
            return handed
    return (*handed, Handed(statement.round, digest))
