"""Whole histories of a task, as the contracts would let them happen, with honest and lying people in every part.

An adversary may be the executor, the requester, all auditors, and fewer than two thirds of the votes of each dispute. The
committee of last resort is honest and awake.
"""

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from made_records import EXECUTOR, PARAMS, a_round, person, seat
from made_tasks import NOTHING, RIGHT, WRONG, any_params, decided

from agent.protocol.disputes import next_kind
from agent.protocol.judging import Judgement, concluded, judge, rule
from agent.protocol.lifecycle import holders
from agent.protocol.records import Delivery, Round, Seat, TaskView
from agent.protocol.statements import BAD_KEY, BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome, RoundKind, TaskState
from agent.protocol.units import NONE, Digest, NodeId

Vote = tuple[Mark, Digest]


@dataclass(frozen=True, slots=True)
class History:
    """A task that has its outcome, and who in it was honest."""

    task: TaskView
    honest: frozenset[NodeId]
    audited: bool
    lied: bool
    """Whether the executor committed to a wrong output."""


class Story:
    """Makes one history, choice by choice."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.honest: set[NodeId] = set()
        self.honest_executor = self.choose(True, False)
        self.lied = not self.honest_executor and self.choose(True, False)
        self.bad_wraps = False
        """Whether the executor ever handed off what does not open."""
        bonds = (0, 0, int(PARAMS.delivery_bond))
        self.task = decided(Outcome.NONE, params=draw(any_params()), bonds=bonds, state=TaskState.COMMITTED)
        if self.honest_executor:
            self.honest.add(self.task.executor.node)

    def choose(self, *values: object) -> object:
        return self.draw(st.sampled_from(values))

    @property
    def committed(self) -> Digest:
        return WRONG if self.lied else RIGHT

    def tell(self) -> History:
        audited = bool(self.choose(True, False))
        if audited:
            self.computation()
        if self.task.state is TaskState.COMMITTED and self.choose(True, False):
            self.delivery()
        if self.task.state is TaskState.COMMITTED:
            self.task = replace(self.task, state=TaskState.DECIDED, outcome=concluded(self.task))
        return History(self.task, frozenset(self.honest), audited, self.lied)

    def computation(self) -> None:
        kind = RoundKind.AUDIT
        while True:
            by, bad = self.hand_off(kind)
            if by is None:
                self.task = replace(self.task, state=TaskState.DECIDED, outcome=Outcome.REFUSED, cranker=person(9))
                return
            self.bad_wraps |= bad and by == EXECUTOR
            # who opens the key recomputes every wrap: one that is false is seen by all
            seen = self.bad_wraps or bad
            vote = (Mark.DIFFERS, BAD_WRAP) if seen else (Mark.DIFFERS if self.lied else Mark.AGREES, RIGHT)
            self.play(kind, vote, by)
            if self.task.state is TaskState.RULING:
                wrong = self.bad_wraps or self.lied
                self.apply(rule(self.task, BAD_WRAP if self.bad_wraps else RIGHT, agrees=not wrong))
            if self.task.state is not TaskState.DISPUTED:
                return
            kind = next_kind(self.task)

    def hand_off(self, kind: RoundKind) -> tuple[int | None, bool]:
        """Who hands off (None: nobody), and whether falsely. An honest auditor does not where it knows of false wraps."""
        under_way = replace(self.task, rounds=(*self.task.rounds, a_round(kind)))
        able = [each for each in holders(under_way) if not (self.bad_wraps and each.node in self.honest)]
        by = self.choose(*able)
        assert isinstance(by, Seat)
        if by.node in self.honest:
            return by.slot, False
        if by.slot == EXECUTOR and self.choose(True, False, False, False):
            return None, False
        return by.slot, bool(self.choose(True, False))

    def delivery(self) -> None:
        forged = not self.honest_executor and bool(self.choose(True, False))
        self.task = replace(self.task, delivery=Delivery(False, True, True, 3, (), NOTHING))
        while self.task.state in (TaskState.COMMITTED, TaskState.DISPUTED):
            key = self.choose("good", "good", "bad", "none")
            if key == "none":
                self.task = replace(self.task, state=TaskState.DECIDED, outcome=concluded(self.task))
                return
            honest_vote = (Mark.DIFFERS, FORGED) if forged else (Mark.AGREES, self.committed)
            self.play(next_kind(self.task), (Mark.DIFFERS, BAD_KEY) if key == "bad" else honest_vote, NONE)
            if self.task.state is TaskState.RULING:
                self.apply(rule(self.task, FORGED if forged else self.committed, agrees=not forged))

    def play(self, kind: RoundKind, honest_vote: Vote, by: int) -> None:
        """One round: everybody votes, honest members `honest_vote`."""
        is_audit = kind is RoundKind.AUDIT
        count = self.draw(st.integers(1, 4))
        votes = [1 if is_audit else self.draw(st.integers(1, 3)) for _ in range(count)]
        away = self.draw(st.integers(0, 1))
        honest = [bool(self.choose(True, False)) for _ in range(count)]
        if not is_audit and 3 * sum(n for n, good in zip(votes, honest, strict=True) if not good) >= 2 * (sum(votes) + away):
            honest = [True] * count
        seats = [
            self.vote(10 * kind + i, honest_vote if good else None, votes[i]) for i, good in enumerate(honest)
        ]
        self.honest |= {each.node for each, good in zip(seats, honest, strict=True) if good}
        made: Round = a_round(kind, *seats, by=by, cranker=person(8), away=away)
        self.task = replace(self.task, rounds=(*self.task.rounds, made))
        self.apply(judge(self.task))

    def vote(self, number: int, honest_vote: Vote | None, votes: int) -> Seat:
        if honest_vote is not None:
            return seat(number, *honest_vote, votes=votes)
        mark = self.choose(Mark.WAITING, Mark.COMMITTED, Mark.AGREES, Mark.DIFFERS)
        roots = {Mark.AGREES: (self.committed,), Mark.DIFFERS: (RIGHT, WRONG, BAD_WRAP, NO_INPUT, FORGED, BAD_KEY)}
        root = self.choose(*roots.get(mark, (b"",)))  # type: ignore[call-overload]
        return seat(number, mark, root, votes=votes)  # type: ignore[arg-type]

    def apply(self, found: Judgement) -> None:
        rounds, of_delivery = self.task.rounds, self.task.delivery.disputed
        if found.false_handoff is not None:
            blamed = [replace(each, mark=Mark.FALSE_HANDOFF) if each.node == found.false_handoff else each for each in rounds[0].seats]
            rounds = (replace(rounds[0], seats=tuple(blamed)), *rounds[1:])
        verdict, delivery = self.task.verdict, self.task.delivery
        if found.verdict is not None:
            verdict = verdict if of_delivery else found.verdict
            delivery = replace(delivery, verdict=found.verdict) if of_delivery else delivery
        self.task = replace(
            self.task, state=found.state, outcome=found.outcome, rounds=rounds, verdict=verdict, delivery=delivery
        )


@st.composite
def histories(draw: st.DrawFn) -> History:
    return Story(draw).tell()
