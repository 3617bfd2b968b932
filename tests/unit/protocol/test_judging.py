"""How votes are judged: docs/spec/protocol.md §6."""

import pytest
from made_records import a_round, node, seat, task

from agent.protocol.judging import Judgement, judge, rule, two_thirds, unanimous
from agent.protocol.records import Delivery, Round, Seat, TaskView, Verdict
from agent.protocol.statements import BAD_KEY, BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import NONE, Digest

RIGHT, OTHER = Digest(b"r" * 32), Digest(b"o" * 32)
NO_VERDICT = Verdict(Digest(b""), agrees=False)
UPHELD = Judgement(TaskState.COMMITTED, Outcome.UPHELD, Verdict(RIGHT, agrees=True))
DISPUTED = Judgement(TaskState.DISPUTED, Outcome.NONE, None)
RULING = Judgement(TaskState.RULING, Outcome.NONE, None)
AUDIT = a_round(1, seat(1, Mark.AGREES, RIGHT), seat(2, Mark.DIFFERS, OTHER))


def agrees(number: int, votes: int = 1) -> Seat:
    return seat(number, Mark.AGREES, RIGHT, votes=votes)


def says(number: int, root: Digest, votes: int = 1) -> Seat:
    return seat(number, Mark.DIFFERS, root, votes=votes)


def absent(number: int, votes: int = 1) -> Seat:
    return seat(number, votes=votes)


def withheld(number: int) -> Seat:
    return seat(number, Mark.COMMITTED)


def judged(*rounds: Round, outcome: Outcome = Outcome.NONE) -> Judgement:
    disputed = any(each.kind >= 4 for each in rounds)
    return judge(task(rounds=rounds, outcome=outcome, delivery=Delivery(False, True, disputed, 3, (), NO_VERDICT)))


@pytest.mark.parametrize("seats", [(agrees(1),), (agrees(1), agrees(2)), (agrees(1), absent(2)), (agrees(1), withheld(2)), (says(1, NO_INPUT), agrees(2))])
def test_an_audit_upholds_where_all_who_could_judge_agree(seats: tuple[Seat, ...]) -> None:
    assert judged(a_round(1, *seats)) == UPHELD


@pytest.mark.parametrize(
    "seats",
    [(), (absent(1),), (withheld(1),), (agrees(1), says(2, OTHER)), (says(1, OTHER),), (says(1, BAD_WRAP), agrees(2)), (says(1, NO_INPUT),)],
)
def test_any_other_audit_is_disputed(seats: tuple[Seat, ...]) -> None:
    assert judged(a_round(1, *seats)) == DISPUTED


def test_the_executor_s_root_from_who_does_not_open_its_commitment_is_no_agreement() -> None:
    assert unanimous(a_round(1, says(1, RIGHT))) is None


@pytest.mark.parametrize(
    ("dispute", "found"),
    [
        (a_round(2, agrees(1), agrees(2), says(3, OTHER)), Verdict(RIGHT, agrees=True)),
        (a_round(2, agrees(1), says(2, OTHER), says(3, OTHER)), Verdict(OTHER, agrees=False)),
        (a_round(2, agrees(1), agrees(2), says(3, OTHER), says(4, OTHER)), None),
        (a_round(2, agrees(1, votes=4), says(2, OTHER), says(3, OTHER)), Verdict(RIGHT, agrees=True)),
        (a_round(2, agrees(1), agrees(2), says(3, RIGHT)), Verdict(RIGHT, agrees=True)),
        (a_round(2, agrees(1), says(2, RIGHT), absent(3)), None),
        (a_round(2, agrees(1), agrees(2), withheld(3), absent(4)), None),
        (a_round(2, agrees(1), agrees(2), away=1), Verdict(RIGHT, agrees=True)),
        (a_round(2, agrees(1), agrees(2), away=2), None),
        (a_round(2, absent(1)), None),
        (a_round(2), None),
    ],
)
def test_a_dispute_wants_two_thirds_of_all_who_were_drawn(dispute: Round, found: Verdict | None) -> None:
    assert two_thirds(dispute) == found


def test_a_false_handoff_is_no_vote() -> None:
    assert two_thirds(a_round(2, seat(1, Mark.FALSE_HANDOFF, RIGHT))) is None


