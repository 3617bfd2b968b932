"""What executors and requesters may try with the delivery of a right result.

Audits, which the computation passes, are left out, and so is what tasks pay for them.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.random import Generator

from agent.economics.ledger import Cast, Ledger, book, flags
from agent.economics.panels import dispute_it
from agent.economics.settlement import Ended, Flags, Money
from agent.economics.world import Nodes, Setup, World
from agent.protocol.states import Outcome

MAX_CHUNKS: Final = 64
"""Of a sealed output; a claim's bond would pay for all of them."""


def withhold(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Compute, deliver nothing, and publish the output only where the requester claims it, for the bond."""
    setup = replace(setup, audited=Fraction(0))
    claims = rng.random(tasks) < setup.diligence
    ended = replace(Ended.of(_accepted(tasks)), claim=_claim(setup, claims), published=claims, chunks=_one(tasks))
    cast = Cast(adverse_executor=True, adverse_requester=False, answered=claims, deceived=flags(tasks, value=False))
    return book(world, setup, ended, _nobody(tasks), cast)


def forge(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """Compute, commit to the result, and deliver another; who checks, disputes."""
    setup = replace(setup, audited=Fraction(0))
    executors = world.draw_adverse(rng, tasks)
    checks = rng.random(tasks) < setup.diligence
    believed = int((~checks).sum())
    cast = Cast(adverse_executor=True, adverse_requester=False, answered=flags(believed, value=False), deceived=flags(believed, value=True))
    ledger = book(world, setup, Ended.of(_accepted(believed)), _nobody(believed), cast)
    at = np.flatnonzero(checks)
    dispute = dispute_it(world, setup, rng, executors[at, None], wants=True)
    outcome = np.where(dispute.lie_won, Outcome.ACCEPTED, Outcome.FORGED).astype(np.int8)
    every = flags(at.size, value=True)
    ended = replace(
        Ended.of(outcome), dispute=every * np.int64(setup.params.delivery_bond), published=every, chunks=_one(at.size), fate=dispute.fate,
        seat_cranked=np.zeros(dispute.fate.shape, np.bool_),
    )  # fmt: skip
    cast = Cast(adverse_executor=True, adverse_requester=False, answered=~every, deceived=~every)
    return ledger + book(world, setup, ended, dispute.nodes, cast)


def claim_in_vain(world: World, setup: Setup, rng: Generator, tasks: int) -> Ledger:
    """As requester: say that nothing came, though it did, so that an honest executor pays for the publication."""
    setup = replace(setup, audited=Fraction(0))
    del rng
    every = flags(tasks, value=True)
    ended = replace(Ended.of(_accepted(tasks)), claim=_claim(setup, every), published=every, chunks=_one(tasks))
    return book(world, setup, ended, _nobody(tasks), Cast(adverse_executor=False, adverse_requester=True, answered=every, deceived=~every))


def _claim(setup: Setup, where: Flags) -> Money:
    return where * np.int64(MAX_CHUNKS * setup.params.bounty)


def _one(tasks: int) -> Money:
    return np.ones(tasks, np.int64)


def _accepted(tasks: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    return np.full(tasks, Outcome.ACCEPTED, np.int8)


def _nobody(tasks: int) -> Nodes:
    return np.zeros((tasks, 0), np.int32)
