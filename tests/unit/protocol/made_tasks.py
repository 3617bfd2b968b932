"""Decided tasks for tests of money: plain ones, and any that hypothesis can think of."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from made_records import EXECUTOR, NOBODY, PARAMS, a_round, person, plain, seat, task

from agent.protocol.records import Bonds, Delivery, Params, Round, TaskView, Terms, Verdict
from agent.protocol.statements import BAD_KEY, BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome, TaskState
from agent.protocol.units import Digest, Mist

RIGHT, WRONG = Digest(b"r" * 32), Digest(b"w" * 32)
PRICE, FEE, RESERVATION = Mist(1_000_000), Mist(300_000), Mist(100_000)
PREMIUM = Mist(300_000)
UPHELD, DIFFERS, NOTHING = Verdict(RIGHT, agrees=True), Verdict(WRONG, agrees=False), Verdict(Digest(b""), agrees=False)
WITHOUT_EXECUTOR = (Outcome.EXPIRED,)

people = st.sampled_from([NOBODY, person(1), person(2)])
money = st.integers(0, 10**7).map(Mist)
shares = st.integers(0, 10_000)
roots = st.sampled_from([RIGHT, WRONG, BAD_WRAP, NO_INPUT, FORGED, BAD_KEY])
outcomes = st.sampled_from([outcome for outcome in Outcome if outcome])
verdicts = st.one_of(st.just(NOTHING), st.builds(Verdict, roots, st.booleans()))


def decided(outcome: Outcome, *rounds: Round, bonds: tuple[int, int, int] = (0, 0, 0), **known: Any) -> TaskView:
    """A decided task whose escrow is its quote; `bonds`: of challenge, claim and dispute."""
    verdict = {Outcome.UPHELD: UPHELD, Outcome.GUILTY: DIFFERS}.get(outcome, NOTHING)
    return task(**{
        "state": TaskState.DECIDED, "outcome": outcome, "rounds": rounds, "verdict": verdict,
        "terms": plain(Terms, price=PRICE, auditor_fee=FEE, reservation_fee=RESERVATION),
        "escrow": Mist(PRICE + RESERVATION + PREMIUM), "bonds": Bonds(Mist(sum(bonds)), *map(Mist, bonds)), **known,
    })  # fmt: skip


@st.composite
def any_params(draw: st.DrawFn) -> Params:
    """Shares and bounties of any size that `params::new` takes."""
    cuts = sorted(draw(st.tuples(shares, shares, shares)))
    return replace(
        PARAMS, bounty=draw(money), absence_bps=draw(shares), undecided_bps=draw(shares), victim_bps=cuts[0],
        panel_bps=cuts[1] - cuts[0], treasury_bps=cuts[2] - cuts[1],
    )  # fmt: skip


@st.composite
def any_rounds(draw: st.DrawFn) -> tuple[Round, ...]:
    """Rounds in the order of a task, with any votes, handed off by anybody or by nobody."""
    kinds = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5]), unique=True, max_size=4).map(sorted))
    return tuple(draw(_any_round(kind)) for kind in kinds)


@st.composite
def _any_round(draw: st.DrawFn, kind: int) -> Round:
    handed = draw(st.booleans())
    seated = []
    for i in range(draw(st.integers(0, 4))):
        mark = draw(st.sampled_from(Mark if kind == 1 else list(Mark)[:-1]))
        root = draw(roots) if mark.revealed else b""
        lock, votes = draw(st.integers(0, 10**9)), draw(st.integers(1, 3))
        seated.append(seat(10 * kind + i, mark, root, lock=lock, votes=votes, handed=handed))
    by = draw(st.sampled_from([EXECUTOR, *range(10, 14)]))
    return a_round(kind, *seated, by=by, cranker=draw(people), away=draw(st.integers(0, 2)))


@st.composite
def any_decided(draw: st.DrawFn) -> TaskView:
    """Any task that has an outcome, with whatever happened before: also what the contract would never let happen."""
    terms = plain(Terms, price=draw(money), auditor_fee=draw(money), reservation_fee=draw(money))
    outcome = draw(outcomes)
    executor = seat(EXECUTOR, lock=0 if outcome in WITHOUT_EXECUTOR else draw(st.integers(0, 10**10)))
    bonds = draw(st.tuples(money, money, money))
    return task(
        state=TaskState.DECIDED, outcome=outcome, params=draw(any_params()), terms=terms, executor=executor,
        escrow=Mist(terms.price + terms.reservation_fee + draw(money)), bonds=Bonds(Mist(sum(bonds)), *bonds),
        rounds=draw(any_rounds()), verdict=draw(verdicts), cranker=draw(people),
        delivery=Delivery(draw(st.booleans()), draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 64)), (), draw(verdicts)),
    )  # fmt: skip
