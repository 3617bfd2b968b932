"""Who sits in the next dispute: docs/spec/protocol.md §6."""

from dataclasses import replace

import pytest
from made_records import EXECUTOR, PARAMS, a_round, plain, seat, task

from agent.protocol.disputes import MAX_SEATS, drawn, excluded, next_kind, ruling_round, seats
from agent.protocol.draw import draw_with, fenwick
from agent.protocol.records import Delivery, RosterView, Round, TaskView
from agent.protocol.states import Mark, RoundKind
from agent.protocol.units import NONE, Slot

AUDIT = a_round(1, seat(1, Mark.AGREES), seat(2))
FIRST = a_round(2, seat(3, Mark.DIFFERS), seat(4), seat(5, Mark.COMMITTED))
OF_DELIVERY = a_round(4, seat(6, Mark.AGREES), seat(7))


def disputed(*rounds: Round, delivery: bool = False) -> TaskView:
    return task(rounds=rounds, delivery=plain(Delivery, disputed=delivery))


@pytest.mark.parametrize(
    ("view", "kind", "count"),
    [
        (disputed(AUDIT), RoundKind.DISPUTE, 5),
        (disputed(AUDIT, FIRST), RoundKind.SECOND_DISPUTE, 10),
        (disputed(delivery=True), RoundKind.DELIVERY, 5),
        (disputed(AUDIT, FIRST, delivery=True), RoundKind.DELIVERY, 5),
        (disputed(AUDIT, FIRST, OF_DELIVERY, delivery=True), RoundKind.SECOND_DELIVERY, 10),
    ],
)
def test_a_matter_is_disputed_twice_the_second_time_with_twice_the_seats(view: TaskView, kind: RoundKind, count: int) -> None:
    assert (next_kind(view), seats(view)) == (kind, count)


def test_no_dispute_has_more_than_32_seats() -> None:
    big = replace(disputed(AUDIT, FIRST), params=replace(PARAMS, dispute_seats=20))
    assert seats(big) == MAX_SEATS == 32


@pytest.mark.parametrize(
    ("view", "away"),
    [
        (disputed(AUDIT), {EXECUTOR, 1, 2}),
        (disputed(AUDIT, FIRST), {EXECUTOR, 1, 2, 4, 5}),
        (disputed(delivery=True), {EXECUTOR}),
        (disputed(AUDIT, FIRST, delivery=True), {EXECUTOR, 1, 2, 3, 4, 5}),
        (disputed(OF_DELIVERY, delivery=True), {EXECUTOR, 6, 7}),
    ],
)
def test_nobody_judges_who_has_a_part_in_the_matter(view: TaskView, away: set[int]) -> None:
    assert set(excluded(view)) == away
    assert len(excluded(view)) == len(away)


def test_who_is_excluded_twice_is_named_once() -> None:
    assert excluded(disputed(AUDIT, a_round(2, seat(1)))) == (EXECUTOR, 1, 2)


def test_arbiters_are_drawn_with_replacement_and_none_of_the_excluded() -> None:
    fen = tuple(fenwick([1] * 8, 7))
    roster: RosterView = plain(RosterView, fen=fen)
    view = disputed(AUDIT, FIRST)
    sat = drawn(view, roster, b"s" * 32)
    assert sat == draw_with(fen, b"s" * 32, 10, [Slot(EXECUTOR), Slot(1), Slot(2), Slot(4), Slot(5)])
    assert set(sat) <= {0, 3, 6, 7}
    assert NONE not in sat


@pytest.mark.parametrize(
    ("view", "number"),
    [
        (disputed(AUDIT), 1),
        (disputed(AUDIT, FIRST), 2),
        (disputed(delivery=True), 4),
        (disputed(AUDIT, delivery=True), 4),
        (disputed(AUDIT, OF_DELIVERY, a_round(5), delivery=True), 5),
    ],
)
def test_the_committee_rules_on_the_latest_round_of_the_matter(view: TaskView, number: int) -> None:
    assert ruling_round(view) == number
