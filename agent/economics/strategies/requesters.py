"""What a requester may try: opening to lock stake, poisoned and boundary inputs, and lying to itself for the rebate of its own slash."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from agent.economics.ledger import Cast, Ledger, book, flags
from agent.economics.panels import Votes, draw_panel, judge, runs
from agent.economics.settlement import Ended, Fate, Money
from agent.economics.strategies.executors import ended_of
from agent.economics.world import Nodes, Setup, World
from agent.protocol.deterrence import challenge_bond
from agent.protocol.states import Outcome


def abandon(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Open, post nothing, and crank the expiry oneself for the bounty."""
    del rng
    ended = replace(Ended.of(_all(Outcome.EXPIRED, tasks)), cranked=flags(tasks, value=True))
    # nobody's stake is locked before an input is assigned: there is no victim
    return replace(_of_honest_executors(world, setup, ended, tasks, usual=False), victim_loss=0)


def poison(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Post what no enclave can open; the executor's lock is held until it says so, at most for the commit window."""
    del rng
    ledger = _of_honest_executors(world, setup, Ended.of(_all(Outcome.INVALID_INPUT, tasks)), tasks, usual=False)
    windows = setup.params
    held = windows.commit_ms / (windows.commit_ms + windows.delivery_ms)
    usual = setup.prices.price + setup.prices.reservation_fee - setup.run_cost
    # what the lock could have earned meanwhile, if it was the executor's last
    return replace(ledger, victim_loss=int(tasks * (held * usual - setup.prices.reservation_fee)))


def aim_at_boundary(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Search an input on a rounding boundary, challenge, and share the slash of whoever the machines convict."""
    executors = world.draw_honest(rng, tasks)
    seated = draw_panel(world, setup, rng, executors)[:, : setup.params.auditors]
    fate = np.full(seated.shape, Fate.RIGHT, np.int8)
    # where the machines differ, all of the panel is on the other side: the worst for the executor
    convicted = rng.random(tasks) < setup.mismatch
    ended = replace(
        Ended.of(np.where(convicted, Outcome.GUILTY, Outcome.UPHELD).astype(np.int8)), upheld=~convicted, fate=fate,
        seat_cranked=np.zeros(fate.shape, np.bool_), challenge=_bond(setup, tasks),
    )  # fmt: skip
    every = flags(tasks, value=True)
    cast = Cast(adverse_executor=False, adverse_requester=True, answered=every, deceived=~every)
    own = int(world.is_adverse(seated).any(axis=1).sum())
    return book(world, setup, ended, seated, cast, panel_runs=own)


def convict_oneself(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Requester and executor in one hand: lie, challenge the lie, vote against it, and collect compensation and spoils."""
    executors = world.draw_adverse(rng, tasks)
    seated = draw_panel(world, setup, rng, executors)[:, : setup.params.auditors]
    judged = judge(world, setup, rng, executors, seated, lying=True, votes=Votes.TRUE)
    ended = replace(ended_of(judged), challenge=_bond(setup, tasks))
    none = flags(tasks, value=False)
    cast = Cast(adverse_executor=True, adverse_requester=True, answered=none, deceived=none, worked=False)
    return book(world, setup, ended, judged.nodes, cast, panel_runs=runs(world, judged))


def _of_honest_executors(world: World, setup: Setup, ended: Ended, tasks: int, *, usual: bool) -> Ledger:
    none = flags(tasks, value=False)
    cast = Cast(adverse_executor=False, adverse_requester=True, answered=none, deceived=none, worked=usual)
    nobody: Nodes = np.zeros((tasks, 0), np.int32)
    return book(world, setup, ended, nobody, cast)


def _bond(setup: Setup, tasks: int) -> Money:
    return np.full(tasks, challenge_bond(setup.params, setup.prices), np.int64)


def _all(outcome: Outcome, tasks: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    return np.full(tasks, outcome, np.int8)
