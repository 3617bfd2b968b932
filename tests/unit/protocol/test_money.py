"""Settlement moves money; it never makes or loses any."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import money
from agent.protocol.errors import Overdrawn, Undecided
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.records import Params, Round, Seat, TaskView
from agent.protocol.statements import TeeKind
from agent.protocol.transfers import Account, Books
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId

ZERO = bytes(32)
RIGHT, WRONG = Digest(b"r" * 32), Digest(b"w" * 32)
PARAMS = Params(
    Mist(10**10), Mist(10**9), Mist(5 * 10**8), 2, 5, 1 << 63, *[Millis(1000)] * 8, *[Millis(10**6)] * 4, 2_000, 1_000, 1_000, 4_000, 1_000,
)  # fmt: skip


def seat(number: int, lock: int, mark: Mark = Mark.WAITING, root: Digest = Digest(b"")) -> Seat:
    node = NodeId(number.to_bytes(32, "big"))
    return Seat(Slot(number), node, Address(ZERO), TeeKind.SIMULATED, 1, ZERO, ZERO, 1, Mist(lock), b"w" * 80, Digest(b""), root, mark)


def task(outcome: Outcome, rounds: tuple[Round, ...] = (), verdict_root: Digest = RIGHT) -> TaskView:
    price, fee, reservation = Mist(1_000_000), Mist(300_000), Mist(100_000)
    escrow = money.quote(PARAMS, price, fee, reservation)
    return TaskView(
        TaskId(ZERO), 1, Address(ZERO), Address(ZERO), Address(ZERO), Address(ZERO), Digest(ZERO), PARAMS, price, fee, reservation, escrow,
        TaskState.DECIDED, outcome, Millis(0), Millis(0), (), 0, seat(99, 10**9), b"", BlobId(ZERO), Digest(ZERO), ZERO, 1,
        Digest(ZERO), BlobId(ZERO), 1, b"", ZERO, (), bool(rounds), rounds, verdict_root,
    )  # fmt: skip


def a_round(kind: int, *seats: Seat) -> Round:
    return Round(kind, tuple(s.slot for s in seats), seats, Millis(0), (), (), 0, 0)


marks = st.sampled_from([(Mark.WAITING, Digest(b"")), (Mark.COMMITTED, Digest(b"")), (Mark.AGREES, RIGHT), (Mark.DIFFERS, WRONG)])
rounds = st.lists(st.lists(marks, min_size=1, max_size=4), max_size=3).map(
    lambda all_: tuple(
        a_round(kind, *(seat(10 * kind + i, 5 * 10**8, mark, root) for i, (mark, root) in enumerate(each))) for kind, each in enumerate(all_, 1)
    )
)
outcomes = st.sampled_from([outcome for outcome in Outcome if outcome])


@given(outcomes, rounds, st.sampled_from([RIGHT, WRONG]), st.integers(0, 10**7))
def test_what_comes_in_goes_out(outcome: Outcome, played: tuple[Round, ...], root: Digest, fund: int) -> None:
    decided = task(outcome, () if outcome is Outcome.EXPIRED else played, root)
    settled = money.settlement(decided, Mist(fund))
    assert settled.conserves(decided.escrow)
    assert settled.fund + fund >= 0
    assert min(settled.refunded, settled.treasury, settled.burnt, *settled.paid.values(), 0) >= 0


@given(outcomes, rounds)
def test_nobody_loses_more_than_its_lock(outcome: Outcome, played: tuple[Round, ...]) -> None:
    decided = task(outcome, () if outcome is Outcome.EXPIRED else played)
    locks = {each.node: each.lock for r in decided.rounds for each in r.seats} | {decided.executor.node: decided.executor.lock}
    for node, loss in money.settlement(decided, Mist(0)).slashed.items():
        assert loss <= locks[node]


@pytest.mark.parametrize("outcome", [Outcome.GUILTY, Outcome.REFUSED])
def test_refusing_costs_as_much_as_lying(outcome: Outcome) -> None:
    decided = task(outcome)
    assert money.settlement(decided, Mist(0)).slashed == {decided.executor.node: decided.executor.lock}


def test_absence_before_the_commitment_costs_less() -> None:
    decided = task(Outcome.ABSENT)
    assert 0 < money.settlement(decided, Mist(0)).slashed[decided.executor.node] < decided.executor.lock


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UPHELD, Outcome.INVALID_INPUT, Outcome.VOID])
def test_an_honest_executor_loses_nothing(outcome: Outcome) -> None:
    assert money.settlement(task(outcome), Mist(0)).slashed == {}


def test_compensation_is_capped_at_the_price() -> None:
    decided = task(Outcome.GUILTY)
    assert money.settlement(decided, Mist(0)).refunded == decided.escrow + decided.price


def test_auditor_that_commits_and_does_not_reveal_loses_its_lock() -> None:
    silent = seat(1, 5 * 10**8, Mark.COMMITTED)
    settled = money.settlement(task(Outcome.UPHELD, (a_round(1, silent, seat(2, 5 * 10**8, Mark.AGREES, RIGHT)),)), Mist(10**6))
    assert settled.slashed == {silent.node: silent.lock}


def test_agreement_and_justified_disagreement_are_paid_equally() -> None:
    agreeing = money.settlement(task(Outcome.UPHELD, (a_round(1, seat(1, 10, Mark.AGREES, RIGHT)),)), Mist(10**7))
    differing = money.settlement(task(Outcome.GUILTY, (a_round(1, seat(1, 10, Mark.DIFFERS, WRONG)),), WRONG), Mist(10**7))
    node = seat(1, 0).node
    slash_share = money.share(10**9, PARAMS.panel_bps)
    assert agreeing.paid[node] == 300_000
    assert differing.paid[node] == 300_000 + slash_share


def test_an_empty_fund_delays_and_does_not_fail() -> None:
    decided = task(Outcome.GUILTY, (a_round(1, seat(1, 10, Mark.DIFFERS, WRONG)),), WRONG)
    settled = money.settlement(decided, Mist(0))
    assert settled.owed == {seat(1, 0).node: 300_000}


def test_nobody_loses_anything_in_a_round_that_was_never_handed_off() -> None:
    waiting = replace(seat(1, 10), wrap=b"")
    assert seat(1, 0).node not in money.settlement(task(Outcome.REFUSED, (a_round(1, waiting),)), Mist(0)).slashed


@pytest.mark.parametrize("outcome", list(Outcome)[1:])
def test_every_outcome_pays_as_the_table_says(outcome: Outcome) -> None:
    decided = task(outcome)
    lock, price, reservation = decided.executor.lock, decided.price, decided.reservation_fee
    fee, full = Mist(300_000), decided.escrow
    # refunded, executor paid, executor's loss
    table = {
        Outcome.ACCEPTED: (0, price + reservation, 0),
        Outcome.UPHELD: (0, price + reservation, 0),
        Outcome.GUILTY: (full + price, 0, lock),
        Outcome.REFUSED: (full + price, 0, lock),
        Outcome.ABSENT: (full + price, 0, lock * 2_000 // 10_000),
        Outcome.INVALID_INPUT: (full - reservation, reservation, 0),
        Outcome.EXPIRED: (full - reservation, 0, 0),
        Outcome.VOID: (full - reservation, reservation, 0),
        Outcome.UNDECIDED: (full, 0, lock * 1_000 // 10_000),
    }
    settled = money.settlement(decided, Mist(0))
    executor = decided.executor.node
    assert (settled.refunded, settled.paid.get(executor, 0), settled.slashed.get(executor, 0)) == table[outcome]
    assert settled.fund == (money.premium(PARAMS, fee) if outcome in (Outcome.ACCEPTED, Outcome.UPHELD) else 0)


def test_reservation_of_a_task_without_input_goes_to_the_treasury() -> None:
    decided = task(Outcome.EXPIRED)
    assert money.settlement(decided, Mist(0)).treasury == decided.reservation_fee


def test_a_slash_is_split_by_shares_of_the_whole_and_the_rest_burns() -> None:
    settled = money.settlement(task(Outcome.GUILTY, (a_round(1, seat(1, 10, Mark.DIFFERS, WRONG)),), WRONG), Mist(10**7))
    lock, victim = 10**9, 1_000_000
    assert settled.paid[seat(1, 0).node] == 300_000 + lock * 4 // 10
    assert settled.treasury == lock // 10
    assert settled.burnt == lock - victim - lock * 4 // 10 - lock // 10


def test_without_a_cap_the_victim_gets_its_share() -> None:
    dear = replace(task(Outcome.GUILTY), price=Mist(10**12), escrow=Mist(2 * 10**12))
    assert money.settlement(dear, Mist(0)).refunded == 2 * 10**12 + 10**9 // 10


def test_an_undecided_task_compensates_nobody() -> None:
    decided = task(Outcome.UNDECIDED)
    settled = money.settlement(decided, Mist(0))
    assert settled.refunded == decided.escrow
    assert settled.slashed[decided.executor.node] > 0


def test_slashes_of_the_panel_compensate_nobody() -> None:
    silent = a_round(1, seat(1, 10**8, Mark.COMMITTED), seat(2, 10**8, Mark.AGREES, RIGHT))
    assert money.settlement(task(Outcome.UPHELD, (silent,)), Mist(10**7)).refunded == 0


def test_what_cannot_be_divided_goes_to_the_treasury() -> None:
    lock = 10**9 + 1
    three = a_round(1, *(seat(i, 10, Mark.DIFFERS, WRONG) for i in range(3)))
    decided = replace(task(Outcome.GUILTY, (three,), WRONG), executor=seat(99, lock))
    settled = money.settlement(decided, Mist(10**7))
    part, rest = divmod(money.share(lock, 4_000), 3)
    assert rest
    assert {settled.paid[seat(i, 0).node] for i in range(3)} == {300_000 + part}
    assert settled.treasury == money.share(lock, 1_000) + rest


def test_the_panel_s_share_goes_to_the_treasury_where_nobody_was_right() -> None:
    settled = money.settlement(task(Outcome.REFUSED), Mist(0))
    assert settled.treasury == money.share(10**9, 4_000) + money.share(10**9, 1_000)


def test_a_member_with_the_right_root_that_did_not_open_the_executor_s_commitment_is_wrong() -> None:
    odd = seat(1, 10, Mark.DIFFERS, RIGHT)
    settled = money.settlement(task(Outcome.UPHELD, (a_round(2, odd, seat(2, 10, Mark.AGREES, RIGHT)),)), Mist(10**7))
    assert settled.slashed == {odd.node: 10}
    assert odd.node not in settled.paid


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.REFUSED, Outcome.UNDECIDED])
def test_who_revealed_loses_and_gets_nothing_where_no_root_is_judged(outcome: Outcome) -> None:
    revealed = a_round(1, seat(1, 10, Mark.AGREES, RIGHT), seat(2, 10, Mark.DIFFERS, WRONG))
    settled = money.settlement(task(outcome, (revealed,)), Mist(10**7))
    assert not {seat(1, 0).node, seat(2, 0).node} & {*settled.slashed, *settled.paid, *settled.owed}


def test_a_member_that_never_committed_loses_a_share_and_gets_a_strike() -> None:
    absent = seat(1, 1_000)
    settled = money.settlement(task(Outcome.UPHELD, (a_round(1, absent, seat(2, 10, Mark.AGREES, RIGHT)),)), Mist(10**7))
    assert settled.slashed == {absent.node: 200}
    assert settled.strikes == (absent.node,)


def test_an_absent_executor_gets_a_strike() -> None:
    decided = task(Outcome.ABSENT)
    assert money.settlement(decided, Mist(0)).strikes == (decided.executor.node,)


def test_a_short_fund_pays_in_the_order_of_seats_and_owes_the_rest() -> None:
    two = a_round(1, *(seat(i, 10, Mark.DIFFERS, WRONG) for i in range(2)))
    settled = money.settlement(task(Outcome.GUILTY, (two,), WRONG), Mist(400_000))
    part = money.share(10**9, 4_000) // 2
    assert settled.paid == {seat(0, 0).node: part + 300_000, seat(1, 0).node: part + 100_000}
    assert settled.owed == {seat(1, 0).node: 200_000}
    assert settled.fund == -400_000


def test_an_upheld_task_s_own_premium_pays_its_auditors() -> None:
    upheld = task(Outcome.UPHELD, (a_round(1, seat(1, 10, Mark.AGREES, RIGHT)),))
    settled = money.settlement(upheld, Mist(0))
    assert settled.owed == {}
    assert settled.fund == money.premium(PARAMS, Mist(300_000)) - 300_000


def test_who_was_right_in_two_disputes_is_paid_for_both() -> None:
    again = seat(1, 10, Mark.AGREES, RIGHT)
    settled = money.settlement(task(Outcome.UPHELD, (a_round(2, again), a_round(3, again))), Mist(10**7))
    assert settled.paid[again.node] == 600_000


def test_a_task_under_way_cannot_be_settled() -> None:
    with pytest.raises(Undecided, match="DECIDED"):
        money.settlement(task(Outcome.NONE), Mist(0))


def test_a_task_whose_escrow_is_gone_cannot_be_settled_again() -> None:
    with pytest.raises(Overdrawn, match="before it is settled"):
        money.settlement(replace(task(Outcome.UPHELD), escrow=Mist(0)), Mist(0))


@given(outcomes, rounds, st.integers(0, 10**7))
def test_no_transfer_is_empty_and_the_spoils_are_shared_out(outcome: Outcome, played: tuple[Round, ...], fund: int) -> None:
    made = money.settlement(task(outcome, () if outcome is Outcome.EXPIRED else played), Mist(fund)).transfers
    assert all(each.amount > 0 and each.source is not each.to for each in made)
    gathered = sum(each.amount for each in made if each.to is Account.SPOILS)
    assert gathered == sum(each.amount for each in made if each.source is Account.SPOILS)


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


@given(st.integers(0, 1 << 64), st.integers(1, 16), st.integers(0, 2**40))
def test_premium_covers_the_expected_audit(probability: int, auditors: int, fee: int) -> None:
    cost = Fraction(probability, 1 << 64) * auditors * fee
    charged = money.premium(replace(PARAMS, audit_probability=probability, auditors=auditors), Mist(fee))
    assert cost <= charged < cost + 1


def test_quote_is_price_reservation_and_premium() -> None:
    assert money.quote(PARAMS, Mist(1_000_000), Mist(300_000), Mist(100_000)) == 1_000_000 + 100_000 + 300_000
