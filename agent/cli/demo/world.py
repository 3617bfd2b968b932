"""The demo's network: parameters, prices, the amounts that everybody starts with. Money is Mist, time milliseconds."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from agent.cli.demo.options import SUI
from agent.protocol.deterrence import deters
from agent.protocol.draw import probability
from agent.protocol.records import Params
from agent.protocol.units import Millis, Mist

PRICE: Final = Mist(10_000_000)
AUDITOR_FEE: Final = Mist(4_000_000)
RESERVATION_FEE: Final = Mist(1_000_000)

EXECUTOR_LOCK: Final = Mist(1 * SUI)
AUDITOR_LOCK: Final = Mist(SUI // 2)
BOUNTY: Final = Mist(500_000)
"""Below the reservation fee, as the Pool wants it."""
STAKE: Final = Mist(100 * SUI)
"""Backs some ninety tasks at a time, so that the first candidate drawn is the one that is taken."""
NODE_FUNDS: Final = Mist(STAKE + 20 * SUI)
OPERATOR_FUNDS: Final = Mist(200 * SUI)
"""Of the deployer, the committee and the dApp, each."""
AUDIT_FUND: Final = Mist(20 * SUI)

DEPTH: Final = 4
"""Sixteen slots."""
SECOND: Final = 1_000

COST_BPS: Final = 5_000
"""What an honest run costs, of the price, if the audit probability deters so much; a Network refuses what it does not."""


FORGER_DELIVERY: Final = Millis(30 * SECOND)
"""For a dApp that opens what it got, publishes it and disputes it, while two cores run seven models."""


def params(audit_probability: str, *, forger: bool = False) -> Params:
    """Windows short enough to watch, long enough for two cores that run seven models; parameters that deter a lie."""
    wanted = _params(probability(audit_probability), COST_BPS)
    if forger:
        wanted = replace(wanted, delivery_ms=FORGER_DELIVERY)
    while not deters(wanted):
        # audited that seldom, a lie pays who saves more by it: the demo then plays a cheaper workload
        wanted = replace(wanted, cost_bps=wanted.cost_bps // 2)
    return wanted


def _params(audit_probability: int, cost_bps: int) -> Params:
    return Params(
        min_stake=Mist(10 * SUI),
        executor_lock=EXECUTOR_LOCK,
        auditor_lock=AUDITOR_LOCK,
        audit_reserve=Mist(5 * SUI),
        bounty=BOUNTY,
        delivery_bond=Mist(SUI // 10),
        max_price=PRICE,
        auditors=2,
        dispute_seats=5,
        # nobody is jailed in a demo: when depends on when others settle, and a run with a seed is to repeat
        jail_strikes=1_000_000,
        audit_probability=audit_probability,
        input_ms=Millis(900 * SECOND),
        commit_ms=Millis(30 * SECOND),
        delivery_ms=Millis(4 * SECOND),
        ticket_ms=Millis(30 * SECOND),
        handoff_ms=Millis(30 * SECOND),
        audit_ms=Millis(30 * SECOND),
        reveal_ms=Millis(30 * SECOND),
        grace_ms=Millis(1 * SECOND),
        period_ms=Millis(1_000 * SECOND),
        unbonding_ms=Millis(3_000 * SECOND),
        challenge_ms=Millis(600 * SECOND),
        # no longer than the shortest window, or a halt of that length could still pass a deadline
        heartbeat_ms=Millis(4 * SECOND),
        jail_ms=Millis(600 * SECOND),
        rotation_ms=Millis(1_800 * SECOND),
        timelock_ms=Millis(600 * SECOND),
        absence_bps=2_000,
        undecided_bps=5_000,
        victim_bps=1_000,
        panel_bps=4_000,
        treasury_bps=1_000,
        cost_bps=cost_bps,
        controlled_bps=2_000,
    )


def entropy(seed: int | None, label: str) -> Callable[[int], bytes] | None:
    """Keys of a run that can be repeated; None, so that the system's randomness is used, without a seed.

    Only wallets are made from it: enclave keys are born inside, and no seed reaches there.
    """
    if seed is None:
        return None
    return lambda size: blake2b(f"enclavia demo {seed} {label}".encode(), digest_size=size).digest()
