"""`agent.protocol.money.settlement`, for a whole batch of tasks at once: docs/spec/protocol.md §6, "Settlement", in the same order.

Structures of arrays; the first axis is the task, the second, where there is one, the seat (of all rounds in turn). Integer Mist,
shares rounded down. A test settles the same random tasks here and there and compares every account. One difference: the audit
fund never falls short here, so that fees owed and fees paid are one number; its change may be negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.economics.errors import AmountsTooLarge
from agent.protocol.records import Params, Prices
from agent.protocol.shares import BPS, share
from agent.protocol.states import Outcome

Money: TypeAlias = NDArray[np.int64]
"""Mist, [tasks] or [tasks, seats]."""
Codes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]

LARGEST: Final = 2**62 // BPS
"""Mist; above it `amount · bps` could overflow."""


class Fate(IntEnum):
    """What became of a seat: how far it came, and how its vote stands to the verdict."""

    NONE = 0
    """There is no such seat."""
    NEUTRAL = 1
    """No handoff, no verdict, or a vote that is neither right nor wrong."""
    RIGHT = 2
    EXCUSED = 3
    """Neutral, with a strike."""
    WRONG = 4
    AWAY = 5
    """Never committed."""
    WITHHELD = 6
    """Committed and did not reveal."""
    FALSE_HANDOFF = 7


_PAID: Final = (Outcome.ACCEPTED, Outcome.UPHELD)
_RESERVED: Final = (Outcome.INVALID_INPUT, Outcome.VOID)
_FORFEITED: Final = (Outcome.EXPIRED, Outcome.UNAVAILABLE)
_CRANKED: Final = (Outcome.ABSENT, Outcome.REFUSED, Outcome.UNDELIVERED)
_LATE: Final = (Outcome.ABSENT, Outcome.UNDELIVERED)
_FATES: Final = len(Fate)
_OUTCOMES: Final = len(Outcome)


@dataclass(frozen=True, slots=True)
class Ended:
    """A batch of DECIDED tasks of one Pool, with the same parameters and prices."""

    outcome: Codes
    cranked: Flags
    """Whether somebody ended the executor's, or the requester's, missed window."""
    upheld: Flags
    """Whether the verdict on the computation agrees with the executor."""
    published: Flags
    chunks: Money
    """[tasks]: of the published output."""
    challenge: Money
    """Bonds."""
    claim: Money
    dispute: Money
    fate: Codes
    """[tasks, seats]: `Fate`."""
    seat_cranked: Flags
    """[tasks, seats]: whether somebody ended a window of that seat's round."""

    @classmethod
    def of(cls, outcome: Codes) -> "Ended":
        """Tasks that came to `outcome` without rounds, bonds or cranks."""
        tasks = outcome.size
        no, zero = np.zeros(tasks, np.bool_), np.zeros(tasks, np.int64)
        return cls(outcome, no, no, no, zero, zero, zero, zero, np.zeros((tasks, 0), np.int8), np.zeros((tasks, 0), np.bool_))


@dataclass(frozen=True, slots=True)
class Paid:
    """Who got what, and who lost what, Mist; without a comment: [tasks]."""

    requester: Money
    executor: Money
    """Fees, bonds included; its loss is apart."""
    executor_loss: Money
    executor_bounty: Money
    """To whom cranked the executor's absence, or the requester's."""
    treasury: Money
    burnt: Money
    fund: Money
    """Change of the audit fund; negative where it paid more than it got."""
    seat: Money
    """[tasks, seats]: fees and spoils."""
    seat_loss: Money
    """[tasks, seats]"""
    seat_bounty: Money
    """[tasks, seats]: to whom cranked that seat's absence."""


