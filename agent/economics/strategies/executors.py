"""What an executor may try with the computation: honest, lazy, colluding, at once, refusing, dividing its stake, crying wolf."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.random import Generator

from agent.economics.errors import BadGame
from agent.economics.ledger import Cast, Ledger, book, flags
from agent.economics.panels import Judged, Votes, draw_panel, judge, runs, seat_panel
from agent.economics.settlement import Ended, Fate
from agent.economics.world import Nodes, Setup, World
from agent.protocol.states import Outcome

STAKE_OF_MINIMUM: Final = 5
"""A node that backs several tasks at once has so many times the minimum stake."""


def honest(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Run every task, repeat every audit."""
    audited = int((rng.random(tasks) < setup.probability).sum())
    plain = book(world, setup, Ended.of(_all(Outcome.ACCEPTED, tasks - audited)), _nobody(tasks - audited), _cast(tasks - audited, works=True))
    executors = world.draw_adverse(rng, audited)
    judged = judge(world, setup, rng, executors, _seated(world, setup, rng, executors), lying=False, votes=Votes.TRUE)
    own = int(world.is_adverse(judged.nodes).sum())  # each in its own enclave
    return plain + book(world, setup, ended_of(judged), judged.nodes, _cast(audited, works=True), panel_runs=own)


def lie(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Run nothing; where all auditors are one's own, they agree."""
    return _lies(world, setup, rng, world.draw_adverse(rng, tasks))


def refuse(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Run nothing; hand off to nobody but one's own auditors, and crank the refusal oneself."""
    return _lies(world, setup, rng, world.draw_adverse(rng, tasks), refuses=True)


def lie_at_once(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Lie in as many tasks at a time as the stake of a node can back.

    Raises:
        BadGame: the stake does not cover what was slashed of it: the rule of one lock a task is broken.
    """
    backs = capacity(setup)
    nodes = -(-tasks // backs)
    executors = np.repeat(world.draw_adverse(rng, nodes), backs)[:tasks]
    caught: list[int] = []
    ledger = _lies(world, setup, rng, executors, caught=caught)
    worst = int(np.bincount(np.asarray(caught) // backs).max()) if caught else 0
    if worst * setup.params.executor_lock > STAKE_OF_MINIMUM * setup.params.min_stake:
        raise BadGame(f"{worst} convictions at once cost more than the stake: one lock a task was not taken")
    return ledger


def cry_wolf(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Have a broken TEE sign of every input that it is invalid, and keep the reservation fee."""
    del rng
    cast = replace(_cast(tasks, works=False), answered=flags(tasks, value=False))
    return book(world, setup, Ended.of(_all(Outcome.INVALID_INPUT, tasks)), _nobody(tasks), cast)


def capacity(setup: Setup) -> int:
    """How many executions a node of a usual stake backs at a time, the reserve for audits left alone."""
    return max(1, (STAKE_OF_MINIMUM * setup.params.min_stake - setup.params.audit_reserve) // setup.params.executor_lock)


def ended_of(judged: Judged, *, cranked: bool = False) -> Ended:
    """Audited tasks, ready to be settled; their bonds, if any, are added by who knows of them."""
    tasks = len(judged.outcome)
    return replace(
        Ended.of(judged.outcome), upheld=judged.upheld, fate=judged.fate, seat_cranked=judged.fate == Fate.WITHHELD,
        cranked=flags(tasks, value=cranked),
    )  # fmt: skip


def escaped(
    world: World, setup: Setup, rng: Generator, executors: Nodes, seated: Nodes, *, refuses: bool = False
) -> tuple[Ledger, Judged]:
    """Lies that are audited by these panels."""
    judged = judge(world, setup, rng, executors, seated, lying=True, votes=Votes.SHIELD, refuses=refuses)
    cast = Cast(
        adverse_executor=True, adverse_requester=False, answered=flags(len(executors), value=False),
        deceived=judged.outcome == Outcome.UPHELD, worked=False,
    )  # fmt: skip
    worked = runs(world, replace(judged, fate=np.where(judged.disputed[:, None], judged.fate, Fate.NONE).astype(np.int8)))
    return book(world, setup, ended_of(judged, cranked=refuses), judged.nodes, cast, panel_runs=worked), judged


def _lies(
    world: World, setup: Setup, rng: Generator, executors: Nodes, *, refuses: bool = False, caught: list[int] | None = None
) -> Ledger:
    tasks = len(executors)
    at = np.flatnonzero(rng.random(tasks) < setup.probability)
    left = tasks - at.size
    plain = book(world, setup, Ended.of(_all(Outcome.ACCEPTED, left)), _nobody(left), _cast(left, works=False))
    ledger, judged = escaped(world, setup, rng, executors[at], _seated(world, setup, rng, executors[at]), refuses=refuses)
    if caught is not None:
        caught.extend(at[judged.outcome != Outcome.UPHELD].tolist())
    return plain + ledger


def _seated(world: World, setup: Setup, rng: Generator, executors: Nodes) -> Nodes:
    panel = draw_panel(world, setup, rng, executors)
    return seat_panel(panel, np.ones(panel.shape, np.bool_), setup.params.auditors)[:, : setup.params.auditors]


def _cast(tasks: int, *, works: bool) -> Cast:
    """An adverse executor that is believed."""
    return Cast(
        adverse_executor=True, adverse_requester=False, answered=flags(tasks, value=works), deceived=flags(tasks, value=not works), worked=works
    )


def _all(outcome: Outcome, tasks: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    return np.full(tasks, outcome, np.int8)


def _nobody(tasks: int) -> Nodes:
    return np.zeros((tasks, 0), np.int32)
