"""What panel members may try: copying, accusing, framing; and what may be tried against the panel: locking the electorate."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from agent.economics.ledger import Cast, Ledger, book, flags
from agent.economics.panels import Votes, draw_panel, judge, runs, seat_panel
from agent.economics.settlement import Ended
from agent.economics.strategies.executors import capacity, ended_of, escaped
from agent.economics.world import Nodes, Setup, World
from agent.protocol.states import Outcome


def copy(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Repeat nothing, and post the executor's commitment as one's own; commitments name their node, so it cannot be opened."""
    return _audits(world, setup, rng, world.draw_adverse(rng, tasks), Votes.COPY)


def accuse(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Say of every honest executor that it lied, so that a dispute has to be paid for."""
    return _audits(world, setup, rng, world.draw_adverse(rng, tasks), Votes.ACCUSE)


def frame(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """The same by a small slot, while a whale with nine tenths of the adversary's stake votes in the dispute."""
    small = world.honest + 1 + rng.integers(0, len(world.sums) - world.honest - 1, tasks)
    return _audits(world, setup, rng, small.astype(np.int32), Votes.FRAME)


def lock_electorate(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Keep most of the honest stake busy with paid tasks of one's own; meanwhile lie wherever one is drawn.

    Executions leave the audit reserve alone; it is filled by declaring so much value that a task is surely audited.
    """
    lies = _with_few_honest(world, setup, rng, tasks)
    # per lie: as many executions bought of honest nodes as the adversary has of its own, by stake
    bought = round(tasks * setup.locked * (1 - setup.controlled) / setup.controlled)
    p = setup.params
    slots = p.audit_reserve // p.auditor_lock
    audits = round(bought * slots / (capacity(setup) * p.auditors))
    every = flags(bought, value=True)
    cast = Cast(adverse_executor=False, adverse_requester=True, answered=every, deceived=~every)
    nobody: Nodes = np.zeros((bought, 0), np.int32)
    cost = book(world, setup, Ended.of(np.full(bought, Outcome.ACCEPTED, np.int8)), nobody, cast)
    premiums = audits * p.auditors * setup.prices.auditor_fee
    return Ledger(tasks, lies.profit + cost.profit - premiums, lies.victim_loss, lies.exposed, lies.slashed)


def _with_few_honest(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    executors = world.draw_adverse(rng, tasks)
    at = np.flatnonzero(rng.random(tasks) < setup.probability)
    left = tasks - at.size
    none = flags(left, value=False)
    cast = Cast(adverse_executor=True, adverse_requester=False, answered=none, deceived=~none, worked=False)
    nobody: Nodes = np.zeros((left, 0), np.int32)
    plain = book(world, setup, Ended.of(np.full(left, Outcome.ACCEPTED, np.int8)), nobody, cast)
    seated = _some_seated(world, setup, rng, executors[at])
    return plain + escaped(world, setup, rng, executors[at], seated)[0]


def _some_seated(world: World, setup: Setup, rng: Generator, executors: Nodes) -> Nodes:
    """Panels of whoever is not busy; where nobody is left, drawn again, as anybody may."""
    seated = np.full((len(executors), setup.params.auditors + 2), -1, np.int32)
    while (empty := np.flatnonzero((seated < 0).all(axis=1))).size:
        panel = draw_panel(world, setup, rng, executors[empty])
        free = world.is_adverse(panel) | (rng.random(panel.shape) >= setup.locked)
        seated[empty] = seat_panel(panel, free, setup.params.auditors)
    return seated


def _audits(world: World, setup: Setup, rng: Generator, members: Nodes, votes: Votes) -> Ledger:
    """Audits of honest executors with one of `members` on each panel; each has been paid for."""
    setup = replace(setup, audited=Fraction(1))
    tasks = len(members)
    executors = world.draw_honest(rng, tasks)
    seated = draw_panel(world, setup, rng, executors, members)[:, : setup.params.auditors]
    judged = judge(world, setup, rng, executors, seated, lying=False, votes=votes)
    every = flags(tasks, value=True)
    cast = Cast(adverse_executor=False, adverse_requester=False, answered=every, deceived=~every)
    return book(world, setup, ended_of(judged), judged.nodes, cast, panel_runs=runs(world, judged))
