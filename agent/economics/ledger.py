"""What a batch of settled tasks means for an adversary, for its victims, and for honest stake."""

from dataclasses import dataclass

import numpy as np

from agent.economics.settlement import Ended, Fate, Flags, settle
from agent.economics.world import Nodes, Setup, World


@dataclass(frozen=True, slots=True)
class Ledger:
    """Sums over tasks; Mist where it is money."""

    tasks: int = 0
    profit: int = 0
    """What the adversary's executors, requesters and panel members got, less what they paid and what their machines cost."""
    victim_loss: int = 0
    """What honest requesters, executors, panel members and the audit fund have less than if everybody had been honest."""
    exposed: int = 0
    """How often honest stake was locked: executors and seats."""
    slashed: int = 0
    """How often honest stake was slashed."""

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(
            self.tasks + other.tasks, self.profit + other.profit, self.victim_loss + other.victim_loss, self.exposed + other.exposed,
            self.slashed + other.slashed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """Whose the parts are, and what happened off chain in these tasks."""

    adverse_executor: bool
    adverse_requester: bool
    answered: Flags
    """[tasks]: whether the requester holds a right result."""
    deceived: Flags
    """[tasks]: whether it believes a wrong one."""
    worked: bool = True
    """Whether the executor ran the workload."""


def book(world: World, setup: Setup, ended: Ended, nodes: Nodes, cast: Cast, *, panel_runs: int = 0) -> Ledger:
    """Settle `ended`, whose seats are held by `nodes` ([tasks, seats]), and say what it meant; `panel_runs`: of the adversary."""
    paid = settle(ended, setup.params, setup.prices, setup.escrow)
    tasks = ended.outcome.size
    bonds = ended.challenge + ended.claim + ended.dispute
    spent = int(tasks * setup.escrow + bonds.sum() - paid.requester.sum())
    gas = int(ended.chunks[ended.published & (ended.claim > 0)].sum()) * setup.publication_gas
    earned = int(paid.executor.sum() - paid.executor_loss.sum()) - gas - (tasks * setup.run_cost if cast.worked else 0)
    mine = world.is_adverse(nodes)
    profit = int((paid.seat - paid.seat_loss)[mine].sum()) - panel_runs * setup.run_cost
    loss = int(paid.seat_loss[~mine].sum() - paid.fund.sum())
    wronged = int(cast.deceived.sum()) * setup.value
    usual = tasks * (setup.prices.price + setup.prices.reservation_fee - setup.run_cost)
    exposed = int(((ended.fate != Fate.NONE) & ~mine).sum())
    slashed = int(((paid.seat_loss > 0) & ~mine).sum())
    if cast.adverse_executor:
        profit += earned + wronged
    else:
        loss += usual - earned
        exposed += tasks
        slashed += int((paid.executor_loss > 0).sum())
    if cast.adverse_executor or cast.adverse_requester:
        # who was absent cranks his own absence before anybody else does
        profit += int(paid.executor_bounty.sum())
    if cast.adverse_requester:
        profit -= spent
    else:
        loss += spent - int(cast.answered.sum()) * setup.escrow + wronged
    return Ledger(tasks, profit, loss, exposed, slashed)


def flags(tasks: int, *, value: bool) -> Flags:
    """The same for each of `tasks`."""
    return np.full(tasks, value, np.bool_)