def test_a_dispute_that_agrees_upholds() -> None:
    assert judged(AUDIT, a_round(2, agrees(4))) == UPHELD


@pytest.mark.parametrize("root", [OTHER, BAD_WRAP, NO_INPUT])
def test_a_dispute_that_differs_from_an_executor_who_handed_off_convicts_it(root: Digest) -> None:
    convicted = judged(AUDIT, a_round(2, says(4, root)))
    assert convicted == Judgement(TaskState.DECIDED, Outcome.GUILTY, Verdict(root, agrees=False))


def test_below_two_thirds_it_is_disputed_once_more_and_then_ruled() -> None:
    split = (agrees(4), says(5, OTHER))
    assert judged(AUDIT, a_round(2, *split)) == DISPUTED
    assert judged(AUDIT, a_round(2, *split), a_round(3, *split)) == RULING


@pytest.mark.parametrize("root", [BAD_WRAP, NO_INPUT])
def test_an_auditor_s_false_handoff_is_not_the_executor_s_fault(root: Digest) -> None:
    blamed = judged(AUDIT, a_round(2, says(4, root), by=2))
    assert blamed == Judgement(TaskState.DISPUTED, Outcome.NONE, None, node(2))
    again = judged(AUDIT, a_round(2, agrees(4), says(5, OTHER)), a_round(3, says(4, root), by=1))
    assert again == Judgement(TaskState.RULING, Outcome.NONE, None, node(1))


def test_another_root_convicts_whoever_handed_off() -> None:
    assert judged(AUDIT, a_round(2, says(4, OTHER), by=2)).outcome is Outcome.GUILTY


@pytest.mark.parametrize(
    ("votes", "outcome", "verdict"),
    [
        (says(4, FORGED), Outcome.FORGED, Verdict(FORGED, agrees=False)),
        (says(4, BAD_KEY), Outcome.ACCEPTED, Verdict(BAD_KEY, agrees=False)),
        (agrees(4), Outcome.ACCEPTED, Verdict(RIGHT, agrees=True)),
    ],
)
@pytest.mark.parametrize("kind", [4, 5])
def test_a_dispute_of_the_delivery_ends_the_task(kind: int, votes: Seat, outcome: Outcome, verdict: Verdict) -> None:
    rounds = [a_round(each, absent(3), by=NONE) for each in range(4, kind)]
    assert judged(*rounds, a_round(kind, votes, by=NONE)) == Judgement(TaskState.DECIDED, outcome, verdict)


def test_a_delivery_dispute_that_fails_leaves_an_upheld_task_upheld() -> None:
    assert judged(AUDIT, a_round(4, agrees(4)), outcome=Outcome.UPHELD).outcome is Outcome.UPHELD


@pytest.mark.parametrize("votes", [says(4, OTHER), says(4, BAD_WRAP), absent(4)])
def test_no_other_root_judges_a_delivery(votes: Seat) -> None:
    assert judged(AUDIT, a_round(2, agrees(5)), a_round(4, votes)) == DISPUTED
    assert judged(a_round(4, absent(5)), a_round(5, votes)) == RULING


def ruling(*, disputed: bool, outcome: Outcome = Outcome.NONE) -> TaskView:
    return task(state=TaskState.RULING, outcome=outcome, delivery=Delivery(False, disputed, disputed, 3, (), NO_VERDICT))


@pytest.mark.parametrize(
    ("disputed", "agrees", "state", "outcome"),
    [
        (False, True, TaskState.COMMITTED, Outcome.UPHELD),
        (False, False, TaskState.DECIDED, Outcome.GUILTY),
        (True, True, TaskState.DECIDED, Outcome.ACCEPTED),
        (True, False, TaskState.DECIDED, Outcome.FORGED),
    ],
)
def test_the_committee_rules_on_the_matter_at_hand(disputed: bool, agrees: bool, state: TaskState, outcome: Outcome) -> None:
    assert rule(ruling(disputed=disputed), OTHER, agrees=agrees) == Judgement(state, outcome, Verdict(OTHER, agrees))


def test_a_ruling_for_the_delivery_of_an_upheld_task_upholds_it() -> None:
    assert rule(ruling(disputed=True, outcome=Outcome.UPHELD), OTHER, agrees=True).outcome is Outcome.UPHELD


