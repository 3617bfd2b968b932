"""What holds of any settlement, and of any history that the contracts can make: docs/spec/protocol.md §6."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_histories import History, histories
from made_records import PARAMS, a_round, person, seat
from made_tasks import NOTHING, WRONG, any_decided, any_params, decided

from agent.protocol import deterrence, money
from agent.protocol.errors import Overdrawn
from agent.protocol.records import Delivery, Params, TaskView, Verdict
from agent.protocol.statements import FORGED
from agent.protocol.states import Mark, Outcome
from agent.protocol.transfers import Account, Books
from agent.protocol.units import Mist

funds = st.integers(0, 10**8).map(Mist)


@given(any_decided(), funds)
def test_what_comes_in_goes_out(task: TaskView, fund: Mist) -> None:
    found = money.settlement(task, fund)
    assert found.conserves(task.escrow, task.bonds.held)
    assert found.fund + fund >= 0
    assert min(found.refunded, found.treasury, found.burnt, *found.paid.values(), *found.bounties.values(), 0) >= 0


@given(any_decided(), funds)
def test_no_transfer_is_empty_and_the_spoils_are_shared_out(task: TaskView, fund: Mist) -> None:
    made = money.settlement(task, fund).transfers
    assert all(each.amount > 0 and each.source is not each.to for each in made)
    gathered = sum(each.amount for each in made if each.to is Account.SPOILS)
    assert gathered == sum(each.amount for each in made if each.source is Account.SPOILS)


@given(any_decided(), funds)
def test_nobody_loses_more_than_its_locks(task: TaskView, fund: Mist) -> None:
    locks = {task.executor.node: int(task.executor.lock)}
    for seated in (member for each in task.rounds for member in each.seats):
        locks[seated.node] = locks.get(seated.node, 0) + seated.lock
    for node, loss in money.settlement(task, fund).slashed.items():
        assert 0 < loss <= locks[node]


@given(any_decided(), funds)
def test_what_the_fund_lacks_is_owed_and_nobody_is_paid_more_by_it(task: TaskView, fund: Mist) -> None:
    rich, poor = money.settlement(task, Mist(10**9)), money.settlement(task, fund)
    assert rich.owed == {}
    for node, amount in rich.paid.items():
        assert amount == poor.paid.get(node, 0) + poor.owed.get(node, 0)


@given(any_decided(), funds)
def test_a_requester_never_gains_more_than_the_price_by_anybody_s_loss(task: TaskView, fund: Mist) -> None:
    found = money.settlement(task, fund)
    compensation = sum(each.amount for each in found.transfers if each.source is Account.STAKE and each.to is Account.REQUESTER)
    assert compensation <= task.price
    assert found.refunded <= task.escrow + task.bonds.held + task.price


@given(any_decided(), funds)
def test_bounties_are_of_somebody_s_loss_and_small(task: TaskView, fund: Mist) -> None:
    found = money.settlement(task, fund)
    absences = sum(seat.mark in (Mark.WAITING, Mark.COMMITTED) for each in task.rounds for seat in each.seats) + 1
    assert sum(found.bounties.values()) <= absences * task.params.bounty


@given(histories())
def test_honest_members_and_executors_never_lose(history: History) -> None:
    """Whatever fewer than two thirds of each dispute, any auditor, and a lying executor or requester do."""
    found = money.settlement(history.task, Mist(0))
    assert found.conserves(history.task.escrow, history.task.bonds.held)
    assert not history.honest & set(found.slashed)


@given(histories())
def test_an_honest_executor_is_paid_unless_no_end_was_found(history: History) -> None:
    if history.task.executor.node in history.honest:
        paid = money.settlement(history.task, Mist(0)).paid.get(history.task.executor.node, 0)
        assert paid >= history.task.price + history.task.reservation_fee


@given(histories())
def test_a_lie_that_was_audited_is_never_paid_for_by_honest_arbiters(history: History) -> None:
    if history.lied and history.audited and history.task.outcome in (Outcome.ACCEPTED, Outcome.UPHELD):
        # only an audit without one honest member that revealed lets it pass: no dispute ever does
        assert [each.kind for each in history.task.rounds if not each.kind.judges_delivery] == [1]
        audit = history.task.rounds[0]
        assert not any(seat.node in history.honest and seat.mark.revealed for seat in audit.seats)


@given(any_params(), st.integers(1, 10**10), st.integers(0, 10**7), st.sampled_from([Outcome.GUILTY, Outcome.REFUSED, Outcome.FORGED, Outcome.UNDECIDED]))
def test_a_liar_loses_at_least_the_effective_slash(params: Params, lock: int, price: int, outcome: Outcome) -> None:
    """Even as his own requester, crank and share of the panel."""
    params = replace(params, executor_lock=Mist(lock))
    terms = replace(decided(outcome).terms, price=Mist(price))
    delivery = Delivery(False, True, True, 3, (), Verdict(FORGED, agrees=False)) if outcome is Outcome.FORGED else decided(outcome).delivery
    honest, own = seat(1, Mark.DIFFERS, WRONG, lock=0), person(7)
    view = decided(
        outcome, a_round(1, honest), params=params, terms=terms, escrow=Mist(price + terms.reservation_fee), cranker=own,
        executor=seat(99, lock=lock), delivery=delivery, verdict=NOTHING if outcome is not Outcome.GUILTY else Verdict(WRONG, agrees=False),
    )  # fmt: skip
    found = money.settlement(view, Mist(0))
    spoils = sum(each.amount for each in found.transfers if each.to is Account.SPOILS)
    back = (found.refunded - view.escrow) + found.bounties.get(own, 0)
    kept = Fraction(params.controlled_bps, 10_000) * (spoils if outcome is not Outcome.UNDECIDED else 0)
    lost = found.slashed.get(view.executor.node, 0)
    assert lost - back - kept >= deterrence.effective_slash(params, Mist(price)) - 1  # a share of a share is rounded once more


@given(st.integers(0, 2**63), st.integers(0, 10**4), st.integers(0, 2**63))
def test_books_never_give_more_than_they_have(there: int, part: int, wanted: int) -> None:
    books = Books({Account.STAKE: there})
    books.move(Account.STAKE, Account.BURNT, there * part // 10**4)
    left = books.left(Account.STAKE)
    if wanted > left:
        with pytest.raises(Overdrawn):
            books.move(Account.STAKE, Account.BURNT, wanted)
    else:
        books.move(Account.STAKE, Account.BURNT, wanted)
        assert books.left(Account.STAKE) + books.left(Account.BURNT) == there


def test_default_parameters_of_these_tests_deter() -> None:
    assert deterrence.deters(PARAMS)