def settle(ended: Ended, params: Params, prices: Prices, escrow: int) -> Paid:
    """What `settle` does with each task, each of which holds `escrow` Mist.

    Raises:
        AmountsTooLarge: locks of which a share would not fit into 64 bits.
    """
    if max(params.executor_lock, params.auditor_lock, params.delivery_bond, escrow) > LARGEST:
        raise AmountsTooLarge(f"a lock, bond or escrow above {LARGEST} Mist: the simulator counts shares in 64 bits; say all amounts in smaller ones")
    price, fee, reservation = prices.price, prices.auditor_fee, prices.reservation_fee
    outcome = ended.outcome
    stood = _table(_PAID, 1)[outcome].astype(np.bool_)

    # 1: the escrow
    executor = _table(_PAID, price + reservation)[outcome] + _table(_RESERVED, reservation)[outcome]
    forfeited = _table(_FORFEITED, 1)[outcome].astype(np.bool_)
    bounty = np.where(forfeited & ended.cranked, min(params.bounty, reservation), 0)
    treasury = np.where(forfeited, reservation - bounty, 0)
    fund = np.where(stood, escrow - price - reservation, 0)
    requester = escrow - executor - bounty - treasury - fund

    # 2: the bonds
    lost_challenge = (outcome == Outcome.ACCEPTED) | ended.upheld
    handling = np.where(lost_challenge, np.minimum(reservation, ended.challenge), 0)
    claimed = np.where(stood & ended.published, np.minimum(ended.chunks * params.bounty, ended.claim), 0)
    to_fund = np.where(lost_challenge, ended.challenge - handling, 0) + np.where(stood, ended.dispute, 0)
    executor = executor + handling + claimed
    fund = fund + to_fund
    requester = requester + ended.challenge + ended.claim + ended.dispute - handling - claimed - to_fund

    # 3: losses
    loss = _executor_losses(params)[outcome]
    cranked = _table(_CRANKED, 1)[outcome].astype(np.bool_) & ended.cranked
    cap = np.where(outcome == Outcome.UNDECIDED, 0, price)
    parts = _divide(loss, np.where(cranked, np.minimum(params.bounty, loss), 0), cap, params)
    seat_loss = _seat_losses(params)[ended.fate]
    silent = (ended.fate == Fate.AWAY) | (ended.fate == Fate.WITHHELD)
    seats = _divide(seat_loss, np.where(ended.seat_cranked & silent, np.minimum(params.bounty, seat_loss), 0), np.int64(0), params)

    # 4: the panel
    right = ended.fate == Fate.RIGHT
    count = right.sum(axis=1)
    spoils = parts.panel + seats.panel.sum(axis=1)
    each = np.where(count > 0, spoils // np.maximum(count, 1), 0)
    lacking = np.maximum(fee - each, 0)
    seat = right * (each + lacking)[:, None]
    return Paid(
        requester=requester + parts.victim, executor=executor, executor_loss=loss, executor_bounty=bounty + parts.bounty,
        treasury=treasury + parts.treasury + seats.treasury.sum(axis=1) + spoils - each * count,
        burnt=parts.burnt + seats.burnt.sum(axis=1), fund=fund - lacking * count,
        seat=seat, seat_loss=seat_loss, seat_bounty=seats.bounty,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Parts:
    bounty: Money
    victim: Money
    panel: Money
    treasury: Money
    burnt: Money


def _divide(loss: Money, bounty: Money, cap: Money | np.int64, params: Params) -> _Parts:
    """The bounty off the top, then shares of what remains, of which the rest burns."""
    rest = loss - bounty
    victim = np.minimum(rest * params.victim_bps // BPS, cap)
    panel = rest * params.panel_bps // BPS
    treasury = rest * params.treasury_bps // BPS
    return _Parts(bounty, victim, panel, treasury, rest - victim - panel - treasury)


def _table(outcomes: Sequence[Outcome], amount: int) -> Money:
    found = np.zeros(_OUTCOMES, np.int64)
    found[list(outcomes)] = amount
    return found


def _executor_losses(params: Params) -> Money:
    lock = params.executor_lock
    found = _table((Outcome.GUILTY, Outcome.REFUSED, Outcome.FORGED), lock)
    found[list(_LATE)] = share(lock, params.absence_bps)
    found[Outcome.UNDECIDED] = share(lock, params.undecided_bps)
    return found


def _seat_losses(params: Params) -> Money:
    found = np.zeros(_FATES, np.int64)
    found[[Fate.WRONG, Fate.WITHHELD, Fate.FALSE_HANDOFF]] = params.auditor_lock
    found[Fate.AWAY] = share(params.auditor_lock, params.absence_bps)
    return found
