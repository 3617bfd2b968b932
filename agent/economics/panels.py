"""Audits and disputes by many tasks at once, the adversary's members voting as one: docs/spec/protocol.md §6.

The adversary knows who is drawn before it votes, and its members share what one of them computed: better for it than life is.
A committee of last resort that answers, and answers truly, is assumed.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from agent.economics.settlement import Codes, Fate, Flags
from agent.economics.world import SPARES, Nodes, Setup, World, again
from agent.protocol.states import Outcome

_Code = TypeVar("_Code", np.int8, np.int32)


class Votes(Enum):
    """What the adversary's members of a panel are after; else they vote truly, and are paid for it."""

    TRUE = "true"
    SHIELD = "shield"
    """Uphold a lying executor, where all of the audit or two thirds of a dispute are theirs."""
    ACCUSE = "accuse"
    """One of the audit says that an honest executor lied; the others vote truly."""
    FRAME = "frame"
    """The same, and a dispute convicts it where two thirds are theirs."""
    COPY = "copy"
    """Post another's commitment, which they cannot open."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of audited tasks."""

    outcome: Codes
    upheld: Flags
    """Whether there is a verdict for the executor."""
    fate: Codes
    """[tasks, seats], all rounds side by side."""
    nodes: Nodes
    """[tasks, seats]"""
    disputed: Flags


_LIE_WON: Final = 1
_TRUTH_WON: Final = 2


def draw_panel(world: World, setup: Setup, rng: Generator, executors: Nodes, first: Nodes | None = None) -> Nodes:
    """[tasks, auditors + spares], in the order drawn; `first`, where given, was drawn first."""
    count = setup.params.auditors + SPARES
    if first is None:
        return world.draw_without(rng, executors[:, None], count)
    taken = np.stack([executors, first], axis=1)
    return np.concatenate([first[:, None], world.draw_without(rng, taken, count - 1)], axis=1)


def seat_panel(panel: Nodes, eligible: Flags, wanted: int) -> Nodes:
    """[tasks, drawn]: the first `wanted` of a panel that are eligible; -1 in the places of the others."""
    return np.where(eligible & (np.cumsum(eligible, axis=1) <= wanted), panel, np.int32(-1))


def judge(
    world: World, setup: Setup, rng: Generator, executors: Nodes, seated: Nodes, *, lying: bool, votes: Votes, refuses: bool = False
) -> Judged:
    """Audit tasks whose executors lied, or not, with these panels; at least one is seated in each.

    `refuses`: a liar hands off only where every auditor is the adversary's.
    """
    there = seated >= 0
    mine = world.is_adverse(seated)
    ours: Flags = np.all(mine | ~there, axis=1)
    audit = np.where(there, Fate.RIGHT, Fate.NONE).astype(np.int8)
    tasks = len(seated)
    if lying:
        disputed: Flags = ~ours if votes is Votes.SHIELD else np.ones(tasks, np.bool_)
        if refuses:
            audit[disputed] = np.where(there[disputed], Fate.NEUTRAL, Fate.NONE)
            outcome = np.where(disputed, Outcome.REFUSED, Outcome.UPHELD).astype(np.int8)
            return Judged(outcome, ~disputed, audit, seated, np.zeros(tasks, np.bool_))
    elif votes is Votes.COPY:
        audit[mine] = Fate.WITHHELD
        disputed = ours
    else:
        audit, disputed = _accuse(world, audit, seated, mine, votes)
    if not disputed.any():
        return Judged(np.full(tasks, Outcome.UPHELD, np.int8), np.ones(tasks, np.bool_), audit, seated, disputed)
    wants = {Votes.SHIELD: lying, Votes.FRAME: not lying}.get(votes, False)
    at = np.flatnonzero(disputed)
    barred = np.concatenate([executors[at, None], seated[at]], axis=1)
    dispute = dispute_it(world, setup, rng, barred, wants=wants)
    won = np.zeros(tasks, np.bool_)
    won[at] = dispute.lie_won
    fate = np.concatenate([audit, _spread(dispute.fate, at, tasks, 0)], axis=1)
    nodes = np.concatenate([seated, _spread(dispute.nodes, at, tasks, -1)], axis=1)
    width = seated.shape[1]
    # where a lie won, who told the truth in the audit was wrong, and who accused was right
    swapped = np.array([Fate.NONE, Fate.NEUTRAL, Fate.WRONG, Fate.EXCUSED, Fate.RIGHT, Fate.AWAY, Fate.WITHHELD, Fate.FALSE_HANDOFF], np.int8)
    fate[won, :width] = swapped[fate[won, :width]]
    guilty = disputed & (won != lying)
    outcome = np.where(guilty, Outcome.GUILTY, Outcome.UPHELD).astype(np.int8)
    return Judged(outcome, ~guilty, fate, nodes, disputed)


