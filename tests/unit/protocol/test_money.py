"""Settlement moves money; it never makes or loses any."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import draw, money
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.records import Params, Round, Seat, TaskView
from agent.protocol.statements import TeeKind
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


@pytest.mark.parametrize(("text", "q64"), [("0", 0), ("1", 1 << 64), ("0.5", 1 << 63), ("1/4", 1 << 62)])
def test_probabilities_are_read_exactly(text: str, q64: int) -> None:
    assert draw.probability(text) == q64


@pytest.mark.parametrize("text", ["-0.1", "1.1", "often", "1/0", ""])
def test_what_is_no_probability_is_refused(text: str) -> None:
    with pytest.raises(draw.BadProbability):
        draw.probability(text)


@given(st.integers(0, 1 << 64), st.integers(1, 16), st.integers(0, 2**40))
def test_premium_covers_the_expected_audit(probability: int, auditors: int, fee: int) -> None:
    cost = Fraction(probability, 1 << 64) * auditors * fee
    charged = money.premium(replace(PARAMS, audit_probability=probability, auditors=auditors), Mist(fee))
    assert cost <= charged < cost + 1


