"""The simulator settles as the protocol does: any batch of tasks, one by one by `agent.protocol.money`, at once by `agent.economics.settlement`."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parents[1] / "protocol")]

from made_records import NOBODY
from made_tasks import any_decided

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.errors import AmountsTooLarge
from agent.economics.settlement import Ended, Fate, Paid, settle
from agent.protocol import money
from agent.protocol.records import Prices, Round, Seat, TaskView
from agent.protocol.standing import Standing, standing
from agent.protocol.states import Mark, Outcome
from agent.protocol.units import Mist

PLENTY = Mist(10**15)
FATES = {
    Standing.RIGHT: Fate.RIGHT, Standing.NEUTRAL: Fate.NEUTRAL, Standing.EXCUSED: Fate.EXCUSED, Standing.WRONG: Fate.WRONG,
}  # fmt: skip
SILENT = {Mark.WAITING: Fate.AWAY, Mark.COMMITTED: Fate.WITHHELD, Mark.FALSE_HANDOFF: Fate.FALSE_HANDOFF}


@st.composite
def batches(draw: st.DrawFn) -> list[TaskView]:
    """Any tasks, of one Pool: they share parameters, prices, escrow and locks."""
    tasks = draw(st.lists(any_decided(), min_size=1, max_size=4))
    first = tasks[0]
    params = replace(first.params, auditor_lock=Mist(draw(st.integers(1, 10**10))), executor_lock=Mist(draw(st.integers(1, 10**11))))
    return [_of_pool(each, replace(first, params=params)) for each in tasks]


def _of_pool(task: TaskView, pool: TaskView) -> TaskView:
    p = pool.params
    lock = Mist(0) if task.outcome is Outcome.EXPIRED else p.executor_lock
    rounds = tuple(replace(each, seats=tuple(replace(seat, lock=p.auditor_lock) for seat in each.seats)) for each in task.rounds)
    return replace(task, params=p, terms=pool.terms, escrow=pool.escrow, executor=replace(task.executor, lock=lock), rounds=rounds)


def fate(task: TaskView, each: Round, seat: Seat) -> Fate:
    if not each.handed:
        return Fate.NEUTRAL
    return SILENT[seat.mark] if seat.mark in SILENT else FATES[standing(task, each, seat)]


def at_once(tasks: list[TaskView]) -> tuple[Paid, list[list[tuple[Round, Seat]]]]:
    seats = [[(each, seat) for each in task.rounds for seat in each.seats] for task in tasks]
    width = max(map(len, seats))
    fates, cranked = np.zeros((len(tasks), width), np.int8), np.zeros((len(tasks), width), np.bool_)
    for row, task in enumerate(tasks):
        for column, (each, seat) in enumerate(seats[row]):
            fates[row, column] = fate(task, each, seat)
            cranked[row, column] = each.cranker != NOBODY
    ended = Ended(
        np.array([task.outcome for task in tasks], np.int8),
        np.array([task.cranker != NOBODY for task in tasks]), np.array([task.upheld for task in tasks]),
        np.array([task.delivery.published for task in tasks]), np.array([task.delivery.chunks for task in tasks], np.int64),
        *(np.array([getattr(task.bonds, name) for task in tasks], np.int64) for name in ("challenge", "claim", "dispute")),
        fates, cranked,
    )  # fmt: skip
    terms = tasks[0].terms
    prices = Prices(terms.price, terms.auditor_fee, terms.reservation_fee)
    return settle(ended, tasks[0].params, prices, tasks[0].escrow), seats


@given(batches())
def test_every_account_is_what_the_protocol_says(tasks: list[TaskView]) -> None:
    paid, seats = at_once(tasks)
    for row, task in enumerate(tasks):
        said = money.settlement(task, PLENTY)
        assert paid.requester[row] == said.refunded
        assert paid.executor[row] == said.paid.get(task.executor.node, 0)
        assert paid.executor_loss[row] == said.slashed.get(task.executor.node, 0)
        assert (paid.treasury[row], paid.burnt[row], paid.fund[row]) == (said.treasury, said.burnt, said.fund)
        assert paid.executor_bounty[row] + paid.seat_bounty[row].sum() == sum(said.bounties.values())
        for column, (_, seat) in enumerate(seats[row]):
            assert paid.seat[row, column] == said.paid.get(seat.node, 0)
            assert paid.seat_loss[row, column] == said.slashed.get(seat.node, 0)
        assert not paid.seat[row, len(seats[row]) :].any()
        assert not paid.seat_loss[row, len(seats[row]) :].any()


@given(batches())
def test_what_comes_in_goes_out(tasks: list[TaskView]) -> None:
    paid, _ = at_once(tasks)
    came = np.array([task.escrow + task.bonds.held for task in tasks]) + paid.executor_loss + paid.seat_loss.sum(axis=1)
    went = paid.requester + paid.executor + paid.executor_bounty + paid.treasury + paid.burnt + paid.fund
    assert (came == went + paid.seat.sum(axis=1) + paid.seat_bounty.sum(axis=1)).all()


def test_every_outcome_has_a_place_in_the_tables() -> None:
    outcomes = np.array(list(Outcome), np.int8)
    assert outcomes.tolist() == list(range(len(outcomes)))
    paid = settle(Ended.of(outcomes), DEFAULT, PRICES, 10**9)
    assert (paid.requester + paid.executor + paid.treasury + paid.fund + paid.executor_loss >= 10**9).all()


def test_a_claim_pays_a_bounty_a_chunk_and_gives_the_rest_back() -> None:
    ended = replace(Ended.of(np.array([Outcome.ACCEPTED] * 2, np.int8)), claim=np.array([10**8] * 2), chunks=np.array([3, 64_000]))
    kept, paid = (settle(replace(ended, published=np.array([said] * 2)), DEFAULT, PRICES, 10**9) for said in (False, True))
    assert (paid.executor - kept.executor).tolist() == [3 * DEFAULT.bounty, 10**8]
    assert (kept.requester - paid.requester).tolist() == [3 * DEFAULT.bounty, 10**8]


def test_amounts_that_shares_would_overflow_are_refused() -> None:
    with pytest.raises(AmountsTooLarge, match="64 bits"):
        settle(Ended.of(np.array([1], np.int8)), replace(DEFAULT, executor_lock=Mist(2**62)), PRICES, 10**9)