@dataclass(frozen=True, slots=True)
class Dispute:
    """What became of disputes."""

    lie_won: Flags
    fate: Codes
    nodes: Nodes
    """[disputes, seats of both rounds]; -1: no second round."""


def dispute_it(world: World, setup: Setup, rng: Generator, barred: Nodes, *, wants: bool) -> Dispute:
    """Judge a matter with seats drawn with replacement, none of `barred` among them; `wants`: the adversary wants the lie to win.

    Where it has two thirds it votes for the lie; where it can it keeps the round undecided, by a vote that costs it no stake
    (docs/spec/protocol.md §6, rule 4); else it votes truly. After two undecided rounds the committee finds the truth.
    """
    first = _round(world, rng, barred, setup.params.dispute_seats, wants=wants)
    blocked = np.flatnonzero((first.won != _LIE_WON) & (first.won != _TRUTH_WON))
    lie_won = first.won == _LIE_WON
    if not blocked.size:
        return Dispute(lie_won, _fates(first, lie_won), first.nodes)
    second = _round(world, rng, barred[blocked], setup.second_seats, wants=wants)
    lie_won[blocked] = second.won == _LIE_WON
    tasks = len(barred)
    fate = np.concatenate([_fates(first, lie_won), _spread(_fates(second, lie_won[blocked]), blocked, tasks, 0)], axis=1)
    nodes = np.concatenate([first.nodes, _spread(second.nodes, blocked, tasks, -1)], axis=1)
    return Dispute(lie_won, fate, nodes)


def runs(world: World, judged: Judged) -> int:
    """How often the adversary had to run something to vote: once a task in which a member of its was right."""
    return int(((judged.fate == Fate.RIGHT) & world.is_adverse(judged.nodes)).any(axis=1).sum())


@dataclass(frozen=True, slots=True)
class _Round:
    nodes: Nodes
    mine: Flags
    won: Codes


def _round(world: World, rng: Generator, barred: Nodes, seats: int, *, wants: bool) -> _Round:
    nodes = world.draw_with(rng, barred, seats)
    mine = world.is_adverse(nodes)
    theirs = mine.sum(axis=1) if wants else np.zeros(len(nodes), np.int64)
    won = np.where(3 * theirs >= 2 * seats, _LIE_WON, np.where(3 * (seats - theirs) >= 2 * seats, _TRUTH_WON, 0))
    return _Round(nodes, mine, won.astype(np.int8))


def _fates(found: _Round, lie_won: Flags) -> Codes:
    """By what was found at last, in this round or a later one."""
    honest = np.where(lie_won, Fate.WRONG, Fate.RIGHT)[:, None]
    adverse = np.select([found.won == _LIE_WON, found.won == _TRUTH_WON], [Fate.RIGHT, Fate.RIGHT], Fate.EXCUSED)[:, None]
    fate = np.where(found.mine, adverse, honest).astype(np.int8)
    fate[again(found.nodes)] = Fate.NONE
    return fate


def _accuse(world: World, audit: Codes, seated: Nodes, mine: Flags, votes: Votes) -> tuple[Codes, Flags]:
    accused: Flags = np.any(mine, axis=1) & (votes in (Votes.ACCUSE, Votes.FRAME))
    if votes is Votes.FRAME:
        # whoever sits in the audit cannot judge the dispute: the heaviest is wanted there
        accused &= ~(seated == world.honest).any(axis=1)
    at = np.flatnonzero(accused)
    audit[at, np.argmax(mine[at], axis=1)] = Fate.WRONG
    return audit, accused


def _spread(found: NDArray[_Code], at: NDArray[np.intp], tasks: int, empty: int) -> NDArray[_Code]:
    """Rows of some tasks among all."""
    wide = np.full((tasks, found.shape[1]), empty, found.dtype)
    wide[at] = found
    return wide
