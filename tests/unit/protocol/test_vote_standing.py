"""Rules 1 to 5 of docs/spec/protocol.md §6, "Settlement": who of a panel is right, and who wrong."""

import pytest
from made_records import a_round, seat
from made_tasks import DIFFERS, NOTHING, RIGHT, UPHELD, WRONG, decided

from agent.protocol.records import Delivery, Seat, Verdict
from agent.protocol.standing import Standing, standing
from agent.protocol.statements import BAD_KEY, BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome
from agent.protocol.units import Digest


def stands(
    vote: Seat, verdict: Verdict, kind: int = 2, *, by: int = 99, others: tuple[Seat, ...] = (), liar: bool = False
) -> Standing:
    """How `vote` stands in a round of `kind`, handed off by the executor (99) or by the auditor in slot 1, a `liar` or not."""
    auditor = seat(1, Mark.FALSE_HANDOFF if liar else Mark.AGREES, RIGHT)
    judged = a_round(kind, vote, *others, by=by)
    delivery = Delivery(False, True, True, 3, (), verdict if kind >= 4 else NOTHING)
    view = decided(Outcome.UPHELD, a_round(1, auditor), judged, verdict=verdict if kind < 4 else NOTHING, delivery=delivery)
    return standing(view, judged, vote)


def says(root: Digest, number: int = 5) -> Seat:
    return seat(number, Mark.DIFFERS, root)


AGREES = seat(5, Mark.AGREES, RIGHT)


@pytest.mark.parametrize("kind", [2, 3, 4, 5])
def test_who_revealed_the_verdict_is_right(kind: int) -> None:
    assert stands(AGREES, UPHELD, kind) is Standing.RIGHT
    assert stands(says(WRONG), DIFFERS, kind) is Standing.RIGHT


@pytest.mark.parametrize("kind", [2, 3, 4, 5])
def test_who_revealed_anything_else_is_wrong(kind: int) -> None:
    assert stands(says(WRONG), UPHELD, kind) is Standing.WRONG
    assert stands(AGREES, DIFFERS, kind) is Standing.WRONG


def test_the_verdict_s_root_from_who_does_not_open_the_executor_s_commitment_is_wrong() -> None:
    assert stands(says(RIGHT), UPHELD) is Standing.WRONG


@pytest.mark.parametrize(("root", "kind"), [(BAD_WRAP, 2), (NO_INPUT, 3), (BAD_KEY, 4)])
def test_a_verdict_that_nobody_could_judge_makes_nobody_wrong_who_judged(root: Digest, kind: int) -> None:
    verdict = Verdict(root, agrees=False)
    assert stands(AGREES, verdict, kind) is Standing.NEUTRAL
    assert stands(says(WRONG), verdict, kind) is Standing.NEUTRAL
    assert stands(says(root), verdict, kind) is Standing.RIGHT


@pytest.mark.parametrize(("root", "kind"), [(NO_INPUT, 2), (NO_INPUT, 3), (BAD_KEY, 4), (BAD_KEY, 5)])
def test_who_could_not_judge_where_others_could_is_excused(root: Digest, kind: int) -> None:
    assert stands(says(root), UPHELD, kind) is Standing.EXCUSED


def test_who_blames_an_auditor_s_wraps_alone_is_excused_and_the_executor_s_wrong() -> None:
    others = (seat(6, Mark.AGREES, RIGHT), seat(7, Mark.AGREES, RIGHT))
    assert stands(says(BAD_WRAP), UPHELD, by=1, others=others) is Standing.EXCUSED
    assert stands(says(BAD_WRAP), UPHELD, by=99) is Standing.WRONG


@pytest.mark.parametrize("root", [BAD_WRAP, NO_INPUT])
def test_who_found_a_false_handoff_is_right_and_nobody_else_wrong(root: Digest) -> None:
    others = (says(root, 6), says(root, 7))
    assert stands(says(root), UPHELD, by=1, liar=True, others=others) is Standing.RIGHT
    assert stands(says(WRONG), UPHELD, by=1, liar=True, others=others) is Standing.NEUTRAL
    assert stands(AGREES, UPHELD, by=1, liar=True, others=others) is Standing.NEUTRAL


def test_a_true_handoff_of_an_auditor_who_lied_later_is_judged_as_any_other() -> None:
    others = (seat(6, Mark.AGREES, RIGHT), seat(7, Mark.AGREES, RIGHT))
    assert stands(says(WRONG), UPHELD, by=1, liar=True, others=others) is Standing.WRONG


def test_a_forged_delivery_makes_who_saw_it_right() -> None:
    verdict = Verdict(FORGED, agrees=False)
    assert stands(says(FORGED), verdict, 4) is Standing.RIGHT
    assert stands(AGREES, verdict, 4) is Standing.WRONG


def test_matters_are_judged_apart() -> None:
    of_delivery = a_round(4, says(FORGED))
    view = decided(Outcome.UPHELD, a_round(1, AGREES), of_delivery, delivery=Delivery(False, True, True, 3, (), NOTHING))
    assert standing(view, of_delivery, of_delivery.seats[0]) is Standing.NEUTRAL
    assert standing(view, view.rounds[0], AGREES) is Standing.RIGHT


@pytest.mark.parametrize("mark", [Mark.WAITING, Mark.COMMITTED, Mark.FALSE_HANDOFF])
def test_who_did_not_vote_stands_nowhere(mark: Mark) -> None:
    assert stands(seat(5, mark, RIGHT), UPHELD) is Standing.NEUTRAL


def test_without_a_verdict_nobody_is_right_or_wrong() -> None:
    assert stands(AGREES, NOTHING) is Standing.NEUTRAL


def test_in_a_round_that_was_not_handed_off_nobody_is_right_or_wrong() -> None:
    assert stands(seat(5, Mark.DIFFERS, WRONG, handed=False), UPHELD) is Standing.NEUTRAL
